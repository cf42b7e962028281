#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

const std::vector<RespValue> kNothing;

std::vector<RespValue> One(RespValue value) { return {std::move(value)}; }

TEST_CASE_METHOD(CommandFixture, "BLPOP, BRPOP: an element at hand is taken at once") {
  BothProtocols([&] {
    Run("RPUSH", "b", "1", "2", "3");
    CHECK(Run("BLPOP", "a", "b", "0") == Bulks({"b", "1"}));
    CHECK(Run("BRPOP", "a", "b", "0.5") == Bulks({"b", "3"}));
    CHECK(Run("BLMPOP", "0", "2", "a", "b", "LEFT", "COUNT", "9") ==
          Array({Bulk("b"), Bulks({"2"})}));
    CHECK(Run("EXISTS", "b") == Int(0));
    CHECK(!client().blocked());
  });
}

TEST_CASE_METHOD(CommandFixture, "Blocking pops: bad arguments") {
  Run("SET", "s", "x");
  CHECK(Run("BLPOP", "s", "0") == WrongType());
  CHECK(Run("BLMOVE", "s", "b", "LEFT", "LEFT", "0") == WrongType());
  CHECK(Run("BLPOP", "k", "-1") == Error("ERR timeout is negative"));
  CHECK(Run("BLPOP", "k", "x") == Error("ERR timeout is not a float or out of range"));
  CHECK(Run("BLPOP", "k", "1e300") == Error("ERR timeout is out of range"));
  CHECK(Run("BLPOP", "k", "9223372036854775") == Error("ERR timeout is out of range"));
  CHECK(Run("BLMPOP", "0", "0", "k", "LEFT") == Error("ERR numkeys should be greater than 0"));
  CHECK(Run("BLMPOP", "0", "1", "k", "UP") == SyntaxError());
  CHECK(Run("BLMPOP", "0", "2", "k", "LEFT") == SyntaxError());
  CHECK(Run("BLMPOP", "0", "1", "k", "LEFT", "COUNT", "0") ==
        Error("ERR count should be greater than 0"));
  CHECK(Run("BLMOVE", "a", "b", "UP", "LEFT", "0") == SyntaxError());
  CHECK(Run("BLPOP", "k") == WrongArity("blpop"));
  CHECK(!client().blocked());
}

TEST_CASE_METHOD(CommandFixture,
                 "Blocked clients are served in their order, after the whole push") {
  BothProtocols([&] {
    auto first = NewClient();
    auto second = NewClient();
    first->Execute({"BLPOP", "k", "0"});
    second->Execute({"BRPOP", "other", "k", "0"});
    CHECK(first->blocked());
    CHECK(Run("RPUSH", "k", "1", "2", "3") == Int(3));
    CHECK(first->TakePushes() == One(Bulks({"k", "1"})));
    CHECK(second->TakePushes() == One(Bulks({"k", "3"})));
    CHECK(!first->blocked());
    CHECK(Run("LRANGE", "k", "0", "-1") == Bulks({"2"}));
    // Nobody waits at the second key any more.
    CHECK(Run("RPUSH", "other", "x") == Int(1));
    CHECK(Run("LLEN", "other") == Int(1));
  });
}

TEST_CASE_METHOD(CommandFixture, "A blocked client gets its null when its time is over") {
  BothProtocols([&] {
    auto waiting = NewClient();
    waiting->session().set_resp(client().session().resp());
    waiting->Execute({"BLPOP", "k", "0.1"});
    Advance(99);
    CHECK(waiting->TakePushes() == kNothing);
    Advance(1);
    CHECK(waiting->TakePushes() == One(resp3() ? Nil() : NilArray()));
    CHECK(!waiting->blocked());
    Run("RPUSH", "k", "x");
    CHECK(Run("LLEN", "k") == Int(1));
  });
}

