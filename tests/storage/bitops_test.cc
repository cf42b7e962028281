#include "storage/bitops.h"

#include <catch2/catch.hpp>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace spinel {
namespace {

std::string RandomBytes(std::mt19937_64* random, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>((*random)());
  return bytes;
}

}  // namespace

TEST_CASE("Bits: counted and found as one by one") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    std::string bytes = RandomBytes(&random, 1 + random() % 90);
    if (round % 3 == 0) bytes.assign(bytes.size(), static_cast<char>(round % 2 == 0 ? 0 : 0xff));
    const uint64_t bits = bytes.size() * 8;
    const uint64_t begin = random() % bits;
    const uint64_t end = begin + random() % (bits - begin + 1);
    uint64_t count = 0;
    std::optional<uint64_t> first[2];
    for (uint64_t i = begin; i < end; ++i) {
      const bool bit = BitAt(bytes, i);
      count += bit ? 1 : 0;
      if (!first[bit ? 1 : 0].has_value()) first[bit ? 1 : 0] = i;
    }
    CHECK(CountBits(bytes, {begin, end}) == count);
    CHECK(FindBit(bytes, false, {begin, end}) == first[0]);
    CHECK(FindBit(bytes, true, {begin, end}) == first[1]);
  }
  CHECK_FALSE(BitAt("a", 8));
  CHECK_FALSE(BitAt("", uint64_t{1} << 40));
}

TEST_CASE("Bits: combined as one by one, the shorter strings filled up with zeros") {
  std::mt19937_64 random(2);
  for (const size_t longest : {1, 7, 33, 1000, 40000}) {
    std::vector<std::string> strings = {RandomBytes(&random, longest / 2),
                                        RandomBytes(&random, longest), std::string(),
                                        RandomBytes(&random, longest - 1)};
    if (longest > 7) strings.erase(strings.begin() + 2);
    const std::vector<std::string_view> sources(strings.begin(), strings.end());
    for (const auto operation : {BitOperation::kAnd, BitOperation::kOr, BitOperation::kXor}) {
      std::string result(longest, 'x');
      CombineBits(operation, sources, result.data(), longest);
      std::string expected(longest, '\0');
      for (size_t i = 0; i < longest; ++i) {
        int byte = -1;
        for (const std::string_view source : sources) {
          const int other = i < source.size() ? static_cast<uint8_t>(source[i]) : 0;
          byte = byte < 0                          ? other
                 : operation == BitOperation::kAnd ? byte & other
                 : operation == BitOperation::kOr  ? byte | other
                                                   : byte ^ other;
        }
        expected[i] = static_cast<char>(byte);
      }
      CHECK(result == expected);
    }
    std::string result(longest, 'x');
    CombineBits(BitOperation::kNot, {&sources[1], 1}, result.data(), longest);
    for (size_t i = 0; i < longest; ++i) result[i] = static_cast<char>(~result[i]);
    CHECK(result == sources[1]);
  }
}

TEST_CASE("Integers among bits: what is stored is read, and nothing beside it changes") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = RandomBytes(&random, 24);
    const bool is_signed = random() % 2 == 0;
    const IntegerType type = {is_signed,
                              static_cast<unsigned>(1 + random() % (is_signed ? 64 : 63))};
    const uint64_t offset = random() % (bytes.size() * 8 - type.bits + 1);
    const int64_t value = *FitInteger(type, static_cast<int64_t>(random()), Overflow::kWrap);
    const std::string before = bytes;
    StoreIntegerAt(bytes.data(), offset, type, value);
    CHECK(IntegerAt(bytes, offset, type) == value);
    for (uint64_t i = 0; i < bytes.size() * 8; ++i) {
      if (i < offset || i >= offset + type.bits) CHECK(BitAt(bytes, i) == BitAt(before, i));
    }
  }
  CHECK(IntegerAt("\xff", 4, {false, 8}) == 0xf0);
  CHECK(IntegerAt("\xff", 1000, {true, 64}) == 0);
}

TEST_CASE("Integers among bits: overflow") {
  const IntegerType i8 = {true, 8};
  const IntegerType u8 = {false, 8};
  const IntegerType i64 = {true, 64};
  const int64_t max = std::numeric_limits<int64_t>::max();
  const int64_t min = std::numeric_limits<int64_t>::min();
  CHECK(AddInteger(i8, 127, 1, Overflow::kWrap) == -128);
  CHECK(AddInteger(i8, 127, 1, Overflow::kSaturate) == 127);
  CHECK(AddInteger(i8, -128, -1, Overflow::kSaturate) == -128);
  CHECK(AddInteger(i8, 127, 1, Overflow::kFail) == std::nullopt);
  CHECK(AddInteger(u8, 255, 1, Overflow::kWrap) == 0);
  CHECK(AddInteger(u8, 0, -1, Overflow::kWrap) == 255);
  CHECK(AddInteger(u8, 0, min, Overflow::kSaturate) == 0);
  CHECK(AddInteger(u8, 200, max, Overflow::kSaturate) == 255);
  CHECK(AddInteger(i64, max, 1, Overflow::kWrap) == min);
  CHECK(AddInteger(i64, min, -1, Overflow::kSaturate) == min);
  CHECK(AddInteger(i64, max, min, Overflow::kFail) == -1);
  // Without a sign, what is negative is very large.
  CHECK(FitInteger(u8, -1, Overflow::kSaturate) == 255);
  CHECK(FitInteger(u8, -1, Overflow::kWrap) == 255);
  CHECK(FitInteger({false, 63}, -1, Overflow::kFail) == std::nullopt);
}

}  // namespace spinel
