#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

using Words = std::vector<std::string>;
using Model = std::set<std::string>;

class SetFixture : public CommandFixture {
 protected:
  // A reply that is a set (RESP2: an array) of exactly these members, in any order.
  RespValue Members(const Words& members) {
    std::vector<std::string_view> sorted(members.begin(), members.end());
    std::sort(sorted.begin(), sorted.end());
    RespValue value = Bulks({sorted.begin(), sorted.end()});
    if (resp3()) value.type = RespValue::Type::kSet;
    return value;
  }
  // Runs a command and brings the elements of its reply into order.
  RespValue Sorted(const Words& command) {
    RespValue reply = RunArgs(command);
    std::sort(reply.elements.begin(), reply.elements.end(),
              [](const RespValue& a, const RespValue& b) { return a.text < b.text; });
    return reply;
  }
  RespValue MembersOf(const std::string& key) { return Sorted({"SMEMBERS", key}); }
  int64_t Fill(const std::string& key, const Words& members) {
    Words command = {"SADD", key};
    command.insert(command.end(), members.begin(), members.end());
    return RunArgs(command).integer;
  }
  std::string Encoding(const std::string& key) { return Run("OBJECT", "ENCODING", key).text; }
};

Words Numbered(int first, int count, const std::string& prefix) {
  Words words;
  for (int i = first; i < first + count; ++i) words.push_back(prefix + std::to_string(i));
  return words;
}

}  // namespace

TEST_CASE_METHOD(SetFixture, "Sets: members come, go and are asked for") {
  BothProtocols([this] {
    CHECK(Run("SADD", "s", "a", "b", "a") == Int(2));
    CHECK(Run("SADD", "s", "b") == Int(0));
    CHECK(Run("TYPE", "s") == Simple("set"));
    CHECK(Run("SCARD", "s") == Int(2));
    CHECK(Run("SISMEMBER", "s", "a") == Int(1));
    CHECK(Run("SISMEMBER", "s", "c") == Int(0));
    CHECK(Run("SMISMEMBER", "s", "a", "c", "b") == Array({Int(1), Int(0), Int(1)}));
    CHECK(MembersOf("s") == Members({"a", "b"}));
    CHECK(Run("SREM", "s", "c", "a", "a") == Int(1));
    CHECK(Run("SREM", "s", "b", "x") == Int(1));
    CHECK(Run("EXISTS", "s") == Int(0));

    CHECK(Run("SCARD", "none") == Int(0));
    CHECK(Run("SISMEMBER", "none", "a") == Int(0));
    CHECK(Run("SMISMEMBER", "none", "a", "b") == Array({Int(0), Int(0)}));
    CHECK(MembersOf("none") == Members({}));
    CHECK(Run("SREM", "none", "a") == Int(0));
  });
}

TEST_CASE_METHOD(SetFixture, "Sets: encodings and their limits") {
  Fill("i", Numbered(0, 512, ""));
  CHECK(Encoding("i") == "intset");
  Fill("i", {"512"});
  CHECK(Encoding("i") == "hashtable");
  Fill("p", Numbered(0, 128, "m"));
  CHECK(Encoding("p") == "listpack");
  Fill("p", {"m128"});
  CHECK(Encoding("p") == "hashtable");
  Fill("v", {std::string(64, 'x')});
  CHECK(Encoding("v") == "listpack");
  Fill("v", {std::string(65, 'x')});
  CHECK(Encoding("v") == "hashtable");
  Fill("m", {"1", "2"});
  Fill("m", {"x"});
  CHECK(Encoding("m") == "listpack");
  CHECK(Run("SISMEMBER", "m", "2") == Int(1));
  CHECK(Run("SISMEMBER", "m", "02") == Int(0));

  Run("CONFIG", "SET", "set-max-intset-entries", "3", "set-max-listpack-entries", "2",
      "set-max-listpack-value", "1");
  Fill("small", {"1", "2", "3"});
  CHECK(Encoding("small") == "intset");
  Fill("small", {"4"});
  CHECK(Encoding("small") == "hashtable");
  Fill("letters", {"a", "b"});
  CHECK(Encoding("letters") == "listpack");
  Fill("letters", {"c"});
  CHECK(Encoding("letters") == "hashtable");
  Fill("words", {"ab"});
  CHECK(Encoding("words") == "hashtable");
}

