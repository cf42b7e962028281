#include "persistence/crc64.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

namespace spinel {
namespace {

// Bit by bit, from the definition.
uint64_t Slowly(std::string_view bytes) {
  uint64_t crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 1) != 0 ? crc >> 1 ^ 0x95ac9329ac4bc9b5 : crc >> 1;
  }
  return crc;
}

}  // namespace

TEST_CASE("CRC-64: known values") {
  CHECK(Crc64(0, "") == 0);
  CHECK(Crc64(0, "123456789") == 0xe9c6d914c4b8d9ca);  // the check value of CRC-64/REDIS
  // What Redis' documentation shows for DUMP of 10.
  uint64_t stored;
  std::memcpy(&stored, "\xbem\x06\x89Z(\x00\n", sizeof(stored));
  CHECK(Crc64(0, std::string_view("\x00\xc0\n\t\x00", 5)) == stored);
}

TEST_CASE("CRC-64: whole or in pieces, fast or slowly") {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    CHECK(Crc64(0, text) == Slowly(text));
    for (size_t cut = 0; cut <= text.size(); ++cut) {
      const std::string_view whole = text;
      if (Crc64(Crc64(0, whole.substr(0, cut)), whole.substr(cut)) != Slowly(text)) {
        FAIL("cut at " << cut << " of " << text.size());
      }
    }
    text += static_cast<char>(i * 37 + 11);
  }
}

}  // namespace spinel
