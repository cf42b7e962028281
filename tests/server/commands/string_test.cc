#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {

TEST_CASE_METHOD(CommandFixture, "GET and SET: round trip in every encoding") {
  BothProtocols([this] {
    for (const std::string& value :
         {std::string(), std::string("v"), std::string("12"), std::string("-9223372036854775808"),
          std::string("012"), std::string(44, 'x'), std::string(16383, 'y'), std::string(16384, 'z'),
          std::string(1'000'000, 'b')}) {
      CHECK(Run("SET", "k", value) == Ok());
      CHECK(Run("GET", "k") == Bulk(value));
    }
    CHECK(Run("GET", "none") == Nil());
  });
}

TEST_CASE_METHOD(CommandFixture, "SET: conditions") {
  CHECK(Run("SET", "k", "a", "XX") == Nil());
  CHECK(Run("SET", "k", "a", "NX") == Ok());
  CHECK(Run("SET", "k", "b", "NX") == Nil());
  CHECK(Run("SET", "k", "b", "NX", "GET") == Bulk("a"));
  CHECK(Run("SET", "k", "b", "IFEQ", "x") == Nil());
  CHECK(Run("SET", "k", "b", "IFEQ", "a") == Ok());
  CHECK(Run("SET", "k", "c", "GET") == Bulk("b"));
  CHECK(Run("SET", "k", "c", "NX", "XX") == SyntaxError());
  CHECK(Run("SET", "k", "c", "EX", "1", "KEEPTTL") == SyntaxError());
  CHECK(Run("SET", "k", "c", "EX", "0") == Error("ERR invalid expire time in 'set' command"));
  CHECK(Run("SET", "k", "c", "EX", "x") == Error("ERR value is not an integer or out of range"));
}

TEST_CASE_METHOD(CommandFixture, "SET: expiry is exact, by wheel and by access") {
  Run("SET", "k", "v", "PX", "100");
  AdvanceWithoutTick(100);
  CHECK(Run("GET", "k") == Bulk("v"));
  AdvanceWithoutTick(1);
  CHECK(Run("GET", "k") == Nil());
  Run("SET", "k", "v", "EX", "10");
  Advance(10'020);
  CHECK(server().store().Size(0) == 0);
}

}  // namespace spinel
