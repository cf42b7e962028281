// Bits of byte strings: counting, searching and combining them, and integers of any width among
// them. Bit 0 is the most significant bit of the first byte.
//
// Pure functions; any thread. What is read beyond the end of a string is zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace spinel {

bool BitAt(std::string_view bytes, uint64_t offset);
// Expects the bit to lie within the bytes; returns what it was.
bool ExchangeBit(char* bytes, uint64_t offset, bool bit);

// Bits from `begin` up to, not including, `end`.
struct BitRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// The bits of `range` that are set; it lies within the bytes.
uint64_t CountBits(std::string_view bytes, const BitRange& range);
// The first bit of `range` with this value; it lies within the bytes.
std::optional<uint64_t> FindBit(std::string_view bytes, bool bit, const BitRange& range);

enum class BitOperation : uint8_t { kAnd, kOr, kXor, kNot };

// Writes the combination of the sources, the shorter ones of which count as filled up with zeros,
// to `size` bytes that overlap none of them; none of them is longer. Expects one source at least,
// for kNot exactly one.
void CombineBits(BitOperation operation, std::span<const std::string_view> sources, char* to,
                 size_t size);

// -- Integers among the bits
// -----------------------------------------------------------------------

// At most 64 bits with a sign, 63 without.
struct IntegerType {
  bool is_signed = false;
  unsigned bits = 1;
};

// What becomes of a number that its type cannot hold.
enum class Overflow : uint8_t { kWrap, kSaturate, kFail };

int64_t IntegerAt(std::string_view bytes, uint64_t offset, IntegerType type);
// Expects the integer to lie within the bytes.
void StoreIntegerAt(char* bytes, uint64_t offset, IntegerType type, int64_t value);

// value + increment as the type holds it; none: it does not fit, and overflow is kFail.
std::optional<int64_t> AddInteger(IntegerType type, int64_t value, int64_t increment,
                                  Overflow overflow);
// A number as the type holds it. Without a sign, negative numbers count as very large ones.
std::optional<int64_t> FitInteger(IntegerType type, int64_t value, Overflow overflow);

}  // namespace spinel
