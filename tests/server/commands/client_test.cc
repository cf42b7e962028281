#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

// The value of a field in one line of CLIENT LIST.
std::string Field(const std::string& line, const std::string& name) {
  const std::string padded = " " + line;
  const size_t begin = padded.find(" " + name + "=");
  if (begin == std::string::npos) return "no such field";
  const size_t value = begin + name.size() + 2;
  return padded.substr(value, padded.find_first_of(" \n", value) - value);
}

// The ids of CLIENT LIST's lines, separated by spaces.
std::string Ids(const RespValue& list) {
  std::string ids;
  size_t at = list.type == RespValue::Type::kVerbatim ? 4 : 0;
  while (at < list.text.size()) {
    const size_t end = list.text.find('\n', at);
    if (!ids.empty()) ids += ' ';
    ids += Field(list.text.substr(at, end - at), "id");
    at = end + 1;
  }
  return ids;
}

RespValue NoReply() {
  RespValue none;
  none.text = "no reply";
  return none;
}

}  // namespace

TEST_CASE_METHOD(CommandFixture, "CLIENT: names") {
  BothProtocols([this] {
    CHECK(Run("CLIENT", "GETNAME") == Nil());
    CHECK(Run("CLIENT", "SETNAME", "me") == Ok());
    CHECK(Run("CLIENT", "GETNAME") == Bulk("me"));
    for (const std::string name : {"a b", "a\n", "\x7f", "\xc3\xa4"}) {
      CHECK(Run("CLIENT", "SETNAME", name) ==
            Error("ERR Client names cannot contain spaces, newlines or special characters."));
    }
    CHECK(Run("CLIENT", "GETNAME") == Bulk("me"));
    CHECK(Run("CLIENT", "SETNAME", "") == Ok());
    CHECK(Run("CLIENT", "GETNAME") == Nil());
    CHECK(Run("CLIENT", "ID") == Int(static_cast<int64_t>(client().session().id)));
    CHECK(Run("CLIENT", "ID", "x") == WrongArity("client|id"));
    CHECK(Run("CLIENT") == WrongArity("client"));
    CHECK(Run("CLIENT", "NOPE") == Error("ERR unknown subcommand 'NOPE'. Try CLIENT HELP."));
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT SETINFO: the library") {
  BothProtocols([this] {
    CHECK(Run("CLIENT", "SETINFO", "LIB-NAME", "SE.Redis") == Ok());
    CHECK(Run("CLIENT", "SETINFO", "lib-ver", "2.8.0") == Ok());
    CHECK(Run("CLIENT", "SETINFO", "what", "x") == Error("ERR Unrecognized option 'what'"));
    CHECK(Run("CLIENT", "SETINFO", "lib-name", "a b") ==
          Error("ERR lib-name cannot contain spaces, newlines or special characters."));
    const std::string line = Run("CLIENT", "INFO").text;
    CHECK(Field(line, "lib-name") == "SE.Redis");
    CHECK(Field(line, "lib-ver") == "2.8.0");
    CHECK(Run("CLIENT", "SETINFO", "LIB-NAME", "") == Ok());
    CHECK(Field(Run("CLIENT", "INFO").text, "lib-name").empty());
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT INFO: every field, in Redis' order") {
  BothProtocols([this] {
    Run("SELECT", 2);
    Run("CLIENT", "SETNAME", "me");
    Advance(5000);
    const RespValue info = Run("CLIENT", "INFO");
    CHECK(info.type == (resp3() ? RespValue::Type::kVerbatim : RespValue::Type::kBulk));
    const std::string line = info.text.substr(resp3() ? 4 : 0);
    std::string names;
    for (size_t at = 0; at < line.size();) {
      const size_t end = line.find_first_of(" \n", at);
      names += line.substr(at, line.find('=', at) - at) + ' ';
      at = end + 1;
    }
    CHECK(
        names ==
        "id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf qbuf-free argv-mem "
        "multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name lib-ver "
        "tot-net-in tot-net-out tot-cmds ");
    CHECK(Field(line, "id") == std::to_string(client().session().id));
    CHECK(Field(line, "addr") == client().session().origin.address);
    CHECK(Field(line, "laddr") == "127.0.0.1:6379");
    CHECK(Field(line, "name") == "me");
    CHECK(Field(line, "age") == "5");
    CHECK(Field(line, "flags") == "N");
    CHECK(Field(line, "db") == "2");
    CHECK(Field(line, "qbuf") == "0");
    CHECK(Field(line, "argv-mem") == "10");
    CHECK(Field(line, "cmd") == "client|info");
    CHECK(Field(line, "resp") == (resp3() ? "3" : "2"));
    CHECK(line.back() == '\n');
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT NO-EVICT and NO-TOUCH show as flags") {
  BothProtocols([this] {
    CHECK(Run("CLIENT", "NO-EVICT", "on") == Ok());
    CHECK(Run("CLIENT", "NO-TOUCH", "ON") == Ok());
    CHECK(Field(Run("CLIENT", "INFO").text, "flags") == "eT");
    CHECK_FALSE(state().op.touch);
    CHECK(Run("CLIENT", "NO-EVICT", "OFF") == Ok());
    CHECK(Run("CLIENT", "NO-TOUCH", "off") == Ok());
    CHECK(Field(Run("CLIENT", "INFO").text, "flags") == "N");
    CHECK(Run("CLIENT", "NO-EVICT", "maybe") == SyntaxError());
    CHECK(Run("CLIENT", "NO-TOUCH", "maybe") == SyntaxError());
    CHECK(Run("CLIENT", "CAPA", "redirect", "what") == Ok());
    CHECK(Ids(Run("CLIENT", "LIST", "CAPA", "r")) == "1");
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT LIST: filters") {
  BothProtocols([this] {
    const auto two = NewClient();
    const auto three = NewClient();
    two->Execute({"CLIENT", "SETNAME", "worker"});
    two->Execute({"CLIENT", "SETINFO", "LIB-NAME", "lib"});
    two->Execute({"CLIENT", "SETINFO", "LIB-VER", "1"});
    three->Execute({"SELECT", "4"});
    three->Execute({"SUBSCRIBE", "c"});
    const auto list = [this](std::vector<std::string> filters) {
      filters.insert(filters.begin(), {"CLIENT", "LIST"});
      return Ids(RunArgs(filters));
    };
    CHECK(list({}) == "1 2 3");
    CHECK(list({"ID", "1", "3", "77"}) == "1 3");
    CHECK(list({"ID", "1", "ID", "2"}) == "1 2");
    CHECK(list({"NOT-ID", "1", "3"}) == "2");
    CHECK(list({"TYPE", "normal"}) == "1 2");
    CHECK(list({"TYPE", "PUBSUB"}) == "3");
    CHECK(list({"TYPE", "replica"}).empty());
    CHECK(list({"TYPE", "master"}).empty());
    CHECK(list({"NOT-TYPE", "pubsub"}) == "1 2");
    CHECK(list({"USER", "default"}) == "1 2 3");
    CHECK(list({"NOT-USER", "default"}).empty());
    CHECK(list({"ADDR", two->session().origin.address}) == "2");
    CHECK(list({"NOT-ADDR", two->session().origin.address}) == "1 3");
    CHECK(list({"LADDR", "127.0.0.1:6379"}) == "1 2 3");
    CHECK(list({"IP", "127.0.0.1"}) == "1 2 3");
    CHECK(list({"NOT-IP", "127.0.0.1"}).empty());
    CHECK(list({"NAME", "worker"}) == "2");
    CHECK(list({"NOT-NAME", "worker"}) == "1 3");
    CHECK(list({"LIB-NAME", "lib", "LIB-VER", "1"}) == "2");
    CHECK(list({"NOT-LIB-NAME", "lib"}) == "1 3");
    CHECK(list({"DB", "4"}) == "3");
    CHECK(list({"NOT-DB", "4"}) == "1 2");
    CHECK(list({"FLAGS", "P"}) == "3");
    CHECK(list({"NOT-FLAGS", "P"}) == "1 2");
    CHECK(list({"SKIPME", "yes"}) == "2 3");
    CHECK(list({"TYPE", "normal", "SKIPME", "yes", "ID", "1", "2", "3", "DB", "0"}) == "2");
    Advance(10'000);
    const auto four = NewClient();
    CHECK(list({"MAXAGE", "10"}) == "1 2 3");
    CHECK(list({"IDLE", "10"}) == "1 2 3");
    CHECK(list({"MAXAGE", "11"}).empty());
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT LIST and KILL: bad filters") {
  BothProtocols([this] {
    CHECK(Run("CLIENT", "LIST", "ID") == SyntaxError());
    CHECK(Run("CLIENT", "LIST", "WHAT", "x") == SyntaxError());
    CHECK(Run("CLIENT", "LIST", "NOT-SKIPME", "yes") == SyntaxError());
    CHECK(Run("CLIENT", "LIST", "ID", "x") == Error("ERR Invalid client ID"));
    CHECK(Run("CLIENT", "LIST", "ID", "1", "x") == Error("ERR Invalid client ID"));
    CHECK(Run("CLIENT", "LIST", "TYPE", "x") == Error("ERR Unknown client type 'x'"));
    CHECK(Run("CLIENT", "LIST", "USER", "x") == Error("ERR No such user 'x'"));
    CHECK(Run("CLIENT", "LIST", "MAXAGE", "x") ==
          Error("ERR maxage is not an integer or out of range"));
    CHECK(Run("CLIENT", "LIST", "MAXAGE", "0") == Error("ERR maxage should be greater than 0"));
    CHECK(Run("CLIENT", "LIST", "SKIPME", "maybe") == SyntaxError());
    CHECK(Run("CLIENT", "LIST", "FLAGS", "?") ==
          Error("ERR Unknown flags found in the provided filter: ?"));
    CHECK(Run("CLIENT", "KILL", "ID", "x") == Error("ERR client-id should be greater than 0"));
    CHECK(Run("CLIENT", "KILL", "ID", "0") == Error("ERR client-id should be greater than 0"));
    CHECK(Run("CLIENT", "KILL", "ID", "1", "WHAT") == SyntaxError());
    CHECK(Run("CLIENT", "KILL", "ID", "1", "-1") ==
          Error("ERR client-id should be greater than 0"));
    CHECK(Run("CLIENT", "KILL", "ADDR", "a", "LADDR") == SyntaxError());
    CHECK(Run("CLIENT", "KILL", "TYPE", "x") == Error("ERR Unknown client type 'x'"));
    CHECK(Run("CLIENT", "KILL") == WrongArity("client|kill"));
    CHECK(closed().empty());
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT KILL: by address") {
  BothProtocols([this] {
    const auto two = NewClient();
    CHECK(Run("CLIENT", "KILL", "1.2.3.4:5") == Error("ERR No such client"));
    CHECK(Run("CLIENT", "KILL", two->session().origin.address) == Ok());
    CHECK(closed() == std::vector<uint64_t>{2});
    CHECK(Run("CLIENT", "KILL", two->session().origin.address) == Error("ERR No such client"));
    CHECK(Ids(Run("CLIENT", "LIST")) == "1");
    CHECK(Run("CLIENT", "KILL", client().session().origin.address) == Ok());
    CHECK(client().session().close_after_reply);
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT KILL: by filters") {
  BothProtocols([this] {
    std::vector<std::unique_ptr<TestClient>> others;
    for (int i = 0; i < 5; ++i) others.push_back(NewClient());
    CHECK(Run("CLIENT", "KILL", "ID", "2", "3", "99") == Int(2));
    CHECK(Run("CLIENT", "KILL", "ID", "2") == Int(0));
    CHECK(Run("CLIENT", "KILL", "ID", "1") == Int(0));
    others[2]->Execute({"SUBSCRIBE", "c"});
    CHECK(Run("CLIENT", "KILL", "TYPE", "pubsub") == Int(1));
    CHECK(closed() == std::vector<uint64_t>{2, 3, 4});
    CHECK(Run("CLIENT", "KILL", "USER", "default", "LADDR", "127.0.0.1:6379") == Int(2));
    CHECK_FALSE(client().session().close_after_reply);
    CHECK(Run("CLIENT", "KILL", "SKIPME", "no") == Int(1));
    CHECK(client().session().close_after_reply);
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT PAUSE: modes and times") {
  using Mode = PauseState::Mode;
  BothProtocols([this] {
    const PauseState& pause = server().pause();
    CHECK(Run("CLIENT", "PAUSE", "x") == Error("ERR timeout is not an integer or out of range"));
    CHECK(Run("CLIENT", "PAUSE", "-1") == Error("ERR timeout is negative"));
    CHECK(Run("CLIENT", "PAUSE", "9223372036854775807") == Error("ERR timeout is out of range"));
    CHECK(Run("CLIENT", "PAUSE", "1", "SOME") ==
          Error("ERR CLIENT PAUSE mode must be WRITE or ALL"));
    CHECK(
        Run("CLIENT", "PAUSE", "1", "ALL", "x") ==
        Error("ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP."));
    CHECK(pause.mode(now_ms()) == Mode::kNone);
    CHECK(Run("CLIENT", "PAUSE", "0") == Ok());
    CHECK(pause.mode(now_ms()) == Mode::kNone);

    CHECK(Run("CLIENT", "PAUSE", "100") == Ok());
    CHECK(pause.mode(now_ms()) == Mode::kAll);
    // Neither shorter nor weaker than what is in force.
    CHECK(Run("CLIENT", "PAUSE", "20", "write") == Ok());
    CHECK(pause.mode(now_ms() + 99) == Mode::kAll);
    CHECK(pause.mode(now_ms() + 100) == Mode::kNone);
    Advance(200);
    CHECK(Run("CLIENT", "PAUSE", "100", "WRITE") == Ok());
    CHECK(pause.mode(now_ms()) == Mode::kWrite);
    const auto blocks = [&](const char* name) {
      return pause.Blocks(server().commands().Find(name)->spec->flags, now_ms());
    };
    CHECK(blocks("SET"));
    CHECK(blocks("PUBLISH"));
    CHECK_FALSE(blocks("GET"));
    CHECK_FALSE(blocks("PING"));
    CHECK(Run("CLIENT", "UNPAUSE") == Ok());
    CHECK_FALSE(blocks("SET"));
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT PAUSE: who reads an expired key leaves it where it is") {
  BothProtocols([this] {
    Run("SET", "k", "v", "PX", "10");
    Run("SET", "other", "v", "PX", "10");
    CHECK(Run("CLIENT", "PAUSE", "50000", "WRITE") == Ok());
    AdvanceWithoutTick(100);
    CHECK(Run("GET", "k") == Nil());
    CHECK(Run("RANDOMKEY") == Nil());
    CHECK(Run("SCAN", "0") == Array({Bulk("0"), Array({})}));
    CHECK(Run("KEYS", "*") == Array({}));
    CHECK(Run("DBSIZE") == Int(2));
    CHECK(state().stats.store.expired_keys.Get() == 0);
    CHECK(Run("CLIENT", "UNPAUSE") == Ok());
    CHECK(Run("GET", "k") == Nil());
    CHECK(Run("DBSIZE") == Int(1));
    CHECK(state().stats.store.expired_keys.Get() == 1);
    CHECK(Run("RANDOMKEY") == Nil());
    CHECK(Run("DBSIZE") == Int(0));
  });
}

// A key of each type with its name, whose time is over.
const std::map<std::string, std::vector<std::string>> kOneOfEach = {
    {"string", {"SET", "string", "text"}},    {"list", {"RPUSH", "list", "1"}},
    {"hash", {"HSET", "hash", "1", "1"}},     {"set", {"SADD", "set", "1"}},
    {"zset", {"ZADD", "zset", "1", "1"}},     {"hll", {"PFADD", "hll", "1"}},
    {"geo", {"GEOADD", "geo", "1", "1", "1"}}};

TEST_CASE_METHOD(CommandFixture, "CLIENT PAUSE: reads of several keys leave those that are over") {
  BothProtocols([this] {
    for (const auto& [name, command] : kOneOfEach) {
      RunArgs(command);
      CHECK(Run("PEXPIRE", name, "10") == Int(1));
    }
    Run("SADD", "other", "1", "2");
    Run("ZADD", "scores", "1", "1", "2", "2");
    CHECK(Run("CLIENT", "PAUSE", "50000", "WRITE") == Ok());
    AdvanceWithoutTick(100);
    CHECK(Run("MGET", "string", "none", "string") == Array({Nil(), Nil(), Nil()}));
    CHECK(Run("EXISTS", "string", "list", "other") == Int(1));
    CHECK(Run("TOUCH", "string", "hash", "other") == Int(1));
    CHECK(Run("SUNION", "set", "set").elements.empty());
    CHECK(Run("SINTERCARD", "2", "other", "set") == Int(0));
    CHECK(Run("SDIFF", "other", "set").elements.size() == 2);
    CHECK(Run("ZUNION", "2", "zset", "scores") == Bulks({"1", "2"}));
    CHECK(Run("ZDIFF", "2", "scores", "zset") == Bulks({"1", "2"}));
    CHECK(Run("ZINTERCARD", "2", "scores", "zset") == Int(0));
    CHECK(Run("PFCOUNT", "hll", "none") == Int(0));
    CHECK(Run("LCS", "string", "string") == Bulk(""));
    CHECK(Run("SORT_RO", "list", "BY", "string*", "GET", "string") == Array({}));
    CHECK(Run("DBSIZE") == Int(9));
    CHECK(state().stats.store.expired_keys.Get() == 0);
    CHECK(Run("CLIENT", "UNPAUSE") == Ok());
    CHECK(Run("MGET", "string", "list", "hash") == Array({Nil(), Nil(), Nil()}));
    CHECK(Run("DBSIZE") == Int(6));
    CHECK(state().stats.store.expired_keys.Get() == 3);
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT PAUSE: no command that only reads removes a key") {
  const CommandTable table;  // Restart makes the server's own anew
  for (const auto& [name, make] : kOneOfEach) {
    Restart();
    RunArgs(make);
    Run("RENAME", name, "1");  // also what a number of keys may be, or an index
    Run("PEXPIRE", "1", "10");
    Run("CLIENT", "PAUSE", "50000", "WRITE");
    AdvanceWithoutTick(100);
    for (const auto& command : table.all()) {
      const CommandSpec& spec = *command->spec;
      if (spec.handler == nullptr || !command->Has(kReadOnly) || command->Has(kMayReplicate)) {
        continue;
      }
      std::vector<std::string> args;
      if (command->parent != nullptr) args.emplace_back(command->parent->spec->name);
      args.emplace_back(spec.name);
      while (args.size() < static_cast<size_t>(std::abs(spec.arity))) args.emplace_back("1");
      CAPTURE(name, args);
      RunArgs(args);
      CHECK(Run("DBSIZE") == Int(1));
    }
    CHECK(state().stats.store.expired_keys.Get() == 0);
  }
}

TEST_CASE_METHOD(CommandFixture,
                 "CLIENT PAUSE: what the same transaction writes replaces what is over") {
  Run("SET", "k", "v", "PX", "10");
  CHECK(Run("CLIENT", "PAUSE", "50000", "WRITE") == Ok());
  AdvanceWithoutTick(100);
  CHECK(Run("GET", "k") == Nil());
  CHECK(Run("SET", "k", "w") == Ok());
  CHECK(Run("DBSIZE") == Int(1));
  CHECK(Run("GET", "k") == Bulk("w"));
}

TEST_CASE_METHOD(CommandFixture, "CLIENT REPLY: off, on, skip") {
  BothProtocols([this] {
    CHECK(Run("CLIENT", "REPLY", "maybe") == SyntaxError());
    CHECK(Run("CLIENT", "REPLY", "OFF") == NoReply());
    CHECK(Run("SET", "k", "v") == NoReply());
    CHECK(Run("NOPE") == NoReply());
    CHECK(Run("GET", "k", "too", "many") == NoReply());
    CHECK(Run("CLIENT", "REPLY", "SKIP") == NoReply());
    CHECK(Run("PING") == NoReply());
    CHECK(Run("CLIENT", "REPLY", "ON") == Ok());
    CHECK(Run("GET", "k") == Bulk("v"));

    CHECK(Run("CLIENT", "REPLY", "SKIP") == NoReply());
    CHECK(Run("SET", "k", "w") == NoReply());
    CHECK(Run("GET", "k") == Bulk("w"));
    CHECK(Run("CLIENT", "REPLY", "SKIP") == NoReply());
    CHECK(Run("CLIENT", "REPLY", "SKIP") == NoReply());
    CHECK(Run("PING") == NoReply());
    CHECK(Run("PING") == Simple("PONG"));
    CHECK(Run("CLIENT", "REPLY", "SKIP") == NoReply());
    CHECK(Run("NOPE") == NoReply());
    CHECK(Run("CLIENT", "REPLY", "SKIP") == NoReply());
    CHECK(Run("CLIENT", "REPLY", "ON") == Ok());
    CHECK(Run("PING") == Simple("PONG"));
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT HELP: every subcommand, HELP last") {
  BothProtocols([this] {
    const RespValue help = Run("CLIENT", "HELP");
    REQUIRE(help.type == RespValue::Type::kArray);
    CHECK(help.elements.front() ==
          Simple("CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    const size_t size = help.elements.size();
    CHECK(size == 1 + 2 * server().commands().Find("CLIENT")->subcommands.size());
    CHECK(help.elements[size - 2] == Simple("HELP"));
    CHECK(help.elements[size - 1] == Simple("    Print this help."));
    CHECK(Run("CLIENT", "HELP", "x") == WrongArity("client|help"));
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT: what only a cluster needs is unknown") {
  CHECK(Run("CLIENT", "IMPORT-SOURCE", "x") ==
        Error("ERR unknown subcommand 'IMPORT-SOURCE'. Try CLIENT HELP."));
}

}  // namespace spinel
