#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {

namespace {
constexpr const char* kNoScore = "ERR One or more scores can't be converted into double";
}  // namespace

TEST_CASE_METHOD(CommandFixture, "SORT: numbers, texts, both directions, every type") {
  BothProtocols([this] {
    Run("RPUSH", "l", "10", "9", "-1.5", "2e1", "", "9");
    CHECK(Run("SORT", "l") == Bulks({"-1.5", "", "9", "9", "10", "2e1"}));
    CHECK(Run("SORT", "l", "desc") == Bulks({"2e1", "10", "9", "9", "", "-1.5"}));
    CHECK(Run("SORT_RO", "l", "ALPHA") == Bulks({"", "-1.5", "10", "2e1", "9", "9"}));
    CHECK(Run("SORT", "l", "ALPHA", "DESC", "ASC", "LIMIT", "1", "2") == Bulks({"-1.5", "10"}));
    Run("SADD", "s", "3", "1", "2");
    CHECK(Run("SORT", "s") == Bulks({"1", "2", "3"}));
    Run("SADD", "s", "x");
    CHECK(Run("SORT", "s") == Error(kNoScore));
    CHECK(Run("SORT", "s", "ALPHA", "DESC") == Bulks({"x", "3", "2", "1"}));
    Run("ZADD", "z", "1", "a", "5", "b", "2", "c");
    CHECK(Run("SORT", "z", "ALPHA", "DESC") == Bulks({"c", "b", "a"}));
    CHECK(Run("SORT", "none") == Bulks({}));
    Run("SET", "string", "x");
    CHECK(Run("SORT", "string") == WrongType());
    CHECK(Run("SORT", "string", "BY", "x_*") == WrongType());
  });
}

TEST_CASE_METHOD(CommandFixture, "SORT BY: keys, fields, a constant") {
  BothProtocols([this] {
    Run("RPUSH", "l", "a", "b", "c", "d");
    Run("MSET", "w_a", "3", "w_b", "1", "w_d", "-2");
    Run("HSET", "h_a", "f", "x");
    Run("HSET", "h_b", "f", "y");
    CHECK(Run("SORT", "l", "BY", "w_*") == Bulks({"d", "c", "b", "a"}));
    CHECK(Run("SORT", "l", "BY", "w_*", "ALPHA") == Bulks({"c", "d", "b", "a"}));
    CHECK(Run("SORT", "l", "BY", "h_*->f", "ALPHA", "DESC") == Bulks({"b", "a", "c", "d"}));
    CHECK(Run("SORT", "l", "BY", "h_*->f") == Error(kNoScore));
    // A hash without a field, a string with one: nothing.
    CHECK(Run("SORT", "l", "BY", "h_*", "LIMIT", "0", "2") == Bulks({"a", "b"}));
    CHECK(Run("SORT", "l", "BY", "w_*->f") == Bulks({"a", "b", "c", "d"}));
    CHECK(Run("SORT", "l", "BY", "nosort") == Bulks({"a", "b", "c", "d"}));
    CHECK(Run("SORT", "l", "BY", "nosort", "DESC", "LIMIT", "1", "2") == Bulks({"c", "b"}));
    Run("ZADD", "z", "1", "a", "5", "b", "2", "c");
    CHECK(Run("SORT", "z", "BY", "nosort") == Bulks({"a", "c", "b"}));
    CHECK(Run("SORT", "z", "BY", "nosort", "DESC", "LIMIT", "0", "2") == Bulks({"b", "c"}));
    CHECK(Run("SORT", "z", "BY", "nosort", "LIMIT", "5", "10") == Bulks({}));
    CHECK(Run("SORT", "z", "BY", "nosort", "LIMIT", "-10", "100") == Bulks({"a", "c", "b"}));
  });
}

