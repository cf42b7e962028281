// Grisu2 of Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers"
// (PLDI 2010). A shortest-digits algorithm without its rare misses exists in the standard library;
// this one is used because Redis and Valkey print with it, and a score or reply has to be the same
// bytes here as there.

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "protocol/numbers.h"

namespace spinel {
namespace {

using Uint128 = unsigned __int128;

// mantissa * 2^exponent, not necessarily normalised.
struct Binary {
  uint64_t mantissa;
  int exponent;
};

constexpr uint64_t kHiddenBit = uint64_t{1} << 52;

// Cached powers of ten: 10^-348, 10^-340, ... 10^340, each rounded to 64 bits.
constexpr int kFirstPower = -348;
constexpr int kPowerStep = 8;
constexpr int kPowers = 87;
constexpr uint64_t kTenToStep = 100'000'000;
// A scaled number's exponent has to be in this range: its integral part then fits 32 bits, and its
// fraction can be multiplied by ten without overflow.
constexpr int kMinScaled = -60;
constexpr int kMaxScaled = -32;

// A number with 256 significant bits (limb 0 is the lowest), for computing the table: after 43
// steps the error is still far below the 64 bits that are kept.
struct Wide {
  std::array<uint64_t, 4> limbs{};
  int exponent = 0;
};

constexpr Wide Normalised(const std::array<uint64_t, 5>& limbs, int exponent) {
  // The top limb is never so large that more than its own leading zeros have to go.
  const int shift = std::countl_zero(limbs[4]);
  Wide result;
  for (size_t i = 0; i < 4; ++i) {
    result.limbs[i] = limbs[i + 1];
    if (shift != 0) result.limbs[i] = limbs[i + 1] << shift | limbs[i] >> (64 - shift);
  }
  result.exponent = exponent + 64 - shift;
  return result;
}

constexpr Wide Times(const Wide& a, uint64_t factor) {
  std::array<uint64_t, 5> product{};
  uint64_t carry = 0;
  for (size_t i = 0; i < 4; ++i) {
    const Uint128 partial = Uint128{a.limbs[i]} * factor + carry;
    product[i] = static_cast<uint64_t>(partial);
    carry = static_cast<uint64_t>(partial >> 64);
  }
  product[4] = carry;
  return Normalised(product, a.exponent);
}

constexpr Wide DividedBy(const Wide& a, uint64_t divisor) {
  std::array<uint64_t, 5> quotient{};
  uint64_t remainder = 0;
  for (size_t i = 5; i-- > 0;) {
    const Uint128 part = Uint128{remainder} << 64 | (i == 0 ? 0 : a.limbs[i - 1]);
    quotient[i] = static_cast<uint64_t>(part / divisor);
    remainder = static_cast<uint64_t>(part % divisor);
  }
  return Normalised(quotient, a.exponent - 64);
}

constexpr Binary Rounded(const Wide& a) {
  // No power of ten in the table is so close to 2^64 that rounding carries out of the mantissa.
  return {a.limbs[3] + (a.limbs[2] >> 63), a.exponent + 192};
}

constexpr std::array<Binary, kPowers> MakePowers() {
  std::array<Binary, kPowers> powers{};
  constexpr int kTenTo4 = (4 - kFirstPower) / kPowerStep;
  const Wide one{{0, 0, 0, uint64_t{1} << 63}, -255};
  Wide up = Times(one, 10'000);
  for (size_t i = kTenTo4; i < kPowers; ++i) {
    powers[i] = Rounded(up);
    up = Times(up, kTenToStep);
  }
  Wide down = DividedBy(one, 10'000);
  for (size_t i = kTenTo4; i-- > 0;) {
    powers[i] = Rounded(down);
    down = DividedBy(down, kTenToStep);
  }
  return powers;
}

constexpr std::array<Binary, kPowers> kTenTo = MakePowers();
static_assert(kTenTo[44].mantissa == 10'000ULL << 50 && kTenTo[44].exponent == -50);

// The power of ten that brings a normalised number with this exponent into the scaled range. Two
// may do; which one is taken decides the last digit now and then, so it is estimated as Redis does.
int ChoosePower(int exponent) {
  constexpr double kLog10Of2 = 0.30102999566398114;
  const int decimal = static_cast<int>(-(exponent + kPowers) * kLog10Of2);
  int index = (decimal - kFirstPower) / kPowerStep;
  const auto scaled = [exponent](int i) {
    return exponent + kTenTo[static_cast<size_t>(i)].exponent + 64;
  };
  while (scaled(index) < kMinScaled) ++index;
  while (scaled(index) > kMaxScaled) --index;
  return index;
}

// The upper half of the product, rounded to nearest.
uint64_t MultiplyHigh(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((Uint128{a} * b + (Uint128{1} << 63)) >> 64);
}

struct Decimal {
  char digits[20] = {};
  int count = 0;
  int exponent = 0;  // the value is digits * 10^exponent
};

// Lowers the last digit as long as that brings the number closer to the exact value. `rest` is how
// far the digits are below the upper bound, `interval` the width of what reads back as the same
// double, `target` how far the exact value is below the upper bound, `unit` the weight of the last
// digit.
void RoundLastDigit(char* last, uint64_t interval, uint64_t rest, uint64_t unit, uint64_t target) {
  while (rest < target && interval - rest >= unit) {
    const uint64_t lowered = rest + unit;
    if (lowered >= target && target - rest <= lowered - target) return;
    --*last;
    rest = lowered;
  }
}

// Generates digits of `upper` until they identify the number. All three are scaled by 2^exponent.
void GenerateDigits(uint64_t lower, uint64_t value, uint64_t upper, int exponent, Decimal* out) {
  const int fraction_bits = -exponent;
  const uint64_t one = uint64_t{1} << fraction_bits;
  uint64_t interval = upper - lower;
  uint64_t target = upper - value;
  uint32_t integral = static_cast<uint32_t>(upper >> fraction_bits);
  uint64_t fraction = upper & (one - 1);

  int position = 10;
  for (uint32_t weight = 1'000'000'000; position > 0; weight /= 10) {
    const uint32_t digit = integral / weight;
    integral %= weight;
    --position;
    if (digit != 0 || out->count != 0) out->digits[out->count++] = static_cast<char>('0' + digit);
    const uint64_t rest = (uint64_t{integral} << fraction_bits) + fraction;
    if (rest <= interval) {
      out->exponent += position;
      RoundLastDigit(&out->digits[out->count - 1], interval, rest,
                     uint64_t{weight} << fraction_bits, target);
      return;
    }
  }
  while (true) {
    fraction *= 10;
    interval *= 10;
    target *= 10;
    --position;
    const uint64_t digit = fraction >> fraction_bits;
    fraction &= one - 1;
    if (digit != 0 || out->count != 0) out->digits[out->count++] = static_cast<char>('0' + digit);
    if (fraction < interval) {
      out->exponent += position;
      RoundLastDigit(&out->digits[out->count - 1], interval, fraction, one, target);
      return;
    }
  }
}

// `bits` are those of a positive finite double.
Decimal ToDecimal(uint64_t bits) {
  const int field = static_cast<int>(bits >> 52);
  const uint64_t stored = bits & (kHiddenBit - 1);
  const Binary exact =
      field == 0 ? Binary{stored, -1074} : Binary{stored | kHiddenBit, field - 1075};

  // The neighbours' midpoints: everything between them reads back as this number. Below a power of
  // two the doubles are twice as dense.
  const int lower_shift = exact.mantissa == kHiddenBit ? 2 : 1;
  uint64_t upper = exact.mantissa * 2 + 1;
  const int shift = std::countl_zero(upper);
  upper <<= shift;
  const int exponent = exact.exponent - 1 - shift;
  const uint64_t value = exact.mantissa << (shift + 1);
  const uint64_t lower = ((exact.mantissa << lower_shift) - 1) << (shift + 1 - lower_shift);

  const int index = ChoosePower(exponent);
  const Binary power = kTenTo[static_cast<size_t>(index)];
  Decimal decimal;
  decimal.exponent = -(kFirstPower + index * kPowerStep);
  // One unit inside on both sides, because the products are not exact.
  GenerateDigits(MultiplyHigh(lower, power.mantissa) + 1, MultiplyHigh(value, power.mantissa),
                 MultiplyHigh(upper, power.mantissa) - 1, exponent + power.exponent + 64, &decimal);
  return decimal;
}

char* WriteBytes(char* to, const char* bytes, int count) {
  std::memcpy(to, bytes, static_cast<size_t>(count));
  return to + count;
}

char* WriteZeros(char* to, int count) {
  std::memset(to, '0', static_cast<size_t>(count));
  return to + count;
}

char* WriteScientific(char* to, const Decimal& decimal) {
  *to++ = decimal.digits[0];
  if (decimal.count > 1) {
    *to++ = '.';
    to = WriteBytes(to, decimal.digits + 1, decimal.count - 1);
  }
  const int exponent = decimal.exponent + decimal.count - 1;
  *to++ = 'e';
  *to++ = exponent < 0 ? '-' : '+';
  return WriteInt64(to, std::abs(exponent));
}

char* WriteDecimal(char* to, const Decimal& decimal) {
  const int count = decimal.count;
  const int exponent = decimal.exponent;
  const int magnitude = std::abs(exponent + count - 1);
  if (exponent >= 0 && magnitude < count + 7) {
    return WriteZeros(WriteBytes(to, decimal.digits, count), exponent);
  }
  if (exponent < 0 && (exponent > -7 || magnitude < 4)) {
    const int integral = count + exponent;  // digits in front of the point
    if (integral > 0) {
      to = WriteBytes(to, decimal.digits, integral);
      *to++ = '.';
      return WriteBytes(to, decimal.digits + integral, count - integral);
    }
    *to++ = '0';
    *to++ = '.';
    return WriteBytes(WriteZeros(to, -integral), decimal.digits, count);
  }
  return WriteScientific(to, decimal);
}

size_t Literal(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return text.size();
}

}  // namespace

size_t FormatDouble(double value, char* to) {
  if (std::isnan(value)) return Literal(to, "nan");
  if (std::isinf(value)) return Literal(to, value < 0 ? "-inf" : "inf");
  if (value == 0) return Literal(to, std::signbit(value) ? "-0" : "0");
  constexpr double kIntegerLimit = 4611686018427387904.0;  // 2^62
  if (std::fabs(value) <= kIntegerLimit) {
    const int64_t integer = static_cast<int64_t>(value);
    if (static_cast<double>(integer) == value) {
      return static_cast<size_t>(WriteInt64(to, integer) - to);
    }
  }
  char* end = to;
  if (value < 0) *end++ = '-';
  end = WriteDecimal(end, ToDecimal(std::bit_cast<uint64_t>(std::fabs(value))));
  return static_cast<size_t>(end - to);
}

}  // namespace spinel
