// Numbers as text, with the strictness and the spelling that Redis has.
//
// Pure functions; any thread. The process keeps the "C" numeric locale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spinel {

// Room for any int64_t in decimal.
inline constexpr size_t kMaxInt64Chars = 20;
// Room for what FormatDouble writes.
inline constexpr size_t kMaxDoubleChars = 32;

// Reads a decimal integer that is written as Spinel itself would write it: no leading '+', zeros or
// spaces, no "-0", nothing behind it. False (and `*value` unchanged) if it is not or does not fit.
bool ParseInt64(std::string_view text, int64_t* value);

// Reads a floating point number as strtod does (decimal, exponent, hexadecimal, "inf", "infinity",
// any letter case). False (and `*value` unchanged) for an empty text, a leading space, anything
// behind the number, NaN, and numbers that overflow to infinity or underflow to zero.
bool ParseDouble(std::string_view text, double* value);

// Writes `value` in decimal to `to` (kMaxInt64Chars bytes) and returns the end of what it wrote.
char* WriteLongInt64(char* to, int64_t value);
inline char* WriteInt64(char* to, int64_t value) {
  // Lengths and counts, which are nearly all that is written, have one or two digits.
  if (static_cast<uint64_t>(value) < 10) {
    *to = static_cast<char>('0' + value);
    return to + 1;
  }
  if (static_cast<uint64_t>(value) < 100) {
    to[0] = static_cast<char>('0' + value / 10);
    to[1] = static_cast<char>('0' + value % 10);
    return to + 2;
  }
  return WriteLongInt64(to, value);
}

// Writes `value` as Redis 7.2 prints scores and RESP3 doubles, and returns how many bytes (at most
// kMaxDoubleChars): integers up to 2^62 without a fraction or exponent, otherwise the digits that
// Grisu2 finds (they read back as the same double and are the shortest such in 99.9% of all cases);
// "inf", "-inf", "nan", "-0".
size_t FormatDouble(double value, char* to);

}  // namespace spinel
