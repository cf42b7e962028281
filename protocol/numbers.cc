#include "protocol/numbers.h"

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "protocol/ascii.h"

namespace spinel {
namespace {

// strtod stops at the first byte that it does not understand; all of `text` has to be understood.
bool ParseWithStrtod(const char* text, size_t size, double* value) {
  char* end = nullptr;
  errno = 0;
  const double parsed = std::strtod(text, &end);
  if (end != text + size || std::isnan(parsed)) return false;
  if (errno == ERANGE && (std::isinf(parsed) || parsed == 0)) return false;
  *value = parsed;
  return true;
}

// "00", "01", ... "99".
constexpr std::array<char, 200> MakePairs() {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[i * 2] = static_cast<char>('0' + i / 10);
    pairs[i * 2 + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
constexpr std::array<char, 200> kPairs = MakePairs();

constexpr std::array<uint64_t, 20> MakePowersOfTen() {
  std::array<uint64_t, 20> powers{1};
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}
constexpr std::array<uint64_t, 20> kPowersOfTen = MakePowersOfTen();

// How many digits a number that is not zero has: log10 from log2, which is one too low at times.
size_t CountDigits(uint64_t value) {
  const size_t bits = static_cast<size_t>(std::bit_width(value));
  const size_t estimate = bits * 1233 >> 12;
  return estimate + (value >= kPowersOfTen[estimate] ? 1 : 0);
}

}  // namespace

char* WriteLongInt64(char* to, int64_t value) {
  uint64_t magnitude = static_cast<uint64_t>(value);
  if (value < 0) {
    *to++ = '-';
    magnitude = ~magnitude + 1;
  }
  char* const end = to + CountDigits(magnitude);
  char* at = end;
  while (magnitude >= 10) {
    at -= 2;
    std::memcpy(at, &kPairs[magnitude % 100 * 2], 2);
    magnitude /= 100;
  }
  if (at != to) *to = static_cast<char>('0' + magnitude);
  return end;
}

bool ParseInt64(std::string_view text, int64_t* value) {
  const bool negative = !text.empty() && text.front() == '-';
  const std::string_view digits = text.substr(negative ? 1 : 0);
  // 19 digits never overflow 64 unsigned bits, and 20 never fit in 63.
  if (digits.empty() || digits.size() > 19) return false;
  if (digits.front() == '0') {
    if (digits.size() > 1 || negative) return false;
    *value = 0;
    return true;
  }
  uint64_t magnitude = 0;
  for (const char c : digits) {
    const unsigned digit = static_cast<unsigned char>(c) - unsigned{'0'};
    if (digit > 9) return false;
    magnitude = magnitude * 10 + digit;
  }
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (magnitude > kMax + (negative ? 1 : 0)) return false;
  *value = static_cast<int64_t>(negative ? ~magnitude + 1 : magnitude);
  return true;
}

bool ParseDouble(std::string_view text, double* value) {
  if (text.empty() || IsSpace(text.front())) return false;
  // from_chars is several times faster and agrees with strtod on what both accept. What it refuses
  // ('+', hexadecimal) or cannot express (range errors) is left to strtod.
  double parsed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(parsed)) {
    *value = parsed;
    return true;
  }
  char terminated[256];
  if (text.size() < sizeof(terminated)) {
    std::memcpy(terminated, text.data(), text.size());
    terminated[text.size()] = '\0';
    return ParseWithStrtod(terminated, text.size(), value);
  }
  return ParseWithStrtod(std::string(text).c_str(), text.size(), value);
}

}  // namespace spinel
