#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

constexpr const char* kCountError =
    "ERR numfields should be greater than 0 and match the provided number of fields";

RespValue Ints(const std::vector<int64_t>& values) {
  std::vector<RespValue> elements;
  for (const int64_t value : values) elements.push_back(Int(value));
  return Array(std::move(elements));
}

class FieldTtlFixture : public CommandFixture {
 public:
  uint64_t expired_fields() { return state().stats.store.expired_fields.Get(); }
  uint64_t volatile_keys(int database = 0) {
    return server().store().Info(database, now_ms()).with_expiring_elements;
  }
  int64_t Pttl(const std::string& field, const std::string& key = "h") {
    return Run("HPTTL", key, "FIELDS", "1", field).elements.at(0).integer;
  }
};

}  // namespace

TEST_CASE_METHOD(FieldTtlFixture, "HEXPIRE and HTTL with their relatives") {
  BothProtocols([this] {
    const int64_t now = now_ms();
    Run("HSET", "h", "a", "1", "b", "2");
    CHECK(Run("HEXPIRE", "h", "10", "FIELDS", "2", "a", "x") == Ints({1, -2}));
    CHECK(Run("OBJECT", "ENCODING", "h") == Bulk("hashtable"));
    CHECK(Run("HTTL", "h", "FIELDS", "3", "a", "b", "x") == Ints({10, -1, -2}));
    CHECK(Run("HPTTL", "h", "FIELDS", "1", "a") == Ints({10'000}));
    CHECK(Run("HEXPIRETIME", "h", "FIELDS", "1", "a") == Ints({now / 1000 + 10}));
    CHECK(Run("HPEXPIRETIME", "h", "FIELDS", "1", "a") == Ints({now + 10'000}));
    CHECK(Run("HPEXPIRE", "h", "1499", "FIELDS", "1", "a") == Ints({1}));
    CHECK(Run("HTTL", "h", "FIELDS", "1", "a") == Ints({1}));
    CHECK(Run("HPEXPIRE", "h", "1500", "FIELDS", "1", "a") == Ints({1}));
    CHECK(Run("HTTL", "h", "FIELDS", "1", "a") == Ints({2}));
    CHECK(Run("HEXPIREAT", "h", now / 1000 + 7, "FIELDS", "1", "a") == Ints({1}));
    CHECK(Run("HPEXPIRETIME", "h", "FIELDS", "1", "a") == Ints({(now / 1000 + 7) * 1000}));
    CHECK(Run("HPEXPIREAT", "h", now + 99, "FIELDS", "1", "a") == Ints({1}));
    CHECK(Pttl("a") == 99);
    CHECK(Run("HPERSIST", "h", "FIELDS", "3", "a", "b", "x") == Ints({1, -1, -2}));
    CHECK(Pttl("a") == -1);
    CHECK(Run("HEXPIRE", "none", "10", "FIELDS", "1", "a") == Ints({-2}));
    CHECK(Run("HTTL", "none", "FIELDS", "2", "a", "b") == Ints({-2, -2}));
    CHECK(Run("HPERSIST", "none", "FIELDS", "1", "a") == Ints({-2}));
  });
}

TEST_CASE_METHOD(FieldTtlFixture, "HEXPIRE: conditions") {
  Run("HSET", "h", "a", "1", "b", "2");
  CHECK(Run("HEXPIRE", "h", "10", "XX", "FIELDS", "1", "a") == Ints({0}));
  CHECK(Run("HEXPIRE", "h", "10", "GT", "FIELDS", "1", "a") == Ints({0}));
  CHECK(Run("OBJECT", "ENCODING", "h") == Bulk("listpack"));
  CHECK(Run("HEXPIRE", "h", "10", "LT", "FIELDS", "1", "a") == Ints({1}));
  CHECK(Run("HEXPIRE", "h", "10", "NX", "FIELDS", "2", "a", "b") == Ints({0, 1}));
  CHECK(Run("HEXPIRE", "h", "20", "LT", "FIELDS", "1", "a") == Ints({0}));
  CHECK(Run("HEXPIRE", "h", "20", "GT", "FIELDS", "1", "a") == Ints({1}));
  CHECK(Run("HEXPIRE", "h", "5", "XX", "LT", "FIELDS", "1", "a") == Ints({1}));
  CHECK(Pttl("a") == 5000);
}

TEST_CASE_METHOD(FieldTtlFixture, "HEXPIRE: a time that is over removes the field") {
  BothProtocols([this] {
    const uint64_t before = expired_fields();
    Run("HSET", "h", "a", "1", "b", "2", "c", "3");
    CHECK(Run("HEXPIRE", "h", "0", "FIELDS", "2", "a", "a") == Ints({2, -2}));
    CHECK(Run("HPEXPIREAT", "h", now_ms(), "FIELDS", "1", "b") == Ints({2}));
    CHECK(Run("HKEYS", "h") == Bulks({"c"}));
    CHECK(Run("HEXPIREAT", "h", "1", "FIELDS", "1", "c") == Ints({2}));
    CHECK(Run("EXISTS", "h") == Int(0));
    CHECK(expired_fields() - before == 3);
  });
}

TEST_CASE_METHOD(FieldTtlFixture, "HEXPIRE and its relatives: errors") {
  BothProtocols([this] {
    Run("HSET", "h", "a", "1");
    const auto expire = [this](const std::vector<std::string>& rest) {
      std::vector<std::string> command = {"HEXPIRE", "h"};
      command.insert(command.end(), rest.begin(), rest.end());
      return RunArgs(command);
    };
    CHECK(expire({"10", "FIELDS", "2", "a"}) == Error(kCountError));
    CHECK(expire({"10", "FIELDS", "0", "a"}) == Error(kCountError));
    CHECK(expire({"10", "FIELDS", "-1", "a"}) == Error(kCountError));
    CHECK(expire({"10", "NX", "1", "a", "b"}) == Error(kCountError));
    CHECK(expire({"10", "FIELDS", "x", "a"}) ==
          Error("ERR value is not an integer or out of range"));
    CHECK(expire({"10", "BAD", "FIELDS", "1", "a"}) == Error("ERR Unsupported option BAD"));
    CHECK(expire({"10", "NX", "GT", "FIELDS", "1", "a"}) ==
          Error("ERR NX and XX, GT or LT options at the same time are not compatible"));
    CHECK(expire({"10", "LT", "GT", "FIELDS", "1", "a"}) ==
          Error("ERR GT and LT options at the same time are not compatible"));
    CHECK(expire({"x", "FIELDS", "1", "a"}) ==
          Error("ERR value is not an integer or out of range"));
    CHECK(expire({"-1", "FIELDS", "1", "a"}) ==
          Error("ERR invalid expire time in 'hexpire' command"));
    CHECK(expire({"9223372036854775807", "FIELDS", "1", "a"}) ==
          Error("ERR invalid expire time in 'hexpire' command"));
    CHECK(Run("HPEXPIRE", "h", "9223372036854775807", "FIELDS", "1", "a") ==
          Error("ERR invalid expire time in 'hpexpire' command"));
    CHECK(Run("HTTL", "h", "FIELDS", "2", "a") == SyntaxError());
    CHECK(Run("HPERSIST", "h", "FIELDS", "2", "a") == Error(kCountError));
    CHECK(Run("HGETDEL", "h", "FIELDS", "2", "a") == Error(kCountError));
    CHECK(Pttl("a") == -1);
    // Too far for the wheel, but not for the field.
    CHECK(Run("HPEXPIREAT", "h", "9223372036854775807", "FIELDS", "1", "a") == Ints({1}));
    CHECK(Run("HPEXPIRETIME", "h", "FIELDS", "1", "a") == Ints({INT64_MAX}));
  });
}

TEST_CASE_METHOD(FieldTtlFixture, "Fields that are over are seen by no command") {
  BothProtocols([this] {
    Run("HSET", "h", "a", "1", "b", "2", "c", "3");
    Run("HPEXPIRE", "h", "100", "FIELDS", "2", "a", "b");
    AdvanceWithoutTick(100);
    CHECK(Run("HMGET", "h", "a", "b") == Bulks({"1", "2"}));
    AdvanceWithoutTick(1);
    CHECK(Run("HMGET", "h", "a", "b", "c") == Array({Nil(), Nil(), Bulk("3")}));
    CHECK(Run("HGETALL", "h").elements.size() == 2);
    CHECK(Run("HKEYS", "h") == Bulks({"c"}));
    CHECK(Run("HVALS", "h") == Bulks({"3"}));
    CHECK(Run("HEXISTS", "h", "a") == Int(0));
    CHECK(Run("HSTRLEN", "h", "a") == Int(0));
    CHECK(Run("HRANDFIELD", "h") == Bulk("c"));
    CHECK(Run("HRANDFIELD", "h", "5") == Bulks({"c"}));
    CHECK(Run("HRANDFIELD", "h", "2") == Bulks({"c"}));
    CHECK(Run("HRANDFIELD", "h", "-2") == Bulks({"c", "c"}));
    CHECK(Run("HSCAN", "h", "0", "COUNT", "100") == Array({Bulk("0"), Bulks({"c", "3"})}));
    CHECK(Run("HDEL", "h", "a") == Int(0));
    CHECK(Run("HTTL", "h", "FIELDS", "1", "a") == Ints({-2}));
    CHECK(Run("HPERSIST", "h", "FIELDS", "1", "a") == Ints({-2}));
    CHECK(Run("HEXPIRE", "h", "9", "FIELDS", "1", "a") == Ints({-2}));
    CHECK(Run("HGETEX", "h", "FIELDS", "1", "a") == Array({Nil()}));
    CHECK(Run("HGETDEL", "h", "FIELDS", "1", "a") == Array({Nil()}));
    CHECK(Run("HSETEX", "h", "FXX", "FIELDS", "1", "a", "x") == Int(0));
    // Until they are removed they count.
    CHECK(Run("HLEN", "h") == Int(3));
    const uint64_t before = expired_fields();
    CHECK(Run("HINCRBY", "h", "a", "5") == Int(5));
    CHECK(Pttl("a") == -1);
    CHECK(Run("HSETNX", "h", "b", "new") == Int(1));
    CHECK(Run("HGET", "h", "b") == Bulk("new"));
    CHECK(expired_fields() - before == 2);
    CHECK(Run("HLEN", "h") == Int(3));
    CHECK(volatile_keys() == 0);
  });
}

TEST_CASE_METHOD(FieldTtlFixture, "A hash whose fields are all over answers as an empty one") {
  Run("HSETEX", "h", "PX", "10", "FIELDS", "2", "a", "1", "b", "2");
  AdvanceWithoutTick(11);
  CHECK(Run("HRANDFIELD", "h") == Nil());
  CHECK(Run("HRANDFIELD", "h", "-3") == Array({}));
  CHECK(Run("HRANDFIELD", "h", "1") == Array({}));
  CHECK(Run("HGETALL", "h") == Array({}));
  CHECK(Run("HLEN", "h") == Int(2));
  Advance(16);
  CHECK(Run("EXISTS", "h") == Int(0));
  CHECK(expired_fields() == 2);
  CHECK(volatile_keys() == 0);
}

TEST_CASE_METHOD(FieldTtlFixture, "Fields expire by the wheel, each at its time") {
  Run("HSET", "h", "stay", "x");
  for (int i = 1; i <= 50; ++i) {
    Run("HSETEX", "h", "PX", i * 100, "FIELDS", "1", fmt::format("f{}", i), "v");
  }
  CHECK(volatile_keys() == 1);
  for (int i = 1; i <= 50; ++i) {
    Advance(100);
    Advance(17);
    CHECK(Run("HLEN", "h") == Int(51 - i));
    AdvanceWithoutTick(-17);
  }
  CHECK(Run("HKEYS", "h") == Bulks({"stay"}));
  CHECK(expired_fields() == 50);
  CHECK(volatile_keys() == 0);
}

TEST_CASE_METHOD(FieldTtlFixture, "An earlier expiry fires earlier, a later one later") {
  Run("HSETEX", "h", "PX", "10000", "FIELDS", "2", "a", "1", "b", "2");
  Run("HPEXPIRE", "h", "100", "FIELDS", "1", "b");
  Advance(120);
  CHECK(Run("HLEN", "h") == Int(1));
  Run("HPEXPIRE", "h", "60000", "FIELDS", "1", "a");
  Advance(30'000);
  CHECK(Run("HLEN", "h") == Int(1));
  Advance(30'020);
  CHECK(server().store().Size(0) == 0);
}

TEST_CASE_METHOD(FieldTtlFixture, "A handle that fires for fields without an expiry is harmless") {
  Run("HSETEX", "h", "PX", "100", "FIELDS", "2", "a", "1", "b", "2");
  Run("HPERSIST", "h", "FIELDS", "2", "a", "b");
  Advance(120);
  CHECK(volatile_keys() == 0);
  // The next expiry may rely on a handle that is still out, or not.
  Run("HPEXPIRE", "h", "1000", "FIELDS", "1", "a");
  Run("HPERSIST", "h", "FIELDS", "1", "a");
  Run("HPEXPIRE", "h", "2000", "FIELDS", "1", "a");
  CHECK(volatile_keys() == 1);
  Advance(1020);
  CHECK(Run("HLEN", "h") == Int(2));
  Advance(1020);
  CHECK(Run("HLEN", "h") == Int(1));
  CHECK(volatile_keys() == 0);
}

TEST_CASE_METHOD(FieldTtlFixture, "Many fields at once: some per tick, the whole hash at once") {
  for (int i = 0; i < 2000; ++i) {
    Run("HSETEX", "h", "PX", "100", "FIELDS", "1", fmt::format("f{}", i), "v");
  }
  Run("COPY", "h", "whole");
  Run("HSET", "h", "stay", "x");
  Advance(120);
  CHECK(Run("EXISTS", "whole") == Int(0));
  const int64_t left = Run("HLEN", "h").integer;
  CHECK(left > 1);
  CHECK(left < 2001);
  CHECK(Run("HKEYS", "h") == Bulks({"stay"}));
  for (int i = 0; i < 20; ++i) Advance(16);
  CHECK(Run("HLEN", "h") == Int(1));
  CHECK(expired_fields() == 4000);
}

TEST_CASE_METHOD(FieldTtlFixture, "Fields expire after RENAME, MOVE, COPY and SWAPDB") {
  const auto make = [this](const std::string& key) {
    Run("HSET", key, "stay", "1");
    Run("HSETEX", key, "PX", "1000", "FIELDS", "1", "go", "2");
  };
  make("a");
  Run("RENAME", "a", "b");
  CHECK(volatile_keys() == 1);
  make("c");
  Run("COPY", "c", "d");
  Run("COPY", "c", "d", "DB", "2");
  CHECK(volatile_keys() == 3);
  make("m");
  Run("MOVE", "m", "1");
  make("w");
  Run("SWAPDB", "0", "5");
  CHECK(volatile_keys() == 0);
  CHECK(volatile_keys(5) == 4);
  CHECK(volatile_keys(1) == 1);
  CHECK(volatile_keys(2) == 1);
  Advance(1020);
  for (const auto& [db, key] : std::vector<std::pair<int, std::string>>{
           {5, "b"}, {5, "c"}, {5, "d"}, {2, "d"}, {1, "m"}, {5, "w"}}) {
    Run("SELECT", db);
    CAPTURE(db, key);
    CHECK(Run("HLEN", key) == Int(1));
  }
  for (const int db : {1, 2, 5}) CHECK(volatile_keys(db) == 0);
}

TEST_CASE_METHOD(FieldTtlFixture, "FLUSHDB, DEL, overwriting: nothing is left, and nothing fires") {
  for (const char* command : {"FLUSHDB", "DEL", "SET", "HDEL"}) {
    CAPTURE(command);
    Run("HSETEX", "h", "PX", "1000", "FIELDS", "2", "a", "1", "b", "2");
    CHECK(volatile_keys() == 1);
    const std::string_view name = command;
    if (name == "FLUSHDB") Run("FLUSHDB");
    if (name == "DEL") Run("DEL", "h");
    if (name == "SET") Run("SET", "h", "x");
    if (name == "HDEL") Run("HDEL", "h", "a", "b");
    CHECK(volatile_keys() == 0);
    Run("DEL", "h");
    Run("HSETEX", "h", "PX", "5000", "FIELDS", "1", "a", "1");
    Advance(1020);
    CHECK(Run("HLEN", "h") == Int(1));
    Run("DEL", "h");
  }
  CHECK(volatile_keys() == 0);
}

TEST_CASE_METHOD(FieldTtlFixture, "A key's own expiry beside those of its fields") {
  Run("HSET", "h", "stay", "1");
  Run("HSETEX", "h", "PX", "1000", "FIELDS", "1", "a", "1");
  Run("PEXPIRE", "h", "1000");
  Run("HSET", "p", "stay", "1");
  Run("HSETEX", "p", "PX", "1000", "FIELDS", "1", "a", "1");
  Run("PEXPIRE", "p", "1000");
  Run("PERSIST", "p");
  Run("HSETEX", "late", "PX", "500", "FIELDS", "2", "a", "1", "b", "2");
  Run("HPERSIST", "late", "FIELDS", "1", "b");
  Run("PEXPIRE", "late", "3000");
  Advance(1020);
  CHECK(Run("EXISTS", "h") == Int(0));
  CHECK(Run("HKEYS", "p") == Bulks({"stay"}));
  CHECK(Run("HLEN", "late") == Int(1));
  Advance(2020);
  CHECK(Run("EXISTS", "late") == Int(0));
  CHECK(volatile_keys() == 0);
}

TEST_CASE_METHOD(FieldTtlFixture, "Handles of fields survive the wheel's sweep") {
  for (int i = 0; i < 300; ++i) {
    Run("HSETEX", fmt::format("h{}", i), "PX", 100'000, "FIELDS", "1", "a", "1");
    Run("HSET", fmt::format("h{}", i), "stay", "1");
    Run("PEXPIRE", fmt::format("h{}", i), 100'000);
    Run("PERSIST", fmt::format("h{}", i));
  }
  // Garbage, until every wheel is swept.
  for (int i = 0; i < 100'000; ++i) {
    Run("SET", fmt::format("k{}", i), "v", "PX", 90'000);
    Run("DEL", fmt::format("k{}", i));
  }
  Advance(16);
  Advance(100'020);
  for (int i = 0; i < 300; ++i) CHECK(Run("HLEN", fmt::format("h{}", i)) == Int(1));
  CHECK(expired_fields() == 300);
}

TEST_CASE_METHOD(FieldTtlFixture, "HSET drops a field's expiry, HINCRBY and others keep it") {
  BothProtocols([this] {
    Run("HSETEX", "h", "PX", "1000", "FIELDS", "3", "a", "1", "b", "2", "c", "3");
    Run("HSET", "h", "a", "x");
    Run("HINCRBY", "h", "b", "1");
    Run("HINCRBYFLOAT", "h", "b", "0.5");
    CHECK(Pttl("a") == -1);
    CHECK(Pttl("b") == 1000);
    Run("HSETEX", "h", "KEEPTTL", "FIELDS", "2", "c", std::string(100, 'x'), "d", "new");
    CHECK(Pttl("c") == 1000);
    CHECK(Pttl("d") == -1);
    Run("HSETEX", "h", "FIELDS", "1", "c", "y");
    CHECK(Pttl("c") == -1);
  });
}

TEST_CASE_METHOD(FieldTtlFixture, "HSETEX: conditions and errors") {
  BothProtocols([this] {
    CHECK(Run("HSETEX", "h", "XX", "FIELDS", "1", "a", "1") == Int(0));
    CHECK(Run("HSETEX", "h", "FXX", "FIELDS", "1", "a", "1") == Int(0));
    CHECK(Run("EXISTS", "h") == Int(0));
    CHECK(Run("HSETEX", "h", "NX", "FNX", "FIELDS", "1", "a", "1") == Int(1));
    CHECK(Run("HSETEX", "h", "NX", "FIELDS", "1", "a", "2") == Int(0));
    CHECK(Run("HSETEX", "h", "FNX", "FIELDS", "2", "b", "2", "a", "2") == Int(0));
    CHECK(Run("HSETEX", "h", "FXX", "FIELDS", "2", "a", "2", "b", "2") == Int(0));
    CHECK(Run("HGETALL", "h").elements.size() == 2);
    CHECK(Run("HSETEX", "h", "XX", "FXX", "EX", "10", "FIELDS", "1", "a", "3") == Int(1));
    CHECK(Pttl("a") == 10'000);
    CHECK(Run("HSETEX", "h", "NX", "XX", "FIELDS", "1", "a", "3") == SyntaxError());
    CHECK(Run("HSETEX", "h", "FNX", "FXX", "FIELDS", "1", "a", "3") == SyntaxError());
    CHECK(Run("HSETEX", "h", "EX", "1", "KEEPTTL", "FIELDS", "1", "a", "3") == SyntaxError());
    CHECK(Run("HSETEX", "h", "EX", "FIELDS", "1", "a", "3") == SyntaxError());
    CHECK(Run("HSETEX", "h", "PERSIST", "FIELDS", "1", "a", "3") == SyntaxError());
    CHECK(Run("HSETEX", "h", "EX", "x", "FIELDS", "1", "a", "3") ==
          Error("ERR value is not an integer or out of range"));
    CHECK(Run("HSETEX", "h", "EX", "-1", "FIELDS", "1", "a", "3") ==
          Error("ERR invalid expire time in 'hsetex' command"));
    CHECK(Run("HSETEX", "h", "FIELDS", "2", "a", "3", "b") == Error(kCountError));
    CHECK(Run("HSETEX", "h", "FIELDS", "1", "a", "3", "b", "4") == Error(kCountError));
    CHECK(Run("HSETEX", "h", "a", "3", "b", "4") == Error(kCountError));
    CHECK(Run("HSETEX", "fields", "EX", "5", "FIELDS", "1", "a", "3") == Int(1));
    CHECK(Run("HGET", "h", "a") == Bulk("3"));
    // Over at once.
    CHECK(Run("HSETEX", "h", "EX", "0", "FIELDS", "1", "a", "3") == Int(1));
    CHECK(Run("EXISTS", "h") == Int(0));
    CHECK(Run("HSETEX", "h", "PXAT", "1", "FIELDS", "1", "a", "3") == Int(1));
    CHECK(Run("EXISTS", "h") == Int(0));
  });
}

TEST_CASE_METHOD(FieldTtlFixture, "HGETEX and HGETDEL") {
  BothProtocols([this] {
    Run("HSET", "h", "a", "1", "b", "2", "c", "3");
    CHECK(Run("HGETEX", "h", "FIELDS", "2", "a", "x") == Array({Bulk("1"), Nil()}));
    CHECK(Run("OBJECT", "ENCODING", "h") == Bulk("listpack"));
    CHECK(Run("HGETEX", "h", "PX", "500", "FIELDS", "2", "a", "a") == Bulks({"1", "1"}));
    CHECK(Pttl("a") == 500);
    CHECK(Run("HGETEX", "h", "FIELDS", "1", "a") == Bulks({"1"}));
    CHECK(Pttl("a") == 500);
    CHECK(Run("HGETEX", "h", "PERSIST", "FIELDS", "1", "a") == Bulks({"1"}));
    CHECK(Pttl("a") == -1);
    CHECK(Run("HGETEX", "h", "EXAT", "1", "FIELDS", "2", "a", "a") == Array({Bulk("1"), Nil()}));
    CHECK(Run("HEXISTS", "h", "a") == Int(0));
    CHECK(Run("HGETEX", "none", "EX", "5", "FIELDS", "2", "a", "b") == Array({Nil(), Nil()}));
    CHECK(Run("HGETEX", "h", "EX", "1", "PERSIST", "FIELDS", "1", "b") == SyntaxError());
    CHECK(Run("HGETEX", "h", "KEEPTTL", "FIELDS", "1", "b") == SyntaxError());
    CHECK(Run("HGETEX", "h", "EX", "-1", "FIELDS", "1", "b") ==
          Error("ERR invalid expire time in 'hgetex' command"));
    CHECK(Run("HGETEX", "h", "1", "b", "c") == Error(kCountError));
    CHECK(Run("HGETDEL", "h", "FIELDS", "3", "b", "x", "b") == Array({Bulk("2"), Nil(), Nil()}));
    CHECK(Run("HGETDEL", "h", "FIELDS", "1", "c") == Bulks({"3"}));
    CHECK(Run("EXISTS", "h") == Int(0));
    CHECK(Run("HGETDEL", "h", "FIELDS", "1", "c") == Array({Nil()}));
  });
}

TEST_CASE_METHOD(FieldTtlFixture, "INFO shows fields that expired and keys that have such") {
  Run("HSETEX", "h", "PX", "100", "FIELDS", "2", "a", "1", "b", "2");
  CHECK(
      Run("INFO", "keyspace").text.find("keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=1") !=
      std::string::npos);
  Advance(120);
  CHECK(Run("INFO", "stats").text.find("expired_fields:2\r\n") != std::string::npos);
}

}  // namespace spinel
