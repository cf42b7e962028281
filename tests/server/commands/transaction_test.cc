#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/transaction_fixture.h"

namespace spinel {
namespace {

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

}  // namespace
}  // namespace spinel