TEST_CASE_METHOD(SetFixture, "SMOVE") {
  BothProtocols([this] {
    Fill("a", {"1", "2", "x"});
    Fill("b", {"3", "x"});
    CHECK(Run("SMOVE", "a", "b", "none") == Int(0));
    CHECK(Run("SMOVE", "a", "b", "1") == Int(1));
    CHECK(Run("SMOVE", "a", "b", "x") == Int(1));
    CHECK(MembersOf("a") == Members({"2"}));
    CHECK(MembersOf("b") == Members({"1", "3", "x"}));
    CHECK(Run("SMOVE", "a", "a", "2") == Int(1));
    CHECK(Run("SMOVE", "a", "a", "3") == Int(0));
    CHECK(Run("SMOVE", "a", "c", "2") == Int(1));
    CHECK(Run("EXISTS", "a") == Int(0));
    CHECK(Encoding("c") == "intset");
    CHECK(Run("SMOVE", "a", "c", "2") == Int(0));
    Run("SET", "str", "x");
    CHECK(Run("SMOVE", "none", "str", "x") == Int(0));
    CHECK(Run("SMOVE", "b", "str", "x") == WrongType());
    CHECK(Run("SMOVE", "str", "b", "x") == WrongType());
    CHECK(MembersOf("b") == Members({"1", "3", "x"}));
  });
}

TEST_CASE_METHOD(SetFixture, "SINTER, SUNION and SDIFF in every mixture of encodings") {
  BothProtocols([this] {
    const std::vector<Words> contents = {{"1", "2", "3", "40000", "5"},  // integers
                                         {"1", "x", "3", "y", "z"},      // packed
                                         {"1", "3", "x", "y", "5", std::string(70, 'l')}};  // big
    for (size_t i = 0; i < 27; ++i) {
      const size_t picks[] = {i % 3, i / 3 % 3, i / 9};
      Run("FLUSHALL");
      std::vector<Model> models;
      for (size_t k = 0; k < 3; ++k) {
        Words members = contents[picks[k]];
        members.push_back(std::to_string(k + 7));
        if (k == 2) members.erase(members.begin());
        Fill("s" + std::to_string(k), members);
        models.emplace_back(members.begin(), members.end());
      }
      Model all;
      Words inter;
      Words diff;
      for (const Model& model : models) all.insert(model.begin(), model.end());
      for (const std::string& member : all) {
        const auto in = [&](size_t k) { return models[k].count(member) == 1; };
        if (in(0) && in(1) && in(2)) inter.push_back(member);
        if (in(0) && !in(1) && !in(2)) diff.push_back(member);
      }
      const Words either(all.begin(), all.end());
      CHECK(Sorted({"SINTER", "s0", "s1", "s2"}) == Members(inter));
      CHECK(Sorted({"SUNION", "s0", "s1", "s2"}) == Members(either));
      CHECK(Sorted({"SDIFF", "s0", "s1", "s2"}) == Members(diff));
      CHECK(Run("SINTERCARD", "3", "s0", "s1", "s2") == Int(static_cast<int64_t>(inter.size())));
      CHECK(Run("SUNIONSTORE", "d", "s0", "s1", "s2") == Int(static_cast<int64_t>(either.size())));
      CHECK(MembersOf("d") == Members(either));
      CHECK(Run("SDIFFSTORE", "d", "s0", "s1", "s2") == Int(static_cast<int64_t>(diff.size())));
      CHECK(MembersOf("d") == Members(diff));
      CHECK(Run("SINTERSTORE", "s1", "s0", "s1", "s2") == Int(static_cast<int64_t>(inter.size())));
      CHECK(MembersOf("s1") == Members(inter));
    }
  });
}

TEST_CASE_METHOD(SetFixture, "SINTER and others: missing keys, the same key twice, wrong types") {
  BothProtocols([this] {
    Fill("a", {"1", "2"});
    Fill("b", {"2", "x"});
    Run("SET", "str", "x");
    CHECK(Sorted({"SINTER", "a", "none"}) == Members({}));
    CHECK(Sorted({"SINTER", "a", "a"}) == Members({"1", "2"}));
    CHECK(Sorted({"SUNION", "none", "a", "b", "a"}) == Members({"1", "2", "x"}));
    CHECK(Sorted({"SUNION", "none"}) == Members({}));
    CHECK(Sorted({"SDIFF", "a", "none", "b"}) == Members({"1"}));
    CHECK(Sorted({"SDIFF", "none", "a"}) == Members({}));
    CHECK(Sorted({"SDIFF", "a", "b", "a"}) == Members({}));
    for (const char* name : {"SINTER", "SUNION", "SDIFF"}) {
      CHECK(Run(name, "str") == WrongType());
      CHECK(Run(name, "none", "str") == WrongType());
      CHECK(Run(name, "a", "none", "str") == WrongType());
      CHECK(Run(std::string(name) + "STORE", "d", "none", "str") == WrongType());
      CHECK(Run("EXISTS", "d") == Int(0));
    }
    CHECK(Run("SINTERCARD", "2", "none", "str") == WrongType());
  });
}