TEST_CASE_METHOD(CommandFixture, "BLMOVE moves to the other list, whose waiters are served too") {
  auto mover = NewClient();
  auto last = NewClient();
  mover->Execute({"BLMOVE", "a", "b", "LEFT", "RIGHT", "0"});
  last->Execute({"BRPOPLPUSH", "b", "c", "0"});
  Run("RPUSH", "a", "x");
  CHECK(mover->TakePushes() == One(Bulk("x")));
  CHECK(last->TakePushes() == One(Bulk("x")));
  CHECK(Run("LRANGE", "c", "0", "-1") == Bulks({"x"}));
  CHECK(Run("EXISTS", "a", "b") == Int(0));
}

TEST_CASE_METHOD(CommandFixture, "BLMOVE: a destination of another type loses nothing") {
  auto mover = NewClient();
  auto second = NewClient();
  mover->Execute({"BLMOVE", "a", "s", "LEFT", "RIGHT", "0"});
  second->Execute({"BLPOP", "a", "0"});
  Run("SET", "s", "x");
  Run("RPUSH", "a", "x");
  CHECK(mover->TakePushes() == One(WrongType()));
  CHECK(second->TakePushes() == One(Bulks({"a", "x"})));
}

TEST_CASE_METHOD(CommandFixture, "BLMOVE onto the same key rotates") {
  auto mover = NewClient();
  mover->Execute({"BLMOVE", "a", "a", "LEFT", "RIGHT", "0"});
  Run("RPUSH", "a", "1", "2");
  CHECK(mover->TakePushes() == One(Bulk("1")));
  CHECK(Run("LRANGE", "a", "0", "-1") == Bulks({"2", "1"}));
}

TEST_CASE_METHOD(CommandFixture, "Whatever makes a list serves those who wait for it") {
  auto waiting = NewClient();
  const auto wait = [&] {
    waiting->Execute({"BLPOP", "k", "0"});
    CHECK(waiting->blocked());
  };
  const auto served = [&] {
    CHECK(waiting->TakePushes() == One(Bulks({"k", "x"})));
    CHECK(Run("EXISTS", "k") == Int(0));
  };
  wait();
  Run("RPUSH", "from", "x");
  Run("RENAME", "from", "k");
  served();
  wait();
  Run("RPUSH", "from", "x");
  Run("COPY", "from", "k");
  served();
  wait();
  Run("SELECT", "1");
  Run("RPUSH", "k", "x");
  CHECK(waiting->TakePushes() == kNothing);
  Run("MOVE", "k", "0");
  CHECK(waiting->TakePushes() == One(Bulks({"k", "x"})));
  wait();
  Run("RPUSH", "k", "x");
  Run("SWAPDB", "0", "1");
  CHECK(waiting->TakePushes() == One(Bulks({"k", "x"})));
  wait();
  Run("SELECT", "0");
  Run("SET", "k", "a string");
  CHECK(waiting->blocked());
  Run("RPUSH", "from2", "x");
  Run("RENAME", "from2", "k");
  served();
}

