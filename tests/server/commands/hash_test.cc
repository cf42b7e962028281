#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "storage/blob.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

// The pairs of HGETALL's reply, in either protocol's shape.
std::map<std::string, std::string> Pairs(const RespValue& reply) {
  std::map<std::string, std::string> pairs;
  for (size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    pairs[reply.elements[i].text] = reply.elements[i + 1].text;
  }
  return pairs;
}

std::multiset<std::string> Names(const RespValue& reply) {
  std::multiset<std::string> names;
  for (const RespValue& element : reply.elements) names.insert(element.text);
  return names;
}

}  // namespace

// A hash of some fields, packed or not.
class HashFixture : public CommandFixture {
 public:
  void BothForms(const std::function<void()>& body) {
    for (const bool packed : {true, false}) {
      BothProtocols([&] {
        if (!packed) Run("CONFIG", "SET", "hash-max-listpack-entries", "0");
        Run("HSET", "h", "a", "1", "b", "2", "c", "three");
        REQUIRE(Run("OBJECT", "ENCODING", "h") == Bulk(packed ? "listpack" : "hashtable"));
        body();
      });
    }
  }
};

TEST_CASE_METHOD(HashFixture, "HSET, HGET, HMGET: set, replace, missing") {
  BothForms([this] {
    CHECK(Run("HGET", "h", "a") == Bulk("1"));
    CHECK(Run("HGET", "h", "none") == Nil());
    CHECK(Run("HGET", "none", "a") == Nil());
    CHECK(Run("HSET", "h", "a", "one", "d", "4", "d", "5") == Int(1));
    CHECK(Run("HMGET", "h", "a", "x", "d") == Array({Bulk("one"), Nil(), Bulk("5")}));
    CHECK(Run("HMGET", "none", "a", "b") == Array({Nil(), Nil()}));
    CHECK(Run("HMSET", "h", "a", "", "", "empty") == Ok());
    CHECK(Run("HMGET", "h", "a", "") == Bulks({"", "empty"}));
    CHECK(Run("HLEN", "h") == Int(5));
    CHECK(Run("HLEN", "none") == Int(0));
    CHECK(Run("HSTRLEN", "h", "c") == Int(5));
    CHECK(Run("HSTRLEN", "h", "x") == Int(0));
    CHECK(Run("HSTRLEN", "none", "x") == Int(0));
    CHECK(Run("HEXISTS", "h", "a") == Int(1));
    CHECK(Run("HEXISTS", "h", "x") == Int(0));
    CHECK(Run("HEXISTS", "none", "x") == Int(0));
    CHECK(Run("HSETNX", "h", "a", "x") == Int(0));
    CHECK(Run("HSETNX", "h", "n", "x") == Int(1));
    CHECK(Run("HSETNX", "fresh", "n", "x") == Int(1));
    CHECK(Run("HGET", "h", "n") == Bulk("x"));
  });
}

TEST_CASE_METHOD(HashFixture, "HSET: a new key with a name that comes twice") {
  CHECK(Run("HSET", "k", "a", "1", "b", "2", "a", "3") == Int(2));
  CHECK(Run("HGETALL", "k") == Bulks({"a", "3", "b", "2"}));
}

TEST_CASE_METHOD(HashFixture, "HDEL: the last field takes the key with it") {
  BothForms([this] {
    CHECK(Run("HDEL", "h", "x", "a", "a") == Int(1));
    CHECK(Run("HDEL", "none", "x") == Int(0));
    CHECK(Run("HDEL", "h", "c", "b", "z") == Int(2));
    CHECK(Run("EXISTS", "h") == Int(0));
    CHECK(Run("DBSIZE") == Int(0));
  });
}

TEST_CASE_METHOD(HashFixture, "HGETALL, HKEYS, HVALS") {
  BothForms([this] {
    const RespValue all = Run("HGETALL", "h");
    CHECK(all.type == (resp3() ? RespValue::Type::kMap : RespValue::Type::kArray));
    CHECK(Pairs(all) == std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}, {"c", "three"}});
    CHECK(Names(Run("HKEYS", "h")) == std::multiset<std::string>{"a", "b", "c"});
    CHECK(Names(Run("HVALS", "h")) == std::multiset<std::string>{"1", "2", "three"});
    CHECK(Run("HGETALL", "none").elements.empty());
    CHECK(Run("HKEYS", "none") == Array({}));
    CHECK(Run("HVALS", "none") == Array({}));
  });
}

