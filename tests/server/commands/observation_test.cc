// SLOWLOG, COMMANDLOG, LATENCY, MONITOR.

#include "server/observation.h"

#include <catch2/catch.hpp>
#include <regex>

#include "server/cycle_clock.h"
#include "server/monitors.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

// The commands in the slow log, the first one first.
std::vector<RespValue> Logged(CommandFixture* fixture) {
  std::vector<RespValue> commands;
  const RespValue entries = fixture->Run("SLOWLOG", "GET", "-1");
  for (const RespValue& entry : entries.elements) {
    commands.insert(commands.begin(), entry.elements[3]);
  }
  return commands;
}

// What a client that monitors has been shown, without the times.
std::vector<std::string> Shown(TestClient* monitor) {
  std::vector<std::string> lines;
  for (const RespValue& line : monitor->TakePushes()) {
    lines.push_back(line.text.substr(line.text.find('[')));
  }
  return lines;
}

}  // namespace

TEST_CASE_METHOD(CommandFixture, "SLOWLOG: commands that take long, and nothing else") {
  BothProtocols([this] {
    CHECK(Run("SLOWLOG", "LEN") == Int(0));
    CHECK(Run("SLOWLOG", "GET") == Array({}));
    Run("CLIENT", "SETNAME", "me");
    Run("CONFIG", "SET", "slowlog-log-slower-than", "0");
    Run("SLOWLOG", "RESET");
    Run("GET", "k");
    CHECK(Run("SLOWLOG", "LEN") == Int(2));
    const RespValue entries = Run("SLOWLOG", "GET", "2");
    REQUIRE(entries.elements.size() == 2);
    const RespValue& entry = entries.elements[1];
    REQUIRE(entry.elements.size() == 6);
    CHECK(entry.elements[0].integer + 1 == entries.elements[0].elements[0].integer);
    CHECK(entry.elements[1].integer > 0);
    CHECK(entry.elements[2].integer >= 0);
    CHECK(entry.elements[3] == Bulks({"GET", "k"}));
    CHECK(entry.elements[4] == Bulk(client().session().origin.address));
    CHECK(entry.elements[5] == Bulk("me"));
    Run("CONFIG", "SET", "slowlog-log-slower-than", "-1");
    CHECK(Run("SLOWLOG", "RESET") == Ok());
    CHECK(Run("SLOWLOG", "LEN") == Int(0));
    Run("CONFIG", "SET", "slowlog-log-slower-than", "1000000");
    Run("GET", "k");
    CHECK(Run("SLOWLOG", "LEN") == Int(0));
    CHECK(Run("SLOWLOG", "GET", "-2") == Error("ERR count should be greater than or equal to -1"));
    CHECK(Run("SLOWLOG", "GET", "x") == Error("ERR count should be greater than or equal to -1"));
  });
}