TEST_CASE_METHOD(CommandFixture, "CLIENT UNBLOCK ends a wait, as a time-out or with an error") {
  auto waiting = NewClient();
  const auto id = static_cast<int64_t>(waiting->session().id);
  CHECK(Run("CLIENT", "UNBLOCK", id) == Int(0));
  waiting->Execute({"BLPOP", "k", "0"});
  CHECK(Run("CLIENT", "UNBLOCK", id) == Int(1));
  CHECK(waiting->TakePushes() == One(NilArray()));
  waiting->Execute({"BLPOP", "k", "0"});
  CHECK(Run("CLIENT", "UNBLOCK", id, "error") == Int(1));
  CHECK(waiting->TakePushes() == One(Error("UNBLOCKED client unblocked via CLIENT UNBLOCK")));
  CHECK(state().stats.error_replies.Get() == 1);
  CHECK(Run("INFO", "errorstats").text.find("errorstat_UNBLOCKED:count=1\r") != std::string::npos);
  CHECK(Run("CLIENT", "UNBLOCK", id, "TIMEOUT") == Int(0));
  CHECK(Run("CLIENT", "UNBLOCK", id, "NOW") ==
        Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"));
  CHECK(Run("CLIENT", "UNBLOCK", "x") == Error("ERR value is not an integer or out of range"));
}

TEST_CASE_METHOD(CommandFixture, "A client that is killed while it waits takes nothing") {
  auto waiting = NewClient();
  waiting->Execute({"BLPOP", "k", "0"});
  CHECK(Run("CLIENT", "KILL", "ID", static_cast<int64_t>(waiting->session().id)) == Int(1));
  Run("RPUSH", "k", "x");
  CHECK(Run("LLEN", "k") == Int(1));
}

TEST_CASE_METHOD(CommandFixture, "A client that has gone is in no queue") {
  auto first = NewClient();
  auto second = NewClient();
  first->Execute({"BLPOP", "k", "k", "0"});
  second->Execute({"BLPOP", "k", "0"});
  first.reset();
  Run("RPUSH", "k", "x");
  CHECK(second->TakePushes() == One(Bulks({"k", "x"})));
}

TEST_CASE_METHOD(CommandFixture, "INFO counts a blocking command once it is answered") {
  const auto stats = [this] {
    const std::string text = Run("INFO", "commandstats").text;
    const size_t begin = text.find("cmdstat_blpop:");
    return begin == std::string::npos ? "none" : text.substr(begin, text.find(',', begin) - begin);
  };
  auto first = NewClient();
  first->Execute({"BLPOP", "k", "0"});
  CHECK(stats() == "none");
  Run("RPUSH", "k", "1");
  CHECK(first->TakePushes() == One(Bulks({"k", "1"})));
  CHECK_FALSE(first->blocked());
  CHECK(stats() == "cmdstat_blpop:calls=1");
  // One whose time is over was executed as well, one that has gone was not.
  first->Execute({"BLPOP", "k", "1"});
  auto second = NewClient();
  second->Execute({"BLPOP", "k", "0"});
  CHECK(stats() == "cmdstat_blpop:calls=1");
  second.reset();
  Advance(2000);
  CHECK_FALSE(first->blocked());
  CHECK(stats() == "cmdstat_blpop:calls=2");
  first->Execute({"BLPOP", "k", "0"});
  CHECK(Run("CLIENT", "UNBLOCK", static_cast<int64_t>(first->session().id), "ERROR") == Int(1));
  CHECK_FALSE(first->blocked());
  CHECK(Run("INFO", "commandstats").text.find(",rejected_calls=0,failed_calls=1\r\n") !=
        std::string::npos);
  CHECK(stats() == "cmdstat_blpop:calls=3");
  first->Execute({"BLPOP", "k", "0"});
  Run("CONFIG", "RESETSTAT");
  CHECK(stats() == "none");
  Run("RPUSH", "k", "1");
  CHECK_FALSE(first->blocked());
  CHECK(stats() == "cmdstat_blpop:calls=1");
}

TEST_CASE_METHOD(CommandFixture, "INFO and CLIENT LIST show who waits") {
  auto waiting = NewClient();
  waiting->Execute({"BLPOP", "a", "b", "5"});
  const std::string info = Run("INFO", "clients").text;
  CHECK(info.find("blocked_clients:1") != std::string::npos);
  CHECK(info.find("total_blocking_keys:2") != std::string::npos);
  CHECK(info.find("clients_in_timeout_table:1") != std::string::npos);
  const auto id = static_cast<int64_t>(waiting->session().id);
  CHECK(Run("CLIENT", "LIST", "ID", id).text.find("flags=b") != std::string::npos);
}

TEST_CASE_METHOD(CommandFixture,
                 "CLIENT REPLY OFF: a blocked client stays silent when it is served") {
  auto waiting = NewClient();
  waiting->Execute({"CLIENT", "REPLY", "OFF"});
  waiting->Execute({"BLPOP", "k", "0"});
  Run("RPUSH", "k", "x");
  CHECK(waiting->TakePushes() == kNothing);
  CHECK(!waiting->blocked());
  CHECK(Run("EXISTS", "k") == Int(0));
}

}  // namespace
}  // namespace spinel
