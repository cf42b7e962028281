#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

const RespValue kQueued = Simple("QUEUED");
const RespValue kAborted = Error("EXECABORT Transaction discarded because of previous errors.");

std::vector<RespValue> One(RespValue value) { return {std::move(value)}; }

class TransactionFixture : public CommandFixture {
 protected:
  // What EXEC answers when a watched key has changed.
  RespValue Refused() { return resp3() ? Nil() : NilArray(); }

  // The reply of EXEC to a transaction of these commands.
  RespValue Transact(const std::vector<std::vector<std::string>>& commands) {
    CHECK(Run("MULTI") == Ok());
    for (const auto& command : commands) CHECK(RunArgs(command) == kQueued);
    return Run("EXEC");
  }
  // Whether a change made by `change` after WATCH is noticed.
  template <typename Change>
  bool Notices(std::string_view key, Change&& change) {
    CHECK(Run("WATCH", key) == Ok());
    change();
    const RespValue reply = Transact({{"PING"}});
    if (reply == Refused()) return true;
    CHECK(reply == Array({Simple("PONG")}));
    return false;
  }
  bool Notices(std::string_view key, const std::vector<std::string>& command) {
    auto other = NewClient();
    return Notices(key, [&] {
      const RespValue reply = other->Execute(command);
      CAPTURE(command);
      CHECK(reply.type != RespValue::Type::kError);
    });
  }
};

TEST_CASE_METHOD(TransactionFixture, "MULTI, EXEC: commands run together and answer in one array") {
  BothProtocols([&] {
    CHECK(Run("MULTI") == Ok());
    CHECK(Run("SET", "k", "1") == kQueued);
    CHECK(Run("INCR", "k") == kQueued);
    CHECK(Run("GET", "none") == kQueued);
    auto other = NewClient();
    CHECK(other->Execute({"EXISTS", "k"}) == Int(0));
    CHECK(Run("EXEC") == Array({Ok(), Int(2), Nil()}));
    CHECK(Run("GET", "k") == Bulk("2"));
    CHECK(Transact({}) == Array({}));
    CHECK(Run("EXEC") == Error("ERR EXEC without MULTI"));
  });
}

