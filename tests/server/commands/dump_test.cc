#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

// What Redis 7.0 answers to DUMP of the string "hello": string, version 10, checksum.
const std::string kHello("\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a", 17);

const RespValue kBusy = Error("BUSYKEY Target key name already exists.");
const RespValue kWrongChecksum = Error("ERR DUMP payload version or checksum are wrong");

}  // namespace

TEST_CASE_METHOD(CommandFixture, "DUMP and RESTORE: every type comes back as it was") {
  BothProtocols([this] {
    CHECK(Run("DUMP", "none") == Nil());
    CHECK(Run("DUMP") == WrongArity("dump"));
    Run("SET", "string", "hello");
    Run("SET", "integer", "12345");
    Run("SET", "blob", std::string(100'000, 'x'));
    Run("RPUSH", "list", "a", "1", "b");
    Run("SADD", "integers", "1", "2", "3");
    Run("SADD", "set", "a", "b");
    Run("HSET", "hash", "f", "v", "n", "1");
    Run("HSET", "expiring", "f", "v", "n", "1");
    Run("HPEXPIRE", "expiring", "10000", "FIELDS", "1", "f");
    Run("ZADD", "zset", "1.5", "a", "-inf", "b");
    for (int i = 0; i < 600; ++i) Run("HSET", "big", i, std::string(70, 'y'));
    for (const std::string key : {"string", "integer", "blob", "list", "integers", "set", "hash",
                                  "expiring", "zset", "big"}) {
      INFO(key);
      const std::string payload = Run("DUMP", key).text;
      CHECK(Run("RESTORE", key + ":copy", "0", payload) == Ok());
      CHECK(Run("DUMP", key + ":copy").text == payload);
      CHECK(Run("OBJECT", "ENCODING", key + ":copy") == Run("OBJECT", "ENCODING", key));
      CHECK(Run("TTL", key + ":copy") == Int(-1));
    }
    CHECK(Run("HPTTL", "expiring:copy", "FIELDS", "2", "f", "n") == Array({Int(10000), Int(-1)}));
  });
}

TEST_CASE_METHOD(CommandFixture,
                 "RESTORE: a key that exists is replaced only if that is asked for") {
  BothProtocols([this] {
    CHECK(Run("RESTORE", "k", "0", kHello) == Ok());
    CHECK(Run("GET", "k") == Bulk("hello"));
    CHECK(Run("RESTORE", "k", "0", kHello) == kBusy);
    // It is the first thing that is looked at, the options apart.
    CHECK(Run("RESTORE", "k", "x", "nonsense") == kBusy);
    CHECK(Run("RESTORE", "k", "x", "nonsense", "x") == SyntaxError());
    Run("SET", "k", "other", "PX", "100");
    CHECK(Run("RESTORE", "k", "0", kHello, "replace") == Ok());
    CHECK(Run("GET", "k") == Bulk("hello"));
    CHECK(Run("PTTL", "k") == Int(-1));
    Run("PEXPIRE", "k", "10");
    AdvanceWithoutTick(11);
    CHECK(Run("RESTORE", "k", "0", kHello) == Ok());
  });
}

TEST_CASE_METHOD(CommandFixture, "RESTORE: times to live, relative and absolute") {
  BothProtocols([this] {
    const RespValue invalid = Error("ERR Invalid TTL value, must be >= 0");
    CHECK(Run("RESTORE", "k", "-1", kHello) == invalid);
    CHECK(Run("RESTORE", "k", "1.5", kHello) ==
          Error("ERR value is not an integer or out of range"));
    CHECK(Run("RESTORE", "k", "2500", kHello) == Ok());
    CHECK(Run("PTTL", "k") == Int(2500));
    CHECK(Run("RESTORE", "k", now_ms() + 70, kHello, "ABSTTL", "REPLACE") == Ok());
    CHECK(Run("PTTL", "k") == Int(70));
    CHECK(Run("RESTORE", "far", "9223372036854775807", kHello) == Ok());
    CHECK(Run("GET", "far") == Bulk("hello"));
    // What is over already is not made, and what it replaces goes.
    CHECK(Run("RESTORE", "k", "1000", kHello, "ABSTTL", "REPLACE") == Ok());
    CHECK(Run("EXISTS", "k") == Int(0));
    CHECK(Run("RESTORE", "none", now_ms(), kHello, "ABSTTL") == Ok());
    CHECK(Run("EXISTS", "none") == Int(0));
  });
}

TEST_CASE_METHOD(CommandFixture, "RESTORE: idle time and frequency") {
  CHECK(Run("RESTORE", "k", "0", kHello, "IDLETIME", "1000") == Ok());
  CHECK(Run("OBJECT", "IDLETIME", "k") == Int(1000));
  CHECK(Run("RESTORE", "none", "0", kHello, "IDLETIME", "-1") ==
        Error("ERR Invalid IDLETIME value, must be >= 0"));
  CHECK(Run("RESTORE", "none", "0", kHello, "IDLETIME", "x") ==
        Error("ERR value is not an integer or out of range"));
  for (const std::string value : {"-1", "256"}) {
    CHECK(Run("RESTORE", "none", "0", kHello, "FREQ", value) ==
          Error("ERR Invalid FREQ value, must be >= 0 and <= 255"));
  }
  CHECK(Run("RESTORE", "none", "0", kHello, "FREQ", "1", "IDLETIME", "1") == SyntaxError());
  CHECK(Run("RESTORE", "none", "0", kHello, "FREQ") == SyntaxError());
  CHECK(Run("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu") == Ok());
  CHECK(Run("RESTORE", "k", "0", kHello, "FREQ", "100", "REPLACE") == Ok());
  CHECK(Run("OBJECT", "FREQ", "k") == Int(100));
}

TEST_CASE_METHOD(CommandFixture, "RESTORE: damaged payloads change nothing") {
  Run("SET", "k", "before");
  for (size_t i = 0; i < kHello.size(); ++i) {
    std::string damaged = kHello;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    CHECK(Run("RESTORE", "k", "0", damaged, "REPLACE") == kWrongChecksum);
    CHECK(Run("RESTORE", "k", "0", kHello.substr(0, i), "REPLACE") == kWrongChecksum);
  }
  CHECK(Run("GET", "k") == Bulk("before"));
}

TEST_CASE_METHOD(CommandFixture, "RESTORE: serves those who wait, tells those who watch") {
  Run("RPUSH", "list", "a", "b");
  const std::string payload = Run("DUMP", "list").text;
  const auto waiting = NewClient();
  waiting->Execute({"BLPOP", "new", "0"});
  const auto watching = NewClient();
  watching->Execute({"WATCH", "new"});
  CHECK(Run("RESTORE", "new", "0", payload) == Ok());
  CHECK(waiting->TakePushes().at(0) == Bulks({"new", "a"}));
  CHECK(Run("LRANGE", "new", "0", "-1") == Bulks({"b"}));
  watching->Execute({"MULTI"});
  CHECK(watching->Execute({"EXEC"}) == NilArray());
}

}  // namespace spinel