TEST_CASE_METHOD(HashFixture, "Hash commands: wrong types and wrong numbers of arguments") {
  BothProtocols([this] {
    Run("SET", "s", "x");
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"HSET", "s", "f", "v"},
                                               {"HMSET", "s", "f", "v"},
                                               {"HSETNX", "s", "f", "v"},
                                               {"HGET", "s", "f"},
                                               {"HMGET", "s", "f"},
                                               {"HGETALL", "s"},
                                               {"HKEYS", "s"},
                                               {"HVALS", "s"},
                                               {"HLEN", "s"},
                                               {"HSTRLEN", "s", "f"},
                                               {"HEXISTS", "s", "f"},
                                               {"HDEL", "s", "f"},
                                               {"HINCRBY", "s", "f", "1"},
                                               {"HINCRBYFLOAT", "s", "f", "1"},
                                               {"HRANDFIELD", "s"},
                                               {"HSCAN", "s", "0"},
                                               {"HEXPIRE", "s", "1", "FIELDS", "1", "f"},
                                               {"HTTL", "s", "FIELDS", "1", "f"},
                                               {"HPERSIST", "s", "FIELDS", "1", "f"},
                                               {"HGETEX", "s", "FIELDS", "1", "f"},
                                               {"HGETDEL", "s", "FIELDS", "1", "f"},
                                               {"HSETEX", "s", "FIELDS", "1", "f", "v"}}) {
      CAPTURE(command[0]);
      CHECK(RunArgs(command) == WrongType());
    }
    CHECK(Run("HSET", "h", "a") == WrongArity("hset"));
    CHECK(Run("HSET", "h", "a", "b", "c") == WrongArity("hset"));
    CHECK(Run("HMSET", "s", "a", "b", "c") == WrongArity("hmset"));
    CHECK(Run("GET", "s") == Bulk("x"));
  });
}

TEST_CASE_METHOD(HashFixture, "HINCRBY and HINCRBYFLOAT") {
  BothForms([this] {
    CHECK(Run("HINCRBY", "h", "a", "41") == Int(42));
    CHECK(Run("HINCRBY", "h", "new", "-7") == Int(-7));
    CHECK(Run("HINCRBY", "fresh", "new", "5") == Int(5));
    CHECK(Run("HINCRBY", "h", "c", "1") == Error("ERR hash value is not an integer"));
    CHECK(Run("HINCRBY", "h", "a", "x") == Error("ERR value is not an integer or out of range"));
    Run("HSET", "h", "a", "9223372036854775807");
    CHECK(Run("HINCRBY", "h", "a", "1") == Error("ERR increment or decrement would overflow"));
    CHECK(Run("HGET", "h", "a") == Bulk("9223372036854775807"));
    CHECK(Run("HINCRBYFLOAT", "h", "b", "0.5") == Bulk("2.5"));
    CHECK(Run("HINCRBYFLOAT", "h", "b", "-2.5") == Bulk("0"));
    CHECK(Run("HINCRBYFLOAT", "h", "f", "5.0e3") == Bulk("5000"));
    CHECK(Run("HINCRBYFLOAT", "h", "c", "1") == Error("ERR hash value is not a float"));
    CHECK(Run("HINCRBYFLOAT", "h", "b", "x") == Error("ERR value is not a valid float"));
    CHECK(Run("HINCRBYFLOAT", "h", "b", "inf") == Error("ERR value is NaN or Infinity"));
    CHECK(Run("HGET", "h", "b") == Bulk("0"));
  });
}

TEST_CASE_METHOD(HashFixture, "HRANDFIELD: one, different ones, repeated ones") {
  BothForms([this] {
    const std::multiset<std::string> all = {"a", "b", "c"};
    CHECK(all.count(Run("HRANDFIELD", "h").text) == 1);
    CHECK(Run("HRANDFIELD", "none") == Nil());
    CHECK(Run("HRANDFIELD", "none", "3") == Array({}));
    CHECK(Run("HRANDFIELD", "h", "0") == Array({}));
    CHECK(Names(Run("HRANDFIELD", "h", "9")) == all);
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
      const auto two = Names(Run("HRANDFIELD", "h", "2"));
      CHECK(two.size() == 2);
      CHECK(std::set<std::string>(two.begin(), two.end()).size() == 2);
      seen.insert(two.begin(), two.end());
      const auto many = Names(Run("HRANDFIELD", "h", "-5"));
      CHECK(many.size() == 5);
      seen.insert(many.begin(), many.end());
    }
    CHECK(seen == std::set<std::string>{"a", "b", "c"});
    const RespValue pairs = Run("HRANDFIELD", "h", "-2", "WITHVALUES");
    CHECK(pairs.elements.size() == (resp3() ? 2 : 4));
    if (resp3()) CHECK(pairs.elements[0].elements.size() == 2);

    CHECK(Run("HRANDFIELD", "h", "1", "WITHVALUE") == SyntaxError());
    CHECK(Run("HRANDFIELD", "h", "1", "WITHVALUES", "x") == SyntaxError());
    CHECK(Run("HRANDFIELD", "h", "x") == Error("ERR value is not an integer or out of range"));
    CHECK(Run("HRANDFIELD", "h", "-9223372036854770000", "WITHVALUES") ==
          Error("ERR value is out of range"));
    CHECK(Run("HRANDFIELD", "h", "9223372036854770000", "WITHVALUES") ==
          Error("ERR value is out of range"));
    CHECK(Names(Run("HRANDFIELD", "h", "9223372036854775807")) == all);
    CHECK(Run("HRANDFIELD", "h", "-9223372036854775808") ==
          Error("ERR value is out of range, value must between -9223372036854775807 and "
                "9223372036854775807"));
  });
}