TEST_CASE_METHOD(TransactionFixture, "Queued arguments are copied, whatever their size") {
  const std::string big(100'000, 'x');
  CHECK(Transact({{"SET", "a", big},
                  {"SET", "", ""},
                  {"APPEND", "a", std::string("\0\r\n", 3)},
                  {"STRLEN", "a"},
                  {"STRLEN", ""}}) == Array({Ok(), Ok(), Int(100'003), Int(100'003), Int(0)}));
}

TEST_CASE_METHOD(TransactionFixture, "DISCARD drops what is queued and what is watched") {
  CHECK(Run("DISCARD") == Error("ERR DISCARD without MULTI"));
  Run("WATCH", "k");
  Run("MULTI");
  Run("SET", "k", "1");
  CHECK(Run("DISCARD") == Ok());
  CHECK(Run("EXISTS", "k") == Int(0));
  CHECK(Run("DISCARD") == Error("ERR DISCARD without MULTI"));
  Run("SET", "k", "2");
  CHECK(Transact({{"GET", "k"}}) == Bulks({"2"}));
}

TEST_CASE_METHOD(TransactionFixture, "Commands that are refused spoil the transaction") {
  const auto spoils = [&](const std::vector<std::string>& command, const RespValue& error) {
    CAPTURE(command);
    CHECK(Run("MULTI") == Ok());
    CHECK(Run("SET", "k", "1") == kQueued);
    CHECK(RunArgs(command) == error);
    CHECK(Run("SET", "k", "2") == kQueued);
    CHECK(Run("EXEC") == kAborted);
    CHECK(Run("EXISTS", "k") == Int(0));
    CHECK(Run("PING") == Simple("PONG"));
  };
  spoils({"NOSUCH"}, Error("ERR unknown command 'NOSUCH', with args beginning with: "));
  spoils({"GET"}, WrongArity("get"));
  spoils({"CLIENT", "NOSUCH"}, Error("ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP."));
  spoils({"MULTI"}, Error("ERR MULTI calls can not be nested"));
  spoils({"WATCH", "k"}, Error("ERR WATCH inside MULTI is not allowed"));
  spoils({"WATCH"}, WrongArity("watch"));
  spoils({"SHUTDOWN"}, Error("ERR Command not allowed inside a transaction"));
  CHECK(!shutdown_requested());
}

TEST_CASE_METHOD(TransactionFixture,
                 "A refused EXEC ends the transaction, and a refused DISCARD spoils it") {
  const RespValue refused = Error(
      "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command");
  Run("WATCH", "k");
  Run("MULTI");
  Run("SET", "k", "1");
  CHECK(Run("EXEC", "x") == refused);
  CHECK(Run("EXEC") == Error("ERR EXEC without MULTI"));
  CHECK(Run("EXEC", "x") == refused);
  CHECK(Run("CLIENT", "INFO").text.find(" multi=-1 watch=0 ") != std::string::npos);
  Run("MULTI");
  CHECK(Run("DISCARD", "x") == WrongArity("discard"));
  CHECK(Run("EXEC") == kAborted);
}

TEST_CASE_METHOD(TransactionFixture, "An error at EXEC is one reply of many") {
  Run("SET", "s", "text");
  CHECK(Transact({{"INCR", "s"}, {"LPUSH", "s", "x"}, {"SET", "t", "1"}}) ==
        Array({Error("ERR value is not an integer or out of range"), WrongType(), Ok()}));
  const std::string stats = Run("INFO", "commandstats").text;
  CHECK(stats.find("cmdstat_incr:calls=1,") != std::string::npos);
  const size_t exec = stats.find("cmdstat_exec:calls=1,");
  REQUIRE(exec != std::string::npos);
  CHECK(stats.substr(exec, stats.find('\r', exec) - exec).find("failed_calls=0") !=
        std::string::npos);
  const std::string errors = Run("INFO", "errorstats").text;
  CHECK(errors.find("errorstat_ERR:count=1\r") != std::string::npos);
  CHECK(errors.find("errorstat_WRONGTYPE:count=1\r") != std::string::npos);
}

TEST_CASE_METHOD(TransactionFixture, "SELECT and HELLO take effect on the commands behind them") {
  CHECK(Transact({{"SET", "k", "0"}, {"SELECT", "1"}, {"SET", "k", "1"}}) ==
        Array({Ok(), Ok(), Ok()}));
  CHECK(Run("GET", "k") == Bulk("1"));
  Run("SELECT", "0");
  CHECK(Run("GET", "k") == Bulk("0"));
  const RespValue reply = Transact({{"GET", "none"}, {"HELLO", "3"}, {"CONFIG", "GET", "hz"}});
  REQUIRE(reply.elements.size() == 3);
  CHECK(reply.elements[2].type == RespValue::Type::kMap);
  CHECK(resp3());
}

// -- Locks
// -----------------------------------------------------------------------------------------

TEST_CASE_METHOD(TransactionFixture,
                 "Commands that reach beyond their keys run under EXEC's locks") {
  BothProtocols([&] {
    Run("MSET", "a", "1", "b", "2");
    Run("RPUSH", "list", "b", "a");
    CHECK(Transact({{"SORT", "list", "BY", "*", "GET", "#", "GET", "*"},
                    {"DBSIZE"},
                    {"KEYS", "a*"},
                    {"KEYS", "list"},
                    {"DEL", "list"},
                    {"SCAN", "0", "MATCH", "b"},
                    {"SWAPDB", "0", "1"},
                    {"DBSIZE"},
                    {"SET", "here", "1"},
                    {"RANDOMKEY"},
                    {"SELECT", "1"},
                    {"GET", "a"},
                    {"SORT_RO", "list"},
                    {"MEMORY", "STATS"},
                    {"OBJECT", "ENCODING", "a"},
                    {"FLUSHALL"},
                    {"DBSIZE"}})
              .elements.size() == 17);
    CHECK(Run("DBSIZE") == Int(0));
    CHECK(Run("CLIENT", "INFO").text.find(" db=1 ") != std::string::npos);
  });
}

TEST_CASE_METHOD(TransactionFixture, "Walks over the keyspace inside EXEC: what they answer") {
  Run("MSET", "a", "1", "b", "2");
  CHECK(Transact({{"DBSIZE"},
                  {"KEYS", "a"},
                  {"FLUSHDB"},
                  {"RANDOMKEY"},
                  {"SET", "c", "3"},
                  {"RANDOMKEY"},
                  {"KEYS", "*"},
                  {"INFO", "nosuch"}}) ==
        Array({Int(2), Bulks({"a"}), Ok(), Nil(), Ok(), Bulk("c"), Bulks({"c"}), Bulk("")}));
  // Nothing is held any more.
  auto other = NewClient();
  CHECK(other->Execute({"DBSIZE"}) == Int(1));
  CHECK(other->Execute({"FLUSHALL"}) == Ok());
}

TEST_CASE_METHOD(TransactionFixture, "Every command of every family returns inside EXEC") {
  // Those that would lock once more would hang. Arguments are made up; most commands answer errors.
  const CommandTable table;  // Restart makes the server's own anew
  for (const auto& command : table.all()) {
    const CommandSpec& spec = *command->spec;
    if (spec.handler == nullptr || command->name == "debug") continue;
    if (command->Has(kNoMulti) || command->Has(kImmediate)) continue;
    std::vector<std::string> args;
    if (command->parent != nullptr) args.emplace_back(command->parent->spec->name);
    args.emplace_back(spec.name);
    while (args.size() < static_cast<size_t>(std::abs(spec.arity))) args.emplace_back("1");
    CAPTURE(args);
    Restart();
    auto tester = NewClient();
    Run("RPUSH", "1", "3");
    tester->Execute({"MULTI"});
    tester->Execute(args);
    tester->ExecuteAll({"EXEC"});
    CHECK_FALSE(tester->session().in_multi());
    CHECK(Run("DBSIZE").type == RespValue::Type::kInteger);
  }
}

TEST_CASE_METHOD(TransactionFixture, "Blocking commands do not block inside EXEC") {
  BothProtocols([&] {
    Run("RPUSH", "full", "x");
    const RespValue none = Refused();
    CHECK(Transact({{"BLPOP", "empty", "0"},
                    {"BRPOP", "empty", "0"},
                    {"BLMOVE", "empty", "to", "LEFT", "LEFT", "0"},
                    {"BRPOPLPUSH", "empty", "to", "0"},
                    {"BLMPOP", "0", "1", "empty", "LEFT"},
                    {"BZPOPMIN", "empty", "0"},
                    {"BZPOPMAX", "empty", "0"},
                    {"BZMPOP", "0", "1", "empty", "MIN"},
                    {"BLPOP", "full", "0"}}) ==
          Array({none, none, Nil(), Nil(), none, none, none, none, Bulks({"full", "x"})}));
    CHECK(!client().blocked());
  });
}

TEST_CASE_METHOD(TransactionFixture,
                 "Blocked clients are served once EXEC is done, in their order") {
  BothProtocols([&] {
    auto first = NewClient();
    auto second = NewClient();
    first->Execute({"BLPOP", "k", "0"});
    second->Execute({"BLPOP", "k", "0"});
    // As in Redis, those who wait see only what is left at the end.
    CHECK(Transact({{"RPUSH", "k", "1"}, {"LPOP", "k"}, {"RPUSH", "k", "2", "3"}, {"LLEN", "k"}}) ==
          Array({Int(1), Bulk("1"), Int(2), Int(2)}));
    CHECK(first->TakePushes() == One(Bulks({"k", "2"})));
    CHECK(second->TakePushes() == One(Bulks({"k", "3"})));
    CHECK(Run("EXISTS", "k") == Int(0));

    first->Execute({"BLPOP", "k", "0"});
    CHECK(Transact({{"RPUSH", "k", "1"}, {"DEL", "k"}}) == Array({Int(1), Int(1)}));
    CHECK(first->blocked());
    // A destination that EXEC has not locked.
    second->Execute({"BLMOVE", "from", "k", "LEFT", "LEFT", "0"});
    CHECK(Transact({{"RPUSH", "from", "x"}}) == Array({Int(1)}));
    CHECK(second->TakePushes() == One(Bulk("x")));
    CHECK(first->TakePushes() == One(Bulks({"k", "x"})));

    first->Execute({"BLPOP", "k", "0"});
    CHECK(Transact({{"SELECT", "1"},
                    {"RPUSH", "k", "y"},
                    {"SWAPDB", "0", "1"},
                    {"SELECT", "0"},
                    {"LLEN", "k"}})
              .elements.back() == Int(1));
    CHECK(first->TakePushes() == One(Bulks({"k", "y"})));
  });
}

// -- WATCH
// -----------------------------------------------------------------------------------------

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

// -- Other features
// --------------------------------------------------------------------------------

TEST_CASE_METHOD(TransactionFixture, "CLIENT REPLY goes with transactions") {
  const RespValue none = Run("CLIENT", "REPLY", "SKIP");
  CHECK(none.text == "no reply");
  CHECK(Run("MULTI") == none);
  CHECK(Run("SET", "k", "1") == kQueued);
  CHECK(Run("EXEC") == Array({Ok()}));

  Run("CLIENT", "REPLY", "OFF");
  CHECK(Run("MULTI") == none);
  CHECK(Run("SET", "k", "2") == none);
  CHECK(Run("NOSUCH") == none);
  CHECK(Run("EXEC") == none);
  CHECK(Run("MULTI") == none);
  CHECK(Run("INCR", "k") == none);
  CHECK(Run("CLIENT", "REPLY", "ON") == none);
  CHECK(Run("GET", "k") == none);
  // From the ON on there are replies, though without an array around them.
  CHECK(client().ExecuteAll({"EXEC"}) == std::vector<RespValue>{Ok(), Bulk("2")});
}

TEST_CASE_METHOD(TransactionFixture, "SUBSCRIBE inside EXEC answers within the array") {
  BothProtocols([&] {
    Run("MULTI");
    CHECK(Run("PING") == kQueued);
    CHECK(Run("SUBSCRIBE", "c") == kQueued);
    const RespValue reply = Run("EXEC");
    REQUIRE(reply.elements.size() == 2);
    CHECK(reply.elements[1].elements ==
          std::vector<RespValue>{Bulk("subscribe"), Bulk("c"), Int(1)});
    if (!resp3()) {
      CHECK(Run("MULTI").type == RespValue::Type::kError);
      return;
    }
    Run("MULTI");
    Run("PUBLISH", "c", "m");
    Run("UNSUBSCRIBE", "c");
    const std::vector<RespValue> replies = client().ExecuteAll({"EXEC"});
    REQUIRE(replies.size() == 2);  // the message comes behind
    CHECK(replies[0].elements[0] == Int(1));
    CHECK(replies[1].elements.back() == Bulk("m"));
  });
}

TEST_CASE_METHOD(TransactionFixture,
                 "A client without a password has its commands refused, queued ones too") {
  Run("CONFIG", "SET", "requirepass", "p");
  auto other = NewClient();
  CHECK(other->Execute({"MULTI"}) == Error("NOAUTH Authentication required."));
  CHECK(other->Execute({"EXEC"}) ==
        Error("EXECABORT Transaction discarded because of: NOAUTH Authentication required."));
  other->Execute({"AUTH", "p"});
  CHECK(other->Execute({"MULTI"}) == Ok());
  CHECK(other->Execute({"EXEC"}) == Array({}));
}

TEST_CASE_METHOD(TransactionFixture, "QUIT is not queued") {
  Run("MULTI");
  CHECK(Run("QUIT") == Ok());
  CHECK(client().session().close_after_reply);
}

TEST_CASE_METHOD(TransactionFixture, "CLIENT PAUSE WRITE sees what EXEC would do") {
  Request exec;
  exec.command = server().commands().Find("EXEC");
  const auto writes = [&] {
    const uint32_t flags = Dispatcher::FlagsOf(server(), client().session(), exec);
    return (flags & (kWrite | kMayReplicate)) != 0;
  };
  Run("MULTI");
  Run("GET", "k");
  Run("EVAL", "#!lua flags=no-writes\nreturn 1", "0");
  CHECK_FALSE(writes());
  Run("SET", "k", "1");
  CHECK(writes());
  Run("DISCARD");
  CHECK_FALSE(writes());
  Run("MULTI");
  Run("EVAL", "return 1", "0");
  CHECK(writes());
}

// -- Threads
// ---------------------------------------------------------------------------------------

constexpr int kAccounts = 8;
constexpr int64_t kStart = 1000;

std::string Account(uint64_t i) { return "account:" + std::to_string(i % kAccounts); }

// One loop with its client, moving amounts from account to account.
class Mover {
 public:
  Mover(Server* server, uint64_t id)
      : loop_(0, server->commands().all().size(), &server->channels()),
        client_(server, &loop_, id),
        random_(id) {
    loop_.op.SetNow(1'700'000'000'000);
  }

  void Step() {
    const uint64_t from = random_();
    const uint64_t to = from + 1 + random_() % (kAccounts - 1);
    const int64_t amount = static_cast<int64_t>(random_() % 10);
    switch (random_() % 8) {
      case 0:
        return Sum();
      case 1:
        return Blind(Account(from), Account(to), std::to_string(amount));
      default:
        return Watched(Account(from), Account(to), amount);
    }
  }
  bool consistent() const { return consistent_; }
  uint64_t refused() const { return refused_; }

 private:
  void Watched(const std::string& from, const std::string& to, int64_t amount) {
    client_.Execute({"WATCH", from, to});
    const int64_t a = std::stoll(client_.Execute({"GET", from}).text);
    const int64_t b = std::stoll(client_.Execute({"GET", to}).text);
    client_.Execute({"MULTI"});
    client_.Execute({"SET", from, std::to_string(a - amount)});
    client_.Execute({"SET", to, std::to_string(b + amount)});
    if (client_.Execute({"EXEC"}) == NilArray()) ++refused_;
  }
  void Blind(const std::string& from, const std::string& to, const std::string& amount) {
    client_.Execute({"MULTI"});
    client_.Execute({"DECRBY", from, amount});
    client_.Execute({"INCRBY", to, amount});
    client_.Execute({"EXEC"});
  }
  void Sum() {
    client_.Execute({"MULTI"});
    for (int i = 0; i < kAccounts; ++i) client_.Execute({"GET", Account(static_cast<uint64_t>(i))});
    // Every stripe, in one run of two.
    if (random_() % 2 == 0) client_.Execute({"DBSIZE"});
    const RespValue reply = client_.Execute({"EXEC"});
    int64_t sum = 0;
    for (int i = 0; i < kAccounts; ++i)
      sum += std::stoll(reply.elements[static_cast<size_t>(i)].text);
    consistent_ = consistent_ && sum == kStart * kAccounts;
  }

  LoopState loop_;
  TestClient client_;
  std::mt19937_64 random_;
  bool consistent_ = true;
  uint64_t refused_ = 0;
};

TEST_CASE_METHOD(TransactionFixture, "Transactions of several threads: no amount is lost") {
  for (uint64_t i = 0; i < kAccounts; ++i) Run("SET", Account(i), kStart);
  constexpr int kThreads = 4;
  constexpr int kSteps = 2000;
  std::vector<std::unique_ptr<Mover>> movers;
  for (uint64_t i = 0; i < kThreads; ++i) {
    movers.push_back(std::make_unique<Mover>(&server(), server().clients().NextId()));
  }
  std::vector<std::thread> threads;
  for (const auto& mover : movers) {
    threads.emplace_back([&mover] {
      for (int step = 0; step < kSteps; ++step) mover->Step();
    });
  }
  for (std::thread& thread : threads) thread.join();
  int64_t sum = 0;
  for (uint64_t i = 0; i < kAccounts; ++i) sum += std::stoll(Run("GET", Account(i)).text);
  CHECK(sum == kStart * kAccounts);
  for (const auto& mover : movers) CHECK(mover->consistent());
  movers.clear();
  CHECK(Run("INFO", "clients").text.find("total_watched_keys:0\r") != std::string::npos);
}

}  // namespace
}  // namespace spinel
