#include "protocol/numbers.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace spinel {
namespace {

std::optional<int64_t> Int(std::string_view text) {
  int64_t value = 0;
  return ParseInt64(text, &value) ? std::optional(value) : std::nullopt;
}

std::optional<double> Double(std::string_view text) {
  double value = 0;
  return ParseDouble(text, &value) ? std::optional(value) : std::nullopt;
}

std::string Formatted(double value) {
  char text[kMaxDoubleChars];
  return {text, FormatDouble(value, text)};
}

TEST_CASE("Numbers: integers as strict as Redis reads them") {
  CHECK(Int("0") == 0);
  CHECK(Int("7") == 7);
  CHECK(Int("-1") == -1);
  CHECK(Int("1234567890123456789") == 1234567890123456789);
  CHECK(Int("9223372036854775807") == std::numeric_limits<int64_t>::max());
  CHECK(Int("-9223372036854775808") == std::numeric_limits<int64_t>::min());
  for (const char* text :
       {"", "-", "+1", "01", "-0", "00", " 1", "1 ", "1x", "x", "--1", "1.0", "0x1",
        "9223372036854775808", "-9223372036854775809", "10000000000000000000",
        "99999999999999999999", "100000000000000000000000"}) {
    INFO(text);
    CHECK(!Int(text));
  }
  CHECK(!Int(std::string_view("1\0", 2)));
}

TEST_CASE("Numbers: doubles as strtod reads them") {
  CHECK(Double("1.5") == 1.5);
  CHECK(Double("+1.5") == 1.5);
  CHECK(Double("-.5e1") == -5);
  CHECK(Double("5.") == 5);
  CHECK(Double("1e3") == 1000);
  CHECK(Double("0x10") == 16);
  CHECK(Double("0x1p-1") == 0.5);
  for (const char* text : {"inf", "+inf", "INF", "Infinity", "+infinity"}) {
    CHECK(Double(text) == std::numeric_limits<double>::infinity());
  }
  CHECK(Double("-inf") == -std::numeric_limits<double>::infinity());
  CHECK(Double("4.9e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(std::signbit(*Double("-0")));
  CHECK(Double(std::string(300, '0').append("1.5")) == 1.5);
  for (const char* text : {"", " 1", "1 ", "nan", "-nan", "NaN(1)", "1e", "e1", ".", "1..2", "abc",
                           "1e309", "-1e309", "1e-400", "0x", "--1", "+-1", "\t1", "1,5"}) {
    INFO(text);
    CHECK(!Double(text));
  }
  CHECK(!Double(std::string_view("1\0", 2)));
  CHECK(!Double(std::string(300, 'x')));
}

TEST_CASE("Numbers: doubles as Redis prints them") {
  CHECK(Formatted(0) == "0");
  CHECK(Formatted(-0.0) == "-0");
  CHECK(Formatted(3) == "3");
  CHECK(Formatted(-3) == "-3");
  CHECK(Formatted(0.1) == "0.1");
  CHECK(Formatted(-1.5) == "-1.5");
  CHECK(Formatted(3.14159265358979) == "3.14159265358979");
  CHECK(Formatted(0.30000000000000004) == "0.30000000000000004");
  CHECK(Formatted(1e15) == "1000000000000000");
  CHECK(Formatted(4611686018427387904.0) == "4611686018427387904");
  CHECK(Formatted(1e19) == "1e+19");
  CHECK(Formatted(1e21) == "1e+21");
  CHECK(Formatted(-1.7976931348623157e308) == "-1.7976931348623157e+308");
  CHECK(Formatted(5e-324) == "5e-324");
  CHECK(Formatted(2.2250738585072014e-308) == "2.2250738585072014e-308");
  CHECK(Formatted(1e-5) == "0.00001");
  CHECK(Formatted(1e-6) == "0.000001");
  CHECK(Formatted(1e-7) == "1e-7");
  CHECK(Formatted(1.5e-7) == "1.5e-7");
  CHECK(Formatted(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(Formatted(-std::numeric_limits<double>::infinity()) == "-inf");
  CHECK(Formatted(std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(Formatted(-std::numeric_limits<double>::quiet_NaN()) == "nan");
}

TEST_CASE("Numbers: every double reads back as it was printed") {
  std::mt19937_64 random(42);
  for (int i = 0; i < 300'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = Formatted(value);
    if (text.size() > 25 || std::strtod(text.c_str(), nullptr) != value || Double(text) != value) {
      FAIL(text);
    }
  }
}

TEST_CASE("Numbers: integers written") {
  for (int64_t value : {int64_t{0}, int64_t{9}, int64_t{10}, int64_t{-1}, int64_t{99'999},
                        std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    char text[kMaxInt64Chars];
    CHECK(std::string(text, WriteInt64(text, value)) == std::to_string(value));
  }
}

}  // namespace
}  // namespace spinel
