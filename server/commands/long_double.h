// Floating point numbers as INCRBYFLOAT and HINCRBYFLOAT read and write them.
#pragma once

#include <cstddef>
#include <limits>
#include <string_view>

namespace spinel {

// As strtold reads it, all of it, without a space in front; no NaN, nothing that overflows or
// vanishes. False, and `*value` is of no use: it is not such a number.
bool ParseLongDouble(std::string_view text, long double* value);

// Decimal, without an exponent; 17 digits behind the point, less the zeros at their end.
class LongDoubleText {
 public:
  explicit LongDoubleText(long double value);
  std::string_view view() const { return {digits_, size_}; }

 private:
  // The largest value has this many digits in front of the point.
  static constexpr size_t kMaxDigits = std::numeric_limits<long double>::max_exponent10 + 1;
  char digits_[1 + kMaxDigits + 1 + 17 + 1];
  size_t size_;
};

}  // namespace spinel