TEST_CASE_METHOD(SetFixture, "SINTERSTORE and others replace any key, or delete it") {
  BothProtocols([this] {
    Fill("a", {"1", "2"});
    Run("SET", "d", "string", "EX", "100");
    CHECK(Run("SUNIONSTORE", "d", "a") == Int(2));
    CHECK(Run("TTL", "d") == Int(-1));
    CHECK(Encoding("d") == "intset");
    CHECK(Run("SINTERSTORE", "d", "a", "none") == Int(0));
    CHECK(Run("EXISTS", "d") == Int(0));
    CHECK(Run("SDIFFSTORE", "a", "a", "none") == Int(2));
    CHECK(Run("SDIFFSTORE", "a", "a", "a") == Int(0));
    CHECK(Run("EXISTS", "a") == Int(0));

    Fill("big", Numbered(0, 600, "m"));
    Fill("few", {"m1", "m2"});
    CHECK(Run("SINTERSTORE", "d", "big", "few") == Int(2));
    CHECK(Encoding("d") == "listpack");
    CHECK(Run("SDIFFSTORE", "d", "big", "few") == Int(598));
    CHECK(Encoding("d") == "hashtable");
    Fill("numbers", Numbered(0, 600, ""));
    Fill("digits", Numbered(0, 10, ""));
    CHECK(Run("SINTERSTORE", "d", "numbers", "digits") == Int(10));
    CHECK(Encoding("d") == "intset");
  });
}

TEST_CASE_METHOD(SetFixture, "SDIFF: small and large differ in how, not in what") {
  Fill("large", Numbered(0, 2000, "m"));
  Fill("half", Numbered(0, 1000, "m"));
  Fill("other", Numbered(500, 1000, "m"));
  Fill("few", {"m1999", "m1998"});
  CHECK(Sorted({"SDIFF", "large", "half", "other", "few"}) == Members(Numbered(1500, 498, "m")));
  CHECK(Sorted({"SDIFF", "few", "large"}) == Members({}));
  CHECK(Sorted({"SDIFF", "large", "few", "few", "few", "few", "few"}).elements.size() == 1998);
  CHECK(Sorted({"SDIFF", "half", "large", "few"}) == Members({}));
}

TEST_CASE_METHOD(SetFixture, "SINTERCARD: limits and errors") {
  Fill("a", Numbered(0, 20, "m"));
  Fill("b", Numbered(5, 20, "m"));
  CHECK(Run("SINTERCARD", "2", "a", "b") == Int(15));
  CHECK(Run("SINTERCARD", "2", "a", "b", "LIMIT", "0") == Int(15));
  CHECK(Run("SINTERCARD", "2", "a", "b", "limit", "4") == Int(4));
  CHECK(Run("SINTERCARD", "2", "a", "b", "LIMIT", "9223372036854775807") == Int(15));
  CHECK(Run("SINTERCARD", "1", "none") == Int(0));
  const RespValue too_few = Error("ERR numkeys should be greater than 0");
  for (const char* count : {"0", "-1", "x", "9223372036854775808"}) {
    CHECK(Run("SINTERCARD", count, "a") == too_few);
  }
  for (const char* count : {"2", "9223372036854775807"}) {
    CHECK(Run("SINTERCARD", count, "a") ==
          Error("ERR Number of keys can't be greater than number of args"));
  }
  CHECK(Run("SINTERCARD", "1", "a", "b") == SyntaxError());
  CHECK(Run("SINTERCARD", "1", "a", "LIMIT") == SyntaxError());
  CHECK(Run("SINTERCARD", "1", "a", "LIMIT", "-1") == Error("ERR LIMIT can't be negative"));
  CHECK(Run("SINTERCARD", "1", "a", "LIMIT", "x") == Error("ERR LIMIT can't be negative"));
  CHECK(Run("COMMAND", "GETKEYS", "SINTERCARD", "2", "a", "b", "LIMIT", "1") == Bulks({"a", "b"}));
}

