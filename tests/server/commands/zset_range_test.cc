#include <catch2/catch.hpp>
#include <string>

#include "tests/support/zset_fixture.h"

namespace spinel {
namespace {

constexpr const char* kNotAFloat = "ERR min or max is not a float";
constexpr const char* kNotAnEnd = "ERR min or max not valid string range item";
constexpr const char* kNotAnInteger = "ERR value is not an integer or out of range";

class ZsetRangeFixture : public ZsetFixture {
 protected:
  void FillScores() {
    Run("ZADD", "z", "-inf", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "inf", "g");
  }
  void FillMembers() {
    for (const char* member :
         {"alpha", "bar", "cool", "down", "elephant", "foo", "great", "hill", "omega"}) {
      Run("ZADD", "l", "0", member);
    }
  }
  // A set over several leaves of a tree.
  void FillMany() {
    for (int i = 0; i < 500; ++i) Run("ZADD", "many", i / 2, "m" + std::to_string(1000 + i));
  }
};

}  // namespace

TEST_CASE_METHOD(ZsetRangeFixture, "ZRANGE, ZREVRANGE: by rank") {
  BothEncodings([this] {
    FillScores();
    CHECK(Run("ZRANGE", "z", "0", "-1") == Bulks({"a", "b", "c", "d", "e", "f", "g"}));
    CHECK(Run("ZRANGE", "z", "1", "3") == Bulks({"b", "c", "d"}));
    CHECK(Run("ZRANGE", "z", "-2", "100") == Bulks({"f", "g"}));
    CHECK(Run("ZRANGE", "z", "-100", "0") == Bulks({"a"}));
    CHECK(Run("ZRANGE", "z", "3", "2") == Bulks({}));
    CHECK(Run("ZRANGE", "z", "7", "9") == Bulks({}));
    CHECK(Run("ZRANGE", "z", "0", "-8") == Bulks({}));
    CHECK(Run("ZRANGE", "z", "-9223372036854775808", "9223372036854775807").elements.size() == 7);
    CHECK(Run("ZRANGE", "z", "0", "1", "REV") == Bulks({"g", "f"}));
    CHECK(Run("ZREVRANGE", "z", "-2", "-1") == Bulks({"b", "a"}));
    CHECK(Run("ZREVRANGE", "z", "0", "1", "WITHSCORES") == Scored({{"g", "inf"}, {"f", "5"}}));
    CHECK(Run("ZRANGE", "z", "0", "1", "WITHSCORES") == Scored({{"a", "-inf"}, {"b", "1"}}));
    CHECK(Run("ZRANGE", "none", "0", "-1", "WITHSCORES") == Bulks({}));
    CHECK(Run("ZRANGE", "z", "x", "1") == Error(kNotAnInteger));
    CHECK(Run("ZRANGE", "z", "0", "1.5") == Error(kNotAnInteger));
    CHECK(Run("ZREVRANGE", "z", "0", "1", "REV") == SyntaxError());
    CHECK(Run("ZREVRANGE", "z", "0", "1", "BYSCORE") == SyntaxError());
    CHECK(Run("ZRANGE", "z", "0", "1", "WITHSCORE") == SyntaxError());
    CHECK(Run("ZRANGE", "z", "0", "1", "LIMIT", "0", "1") ==
          Error("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or "
                "BYLEX"));
    CHECK(Run("ZRANGE", "z", "0", "0", "LIMIT", "5", "-1") == Bulks({"a"}));
  });
}

TEST_CASE_METHOD(ZsetRangeFixture, "ZRANGEBYSCORE and its relatives") {
  BothEncodings([this] {
    FillScores();
    CHECK(Run("ZRANGEBYSCORE", "z", "-inf", "2") == Bulks({"a", "b", "c"}));
    CHECK(Run("ZRANGEBYSCORE", "z", "(1", "(4") == Bulks({"c", "d"}));
    CHECK(Run("ZRANGEBYSCORE", "z", "(-inf", "(+inf") == Bulks({"b", "c", "d", "e", "f"}));
    CHECK(Run("ZRANGEBYSCORE", "z", "3", "3") == Bulks({"d"}));
    for (const char* end : {"3", "(3"}) CHECK(Run("ZRANGEBYSCORE", "z", "(3", end) == Bulks({}));
    CHECK(Run("ZRANGEBYSCORE", "z", "4", "1") == Bulks({}));
    CHECK(Run("ZRANGEBYSCORE", "z", "2.5", "1e400", "WITHSCORES", "LIMIT", "1", "2") ==
          Scored({{"e", "4"}, {"f", "5"}}));
    CHECK(Run("ZREVRANGEBYSCORE", "z", "5", "2") == Bulks({"f", "e", "d", "c"}));
    CHECK(Run("ZREVRANGEBYSCORE", "z", "+inf", "(2", "LIMIT", "1", "3", "WITHSCORES") ==
          Scored({{"f", "5"}, {"e", "4"}, {"d", "3"}}));
    CHECK(Run("ZRANGE", "z", "5", "2", "BYSCORE", "REV", "LIMIT", "2", "-1") == Bulks({"d", "c"}));
    CHECK(Run("ZRANGEBYSCORE", "z", "0", "9", "LIMIT", "2", "-5") == Bulks({"d", "e", "f"}));
    CHECK(Run("ZRANGEBYSCORE", "z", "0", "9", "LIMIT", "0", "0") == Bulks({}));
    for (const char* offset : {"-1", "100", "9223372036854775807", "-9223372036854775808"}) {
      CHECK(Run("ZRANGEBYSCORE", "z", "0", "9", "LIMIT", offset, "3") == Bulks({}));
    }
    CHECK(
        Run("ZRANGEBYSCORE", "z", "0", "9", "LIMIT", "1", "9223372036854775807").elements.size() ==
        4);
    // As strtod has it.
    CHECK(Run("ZRANGEBYSCORE", "z", "", " 1") == Bulks({"b"}));
    CHECK(Run("ZCOUNT", "z", "(", "0x2") == Int(2));
    CHECK(Run("ZCOUNT", "z", "(1", "+inf") == Int(5));
    CHECK(Run("ZCOUNT", "z", "5", "1") == Int(0));
    CHECK(Run("ZCOUNT", "none", "1", "5") == Int(0));
    for (const char* end : {"x", "1x", "nan", "[1", "((1", "(nan"}) {
      CHECK(Run("ZRANGEBYSCORE", "z", end, "1") == Error(kNotAFloat));
      CHECK(Run("ZRANGE", "none", "1", end, "BYSCORE") == Error(kNotAFloat));
      CHECK(Run("ZCOUNT", "z", "1", end) == Error(kNotAFloat));
      CHECK(Run("ZREMRANGEBYSCORE", "z", "1", end) == Error(kNotAFloat));
    }
    CHECK(Run("ZRANGEBYSCORE", "z", "0", "1", "LIMIT", "1") == SyntaxError());
    CHECK(Run("ZRANGEBYSCORE", "z", "0", "1", "LIMIT", "1", "x") == Error(kNotAnInteger));
    CHECK(Run("ZRANGE", "z", "0", "1", "BYSCORE", "BYLEX") == SyntaxError());
    CHECK(Run("ZRANGE", "z", "0", "1", "REV", "REV") == SyntaxError());
  });
}

TEST_CASE_METHOD(ZsetRangeFixture, "ZRANGEBYLEX and its relatives") {
  BothEncodings([this] {
    FillMembers();
    CHECK(Run("ZRANGEBYLEX", "l", "-", "[cool") == Bulks({"alpha", "bar", "cool"}));
    CHECK(Run("ZRANGEBYLEX", "l", "[bar", "(down") == Bulks({"bar", "cool"}));
    CHECK(Run("ZRANGEBYLEX", "l", "(bar", "(bar") == Bulks({}));
    CHECK(Run("ZRANGEBYLEX", "l", "(b", "(c") == Bulks({"bar"}));
    CHECK(Run("ZRANGEBYLEX", "l", "(", "[b") == Bulks({"alpha"}));
    CHECK(Run("ZRANGEBYLEX", "l", "+", "-") == Bulks({}));
    CHECK(Run("ZRANGEBYLEX", "l", "+", "+") == Bulks({}));
    CHECK(Run("ZRANGEBYLEX", "l", "-", "-") == Bulks({}));
    CHECK(Run("ZRANGEBYLEX", "l", "-", "+", "LIMIT", "7", "9") == Bulks({"hill", "omega"}));
    CHECK(Run("ZREVRANGEBYLEX", "l", "+", "(great") == Bulks({"omega", "hill"}));
    CHECK(Run("ZREVRANGEBYLEX", "l", "[d", "-", "LIMIT", "1", "1") == Bulks({"bar"}));
    CHECK(Run("ZRANGE", "l", "[d", "-", "BYLEX", "REV", "LIMIT", "1", "9") ==
          Bulks({"bar", "alpha"}));
    CHECK(Run("ZRANGE", "l", "[hill", "+", "BYLEX") == Bulks({"hill", "omega"}));
    CHECK(Run("ZLEXCOUNT", "l", "-", "+") == Int(9));
    CHECK(Run("ZLEXCOUNT", "l", "(bar", "[foo") == Int(4));
    CHECK(Run("ZLEXCOUNT", "none", "-", "+") == Int(0));
    for (const char* end : {"", "x", "--", "+inf"}) {
      CHECK(Run("ZRANGEBYLEX", "l", end, "+") == Error(kNotAnEnd));
      CHECK(Run("ZLEXCOUNT", "l", "-", end) == Error(kNotAnEnd));
      CHECK(Run("ZREMRANGEBYLEX", "l", "-", end) == Error(kNotAnEnd));
    }
    CHECK(Run("ZRANGE", "l", "-", "+", "BYLEX", "WITHSCORES") ==
          Error("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
    CHECK(Run("ZREMRANGEBYLEX", "l", "(alpha", "[down") == Int(3));
    CHECK(Run("ZREMRANGEBYLEX", "l", "[b", "[c") == Int(0));
    CHECK(Run("ZREMRANGEBYLEX", "l", "-", "+") == Int(6));
    CHECK(Run("EXISTS", "l") == Int(0));
    CHECK(Run("ZREMRANGEBYLEX", "l", "-", "+") == Int(0));
  });
}

TEST_CASE_METHOD(ZsetRangeFixture, "ZREMRANGEBYRANK, ZREMRANGEBYSCORE") {
  BothEncodings([this] {
    FillScores();
    CHECK(Run("ZREMRANGEBYRANK", "z", "-2", "-1") == Int(2));
    CHECK(Run("ZREMRANGEBYRANK", "z", "3", "1") == Int(0));
    CHECK(Run("ZREMRANGEBYSCORE", "z", "(1", "3") == Int(2));
    CHECK(All("z") == Scored({{"a", "-inf"}, {"b", "1"}, {"e", "4"}}));
    CHECK(Run("ZREMRANGEBYRANK", "z", "0", "x") == Error(kNotAnInteger));
    CHECK(Run("ZREMRANGEBYRANK", "z", "0", "-1") == Int(3));
    CHECK(Run("EXISTS", "z") == Int(0));
    CHECK(Run("ZREMRANGEBYRANK", "z", "0", "-1") == Int(0));
    CHECK(Run("ZREMRANGEBYSCORE", "z", "-inf", "inf") == Int(0));
    FillMany();
    CHECK(Run("ZREMRANGEBYSCORE", "many", "10", "(240") == Int(460));
    CHECK(Run("ZREMRANGEBYRANK", "many", "5", "34") == Int(30));
    CHECK(Run("ZRANGE", "many", "3", "6") == Bulks({"m1003", "m1004", "m1495", "m1496"}));
  });
}

TEST_CASE_METHOD(ZsetRangeFixture, "Ranges over many members: limits skip by counting") {
  BothEncodings([this] {
    FillMany();
    CHECK(Run("ZRANGEBYSCORE", "many", "50", "200", "LIMIT", "150", "3") ==
          Bulks({"m1250", "m1251", "m1252"}));
    CHECK(Run("ZREVRANGEBYSCORE", "many", "200", "50", "LIMIT", "150", "3") ==
          Bulks({"m1251", "m1250", "m1249"}));
    CHECK(Run("ZREVRANGE", "many", "100", "101") == Bulks({"m1399", "m1398"}));
    CHECK(Run("ZRANK", "many", "m1333") == Int(333));
    CHECK(Run("ZCOUNT", "many", "10", "(20") == Int(20));
  });
}

TEST_CASE_METHOD(ZsetRangeFixture, "ZRANGESTORE") {
  BothEncodings([this] {
    FillScores();
    Run("SET", "d", "a string");
    CHECK(Run("ZRANGESTORE", "d", "z", "1", "2") == Int(2));
    CHECK(All("d") == Scored({{"b", "1"}, {"c", "2"}}));
    CHECK(Run("ZRANGESTORE", "d", "z", "0", "1", "REV") == Int(2));
    CHECK(All("d") == Scored({{"f", "5"}, {"g", "inf"}}));
    CHECK(Run("ZRANGESTORE", "d", "z", "(5", "2", "BYSCORE", "REV", "LIMIT", "1", "2") == Int(2));
    CHECK(All("d") == Scored({{"c", "2"}, {"d", "3"}}));
    CHECK(Run("ZRANGESTORE", "d", "z", "[a", "(c", "BYLEX") == Int(2));
    CHECK(All("d") == Scored({{"a", "-inf"}, {"b", "1"}}));
    Run("EXPIRE", "z", "100");
    CHECK(Run("ZRANGESTORE", "z", "z", "1", "3") == Int(3));
    CHECK(All("z") == Scored({{"b", "1"}, {"c", "2"}, {"d", "3"}}));
    CHECK(Run("TTL", "z") == Int(-1));
    CHECK(Run("ZRANGESTORE", "d", "z", "5", "6") == Int(0));
    CHECK(Run("EXISTS", "d") == Int(0));
    Run("SET", "d", "x");
    CHECK(Run("ZRANGESTORE", "d", "none", "0", "-1") == Int(0));
    CHECK(Run("EXISTS", "d") == Int(0));
    CHECK(Run("ZRANGESTORE", "d", "z", "0", "-1", "WITHSCORES") == SyntaxError());
    CHECK(Run("ZRANGESTORE", "d", "z", "x", "-1") == Error(kNotAnInteger));
    FillMany();
    CHECK(Run("ZRANGESTORE", "many", "many", "100", "399") == Int(300));
    CHECK(Run("ZRANK", "many", "m1300") == Int(200));
  });
}

}  // namespace spinel