TEST_CASE_METHOD(CommandFixture, "SORT GET: several, the element, what is missing") {
  BothProtocols([this] {
    Run("RPUSH", "l", "2", "1");
    Run("MSET", "w_1", "77", "x2->", "arrow");
    Run("HSET", "h_2", "f", "v");
    CHECK(Run("SORT", "l", "GET", "#", "GET", "w_*", "GET", "h_*->f") ==
          Array({Bulk("1"), Bulk("77"), Nil(), Bulk("2"), Nil(), Bulk("v")}));
    CHECK(Run("SORT", "l", "GET", "constant") == Array({Nil(), Nil()}));
    CHECK(Run("SORT_RO", "l", "GET", "x*->") == Array({Nil(), Bulk("arrow")}));
    CHECK(Run("SORT", "l", "LIMIT", "5", "5", "GET", "w_*") == Bulks({}));
  });
}

TEST_CASE_METHOD(CommandFixture, "SORT STORE: a list in place of whatever there was") {
  BothProtocols([this] {
    Run("RPUSH", "l", "3", "1", "2");
    Run("SET", "out", "x", "EX", "100");
    CHECK(Run("SORT", "l", "STORE", "out") == Int(3));
    CHECK(Run("LRANGE", "out", "0", "-1") == Bulks({"1", "2", "3"}));
    CHECK(Run("TTL", "out") == Int(-1));
    CHECK(Run("SORT", "l", "STORE", "l", "DESC") == Int(3));
    CHECK(Run("LRANGE", "l", "0", "-1") == Bulks({"3", "2", "1"}));
    CHECK(Run("SORT", "l", "STORE", "out", "GET", "none_*", "GET", "#") == Int(6));
    CHECK(Run("LRANGE", "out", "0", "-1") == Bulks({"", "1", "", "2", "", "3"}));
    Run("RPUSH", "l", "x");
    CHECK(Run("SORT", "l", "STORE", "out") == Error(kNoScore));
    CHECK(Run("LLEN", "out") == Int(6));
    CHECK(Run("SORT", "none", "STORE", "out") == Int(0));
    CHECK(Run("EXISTS", "out") == Int(0));
    Run("SADD", "s", "c", "a", "b");
    CHECK(Run("SORT", "s", "BY", "nosort", "STORE", "out") == Int(3));
    CHECK(Run("LRANGE", "out", "0", "-1") == Bulks({"a", "b", "c"}));
  });
}

TEST_CASE_METHOD(CommandFixture, "SORT: options cut short or unknown, and its keys") {
  BothProtocols([this] {
    for (const char* option : {"LIMIT", "BY", "GET", "STORE", "FOO"}) {
      CHECK(Run("SORT", "l", option) == SyntaxError());
    }
    CHECK(Run("SORT", "l", "LIMIT", "1") == SyntaxError());
    CHECK(Run("SORT", "l", "LIMIT", "1", "x") ==
          Error("ERR value is not an integer or out of range"));
    CHECK(Run("SORT_RO", "l", "STORE", "out") == SyntaxError());
    CHECK(Run("COMMAND", "GETKEYS", "SORT", "a", "STORE", "x", "STORE", "b") == Bulks({"a", "b"}));
    CHECK(Run("COMMAND", "GETKEYS", "SORT", "a", "GET", "STORE", "BY", "x") == Bulks({"a"}));
    CHECK(Run("COMMAND", "GETKEYS", "SORT_RO", "a") == Bulks({"a"}));
    Run("RPUSH", "l", "1", "2", "3");
    CHECK(Run("SORT", "l", "LIMIT", "2", "9223372036854775807") == Bulks({"3"}));
    CHECK(Run("SORT", "l", "LIMIT", "-9223372036854775808", "-9223372036854775808") ==
          Bulks({"1", "2", "3"}));
    CHECK(Run("SORT", "l", "LIMIT", "9223372036854775807", "1") == Bulks({}));
    CHECK(Run("SORT", "l", "LIMIT", "0", "0") == Bulks({}));
  });
}

}  // namespace spinel