TEST_CASE_METHOD(CommandFixture, "HRANDFIELD: a few, and most, of a big hash") {
  for (int i = 0; i < 2000; ++i) Run("HSET", "h", fmt::format("f{}", i), i);
  for (const int count : {10, 400, 700, 1990, 2000, 3000}) {
    const auto names = Names(Run("HRANDFIELD", "h", count));
    CHECK(names.size() == static_cast<size_t>(std::min(count, 2000)));
    CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
  }
  CHECK(Run("HRANDFIELD", "h", "-3000").elements.size() == 3000);
}

TEST_CASE_METHOD(HashFixture, "HSCAN: shape, options, errors") {
  BothForms([this] {
    RespValue reply = Run("HSCAN", "h", "0");
    REQUIRE(reply.elements.size() == 2);
    CHECK(reply.elements[0] == Bulk("0"));
    CHECK(Pairs(reply.elements[1]).size() == 3);
    reply = Run("HSCAN", "h", "0", "MATCH", "[ab]", "COUNT", "1000", "NOVALUES");
    CHECK(Names(reply.elements[1]) == std::multiset<std::string>{"a", "b"});
    CHECK(Run("HSCAN", "h", "0", "MATCH", "x*", "COUNT", "1000") == Array({Bulk("0"), Array({})}));
    CHECK(Run("HSCAN", "none", "0", "BAD") == Array({Bulk("0"), Array({})}));
    CHECK(Run("HSCAN", "h", "x") == Error("ERR invalid cursor"));
    CHECK(Run("HSCAN", "h", "0", "BAD") == SyntaxError());
    CHECK(Run("HSCAN", "h", "0", "COUNT", "0") == SyntaxError());
    CHECK(Run("HSCAN", "h", "0", "NOSCORES") ==
          Error("ERR NOSCORES option can only be used in ZSCAN"));
  });
}

TEST_CASE_METHOD(CommandFixture, "HSCAN: what stays is seen while the hash grows and shrinks") {
  for (int i = 0; i < 1000; ++i) Run("HSET", "h", fmt::format("stay{}", i), i);
  std::set<std::string> seen;
  std::string cursor = "0";
  int step = 0;
  do {
    const RespValue reply = Run("HSCAN", "h", cursor, "COUNT", "20");
    cursor = reply.elements[0].text;
    for (const auto& [name, value] : Pairs(reply.elements[1])) seen.insert(name);
    for (int i = 0; i < 50; ++i) {
      const std::string name = fmt::format("other{}", (step * 50 + i) % 4000);
      step / 40 % 2 == 0 ? Run("HSET", "h", name, "x") : Run("HDEL", "h", name);
    }
    ++step;
  } while (cursor != "0");
  for (int i = 0; i < 1000; ++i) CHECK(seen.count(fmt::format("stay{}", i)) == 1);
}

