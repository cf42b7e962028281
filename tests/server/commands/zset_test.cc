#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>

#include "server/dataset_digest.h"
#include "tests/support/zset_fixture.h"

namespace spinel {
namespace {

constexpr const char* kNotAFloat = "ERR value is not a valid float";

}  // namespace

TEST_CASE_METHOD(ZsetFixture, "ZADD: members come with scores, in order") {
  BothEncodings([this] {
    CHECK(Run("ZADD", "z", "2", "b", "1", "a", "3", "c", "1", "a") == Int(3));
    CHECK(Run("ZADD", "z", "5", "a") == Int(0));
    CHECK(Run("TYPE", "z") == Simple("zset"));
    CHECK(All("z") == Scored({{"b", "2"}, {"c", "3"}, {"a", "5"}}));
    CHECK(Run("ZCARD", "z") == Int(3));
    CHECK(Run("ZSCORE", "z", "c") == Score("3"));
    CHECK(Run("ZSCORE", "z", "none") == Nil());
    CHECK(Run("ZSCORE", "none", "c") == Nil());
    CHECK(Run("ZMSCORE", "z", "c", "none", "a") == Array({Score("3"), Nil(), Score("5")}));
    CHECK(Run("ZMSCORE", "none", "c") == Array({Nil()}));
    // Equal scores: bytes decide.
    Run("ZADD", "t", "0", "b", "0", "", "0", "B", "0", "a", "0", "ab", "0", "\xff");
    CHECK(Run("ZRANGE", "t", "0", "-1") == Bulks({"", "B", "a", "ab", "b", "\xff"}));
  });
}

TEST_CASE_METHOD(ZsetFixture, "ZADD: options") {
  BothEncodings([this] {
    CHECK(Run("ZADD", "z", "XX", "1", "a") == Int(0));
    CHECK(Run("EXISTS", "z") == Int(0));
    Run("ZADD", "z", "10", "a", "20", "b");
    CHECK(Run("ZADD", "z", "nx", "ch", "11", "a", "30", "c") == Int(1));
    CHECK(Run("ZADD", "z", "XX", "CH", "12", "a", "40", "d", "30", "c") == Int(1));
    CHECK(Run("ZADD", "z", "GT", "CH", "11", "a", "25", "b", "5", "e") == Int(2));
    CHECK(Run("ZADD", "z", "LT", "CH", "13", "a", "24", "b", "30", "c") == Int(1));
    CHECK(Run("ZADD", "z", "XX", "GT", "CH", "99", "f", "31", "c") == Int(1));
    CHECK(All("z") == Scored({{"e", "5"}, {"a", "12"}, {"b", "24"}, {"c", "31"}}));
    CHECK(Run("ZADD", "z", "INCR", "2.5", "a") == Score("14.5"));
    CHECK(Run("ZADD", "z", "INCR", "NX", "1", "a") == Nil());
    CHECK(Run("ZADD", "z", "INCR", "XX", "1", "none") == Nil());
    CHECK(Run("ZADD", "z", "INCR", "GT", "-1", "a") == Nil());
    CHECK(Run("ZADD", "z", "INCR", "LT", "-1", "a") == Score("13.5"));
    CHECK(Run("ZADD", "none", "XX", "INCR", "1", "a") == Nil());
    CHECK(Run("ZINCRBY", "z", "-3", "c") == Score("28"));
    CHECK(Run("ZINCRBY", "z", "-3", "new") == Score("-3"));
    CHECK(Run("ZINCRBY", "fresh", "0.1", "m") == Score("0.1"));
    CHECK(Run("ZINCRBY", "fresh", "nx", "m") == SyntaxError());
  });
}

TEST_CASE_METHOD(ZsetFixture, "ZADD: refusals leave the set alone") {
  BothEncodings([this] {
    Run("ZADD", "z", "inf", "i", "1", "a");
    CHECK(Run("ZADD", "z", "NX", "XX", "1", "b") ==
          Error("ERR XX and NX options at the same time are not compatible"));
    for (const auto& pair : {std::pair("GT", "NX"), {"LT", "NX"}, {"GT", "LT"}}) {
      CHECK(Run("ZADD", "z", pair.first, pair.second, "1", "b") ==
            Error("ERR GT, LT, and/or NX options at the same time are not compatible"));
    }
    CHECK(Run("ZADD", "z", "INCR", "1", "b", "2", "c") ==
          Error("ERR INCR option supports a single increment-element pair"));
    CHECK(Run("ZADD", "z", "1", "b", "2") == SyntaxError());
    CHECK(Run("ZADD", "z", "NX", "CH") == SyntaxError());
    CHECK(Run("ZADD", "z", "1") == WrongArity("zadd"));
    for (const char* score : {"nan", "x", "", " 1", "1 ", "1e400"}) {
      CHECK(Run("ZADD", "z", "5", "b", score, "c") == Error(kNotAFloat));
      CHECK(Run("ZINCRBY", "z", score, "a") == Error(kNotAFloat));
    }
    CHECK(Run("ZINCRBY", "z", "-inf", "i") == Error("ERR resulting score is not a number (NaN)"));
    CHECK(Run("ZADD", "z", "INCR", "-inf", "i") ==
          Error("ERR resulting score is not a number (NaN)"));
    CHECK(All("z") == Scored({{"a", "1"}, {"i", "inf"}}));
  });
}

TEST_CASE_METHOD(ZsetFixture, "Sorted sets: every command refuses other types") {
  BothProtocols([this] {
    Run("SET", "s", "x");
    const std::vector<std::vector<std::string>> commands = {
        {"ZADD", "s", "1", "a"},
        {"ZADD", "s", "XX", "1", "a"},
        {"ZINCRBY", "s", "1", "a"},
        {"ZREM", "s", "a"},
        {"ZCARD", "s"},
        {"ZSCORE", "s", "a"},
        {"ZMSCORE", "s", "a"},
        {"ZRANK", "s", "a"},
        {"ZREVRANK", "s", "a"},
        {"ZSCAN", "s", "0"},
        {"ZRANGE", "s", "0", "1"},
        {"ZREVRANGE", "s", "0", "1"},
        {"ZRANGEBYSCORE", "s", "0", "1"},
        {"ZREVRANGEBYSCORE", "s", "0", "1"},
        {"ZRANGEBYLEX", "s", "-", "+"},
        {"ZREVRANGEBYLEX", "s", "-", "+"},
        {"ZRANGESTORE", "d", "s", "0", "1"},
        {"ZCOUNT", "s", "0", "1"},
        {"ZLEXCOUNT", "s", "-", "+"},
        {"ZREMRANGEBYRANK", "s", "0", "1"},
        {"ZREMRANGEBYSCORE", "s", "0", "1"},
        {"ZREMRANGEBYLEX", "s", "-", "+"},
        {"ZPOPMIN", "s"},
        {"ZPOPMAX", "s", "0"},
        {"ZMPOP", "2", "none", "s", "MIN"},
        {"ZRANDMEMBER", "s"},
        {"ZRANDMEMBER", "s", "5"},
        {"ZUNION", "2", "none", "s"},
        {"ZINTER", "2", "none", "s"},
        {"ZDIFF", "2", "none", "s"},
        {"ZINTERCARD", "1", "s"},
        {"ZUNIONSTORE", "d", "1", "s"},
        {"ZINTERSTORE", "d", "1", "s"},
        {"ZDIFFSTORE", "d", "1", "s"},
    };
    for (const auto& command : commands) {
      CAPTURE(command);
      CHECK(RunArgs(command) == WrongType());
    }
    CHECK(Run("GET", "s") == Bulk("x"));
    CHECK(Run("DBSIZE") == Int(1));
  });
}

TEST_CASE_METHOD(ZsetFixture, "Scores are spelled as in Redis") {
  BothEncodings([this] {
    const std::vector<std::pair<const char*, const char*>> spellings = {
        {"1", "1"},
        {"+1.50", "1.5"},
        {"0.1", "0.1"},
        {"1e3", "1000"},
        {"-inf", "-inf"},
        {"INFINITY", "inf"},
        {"1e300", "1e+300"},
        {"-0.25", "-0.25"},
        {"0x10", "16"},
        {"4611686018427387904", "4611686018427387904"},
        {"3.0000000000000004", "3.0000000000000004"},
        {"127", "127"},
        {"-128", "-128"},
        {"128", "128"},
        {"-32768", "-32768"},
        {"32768", "32768"},
        {"2147483647", "2147483647"},
        {"2147483648", "2147483648"},
        {"-2147483649", "-2147483649"},
    };
    for (const auto& [given, answered] : spellings) {
      CAPTURE(given);
      Run("ZADD", "z", given, "m");
      CHECK(Run("ZSCORE", "z", "m") == Score(answered));
      CHECK(All("z") == Scored({{"m", answered}}));
    }
  });
  // A packed set loses the sign of zero, in Redis as well.
  Run("ZADD", "p", "-0.0", "m");
  CHECK(Run("ZSCORE", "p", "m") == Score("0"));
  Run("CONFIG", "SET", "zset-max-listpack-entries", "0");
  Run("ZADD", "o", "-0.0", "m");
  CHECK(Run("ZSCORE", "o", "m") == Score("-0"));
}

TEST_CASE_METHOD(ZsetFixture, "ZREM, ZRANK, ZREVRANK") {
  BothEncodings([this] {
    Run("ZADD", "z", "1", "a", "2", "b", "2", "c", "3", "d");
    CHECK(Run("ZRANK", "z", "a") == Int(0));
    CHECK(Run("ZRANK", "z", "c") == Int(2));
    CHECK(Run("ZREVRANK", "z", "c") == Int(1));
    CHECK(Run("ZRANK", "z", "c", "withscore") == Array({Int(2), Score("2")}));
    CHECK(Run("ZREVRANK", "z", "a", "WITHSCORE") == Array({Int(3), Score("1")}));
    CHECK(Run("ZRANK", "z", "none") == Nil());
    CHECK(Run("ZRANK", "none", "a") == Nil());
    CHECK(Run("ZRANK", "z", "none", "WITHSCORE") == (resp3() ? Nil() : NilArray()));
    CHECK(Run("ZREVRANK", "none", "a", "WITHSCORE") == (resp3() ? Nil() : NilArray()));
    CHECK(Run("ZRANK", "z", "a", "WITHSCORES") == SyntaxError());
    CHECK(Run("ZRANK", "z", "a", "WITHSCORE", "x") == WrongArity("zrank"));
    CHECK(Run("ZREM", "z", "b", "none", "b", "d") == Int(2));
    CHECK(Run("ZREM", "none", "b") == Int(0));
    CHECK(Run("ZRANK", "z", "c") == Int(1));
    CHECK(Run("ZREM", "z", "a", "c", "b") == Int(2));
    CHECK(Run("EXISTS", "z") == Int(0));
  });
}

TEST_CASE_METHOD(ZsetFixture, "Sorted sets: encodings follow the limits") {
  Run("CONFIG", "SET", "zset-max-listpack-entries", "3");
  Run("CONFIG", "SET", "zset-max-listpack-value", "5");
  Run("ZADD", "z", "1", "a", "2", "b", "3", "c");
  CHECK(Encoding("z") == "listpack");
  Run("ZADD", "z", "9", "a");
  CHECK(Encoding("z") == "listpack");
  Run("ZADD", "z", "4", "d");
  CHECK(Encoding("z") == "skiplist");
  Run("ZREM", "z", "d", "c");
  CHECK(Encoding("z") == "skiplist");
  Run("ZADD", "y", "1", "123456");
  CHECK(Encoding("y") == "skiplist");
  Run("ZADD", "x", "1", "a");
  Run("ZADD", "x", "XX", "1", "123456");
  CHECK(Encoding("x") == "skiplist");
  Run("ZRANGESTORE", "w", "z", "0", "-1");
  CHECK(Encoding("w") == "listpack");
  Run("ZUNIONSTORE", "w", "2", "z", "y");
  CHECK(Encoding("w") == "skiplist");
  // Whatever the limits say, a packed set fits in its entry.
  Run("CONFIG", "SET", "zset-max-listpack-value", "1000000");
  Run("CONFIG", "SET", "zset-max-listpack-entries", "1000000");
  Run("ZADD", "big", "1", std::string(60'000, 'a'));
  CHECK(Encoding("big") == "listpack");
  Run("ZADD", "big", "2", std::string(60'000, 'b'));
  CHECK(Encoding("big") == "skiplist");
  Run("ZADD", "huge", "1", std::string(70'000, 'a'));
  CHECK(Encoding("huge") == "skiplist");
  CHECK(Run("ZCARD", "big") == Int(2));
}

TEST_CASE_METHOD(ZsetFixture, "ZSCAN: everything is seen, with and without scores") {
  BothProtocols([this] {
    Run("ZADD", "z", "1", "a", "2.5", "b");
    CHECK(Run("ZSCAN", "z", "0") == Array({Bulk("0"), Bulks({"a", "1", "b", "2.5"})}));
    CHECK(Run("ZSCAN", "z", "0", "NOSCORES") == Array({Bulk("0"), Bulks({"a", "b"})}));
    CHECK(Run("ZSCAN", "z", "0", "MATCH", "b*") == Array({Bulk("0"), Bulks({"b", "2.5"})}));
    CHECK(Run("ZSCAN", "none", "0") == Array({Bulk("0"), Bulks({})}));
    CHECK(Run("ZSCAN", "z", "x") == Error("ERR invalid cursor"));
    CHECK(Run("ZSCAN", "z", "0", "COUNT", "0") == SyntaxError());
    CHECK(Run("ZSCAN", "z", "0", "NOVALUES") ==
          Error("ERR NOVALUES option can only be used in HSCAN"));
    Run("CONFIG", "SET", "zset-max-listpack-entries", "0");
    for (int i = 0; i < 1000; ++i) Run("ZADD", "big", i, "m" + std::to_string(i));
    std::set<std::string> seen;
    std::string cursor = "0";
    do {
      const RespValue reply = Run("ZSCAN", "big", cursor, "COUNT", "20");
      cursor = reply.elements[0].text;
      const auto& found = reply.elements[1].elements;
      CHECK(found.size() < 200);
      for (size_t i = 0; i < found.size(); i += 2) {
        CHECK("m" + found[i + 1].text == found[i].text);
        seen.insert(found[i].text);
      }
    } while (cursor != "0");
    CHECK(seen.size() == 1000);
  });
}

TEST_CASE_METHOD(ZsetFixture, "ZPOPMIN, ZPOPMAX") {
  BothEncodings([this] {
    Run("ZADD", "z", "1", "a", "2", "b", "3", "c", "4", "d", "5", "e", "6", "f");
    CHECK(Run("ZPOPMIN", "z") == Flat({{"a", "1"}}));
    CHECK(Run("ZPOPMAX", "z") == Flat({{"f", "6"}}));
    CHECK(Run("ZPOPMIN", "z", "0") == Array({}));
    CHECK(Run("ZPOPMIN", "z", "2") == Scored({{"b", "2"}, {"c", "3"}}));
    CHECK(Run("ZPOPMAX", "z", "9223372036854775807") == Scored({{"e", "5"}, {"d", "4"}}));
    CHECK(Run("EXISTS", "z") == Int(0));
    CHECK(Run("ZPOPMIN", "z") == Array({}));
    CHECK(Run("ZPOPMIN", "z", "5") == Array({}));
    CHECK(Run("ZPOPMIN", "z", "-1") == Error("ERR value is out of range, must be positive"));
    CHECK(Run("ZPOPMIN", "z", "x") == Error("ERR value is out of range, must be positive"));
    CHECK(Run("ZPOPMAX", "z", "1", "2") == SyntaxError());
  });
}

TEST_CASE_METHOD(ZsetFixture, "ZMPOP") {
  BothEncodings([this] {
    Run("ZADD", "y", "1", "a", "2", "b", "3", "c");
    Run("ZADD", "z", "9", "z");
    CHECK(Run("ZMPOP", "3", "none", "y", "z", "MIN") == Array({Bulk("y"), Nested({{"a", "1"}})}));
    CHECK(Run("ZMPOP", "2", "y", "z", "max", "COUNT", "10") ==
          Array({Bulk("y"), Nested({{"c", "3"}, {"b", "2"}})}));
    CHECK(Run("ZMPOP", "2", "y", "z", "MAX", "count", "10") ==
          Array({Bulk("z"), Nested({{"z", "9"}})}));
    CHECK(Run("ZMPOP", "2", "y", "z", "MIN") == (resp3() ? Nil() : NilArray()));
    CHECK(Run("DBSIZE") == Int(0));
    for (const char* count : {"0", "-1", "x", "-9223372036854775808"}) {
      CHECK(Run("ZMPOP", count, "z", "MIN") == Error("ERR numkeys should be greater than 0"));
      CHECK(Run("ZMPOP", "1", "z", "MIN", "COUNT", count) ==
            Error("ERR count should be greater than 0"));
    }
    CHECK(Run("ZMPOP", "9223372036854775807", "z", "MIN") == SyntaxError());
    CHECK(Run("ZMPOP", "1", "z", "MEDIAN") == SyntaxError());
    CHECK(Run("ZMPOP", "1", "z", "MIN", "COUNT") == SyntaxError());
    CHECK(Run("ZMPOP", "1", "z", "MIN", "COUNT", "1", "COUNT", "1") == SyntaxError());
  });
}

TEST_CASE_METHOD(ZsetFixture,
                 "ZRANDMEMBER: members only, each once if the count is not below zero") {
  BothEncodings([this] {
    for (int i = 0; i < 100; ++i) Run("ZADD", "z", i, "m" + std::to_string(i));
    for (const int64_t count : {int64_t{1}, int64_t{5}, int64_t{60}, int64_t{100}, INT64_MAX / 2}) {
      const RespValue reply = Run("ZRANDMEMBER", "z", count);
      std::set<std::string> different;
      for (const RespValue& member : reply.elements) different.insert(member.text);
      CHECK(different.size() == static_cast<size_t>(std::min<int64_t>(count, 100)));
      CHECK(different.size() == reply.elements.size());
    }
    CHECK(Run("ZRANDMEMBER", "z", "-250").elements.size() == 250);
    CHECK(Run("ZRANDMEMBER", "z", "-3", "WITHSCORES").elements.size() == (resp3() ? 3 : 6));
    CHECK(Run("ZRANDMEMBER", "z", "7", "withscores").elements.size() == (resp3() ? 7 : 14));
    CHECK(Run("ZRANDMEMBER", "z").text[0] == 'm');
    CHECK(Run("ZRANDMEMBER", "z", "0") == Array({}));
    CHECK(Run("ZRANDMEMBER", "none") == Nil());
    CHECK(Run("ZRANDMEMBER", "none", "2") == Array({}));
    CHECK(Run("ZRANDMEMBER", "z", "1", "x") == SyntaxError());
    CHECK(Run("ZRANDMEMBER", "z", "1", "WITHSCORES", "x") == SyntaxError());
    CHECK(Run("ZRANDMEMBER", "z", "x") == Error("ERR value is not an integer or out of range"));
    CHECK(Run("ZRANDMEMBER", "z", "-9223372036854775808") ==
          Error("ERR value is out of range, value must between -9223372036854775807 and "
                "9223372036854775807"));
    CHECK(Run("ZRANDMEMBER", "z", "-9223372036854775807", "WITHSCORES") ==
          Error("ERR value is out of range"));
  });
}

TEST_CASE_METHOD(ZsetFixture, "ZRANDMEMBER: every member has its chance") {
  BothEncodings([this] {
    for (int i = 0; i < 20; ++i) Run("ZADD", "z", i, "m" + std::to_string(i));
    for (const int count : {-1, 1, 3, 10}) {
      std::map<std::string, int> drawn;
      const int rounds = 4000 / std::abs(count);
      for (int i = 0; i < rounds; ++i) {
        for (const RespValue& member : Run("ZRANDMEMBER", "z", count).elements)
          ++drawn[member.text];
      }
      REQUIRE(drawn.size() == 20);
      for (const auto& [member, times] : drawn) CHECK((times > 120 && times < 300));
    }
  });
}

TEST_CASE_METHOD(ZsetFixture, "Sorted sets: their digest is Redis's") {
  const auto digest = [this](const char* key) {
    return ValueDigest(*server().store().Read(state().op, 0, Store::MakeKey(key)), now_ms());
  };
  BothEncodings([&] {
    Run("ZADD", "z", "1", "a", "2.5", "b", "-1e100", "c");
    CHECK(digest("z") == "37d329ab473631133272e2d154111ebce627eb52");
    Run("ZADD", "f", "0.1", "m", "5", "n");
    CHECK(digest("f") == "73cadb2810de01495b9e7ec2d9994c77f11e76bb");
  });
}

}  // namespace spinel
