#include "persistence/crc64.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace spinel {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr uint64_t kReflectedPolynomial = 0x95ac9329ac4bc9b5;
constexpr size_t kSlices = 8;

using Slices = std::array<std::array<uint64_t, 256>, kSlices>;

// slices[i][b]: what byte b adds to the checksum when i bytes follow it.
constexpr Slices MakeSlices() {
  Slices slices{};
  for (uint64_t byte = 0; byte < 256; ++byte) {
    uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1) != 0 ? crc >> 1 ^ kReflectedPolynomial : crc >> 1;
    }
    slices[0][byte] = crc;
  }
  for (size_t i = 1; i < kSlices; ++i) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint64_t before = slices[i - 1][byte];
      slices[i][byte] = before >> 8 ^ slices[0][before & 0xff];
    }
  }
  return slices;
}

constexpr Slices kTable = MakeSlices();

}  // namespace

uint64_t Crc64(uint64_t crc, std::string_view bytes) {
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= kSlices; left -= kSlices, at += kSlices) {
    uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    word ^= crc;
    crc = kTable[7][word & 0xff] ^ kTable[6][word >> 8 & 0xff] ^ kTable[5][word >> 16 & 0xff] ^
          kTable[4][word >> 24 & 0xff] ^ kTable[3][word >> 32 & 0xff] ^
          kTable[2][word >> 40 & 0xff] ^ kTable[1][word >> 48 & 0xff] ^ kTable[0][word >> 56];
  }
  for (; left > 0; --left, ++at) {
    crc = crc >> 8 ^ kTable[0][(crc ^ static_cast<uint8_t>(*at)) & 0xff];
  }
  return crc;
}

}  // namespace spinel
