#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {

TEST_CASE_METHOD(CommandFixture, "DEL and UNLINK: answer how many keys there were") {
  BothProtocols([this] {
    for (const std::string command : {"DEL", "UNLINK"}) {
      Run("SET", "a", "1");
      Run("SET", "b", "2");
      Run("SET", "c", std::string(1'000'000, 'x'));
      CHECK(Run(command, "a") == Int(1));
      CHECK(Run(command, "a") == Int(0));
      CHECK(Run(command, "b", "none", "b", "c") == Int(2));
      CHECK(Run("DBSIZE") == Int(0));
      CHECK(Run(command) == WrongArity(command == "DEL" ? "del" : "unlink"));
    }
  });
}

TEST_CASE_METHOD(CommandFixture, "UNLINK, and DEL with lazyfree-lazy-user-del: free elsewhere") {
  const std::string value(20'000, 'x');
  REQUIRE(Run("CONFIG", "SET", "lazyfree-lazy-user-del", "no") == Ok());
  Run("SET", "k", value);
  Run("DEL", "k");
  CHECK(server().store().reclaimer().freed() + server().store().reclaimer().pending() == 0);
  Run("SET", "k", value);
  Run("UNLINK", "k");
  server().store().reclaimer().Drain();
  CHECK(server().store().reclaimer().freed() == 1);
  REQUIRE(Run("CONFIG", "SET", "lazyfree-lazy-user-del", "yes") == Ok());
  Run("SET", "k", value);
  Run("DEL", "k");
  server().store().reclaimer().Drain();
  CHECK(server().store().reclaimer().freed() == 2);
}

TEST_CASE_METHOD(CommandFixture, "DEL: an expired key is not there") {
  Run("SET", "k", "v", "PX", "10");
  AdvanceWithoutTick(11);
  CHECK(Run("DEL", "k") == Int(0));
}

TEST_CASE_METHOD(CommandFixture, "EXISTS: a key counts as often as it is named") {
  BothProtocols([this] {
    Run("SET", "a", "1");
    Run("SET", "b", "1", "PX", "10");
    CHECK(Run("EXISTS", "a") == Int(1));
    CHECK(Run("EXISTS", "none") == Int(0));
    CHECK(Run("EXISTS", "a", "a", "b", "none") == Int(3));
    AdvanceWithoutTick(11);
    CHECK(Run("EXISTS", "a", "a", "b") == Int(2));
    CHECK(Run("EXISTS") == WrongArity("exists"));
  });
}

TEST_CASE_METHOD(CommandFixture, "EXISTS, TYPE, TTL: count look-ups; KEYS, SCAN do not") {
  Run("SET", "k", "v");
  const StoreStats& stats = state().stats.store;
  Run("EXISTS", "k", "none");
  Run("TYPE", "k");
  Run("TTL", "none");
  CHECK(stats.keyspace_hits.Get() == 2);
  CHECK(stats.keyspace_misses.Get() == 2);
  Run("KEYS", "*");
  Run("KEYS", "k");
  Run("SCAN", "0");
  Run("MEMORY", "USAGE", "k");
  CHECK(stats.keyspace_hits.Get() == 2);
}

TEST_CASE_METHOD(CommandFixture, "TOUCH: counts keys and renews their access time, whoever asks") {
  Run("SET", "k", "v");
  Run("SET", "l", "v");
  Advance(10'000);
  CHECK(Run("OBJECT", "IDLETIME", "k") == Int(10));
  CHECK(Run("EXISTS", "k") == Int(1));
  CHECK(Run("TTL", "k") == Int(-1));
  CHECK(Run("TYPE", "k") == Simple("string"));
  CHECK(Run("OBJECT", "IDLETIME", "k") == Int(10));
  client().session().no_touch = true;
  CHECK(Run("GET", "k") == Bulk("v"));
  CHECK(Run("OBJECT", "IDLETIME", "k") == Int(10));
  CHECK(Run("TOUCH", "k", "none", "l") == Int(2));
  CHECK(Run("OBJECT", "IDLETIME", "k") == Int(0));
  CHECK_FALSE(state().op.touch);
  Advance(10'000);
  CHECK(Run("TOUCH", "l") == Int(1));
  CHECK(Run("OBJECT", "IDLETIME", "l") == Int(0));
}

TEST_CASE_METHOD(CommandFixture, "TYPE") {
  BothProtocols([this] {
    CHECK(Run("TYPE", "k") == Simple("none"));
    Run("SET", "k", "1");
    CHECK(Run("TYPE", "k") == Simple("string"));
  });
}

TEST_CASE_METHOD(CommandFixture, "RENAME: value and expiry go along, the target's are gone") {
  BothProtocols([this] {
    CHECK(Run("RENAME", "a", "b") == Error("ERR no such key"));
    CHECK(Run("RENAME", "a", "a") == Error("ERR no such key"));
    Run("SET", "a", "1");
    Run("SET", "b", "2", "EX", "100");
    CHECK(Run("RENAME", "a", "b") == Ok());
    CHECK(Run("GET", "b") == Bulk("1"));
    CHECK(Run("TTL", "b") == Int(-1));
    CHECK(Run("EXISTS", "a") == Int(0));
    Run("EXPIRE", "b", "50");
    CHECK(Run("RENAME", "b", "c") == Ok());
    CHECK(Run("TTL", "c") == Int(50));
    CHECK(Run("RENAME", "c", "c") == Ok());
    CHECK(Run("TTL", "c") == Int(50));
    Advance(50'020);  // the timing wheel knows the new name
    CHECK(server().store().Size(0) == 0);
  });
}

TEST_CASE_METHOD(CommandFixture, "RENAME: an expired key is neither source nor obstacle") {
  Run("SET", "a", "1", "PX", "10");
  Run("SET", "b", "2");
  AdvanceWithoutTick(11);
  CHECK(Run("RENAME", "a", "c") == Error("ERR no such key"));
  Run("SET", "a", "1", "PX", "10");
  AdvanceWithoutTick(11);
  CHECK(Run("RENAMENX", "b", "a") == Int(1));
  CHECK(Run("GET", "a") == Bulk("2"));
  CHECK(Run("TTL", "a") == Int(-1));
}

TEST_CASE_METHOD(CommandFixture, "RENAME: many keys, each way") {
  for (int i = 0; i < 2000; ++i) Run("SET", "from:" + std::to_string(i), i);
  for (int i = 0; i < 2000; ++i) {
    CHECK(Run("RENAME", "from:" + std::to_string(i), "to:" + std::to_string(i)) == Ok());
  }
  for (int i = 0; i < 2000; ++i) {
    CHECK(Run("GET", "to:" + std::to_string(i)) == Bulk(std::to_string(i)));
  }
  CHECK(Run("DBSIZE") == Int(2000));
}

TEST_CASE_METHOD(CommandFixture, "RENAME: names of every length, values of every encoding") {
  for (const std::string& value :
       {std::string("12"), std::string("text"), std::string(300, 'x'), std::string(16'384, 'y')}) {
    Run("SET", "k", value, "EX", "100");
    for (const std::string& name :
         {std::string(), std::string(254, 'a'), std::string(255, 'b'), std::string(70'000, 'c')}) {
      CHECK(Run("RENAME", "k", name) == Ok());
      CHECK(Run("GET", name) == Bulk(value));
      CHECK(Run("TTL", name) == Int(100));
      CHECK(Run("RENAME", name, "k") == Ok());
    }
  }
}

TEST_CASE_METHOD(CommandFixture, "RENAMENX") {
  BothProtocols([this] {
    CHECK(Run("RENAMENX", "a", "b") == Error("ERR no such key"));
    Run("SET", "a", "1");
    CHECK(Run("RENAMENX", "a", "b") == Int(1));
    Run("SET", "a", "2");
    CHECK(Run("RENAMENX", "a", "b") == Int(0));
    CHECK(Run("RENAMENX", "a", "a") == Int(0));
    CHECK(Run("GET", "b") == Bulk("1"));
  });
}

TEST_CASE_METHOD(CommandFixture, "COPY: value and expiry, within and across databases") {
  BothProtocols([this] {
    CHECK(Run("COPY", "a", "b") == Int(0));
    Run("SET", "a", "1", "EX", "100");
    CHECK(Run("COPY", "a", "b") == Int(1));
    CHECK(Run("GET", "b") == Bulk("1"));
    CHECK(Run("TTL", "b") == Int(100));
    Run("SET", "a", "2");
    CHECK(Run("COPY", "a", "b") == Int(0));
    CHECK(Run("COPY", "a", "b", "REPLACE") == Int(1));
    CHECK(Run("GET", "b") == Bulk("2"));
    CHECK(Run("TTL", "b") == Int(-1));
    CHECK(Run("COPY", "a", "a", "db", "3") == Int(1));
    client().session().set_db(3);
    CHECK(Run("GET", "a") == Bulk("2"));
    CHECK(Run("COPY", "a", "b", "REPLACE", "DB", "0") == Int(1));
  });
}

TEST_CASE_METHOD(CommandFixture, "COPY: a big value is shared until one of the two changes") {
  const std::string value(100'000, 'x');
  Run("SET", "a", value);
  CHECK(Run("COPY", "a", "b") == Int(1));
  Run("SET", "a", "other");
  CHECK(Run("GET", "b") == Bulk(value));
}

TEST_CASE_METHOD(CommandFixture, "COPY: refusals") {
  const RespValue same = Error("ERR source and destination objects are the same");
  Run("SET", "a", "1");
  CHECK(Run("COPY", "a", "a") == same);
  CHECK(Run("COPY", "none", "none", "DB", "0") == same);
  CHECK(Run("COPY", "a", "b", "DB", "16") == Error("ERR DB index is out of range"));
  CHECK(Run("COPY", "a", "b", "DB", "-1") == Error("ERR DB index is out of range"));
  CHECK(Run("COPY", "a", "b", "DB", "x") == Error("ERR value is not an integer or out of range"));
  CHECK(Run("COPY", "a", "b", "DB", "3000000000") ==
        Error("ERR value is out of range, value must between -2147483648 and 2147483647"));
  CHECK(Run("COPY", "a", "b", "DB") == SyntaxError());
  CHECK(Run("COPY", "a", "b", "REPLACE", "x") == SyntaxError());
}

TEST_CASE_METHOD(CommandFixture, "MOVE: the key with its expiry, unless it is there already") {
  BothProtocols([this] {
    CHECK(Run("MOVE", "k", "1") == Int(0));
    Run("SET", "k", "v", "EX", "100");
    CHECK(Run("MOVE", "k", "1") == Int(1));
    CHECK(Run("EXISTS", "k") == Int(0));
    Run("SET", "k", "w");
    CHECK(Run("MOVE", "k", "1") == Int(0));
    client().session().set_db(1);
    CHECK(Run("GET", "k") == Bulk("v"));
    CHECK(Run("TTL", "k") == Int(100));
    Advance(100'020);
    CHECK(server().store().Size(1) == 0);
    client().session().set_db(0);
    CHECK(Run("MOVE", "k", "0") == Error("ERR source and destination objects are the same"));
    CHECK(Run("MOVE", "k", "16") == Error("ERR DB index is out of range"));
    CHECK(Run("MOVE", "k", "x") == Error("ERR value is not an integer or out of range"));
  });
}

TEST_CASE_METHOD(CommandFixture, "OBJECT: encodings, reference counts, absent keys") {
  BothProtocols([this] {
    for (const std::string sub : {"ENCODING", "REFCOUNT", "IDLETIME", "FREQ"}) {
      CHECK(Run("OBJECT", sub, "none") == Nil());
    }
    Run("SET", "i", "12");
    Run("SET", "e", std::string(44, 'x'));
    Run("SET", "r", std::string(45, 'x'));
    CHECK(Run("OBJECT", "ENCODING", "i") == Bulk("int"));
    CHECK(Run("OBJECT", "encoding", "e") == Bulk("embstr"));
    CHECK(Run("OBJECT", "ENCODING", "r") == Bulk("raw"));
    CHECK(Run("OBJECT", "REFCOUNT", "i") == Int(2147483647));
    Run("SET", "i", "10000");
    CHECK(Run("OBJECT", "REFCOUNT", "i") == Int(1));
    CHECK(Run("OBJECT", "ENCODING") == WrongArity("object|encoding"));
    CHECK(Run("OBJECT", "x") == Error("ERR unknown subcommand 'x'. Try OBJECT HELP."));
    CHECK(Run("OBJECT") == WrongArity("object"));
    const RespValue help = Run("OBJECT", "HELP");
    REQUIRE(help.elements.size() == 11);
    CHECK(help.elements[0] ==
          Simple("OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    CHECK(help.elements[1] == Simple("ENCODING key"));
    CHECK(help.elements[10] == Simple("    Print this help."));
  });
}

TEST_CASE_METHOD(CommandFixture, "OBJECT IDLETIME and FREQ: each with its policy") {
  Run("SET", "k", "v");
  Advance(5'000);
  CHECK(Run("OBJECT", "IDLETIME", "k") == Int(5));
  CHECK(
      Run("OBJECT", "FREQ", "k") ==
      Error("ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please "
            "note that when switching between policies at runtime LRU and LFU data will take some "
            "time to adjust."));
  REQUIRE(Run("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu") == Ok());
  Run("DEL", "k");
  Run("SET", "k", "v");
  CHECK(Run("OBJECT", "FREQ", "k") == Int(5));
  for (int i = 0; i < 100; ++i) Run("SET", "k", "v");
  CHECK(Run("OBJECT", "FREQ", "k").integer > 5);
  CHECK(
      Run("OBJECT", "IDLETIME", "k") ==
      Error("ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
            "switching between policies at runtime LRU and LFU data will take some time to "
            "adjust."));
}

}  // namespace spinel