TEST_CASE_METHOD(CommandFixture, "Hashes: the limits of the packed form") {
  Run("CONFIG", "SET", "hash-max-listpack-entries", "4", "hash-max-listpack-value", "10");
  const auto encoding = [this] { return Run("OBJECT", "ENCODING", "h").text; };
  Run("HSET", "h", "a", "1", "b", "2", "c", "3", "d", "0123456789");
  CHECK(encoding() == "listpack");
  Run("HSET", "h", "e", "5");
  CHECK(encoding() == "hashtable");
  CHECK(Pairs(Run("HGETALL", "h")) ==
        std::map<std::string, std::string>{
            {"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "0123456789"}, {"e", "5"}});
  Run("DEL", "h");
  Run("HSET", "h", "a", "01234567890");
  CHECK(encoding() == "hashtable");
  Run("DEL", "h");
  Run("HSET", "h", "a", "1");
  Run("HINCRBYFLOAT", "h", "a", "0.12345678901");
  CHECK(encoding() == "hashtable");
  Run("DEL", "h");
  // A block has its own limit, whatever is configured.
  Run("CONFIG", "SET", "hash-max-listpack-entries", "100000", "hash-max-listpack-value", "100000");
  const std::string big(30'000, 'x');
  Run("HSET", "h", "a", big, "b", big);
  CHECK(encoding() == "listpack");
  Run("HSET", "h", "c", big);
  CHECK(encoding() == "hashtable");
  CHECK(Run("HMGET", "h", "a", "b", "c") == Bulks({big, big, big}));
  Run("DEL", "h");
  Run("HSET", "h", "a", "1", "b", big);
  Run("HSET", "h", "a", std::string(50'000, 'y'));
  CHECK(encoding() == "hashtable");
  CHECK(Run("HSTRLEN", "h", "a") == Int(50'000));
}

TEST_CASE_METHOD(CommandFixture, "Hashes: big values are kept as blobs and replaced") {
  const std::string big(Blob::kMinBytes + 5, 'b');
  const std::string bigger(3 * Blob::kMinBytes, 'c');
  CHECK(Run("HSET", "h", "a", big, "s", "small") == Int(2));
  CHECK(Run("HMGET", "h", "a", "s") == Bulks({big, "small"}));
  CHECK(Run("HSET", "h", "a", bigger) == Int(0));
  CHECK(Run("COPY", "h", "copy") == Int(1));
  CHECK(Run("HSET", "h", "a", "x") == Int(0));
  CHECK(Run("HGET", "h", "a") == Bulk("x"));
  CHECK(Run("HGET", "copy", "a") == Bulk(bigger));
  CHECK(Run("HSETNX", "h", "n", big) == Int(1));
  CHECK(Run("HSETEX", "h", "EX", "100", "FIELDS", "1", "n", bigger) == Int(1));
  CHECK(Run("HGETDEL", "h", "FIELDS", "2", "n", "a") == Bulks({bigger, "x"}));
  CHECK(Run("HDEL", "copy", "a", "s") == Int(2));
  CHECK(Run("EXISTS", "copy") == Int(0));
}

TEST_CASE_METHOD(HashFixture, "Hashes: RENAME, MOVE, COPY and the digest") {
  BothForms([this] {
    config().enable_debug_command.Store(static_cast<int64_t>(ProtectedAction::kYes));
    const RespValue digest = Run("DEBUG", "DIGEST-VALUE", "h");
    CHECK(Run("COPY", "h", "copy") == Int(1));
    CHECK(Run("RENAME", "h", "moved") == Ok());
    CHECK(Run("MOVE", "moved", "3") == Int(1));
    Run("HSET", "copy", "a", "changed");
    Run("SELECT", "3");
    CHECK(Run("DEBUG", "DIGEST-VALUE", "moved") == digest);
    CHECK(Run("HGET", "moved", "a") == Bulk("1"));
    Run("HSET", "moved", "a", "other");
    CHECK_FALSE(Run("DEBUG", "DIGEST-VALUE", "moved") == digest);
  });
}

TEST_CASE_METHOD(CommandFixture, "Hashes: changes are counted as Redis counts them") {
  const auto changes = [this] { return state().stats.store.changes.Get(); };
  uint64_t before = changes();
  const auto check = [&](uint64_t count, const std::vector<std::string>& command) {
    CAPTURE(command[0]);
    RunArgs(command);
    CHECK(changes() - before == count);
    before = changes();
  };
  check(2, {"HSET", "h", "a", "1", "b", "2"});
  check(1, {"HSET", "h", "a", "1"});
  check(0, {"HSETNX", "h", "a", "1"});
  check(1, {"HINCRBY", "h", "a", "1"});
  check(0, {"HINCRBY", "h", "a", "x"});
  check(0, {"HDEL", "h", "x"});
  check(1, {"HEXPIRE", "h", "100", "FIELDS", "2", "a", "x"});
  check(1, {"HPERSIST", "h", "FIELDS", "2", "a", "b"});
  check(0, {"HGETEX", "h", "FIELDS", "1", "a"});
  check(2, {"HDEL", "h", "a", "b"});
}

}  // namespace spinel
