#include <catch2/catch.hpp>
#include <string_view>

#include "tests/support/transaction_fixture.h"

namespace spinel {
namespace {

TEST_CASE_METHOD(TransactionFixture, "WATCH: EXEC does nothing when a key has changed") {
  BothProtocols([&] {
    auto other = NewClient();
    Run("SET", "k", "1");
    CHECK(Run("WATCH", "a", "k", "b") == Ok());
    other->Execute({"SET", "k", "2"});
    CHECK(Transact({{"SET", "k", "3"}}) == Refused());
    CHECK(Run("GET", "k") == Bulk("2"));
    // EXEC has ended the watch, even so.
    other->Execute({"SET", "k", "4"});
    CHECK(Transact({{"GET", "k"}}) == Bulks({"4"}));

    Run("WATCH", "k");
    Run("MULTI");
    Run("SET", "k", "5");
    other->Execute({"SET", "k", "6"});
    CHECK(Run("EXEC") == Refused());
    // One's own change counts as well, unless EXEC makes it.
    Run("WATCH", "k");
    Run("SET", "k", "7");
    CHECK(Transact({{"PING"}}) == Refused());
    Run("WATCH", "k");
    CHECK(Transact({{"SET", "k", "8"}, {"GET", "k"}}) == Array({Ok(), Bulk("8")}));
  });
}

TEST_CASE_METHOD(TransactionFixture, "WATCH: an error in the queue goes before a changed key") {
  Run("WATCH", "k");
  Run("SET", "k", "1");
  Run("MULTI");
  Run("NOSUCH");
  CHECK(Run("EXEC") == kAborted);
  CHECK(Transact({{"PING"}}) == Array({Simple("PONG")}));
}

TEST_CASE_METHOD(TransactionFixture, "UNWATCH, DISCARD and RESET end a watch") {
  const auto watched = [&] {
    Run("WATCH", "k", "l");
    Run("SET", "k", "1");
  };
  CHECK(Run("UNWATCH") == Ok());
  watched();
  CHECK(Run("UNWATCH") == Ok());
  CHECK(Transact({{"UNWATCH"}}) == Array({Ok()}));
  watched();
  Run("MULTI");
  Run("DISCARD");
  CHECK(Transact({{"PING"}}) == Array({Simple("PONG")}));
  watched();
  Run("MULTI");
  CHECK(Run("RESET") == Simple("RESET"));
  CHECK(Run("EXEC") == Error("ERR EXEC without MULTI"));
  CHECK(Transact({{"PING"}}) == Array({Simple("PONG")}));
  // UNWATCH that is queued comes too late.
  watched();
  CHECK(Transact({{"UNWATCH"}}) == Refused());
}

TEST_CASE_METHOD(TransactionFixture, "WATCH: what is a change, and what is not") {
  Run("SET", "k", "1");
  CHECK(Notices("k", {"SET", "k", "1"}));
  CHECK(Notices("k", {"INCR", "k"}));
  CHECK(Notices("k", {"APPEND", "k", "0"}));
  CHECK(Notices("k", {"EXPIRE", "k", "100"}));
  CHECK(Notices("k", {"PERSIST", "k"}));
  CHECK(Notices("k", {"RENAME", "k", "other"}));
  CHECK(Notices("k", {"RENAME", "other", "k"}));
  CHECK(Notices("copy", {"COPY", "k", "copy"}));
  CHECK(Notices("copy", {"UNLINK", "copy"}));
  CHECK(Notices("k", {"MOVE", "k", "1"}));
  CHECK(Notices("k", {"SET", "k", "2"}));
  CHECK_FALSE(Notices("k", {"GET", "k"}));
  CHECK_FALSE(Notices("k", {"SET", "k", "3", "NX"}));
  CHECK_FALSE(Notices("k", {"COPY", "k", "copy"}));
  CHECK_FALSE(Notices("k", {"SET", "l", "3"}));
  CHECK_FALSE(Notices("none", {"DEL", "none"}));
  CHECK_FALSE(Notices("k", {"PERSIST", "k"}));

  Run("SADD", "set", "a");
  CHECK_FALSE(Notices("set", {"SADD", "set", "a"}));
  CHECK(Notices("set", {"SADD", "set", "b"}));
  CHECK(Notices("set", {"SREM", "set", "b"}));
  CHECK_FALSE(Notices("set", {"SREM", "set", "b"}));
  CHECK(Notices("set", {"SPOP", "set"}));
  Run("ZADD", "zset", "1", "a");
  CHECK_FALSE(Notices("zset", {"ZADD", "zset", "1", "a"}));
  CHECK(Notices("zset", {"ZADD", "zset", "2", "a"}));
  CHECK(Notices("zset", {"ZREM", "zset", "a"}));
  CHECK(Notices("hash", {"HSET", "hash", "f", "1"}));
  CHECK(Notices("hash", {"HSET", "hash", "f", "1"}));
  CHECK(Notices("hash", {"HDEL", "hash", "f"}));
  CHECK(Notices("from", {"RPUSH", "from", "x", "y"}));
  CHECK(Notices("to", {"LMOVE", "from", "to", "LEFT", "LEFT"}));
  CHECK(Notices("to", {"LMOVE", "from", "to", "LEFT", "LEFT"}));
  CHECK(Notices("to", {"SORT", "none", "STORE", "to"}));
}

TEST_CASE_METHOD(TransactionFixture, "WATCH is by database") {
  auto other = NewClient();
  other->Execute({"SELECT", "1"});
  CHECK_FALSE(Notices("k", [&] { other->Execute({"SET", "k", "1"}); }));
  CHECK(Notices("k", [&] { other->Execute({"MOVE", "k", "0"}); }));
  // A key that is watched in one database and changed there by a client that has left it since.
  Run("WATCH", "k");
  Run("SELECT", "2");
  Run("WATCH", "k");
  CHECK(Run("CLIENT", "INFO").text.find(" watch=2 ") != std::string::npos);
  other->Execute({"SELECT", "0"});
  other->Execute({"DEL", "k"});
  CHECK(Transact({{"PING"}}) == Refused());
}

TEST_CASE_METHOD(TransactionFixture, "WATCH: time") {
  // Not noticed by anybody before EXEC looks.
  Run("SET", "k", "1", "PX", "100");
  CHECK(Notices("k", [&] { AdvanceWithoutTick(101); }));
  Run("SET", "k", "1", "PX", "100");
  CHECK(Notices("k", [&] { Advance(200); }));
  Run("SET", "k", "1", "PX", "100");
  CHECK_FALSE(Notices("k", [&] { AdvanceWithoutTick(99); }));
  // One that was over when it was watched was no key.
  AdvanceWithoutTick(100);
  CHECK_FALSE(Notices("k", [&] { Run("EXISTS", "k"); }));
  Run("SET", "k", "1", "PX", "100");
  AdvanceWithoutTick(101);
  CHECK_FALSE(Notices("k", [&] { Run("FLUSHDB"); }));
  CHECK(Notices("k", [&] { Run("SET", "k", "2"); }));
}

TEST_CASE_METHOD(TransactionFixture, "WATCH: an element's time is a change of its hash") {
  const auto make = [&] {
    Run("DEL", "h");
    Run("HSET", "h", "f", "1", "g", "2");
    Run("HPEXPIRE", "h", "100", "FIELDS", "1", "f");
  };
  make();
  CHECK(Notices("h", [&] { AdvanceWithoutTick(101); }));
  CHECK_FALSE(Notices("h", [&] { AdvanceWithoutTick(101); }));
  make();
  CHECK(Notices("h", [&] { Advance(200); }));
  CHECK_FALSE(Notices("h", [&] { Advance(200); }));
  make();
  Run("HDEL", "h", "g");
  CHECK(Notices("h", [&] { Advance(200); }));
}

TEST_CASE_METHOD(TransactionFixture, "WATCH: FLUSHALL and FLUSHDB change the keys that there are") {
  for (const char* flush : {"FLUSHALL", "FLUSHDB"}) {
    CAPTURE(flush);
    Run("SET", "k", "1");
    CHECK_FALSE(Notices("none", {flush}));
    Run("SET", "k", "1");
    CHECK(Notices("k", {flush}));
    Run("SET", "k", "1");
    CHECK(Notices("k", {flush, "ASYNC"}));
  }
  Run("SELECT", "1");
  Run("SET", "k", "1");
  CHECK_FALSE(Notices("k", {"FLUSHDB"}));  // database 0
  CHECK(Notices("k", {"FLUSHALL"}));
}

TEST_CASE_METHOD(TransactionFixture, "WATCH: SWAPDB changes keys that exist in either database") {
  auto other = NewClient();
  other->Execute({"SELECT", "1"});
  CHECK_FALSE(Notices("k", {"SWAPDB", "0", "1"}));
  Run("SET", "k", "1");
  CHECK_FALSE(Notices("k", {"SWAPDB", "0", "0"}));
  CHECK_FALSE(Notices("k", {"SWAPDB", "1", "2"}));
  CHECK(Notices("k", {"SWAPDB", "0", "1"}));
  CHECK(other->Execute({"EXISTS", "k"}) == Int(1));
  CHECK(Notices("k", {"SWAPDB", "1", "0"}));
  // Keys whose time is over are no keys, on either side.
  Run("SET", "k", "1", "PX", "1");
  other->Execute({"SET", "k", "1", "PX", "1"});
  AdvanceWithoutTick(2);
  CHECK_FALSE(Notices("k", {"SWAPDB", "0", "1"}));
  other->Execute({"SET", "k", "1", "PX", "1"});
  AdvanceWithoutTick(2);
  CHECK_FALSE(Notices("k", [&] {
    other->Execute({"SWAPDB", "0", "1"});
    Run("EXISTS", "k");
  }));
  // The tables are swapped, the wheel's handles name the tables: expiry still finds the watch.
  Run("SET", "k", "1", "PX", "100");
  CHECK(Notices("k", [&] { Advance(200); }));
}

TEST_CASE_METHOD(TransactionFixture, "WATCH: what a blocked client takes is a change") {
  auto waiting = NewClient();
  waiting->Execute({"BLMOVE", "k", "to", "LEFT", "LEFT", "0"});
  CHECK(Notices("to", {"RPUSH", "k", "x"}));
  CHECK(waiting->TakePushes() == One(Bulk("x")));
}

TEST_CASE_METHOD(TransactionFixture, "A client that goes watches no more, others still do") {
  auto first = NewClient();
  auto second = NewClient();
  first->Execute({"WATCH", "k", "l"});
  second->Execute({"WATCH", "k", "k"});
  second->Execute({"WATCH", "k"});
  CHECK(Run("INFO", "clients").text.find("watching_clients:2\r") != std::string::npos);
  CHECK(Run("INFO", "clients").text.find("total_watched_keys:2\r") != std::string::npos);
  first.reset();
  CHECK(Run("INFO", "clients").text.find("watching_clients:1\r") != std::string::npos);
  CHECK(Run("INFO", "clients").text.find("total_watched_keys:1\r") != std::string::npos);
  Run("SET", "k", "1");
  second->Execute({"MULTI"});
  CHECK(second->Execute({"EXEC"}) == NilArray());
  CHECK(Run("INFO", "clients").text.find("total_watched_keys:0\r") != std::string::npos);
}

TEST_CASE_METHOD(TransactionFixture, "CLIENT LIST shows transactions and watches") {
  auto other = NewClient();
  const auto line = [&] {
    return Run("CLIENT", "LIST", "ID", static_cast<int64_t>(other->session().id)).text;
  };
  const auto shows = [&](std::string_view text) { return line().find(text) != std::string::npos; };
  CHECK(shows(" flags=N "));
  CHECK(shows(" multi=-1 watch=0 "));
  other->Execute({"WATCH", "a", "b"});
  other->Execute({"MULTI"});
  CHECK(shows(" flags=x "));
  CHECK(shows(" multi=0 watch=2 "));
  CHECK(shows(" multi-mem=0 "));
  other->Execute({"SET", "a", "1"});
  CHECK(shows(" multi=1 watch=2 "));
  CHECK_FALSE(shows(" multi-mem=0 "));
  Run("SET", "a", "2");
  CHECK(shows(" flags=xd "));
  other->Execute({"EXEC"});
  CHECK(shows(" flags=N "));
  CHECK(shows(" cmd=exec "));
}

}  // namespace
}  // namespace spinel
