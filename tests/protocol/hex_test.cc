#include "protocol/hex.h"

#include <catch2/catch.hpp>
#include <string_view>

namespace spinel {
namespace {

TEST_CASE("Hexadecimal digits are read in either case") {
  CHECK(HexDigit('0') == 0);
  CHECK(HexDigit('9') == 9);
  CHECK(HexDigit('a') == 10);
  CHECK(HexDigit('F') == 15);
  for (const char c : std::string_view("/:@Gg`\0\xff", 8)) CHECK(HexDigit(c) == -1);
  CHECK(HexByte('f', 'F') == 255);
  CHECK(HexByte('0', 'a') == 10);
  CHECK(HexByte('g', '0') == -1);
  CHECK(HexByte('0', 'g') == -1);
}

TEST_CASE("Bytes are spelled as two lower-case digits each") {
  CHECK(ToHex("").empty());
  CHECK(ToHex({"\0 \x7f\xff", 4}) == "00207fff");
}

TEST_CASE("Letters behind a backslash") {
  CHECK(EscapedLetter('n') == '\n');
  CHECK(EscapedLetter('r') == '\r');
  CHECK(EscapedLetter('t') == '\t');
  CHECK(EscapedLetter('b') == '\b');
  CHECK(EscapedLetter('a') == '\a');
  CHECK(EscapedLetter('"') == '"');
  CHECK(EscapedLetter('x') == 'x');
}

}  // namespace
}  // namespace spinel