TEST_CASE_METHOD(SetFixture, "SPOP: one, several, all") {
  BothProtocols([this] {
    CHECK(Run("SPOP", "none") == Nil());
    CHECK(Sorted({"SPOP", "none", "2"}) == Members({}));
    for (const int total : {10, 100, 1000}) {
      for (const char* prefix : {"", "m"}) {
        const Words members = Numbered(0, total, prefix);
        Model left(members.begin(), members.end());
        Fill("s", members);
        const auto pop = [&](const Words& command) {
          const RespValue reply = RunArgs(command);
          if (reply.type == RespValue::Type::kBulk) return left.erase(reply.text);
          CHECK(reply.type == Members({}).type);
          size_t popped = 0;
          for (const RespValue& member : reply.elements) popped += left.erase(member.text);
          CHECK(popped == reply.elements.size());
          return popped;
        };
        CHECK(pop({"SPOP", "s"}) == 1);
        CHECK(pop({"SPOP", "s", "0"}) == 0);
        CHECK(pop({"SPOP", "s", "2"}) == 2);
        const auto many = static_cast<size_t>(total) - 5;
        CHECK(pop({"SPOP", "s", std::to_string(many)}) == many);
        CHECK(MembersOf("s") == Members({left.begin(), left.end()}));
        CHECK(pop({"SPOP", "s", "9223372036854775807"}) == 2);
        CHECK(Run("EXISTS", "s") == Int(0));
      }
    }
  });
}

TEST_CASE_METHOD(SetFixture, "SPOP and SRANDMEMBER: errors") {
  Fill("s", {"a"});
  Run("SET", "str", "x");
  CHECK(Run("SPOP", "s", "-1") == Error("ERR value is out of range, must be positive"));
  CHECK(Run("SPOP", "s", "x") == Error("ERR value is out of range, must be positive"));
  CHECK(Run("SPOP", "s", "x", "y") == SyntaxError());
  CHECK(Run("SPOP", "str") == WrongType());
  CHECK(Run("SPOP", "str", "0") == WrongType());
  CHECK(Run("SRANDMEMBER", "s", "1", "2") == SyntaxError());
  CHECK(Run("SRANDMEMBER", "s", "x") == Error("ERR value is not an integer or out of range"));
  CHECK(Run("SRANDMEMBER", "s", "-9223372036854775808") ==
        Error("ERR value is out of range, value must between -9223372036854775807 and "
              "9223372036854775807"));
  CHECK(Run("SRANDMEMBER", "str") == WrongType());
  CHECK(Run("SCARD", "s") == Int(1));
}

TEST_CASE_METHOD(SetFixture, "SRANDMEMBER: distinct above zero, repeated below") {
  BothProtocols([this] {
    CHECK(Run("SRANDMEMBER", "none") == Nil());
    CHECK(Run("SRANDMEMBER", "none", "2") == Array({}));
    CHECK(Run("SRANDMEMBER", "none", "-2") == Array({}));
    for (const int total : {10, 100, 1000}) {
      for (const char* prefix : {"", "m"}) {
        const Words members = Numbered(0, total, prefix);
        const Model model(members.begin(), members.end());
        Run("DEL", "s");
        Fill("s", members);
        CHECK(model.count(Run("SRANDMEMBER", "s").text) == 1);
        for (const int count : {0, 1, 3, total / 2, total - 1, total, total + 1}) {
          const RespValue reply = Run("SRANDMEMBER", "s", count);
          CHECK(reply.type == RespValue::Type::kArray);
          Model drawn;
          for (const RespValue& member : reply.elements) {
            CHECK(model.count(member.text) == 1);
            CHECK(drawn.insert(member.text).second);
          }
          CHECK(drawn.size() == static_cast<size_t>(std::min(count, total)));
        }
        const RespValue reply = Run("SRANDMEMBER", "s", -3 * total);
        CHECK(reply.elements.size() == static_cast<size_t>(3 * total));
        for (const RespValue& member : reply.elements) CHECK(model.count(member.text) == 1);
      }
    }
  });
}