TEST_CASE_METHOD(CommandFixture, "SLOWLOG: keeps the latest, cut short") {
  Run("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "3");
  for (int i = 0; i < 9; ++i) Run("PING", i);
  CHECK(Logged(this) ==
        std::vector{Bulks({"PING", "6"}), Bulks({"PING", "7"}), Bulks({"PING", "8"})});
  std::vector<std::string> many = {"DEL"};
  for (int i = 0; i < 32; ++i) many.push_back("k");
  RunArgs(many);
  const RespValue cut = Logged(this).back();
  REQUIRE(cut.elements.size() == 32);
  CHECK(cut.elements[30] == Bulk("k"));
  CHECK(cut.elements[31] == Bulk("... (2 more arguments)"));
  Run("PING", std::string(130, 'A'));
  CHECK(Logged(this).back() == Bulks({"PING", std::string(128, 'A') + "... (2 more bytes)"}));
  Run("CONFIG", "SET", "slowlog-max-len", "0");
  Run("PING", "new");
  CHECK_FALSE(Logged(this).back() == Bulks({"PING", "new"}));
}

TEST_CASE_METHOD(CommandFixture, "SLOWLOG: of a transaction its commands, of secrets nothing") {
  Run("CONFIG", "SET", "slowlog-log-slower-than", "0");
  Run("MULTI");
  Run("SET", "k", "v");
  Run("SLOWLOG", "RESET");
  Run("GET", "k");
  Run("EXEC");
  CHECK(Logged(this) == std::vector{Bulks({"SLOWLOG", "RESET"}), Bulks({"GET", "k"})});
  Run("SLOWLOG", "RESET");
  Run("CONFIG", "SET", "requirepass", "secret", "maxclients", "100");
  Run("AUTH", "default", "secret");
  Run("HELLO", "2", "SETNAME", "x", "AUTH", "default", "secret");
  CHECK(Logged(this) ==
        std::vector{Bulks({"SLOWLOG", "RESET"}),
                    Bulks({"CONFIG", "SET", "requirepass", "(redacted)", "maxclients", "100"}),
                    Bulks({"AUTH", "(redacted)", "(redacted)"}),
                    Bulks({"HELLO", "2", "SETNAME", "x", "AUTH", "(redacted)", "(redacted)"})});
}

TEST_CASE_METHOD(CommandFixture, "SLOWLOG: a command that blocks counts when it is over") {
  const auto waiting = NewClient();
  Run("CONFIG", "SET", "slowlog-log-slower-than", "0");
  Run("SLOWLOG", "RESET");
  waiting->Execute({"BLPOP", "l", "0"});
  CHECK(Logged(this) == std::vector{Bulks({"SLOWLOG", "RESET"})});
  Run("SLOWLOG", "RESET");
  Run("RPUSH", "l", "v");
  CHECK_FALSE(waiting->blocked());
  CHECK(Logged(this) == std::vector{Bulks({"SLOWLOG", "RESET"}), Bulks({"RPUSH", "l", "v"}),
                                    Bulks({"BLPOP", "l", "0"})});
}

TEST_CASE_METHOD(CommandFixture, "COMMANDLOG: large requests and large replies") {
  Run("CONFIG", "SET", "commandlog-request-larger-than", "1000", "commandlog-reply-larger-than",
      "1000");
  Run("SET", "k", std::string(1000, 'x'));
  Run("GET", "k");
  Run("SET", "k", "v");
  CHECK(Run("COMMANDLOG", "LEN", "large-request") == Int(1));
  CHECK(Run("COMMANDLOG", "LEN", "large-reply") == Int(1));
  CHECK(Run("COMMANDLOG", "LEN", "slow") == Int(0));
  const RespValue requests = Run("COMMANDLOG", "GET", "-1", "large-request");
  CHECK(requests.elements[0].elements[2] == Int(1000 + 29));
  const RespValue replies = Run("COMMANDLOG", "GET", "1", "large-reply");
  CHECK(replies.elements[0].elements[2] == Int(1000 + 9));
  CHECK(replies.elements[0].elements[3] == Bulks({"GET", "k"}));
  CHECK(Run("COMMANDLOG", "RESET", "large-reply") == Ok());
  CHECK(Run("COMMANDLOG", "LEN", "large-reply") == Int(0));
  CHECK(Run("COMMANDLOG", "LEN", "other") ==
        Error("ERR type should be one of the following: slow, large-request, large-reply"));
}

TEST_CASE_METHOD(CommandFixture, "LATENCY: events from the threshold on") {
  BothProtocols([this] {
    Observation& observation = server().observation();
    const auto report = [&](std::string_view event, int ms) {
      observation.ReportEvent(event, CycleClock::FromMicroseconds(ms * 1000 + 500));
    };
    report("command", 100);
    CHECK(Run("LATENCY", "LATEST") == Array({}));
    Run("CONFIG", "SET", "latency-monitor-threshold", "50");
    report("command", 49);
    report("command", 100);
    report("command", 70);
    report("expire-cycle", 60);
    const RespValue latest = Run("LATENCY", "LATEST");
    REQUIRE(latest.elements.size() == 2);
    CHECK(latest.elements[0].elements[0] == Bulk("command"));
    CHECK(latest.elements[0].elements[3] == Int(100));
    CHECK(latest.elements[1].elements[2] == Int(60));
    const RespValue history = Run("LATENCY", "HISTORY", "expire-cycle");
    REQUIRE(history.elements.size() == 1);
    CHECK(history.elements[0].elements[1] == Int(60));
    CHECK(Run("LATENCY", "HISTORY", "none") == Array({}));
    CHECK(Run("LATENCY", "GRAPH", "command").text.find("command - high 100 ms, low ") !=
          std::string::npos);
    CHECK(Run("LATENCY", "GRAPH", "none") == Error("ERR No samples available for event 'none'"));
    CHECK(Run("LATENCY", "DOCTOR").text.find("expire-cycle") != std::string::npos);
    CHECK(Run("LATENCY", "RESET", "command", "none") == Int(1));
    CHECK(Run("LATENCY", "RESET") == Int(1));
    CHECK(Run("LATENCY", "RESET") == Int(0));
  });
}

TEST_CASE_METHOD(CommandFixture, "LATENCY HISTOGRAM: of the commands named, or of all") {
  BothProtocols([this] {
    Run("CONFIG", "RESETSTAT");
    Run("SET", "k", "v");
    Run("SET", "k", "v");
    Run("CLIENT", "ID");
    const RespValue set = Run("LATENCY", "HISTOGRAM", "SET", "bogus", "get");
    REQUIRE(set.elements.size() == 2);
    CHECK(set.elements[0] == Bulk("set"));
    REQUIRE(set.elements[1].elements.size() == 4);
    CHECK(set.elements[1].elements[0] == Bulk("calls"));
    CHECK(set.elements[1].elements[1] == Int(2));
    CHECK(set.elements[1].elements[2] == Bulk("histogram_usec"));
    CHECK(set.elements[1].elements[3].elements.back() == Int(2));
    CHECK(Run("LATENCY", "HISTOGRAM", "client").elements[0] == Bulk("client|id"));
    CHECK(Run("LATENCY", "HISTOGRAM", "client|id").elements.size() == 2);
    // With CONFIG RESETSTAT, and LATENCY HISTOGRAM itself.
    CHECK(Run("LATENCY", "HISTOGRAM").elements.size() == 2 * 4);
  });
}

TEST_CASE_METHOD(CommandFixture, "MONITOR: shows what others have executed") {
  BothProtocols([this] {
    const auto monitor = NewClient();
    Run("GET", "before");
    CHECK(monitor->Execute({"MONITOR"}) == Ok());
    CHECK(monitor->ExecuteAll({"MONITOR"}).empty());
    const std::string from = client().session().origin.address + "]";
    Run("set", "a b", std::string("\x01\xff\"\\\n\r\t\a\b", 9));
    Run("SELECT", "2");
    Run("CONFIG", "GET", "port");
    Run("NOSUCH");
    Run("AUTH", "secret");
    CHECK(Shown(monitor.get()) ==
          std::vector<std::string>{
              "[0 " + from + " \"set\" \"a b\" \"\\x01\\xff\\\"\\\\\\n\\r\\t\\a\\b\"",
              "[2 " + from + " \"SELECT\" \"2\"", "[2 " + from + " \"AUTH\" \"(redacted)\""});
    Run("MULTI");
    Run("GET", "k");
    CHECK(Shown(monitor.get()).size() == 1);
    Run("EXEC");
    CHECK(Shown(monitor.get()) ==
          std::vector<std::string>{"[2 " + from + " \"GET\" \"k\"", "[2 " + from + " \"EXEC\""});
    CHECK(Run("CLIENT", "LIST").text.find("flags=O ") != std::string::npos);
    monitor->TakePushes();
    CHECK(monitor->Execute({"RESET"}) == Simple("RESET"));
    monitor->TakePushes();
    Run("GET", "k");
    CHECK(monitor->TakePushes().empty());
    CHECK(server().observed_limits.ticks.load() > 0);
  });
}

TEST_CASE_METHOD(CommandFixture, "MONITOR: a line is the time, where from, and the request") {
  const std::vector<std::string_view> args = {"GET", "k"};
  CHECK(SpellForMonitors(client().session(), args, false, 1'700'000'000'000'042) ==
        "+1700000000.000042 [0 " + client().session().origin.address + "] \"GET\" \"k\"\r\n");
  CHECK(SpellForMonitors(client().session(), args, true, 5) ==
        "+0.000005 [0 lua] \"GET\" \"k\"\r\n");
  Run("MULTI");
  Run("MONITOR");
  CHECK(Run("EXEC") == Array({Error("ERR MONITOR isn't allowed for DENY BLOCKING client")}));
}

}  // namespace spinel
