#include "protocol/resp_decoder.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace spinel {
namespace {

std::string Printed(std::string_view wire) {
  std::string error;
  const std::optional<RespValue> value = DecodeResp(&wire, &error);
  if (!error.empty()) return "malformed";
  if (!value) return "not whole";
  return ToString(*value) + (wire.empty() ? "" : " and more");
}

TEST_CASE("Decoder: every type, printed") {
  CHECK(Printed("+OK\r\n") == "OK");
  CHECK(Printed("-ERR x\r\n") == "(error) ERR x");
  CHECK(Printed("!5\r\nERR x\r\n") == "(error) ERR x");
  CHECK(Printed(":-7\r\n") == "-7");
  CHECK(Printed("$3\r\na\"\n\r\n") == "\"a\\\"\\x0a\"");
  CHECK(Printed("$-1\r\n") == "nil");
  CHECK(Printed("_\r\n") == "nil");
  CHECK(Printed("*-1\r\n") == "nil array");
  CHECK(Printed(",1.5\r\n") == "1.5");
  CHECK(Printed("#t\r\n") == "true");
  CHECK(Printed("#f\r\n") == "false");
  CHECK(Printed("(123\r\n") == "123");
  CHECK(Printed("=5\r\ntxt:a\r\n") == "\"txt:a\"");
  CHECK(Printed("*3\r\n:1\r\n$1\r\na\r\n*0\r\n") == "[1, \"a\", []]");
  CHECK(Printed("%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n") == "{a: 1, b: 2}");
  CHECK(Printed("~1\r\n:1\r\n") == "set[1]");
  CHECK(Printed(">2\r\n+x\r\n:1\r\n") == "push[x, 1]");
  CHECK(Printed("*1\r\n|1\r\n+a\r\n:1\r\n+v\r\n") == "[attribute{a: 1, v}]");
}

TEST_CASE("Decoder: one value at a time") {
  std::string_view wire = "+a\r\n:1\r\n$2";
  std::string error = "stale";
  CHECK(DecodeResp(&wire, &error)->text == "a");
  CHECK(DecodeResp(&wire, &error)->integer == 1);
  CHECK(!DecodeResp(&wire, &error));
  CHECK(error.empty());
  CHECK(wire == "$2");
}

TEST_CASE("Decoder: malformed input") {
  for (const char* wire :
       {"\r\n", "x\r\n", ":\r\n", ":1x\r\n", "#x\r\n", "_x\r\n", "$-2\r\n", "$x\r\n", "*-2\r\n",
        "%-1\r\n", "$1\r\nabc", "=3\r\nabc\r\n", "=4\r\nabcd\r\n", "$99999999999999999\r\n"}) {
    INFO(wire);
    CHECK(Printed(wire) == "malformed");
  }
}

TEST_CASE("Decoder: hostile input") {
  CHECK(Printed("*1000000000\r\n:1\r\n") == "not whole");
  std::string deep;
  for (int i = 0; i < 64; ++i) deep += "*1\r\n";
  CHECK(Printed(deep + ":1\r\n").find("[[[") == 0);
  CHECK(Printed(deep + "*1\r\n:1\r\n") == "malformed");
}

}  // namespace
}  // namespace spinel