TEST_CASE_METHOD(SetFixture, "SSCAN: a small set at once, a big one step by step") {
  BothProtocols([this] {
    CHECK(Run("SSCAN", "none", "0") == Array({Bulk("0"), Array({})}));
    Fill("small", {"a"});
    CHECK(Run("SSCAN", "small", "0") == Array({Bulk("0"), Bulks({"a"})}));
    CHECK(Run("SSCAN", "small", "0", "MATCH", "b*") == Array({Bulk("0"), Array({})}));
    Fill("i", {"1", "2", "30"});
    CHECK(Run("SSCAN", "i", "0", "COUNT", "1", "MATCH", "3?") == Array({Bulk("0"), Bulks({"30"})}));

    Fill("big", Numbered(0, 1000, "m"));
    std::multiset<std::string> seen;
    std::string cursor = "0";
    int calls = 0;
    do {
      const RespValue reply = Run("SSCAN", "big", cursor, "COUNT", "20");
      REQUIRE(reply.elements.size() == 2);
      cursor = reply.elements[0].text;
      for (const RespValue& member : reply.elements[1].elements) seen.insert(member.text);
      CHECK(reply.elements[1].elements.size() < 60);
      ++calls;
    } while (cursor != "0");
    CHECK(seen.size() == 1000);
    CHECK(Model(seen.begin(), seen.end()).size() == 1000);
    CHECK(calls > 20);
    CHECK(Run("SSCAN", "big", "0", "COUNT", "9223372036854775807").elements[1].elements.size() ==
          1000);

    CHECK(Run("SSCAN", "big", "x") == Error("ERR invalid cursor"));
    CHECK(Run("SSCAN", "big", "0", "COUNT", "0") == SyntaxError());
    CHECK(Run("SSCAN", "big", "0", "TYPE", "set") == SyntaxError());
    CHECK(Run("SSCAN", "big", "0", "NOVALUES") ==
          Error("ERR NOVALUES option can only be used in HSCAN"));
    Run("SET", "str", "x");
    CHECK(Run("SSCAN", "str", "0") == WrongType());
  });
}

TEST_CASE_METHOD(SetFixture, "Sets: every command refuses another type and leaves it alone") {
  Run("SET", "str", "x");
  CHECK(Run("SADD", "str", "a") == WrongType());
  CHECK(Run("SREM", "str", "a") == WrongType());
  CHECK(Run("SCARD", "str") == WrongType());
  CHECK(Run("SMEMBERS", "str") == WrongType());
  CHECK(Run("SISMEMBER", "str", "a") == WrongType());
  CHECK(Run("SMISMEMBER", "str", "a") == WrongType());
  CHECK(Run("SRANDMEMBER", "str", "2") == WrongType());
  CHECK(Run("GET", "str") == Bulk("x"));
  CHECK(Run("SADD", "s") == WrongArity("sadd"));
  Fill("s", {"a"});
  CHECK(Run("GET", "s") == WrongType());
  CHECK(Run("APPEND", "s", "x") == WrongType());
}

TEST_CASE_METHOD(SetFixture, "Sets: a key with a set is a key like any other") {
  Fill("s", Numbered(0, 300, "m"));
  CHECK(Run("COPY", "s", "t") == Int(1));
  CHECK(Run("SREM", "t", "m1") == Int(1));
  CHECK(Run("SCARD", "s") == Int(300));
  CHECK(Run("RENAME", "t", "u") == Ok());
  CHECK(Run("SCARD", "u") == Int(299));
  CHECK(Run("EXPIRE", "u", "10") == Int(1));
  Fill("u", {"more"});
  CHECK(Run("TTL", "u") == Int(10));
  Advance(10'020);
  CHECK(Run("EXISTS", "u") == Int(0));
  CHECK(Run("SET", "s", "x") == Ok());
  CHECK(Run("GET", "s") == Bulk("x"));
}

TEST_CASE_METHOD(SetFixture, "DEBUG DIGEST-VALUE: a set's does not depend on its encoding") {
  config().enable_debug_command.Store(static_cast<int64_t>(ProtectedAction::kYes));
  Fill("a", {"1", "2", "3"});
  Fill("b", {"1", "2", "3", std::string(100, 'x')});
  Run("SREM", "b", std::string(100, 'x'));
  CHECK(Encoding("b") == "hashtable");
  CHECK(Run("DEBUG", "DIGEST-VALUE", "a") == Run("DEBUG", "DIGEST-VALUE", "b"));
  Fill("b", {"4"});
  CHECK(!(Run("DEBUG", "DIGEST-VALUE", "a") == Run("DEBUG", "DIGEST-VALUE", "b")));
}

}  // namespace spinel
