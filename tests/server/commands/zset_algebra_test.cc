#include <catch2/catch.hpp>
#include <string>

#include "tests/support/zset_fixture.h"

namespace spinel {
namespace {

class ZsetAlgebraFixture : public ZsetFixture {
 protected:
  void Fill() {
    Run("ZADD", "x", "1", "a", "2", "b", "3", "c");
    Run("ZADD", "y", "10", "b", "20", "c", "30", "d");
  }
};

}  // namespace

TEST_CASE_METHOD(ZsetAlgebraFixture, "ZUNION, ZINTER, ZDIFF: answers") {
  BothEncodings([this] {
    Fill();
    CHECK(Run("ZUNION", "2", "x", "y") == Bulks({"a", "b", "c", "d"}));
    CHECK(Run("ZUNION", "2", "x", "y", "WITHSCORES") ==
          Scored({{"a", "1"}, {"b", "12"}, {"c", "23"}, {"d", "30"}}));
    CHECK(Run("ZUNION", "2", "x", "y", "WEIGHTS", "-100", "0.5", "AGGREGATE", "MIN",
              "WITHSCORES") == Scored({{"c", "-300"}, {"b", "-200"}, {"a", "-100"}, {"d", "15"}}));
    CHECK(Run("ZUNION", "2", "x", "none", "AGGREGATE", "max") == Bulks({"a", "b", "c"}));
    CHECK(Run("ZINTER", "2", "x", "y", "WITHSCORES") == Scored({{"b", "12"}, {"c", "23"}}));
    CHECK(Run("ZINTER", "2", "x", "y", "AGGREGATE", "MAX", "WITHSCORES", "WEIGHTS", "10", "1") ==
          Scored({{"b", "20"}, {"c", "30"}}));
    CHECK(Run("ZINTER", "2", "x", "none") == Array({}));
    CHECK(Run("ZDIFF", "2", "x", "y", "WITHSCORES") == Scored({{"a", "1"}}));
    CHECK(Run("ZDIFF", "3", "y", "none", "x") == Bulks({"d"}));
    CHECK(Run("ZDIFF", "2", "x", "x") == Array({}));
    CHECK(Run("ZDIFF", "2", "none", "x") == Array({}));
    CHECK(Run("ZINTERCARD", "2", "x", "y") == Int(2));
    CHECK(Run("ZINTERCARD", "2", "x", "y", "LIMIT", "1") == Int(1));
    CHECK(Run("ZINTERCARD", "2", "x", "y", "LIMIT", "0") == Int(2));
    CHECK(Run("ZINTERCARD", "2", "x", "none") == Int(0));
    // The same key twice.
    CHECK(Run("ZUNION", "2", "x", "x", "WITHSCORES") ==
          Scored({{"a", "2"}, {"b", "4"}, {"c", "6"}}));
    CHECK(Run("ZINTER", "3", "x", "x", "y", "WITHSCORES") == Scored({{"b", "14"}, {"c", "26"}}));
  });
}

TEST_CASE_METHOD(ZsetAlgebraFixture, "ZUNION: infinities that cancel each other out are zero") {
  BothEncodings([this] {
    Run("ZADD", "p", "inf", "m", "0", "z");
    Run("ZADD", "n", "-inf", "m", "1", "z");
    CHECK(Run("ZUNION", "2", "p", "n", "WITHSCORES") == Scored({{"m", "0"}, {"z", "1"}}));
    CHECK(Run("ZINTER", "2", "p", "n", "WITHSCORES") == Scored({{"m", "0"}, {"z", "1"}}));
    CHECK(Run("ZUNION", "1", "p", "WEIGHTS", "0", "WITHSCORES") ==
          Scored({{"m", "0"}, {"z", "0"}}));
    CHECK(Run("ZUNION", "1", "p", "WEIGHTS", "inf", "WITHSCORES") ==
          Scored({{"z", "0"}, {"m", "inf"}}));
  });
}

TEST_CASE_METHOD(ZsetAlgebraFixture, "Plain sets may be sources: their scores are 1") {
  BothEncodings([this] {
    Fill();
    Run("SADD", "s", "a", "c", "text");
    Run("SADD", "i", "1", "2", "3");
    Run("ZADD", "numbers", "5", "1", "6", "2", "7", "9");
    CHECK(Run("ZUNION", "2", "x", "s", "WITHSCORES") ==
          Scored({{"text", "1"}, {"a", "2"}, {"b", "2"}, {"c", "4"}}));
    CHECK(Run("ZINTER", "2", "x", "s", "WEIGHTS", "1", "100", "WITHSCORES") ==
          Scored({{"a", "101"}, {"c", "103"}}));
    CHECK(Run("ZDIFF", "2", "s", "x", "WITHSCORES") == Scored({{"text", "1"}}));
    CHECK(Run("ZUNION", "2", "i", "numbers", "WITHSCORES") ==
          Scored({{"3", "1"}, {"1", "6"}, {"2", "7"}, {"9", "7"}}));
    CHECK(Run("ZINTER", "2", "i", "numbers") == Bulks({"1", "2"}));
    CHECK(Run("ZDIFF", "2", "i", "numbers") == Bulks({"3"}));
    CHECK(Run("ZINTERCARD", "2", "i", "numbers", "LIMIT", "1") == Int(1));
    CHECK(Run("ZUNIONSTORE", "i", "2", "i", "s") == Int(6));
    CHECK(Run("TYPE", "i") == Simple("zset"));
  });
}

TEST_CASE_METHOD(ZsetAlgebraFixture, "ZUNIONSTORE, ZINTERSTORE, ZDIFFSTORE") {
  BothEncodings([this] {
    Fill();
    Run("SET", "d", "a string", "EX", "100");
    CHECK(Run("ZUNIONSTORE", "d", "2", "x", "y") == Int(4));
    CHECK(All("d") == Scored({{"a", "1"}, {"b", "12"}, {"c", "23"}, {"d", "30"}}));
    CHECK(Run("TTL", "d") == Int(-1));
    CHECK(Run("ZINTERSTORE", "d", "3", "d", "x", "y", "WEIGHTS", "1", "0", "0") == Int(2));
    CHECK(All("d") == Scored({{"b", "12"}, {"c", "23"}}));
    CHECK(Run("ZDIFFSTORE", "x", "2", "x", "d") == Int(1));
    CHECK(All("x") == Scored({{"a", "1"}}));
    CHECK(Run("ZINTERSTORE", "d", "2", "x", "y") == Int(0));
    CHECK(Run("EXISTS", "d") == Int(0));
    Run("SET", "d", "a string");
    CHECK(Run("ZDIFFSTORE", "d", "1", "none") == Int(0));
    CHECK(Run("EXISTS", "d") == Int(0));
    CHECK(Run("ZUNIONSTORE", "none", "1", "none") == Int(0));
  });
}

TEST_CASE_METHOD(ZsetAlgebraFixture, "Set operations with many members") {
  for (int i = 0; i < 600; ++i) {
    Run("ZADD", "x", i, i);
    if (i % 2 == 0) Run("ZADD", "y", i, i);
    if (i % 3 == 0) Run("SADD", "s", i);
  }
  CHECK(Run("ZINTERSTORE", "d", "3", "x", "y", "s") == Int(100));
  CHECK(Run("ZSCORE", "d", "6") == Bulk("13"));
  CHECK(Run("ZDIFFSTORE", "d", "3", "x", "y", "s") == Int(200));
  CHECK(Run("ZRANGE", "d", "0", "2") == Bulks({"1", "5", "7"}));
  CHECK(Run("ZUNIONSTORE", "y", "2", "y", "s") == Int(400));
  CHECK(Run("ZINTERCARD", "2", "x", "y", "LIMIT", "150") == Int(150));
  CHECK(Run("ZINTERCARD", "2", "x", "y") == Int(400));
}

TEST_CASE_METHOD(ZsetAlgebraFixture, "Set operations: bad requests change nothing") {
  Fill();
  Run("SET", "str", "x");
  for (const std::string command : {"ZUNION", "ZINTER", "ZDIFF", "ZINTERCARD"}) {
    std::string lower;
    for (const char c : command) lower += static_cast<char>(c | 32);
    CHECK(Run(command, "x", "x") == Error("ERR value is not an integer or out of range"));
    for (const char* count : {"0", "-1", "-9223372036854775808"}) {
      CHECK(Run(command, count, "x") ==
            Error("ERR at least 1 input key is needed for '" + lower + "' command"));
    }
    for (const char* count : {"2", "9223372036854775807"}) {
      CHECK(Run(command, count, "x") == SyntaxError());
    }
    CHECK(Run(command, "1", "x", "FOO") == SyntaxError());
    // The type is looked at first.
    CHECK(Run(command, "1", "str", "FOO") == WrongType());
  }
  CHECK(Run("ZUNIONSTORE", "d", "0", "x") ==
        Error("ERR at least 1 input key is needed for 'zunionstore' command"));
  CHECK(Run("ZUNIONSTORE", "d", "1", "x", "WITHSCORES") == SyntaxError());
  CHECK(Run("ZUNION", "2", "x", "y", "WEIGHTS", "1") == SyntaxError());
  CHECK(Run("ZUNION", "2", "x", "y", "WEIGHTS", "1", "x") ==
        Error("ERR weight value is not a float"));
  CHECK(Run("ZUNION", "2", "x", "y", "WEIGHTS", "1", "nan") ==
        Error("ERR weight value is not a float"));
  CHECK(Run("ZUNION", "2", "x", "y", "AGGREGATE") == SyntaxError());
  CHECK(Run("ZUNION", "2", "x", "y", "AGGREGATE", "AVG") == SyntaxError());
  CHECK(Run("ZDIFF", "1", "x", "WEIGHTS", "1") == SyntaxError());
  CHECK(Run("ZDIFF", "1", "x", "AGGREGATE", "SUM") == SyntaxError());
  CHECK(Run("ZINTERCARD", "1", "x", "WITHSCORES") == SyntaxError());
  CHECK(Run("ZINTERCARD", "1", "x", "LIMIT") == SyntaxError());
  for (const char* limit : {"-1", "x"}) {
    CHECK(Run("ZINTERCARD", "1", "x", "LIMIT", limit) == Error("ERR LIMIT can't be negative"));
  }
  CHECK(Run("ZUNIONSTORE", "x", "2", "y", "str") == WrongType());
  CHECK(All("x") == Scored({{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  CHECK(Run("EXISTS", "d") == Int(0));
}

}  // namespace spinel
