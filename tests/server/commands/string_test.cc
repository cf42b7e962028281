#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {

TEST_CASE_METHOD(CommandFixture, "GET and SET: round trip in every encoding") {
  BothProtocols([this] {
    for (const std::string& value :
         {std::string(), std::string("v"), std::string("12"), std::string("-9223372036854775808"),
          std::string("012"), std::string(44, 'x'), std::string(16383, 'y'),
          std::string(16384, 'z'), std::string(1'000'000, 'b')}) {
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

TEST_CASE_METHOD(CommandFixture, "SET: options repeated, contradicted, cut short") {
  CHECK(Run("SET", "k", "a", "NX", "NX") == Ok());
  CHECK(Run("SET", "k", "a", "EX", "10", "EX", "20") == Ok());
  CHECK(Run("TTL", "k") == Int(20));
  CHECK(Run("SET", "k", "b", "KEEPTTL") == Ok());
  CHECK(Run("TTL", "k") == Int(20));
  CHECK(Run("SET", "k", "b") == Ok());
  CHECK(Run("TTL", "k") == Int(-1));
  CHECK(Run("SET", "k", "a", "EX", "10", "PX", "20") == SyntaxError());
  CHECK(Run("SET", "k", "a", "EX") == SyntaxError());
  CHECK(Run("SET", "k", "a", "IFEQ") == SyntaxError());
  CHECK(Run("SET", "k", "a", "IFEQ", "b", "XX") == SyntaxError());
  CHECK(Run("SET", "k", "a", "FOO") == SyntaxError());
  // What makes no sense at all is told before what is only out of range.
  CHECK(Run("SET", "k", "a", "EX", "0", "FOO") == SyntaxError());
  for (const char* time : {"-1", "9223372036854775807", "9223372036854775"}) {
    CHECK(Run("SET", "k", "a", "EX", time) == Error("ERR invalid expire time in 'set' command"));
  }
  CHECK(Run("GET", "k") == Bulk("b"));
  // A time in the past is taken; the key is gone at once.
  CHECK(Run("SET", "k", "a", "PXAT", "1") == Ok());
  CHECK(Run("DBSIZE") == Int(0));
  CHECK(Run("GET", "k") == Nil());
}

TEST_CASE_METHOD(CommandFixture, "SET GET: the old value, whether or not the new one is stored") {
  BothProtocols([this] {
    CHECK(Run("SET", "k", "a", "GET") == Nil());
    CHECK(Run("SET", "k", "b", "GET", "XX") == Bulk("a"));
    CHECK(Run("SET", "k", "c", "GET", "NX") == Bulk("b"));
    CHECK(Run("SET", "k", "c", "GET", "IFEQ", "x") == Bulk("b"));
    CHECK(Run("GET", "k") == Bulk("b"));
    CHECK(Run("SET", "none", "c", "GET", "XX") == Nil());
    CHECK(Run("SET", "none", "c", "IFEQ", "x") == Nil());
    CHECK(Run("EXISTS", "none") == Int(0));
    const std::string big(50'000, 'x');
    CHECK(Run("SET", "k", big, "GET") == Bulk("b"));
    CHECK(Run("SET", "k", "small", "GET") == Bulk(big));
  });
}

TEST_CASE_METHOD(CommandFixture, "SETNX, SETEX, PSETEX, GETSET") {
  BothProtocols([this] {
    CHECK(Run("SETNX", "k", "a") == Int(1));
    CHECK(Run("SETNX", "k", "b") == Int(0));
    CHECK(Run("GETSET", "k", "b") == Bulk("a"));
    CHECK(Run("GETSET", "new", "x") == Nil());
    CHECK(Run("SETEX", "k", "100", "c") == Ok());
    CHECK(Run("TTL", "k") == Int(100));
    CHECK(Run("GETSET", "k", "d") == Bulk("c"));
    CHECK(Run("TTL", "k") == Int(-1));
    CHECK(Run("PSETEX", "k", "1500", "e") == Ok());
    CHECK(Run("PTTL", "k") == Int(1500));
  });
  CHECK(Run("SETEX", "k", "0", "x") == Error("ERR invalid expire time in 'setex' command"));
  CHECK(Run("PSETEX", "k", "-1", "x") == Error("ERR invalid expire time in 'psetex' command"));
  CHECK(Run("SETEX", "k", "x", "x") == Error("ERR value is not an integer or out of range"));
  CHECK(Run("SETEX", "k", "9223372036854775807", "x") ==
        Error("ERR invalid expire time in 'setex' command"));
  CHECK(Run("SETEX", "k", "1") == WrongArity("setex"));
  CHECK(Run("SETNX", "k") == WrongArity("setnx"));
  CHECK(Run("GETSET", "k") == WrongArity("getset"));
}

TEST_CASE_METHOD(CommandFixture, "GETDEL, DELIFEQ: remove keys") {
  BothProtocols([this] {
    const std::string big(300'000, 'x');
    for (const std::string& value : {std::string("v"), std::string("12"), big}) {
      Run("SET", "k", value);
      CHECK(Run("GETDEL", "k") == Bulk(value));
      CHECK(Run("GETDEL", "k") == Nil());
      Run("SET", "k", value);
      CHECK(Run("DELIFEQ", "k", "other") == Int(0));
      CHECK(Run("DELIFEQ", "k", value) == Int(1));
      CHECK(Run("DELIFEQ", "k", value) == Int(0));
    }
  });
  CHECK(Run("GETDEL") == WrongArity("getdel"));
  CHECK(Run("DELIFEQ", "k") == WrongArity("delifeq"));
}

TEST_CASE_METHOD(CommandFixture, "GETEX: every way to set or remove the expiry") {
  BothProtocols([this] {
    CHECK(Run("GETEX", "none", "EX", "10") == Nil());
    CHECK(Run("GETEX", "none", "EX", "-10") == Nil());
    Run("SET", "k", "v");
    CHECK(Run("GETEX", "k") == Bulk("v"));
    CHECK(Run("TTL", "k") == Int(-1));
    CHECK(Run("GETEX", "k", "EX", "10") == Bulk("v"));
    CHECK(Run("PTTL", "k") == Int(10'000));
    CHECK(Run("GETEX", "k", "PX", "1234") == Bulk("v"));
    CHECK(Run("PTTL", "k") == Int(1234));
    CHECK(Run("GETEX", "k", "EXAT", now_ms() / 1000 + 7) == Bulk("v"));
    CHECK(Run("TTL", "k") == Int(7));
    CHECK(Run("GETEX", "k", "PXAT", now_ms() + 77) == Bulk("v"));
    CHECK(Run("PTTL", "k") == Int(77));
    CHECK(Run("GETEX", "k") == Bulk("v"));
    CHECK(Run("PTTL", "k") == Int(77));
    CHECK(Run("GETEX", "k", "PERSIST") == Bulk("v"));
    CHECK(Run("TTL", "k") == Int(-1));
    CHECK(Run("GETEX", "k", "PXAT", now_ms()) == Bulk("v"));
    CHECK(Run("EXISTS", "k") == Int(0));
  });
  Run("SET", "k", "v");
  CHECK(Run("GETEX", "k", "EX", "10", "PERSIST") == SyntaxError());
  CHECK(Run("GETEX", "k", "KEEPTTL") == SyntaxError());
  CHECK(Run("GETEX", "k", "EX") == SyntaxError());
  CHECK(Run("GETEX", "k", "EX", "0") == Error("ERR invalid expire time in 'getex' command"));
  CHECK(Run("GETEX", "k", "PX", "x") == Error("ERR value is not an integer or out of range"));
  CHECK(Run("GETEX") == WrongArity("getex"));
}

}  // namespace spinel
