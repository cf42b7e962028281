#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {

TEST_CASE_METHOD(CommandFixture, "DBSIZE, FLUSHDB, FLUSHALL") {
  BothProtocols([this] {
    const auto fill = [this] {
      for (const int database : {9, 0}) {
        client().session().set_db(database);
        Run("SET", "a", "1");
        Run("SET", "b", "1", "EX", "10");
      }
    };
    for (const std::string mode : {"", "ASYNC", "sync"}) {
      const auto flush = [&](const std::string& command) {
        return mode.empty() ? Run(command) : Run(command, mode);
      };
      fill();
      CHECK(Run("DBSIZE") == Int(2));
      CHECK(flush("FLUSHDB") == Ok());
      CHECK(Run("DBSIZE") == Int(0));
      CHECK(server().store().Size(9) == 2);
      CHECK(flush("FLUSHALL") == Ok());
      CHECK(server().store().Size(9) == 0);
      fill();
      CHECK(Run("TTL", "b") == Int(10));
      CHECK(flush("FLUSHALL") == Ok());
    }
    CHECK(Run("FLUSHALL", "LATER") == SyntaxError());
    CHECK(Run("FLUSHDB", "SYNC", "ASYNC") == SyntaxError());
  });
}

TEST_CASE_METHOD(CommandFixture, "FLUSHALL: in the background when told to or configured so") {
  Reclaimer& reclaimer = server().store().reclaimer();
  REQUIRE(Run("CONFIG", "SET", "lazyfree-lazy-user-flush", "no") == Ok());
  Run("SET", "a", "1");
  Run("FLUSHALL");
  reclaimer.Drain();
  CHECK(reclaimer.freed() == 0);
  Run("SET", "a", "1");
  Run("FLUSHALL", "ASYNC");
  reclaimer.Drain();
  CHECK(reclaimer.freed() == 1);
  REQUIRE(Run("CONFIG", "SET", "lazyfree-lazy-user-flush", "yes") == Ok());
  Run("SET", "a", "1");
  Run("FLUSHDB");
  reclaimer.Drain();
  CHECK(reclaimer.freed() == 2);
  Run("SET", "a", "1");
  Run("FLUSHDB", "SYNC");
  reclaimer.Drain();
  CHECK(reclaimer.freed() == 2);
}

TEST_CASE_METHOD(CommandFixture, "FLUSHALL: timers of keys that are gone harm nobody") {
  Run("SET", "k", "v", "PX", "100");
  Run("FLUSHALL");
  Run("SET", "k", "w", "PX", "1000");
  Advance(500);
  CHECK(Run("GET", "k") == Bulk("w"));
  Advance(520);
  CHECK(server().store().Size(0) == 0);
}

TEST_CASE_METHOD(CommandFixture, "SWAPDB: clients see the other database, timers follow") {
  BothProtocols([this] {
    Run("SET", "k", "zero", "PX", "100");
    client().session().set_db(1);
    Run("SET", "k", "one");
    CHECK(Run("SWAPDB", "0", "1") == Ok());
    CHECK(Run("GET", "k") == Bulk("zero"));
    client().session().set_db(0);
    CHECK(Run("GET", "k") == Bulk("one"));
    CHECK(Run("SWAPDB", "0", "0") == Ok());
    Advance(120);
    CHECK(server().store().Size(1) == 0);
    CHECK(server().store().Size(0) == 1);
    CHECK(Run("SWAPDB", "44", "55") == Error("ERR DB index is out of range"));
    CHECK(Run("SWAPDB", "0", "16") == Error("ERR DB index is out of range"));
    CHECK(Run("SWAPDB", "a", "0") == Error("ERR invalid first DB index"));
    CHECK(Run("SWAPDB", "0", "a") == Error("ERR invalid second DB index"));
    CHECK(Run("SWAPDB", "a", "b") == Error("ERR invalid first DB index"));
    CHECK(Run("SWAPDB", "0") == WrongArity("swapdb"));
  });
}

}  // namespace spinel
