#include <catch2/catch.hpp>

#include "server/acl.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

RespValue Pairs(bool resp3, std::vector<std::string_view> words) {
  RespValue value = Bulks(std::move(words));
  if (resp3) value.type = RespValue::Type::kMap;
  return value;
}

}  // namespace

TEST_CASE_METHOD(CommandFixture, "CONFIG GET: names, patterns, several of them") {
  BothProtocols([this] {
    CHECK(Run("CONFIG", "GET", "databases") == Pairs(resp3(), {"databases", "16"}));
    CHECK(Run("config", "get", "MAXmemory", "databases") ==
          Pairs(resp3(), {"MAXmemory", "0", "databases", "16"}));
    CHECK(Run("CONFIG", "GET", "maxmemory-pol*") ==
          Pairs(resp3(), {"maxmemory-policy", "noeviction"}));
    CHECK(Run("CONFIG", "GET", "none") == Pairs(resp3(), {}));
    CHECK(Run("CONFIG", "GET", "*").elements.size() > 200);
    CHECK(Run("CONFIG", "GET") == WrongArity("config|get"));
  });
}

TEST_CASE_METHOD(CommandFixture, "CONFIG SET: all or nothing") {
  BothProtocols([this] {
    CHECK(Run("CONFIG", "SET", "maxmemory", "1gb", "timeout", "7") == Ok());
    CHECK(config().maxmemory() == 1 << 30);
    CHECK(config().timeout() == 7);
    CHECK(Run("CONFIG", "SET", "timeout", "8", "maxmemory-policy", "none").type ==
          RespValue::Type::kError);
    CHECK(config().timeout() == 7);
    CHECK(Run("CONFIG", "SET", "nothing", "1") ==
          Error("ERR Unknown option or number of arguments for CONFIG SET - 'nothing'"));
    CHECK(Run("CONFIG", "SET", "timeout", "1", "maxmemory") == SyntaxError());
    CHECK(Run("CONFIG", "SET", "timeout") == WrongArity("config|set"));
    CHECK(Run("CONFIG", "SET", "databases", "3") ==
          Error("ERR CONFIG SET failed (possibly related to argument 'databases') - can't set "
                "immutable config"));
    CHECK(Run("CONFIG", "SET", "dbfilename", "x") ==
          Error("ERR CONFIG SET failed (possibly related to argument 'dbfilename') - can't set "
                "protected config"));
  });
}

TEST_CASE_METHOD(CommandFixture, "CONFIG SET: a password holds at once") {
  CHECK(Run("CONFIG", "SET", "requirepass", "secret") == Ok());
  CHECK(server().needs_password());
  CHECK(server().acl().Find("default")->PasswordMatches("secret"));
  CHECK_FALSE(server().acl().Find("default")->PasswordMatches("Secret"));
}

TEST_CASE_METHOD(CommandFixture, "CONFIG: RESETSTAT, REWRITE, HELP, unknown subcommands") {
  BothProtocols([this] {
    Run("GET", "missing");
    CHECK(state().stats.store.keyspace_misses.Get() == 1);
    CHECK(Run("CONFIG", "RESETSTAT") == Ok());
    CHECK(state().stats.store.keyspace_misses.Get() == 0);
    CHECK(Run("CONFIG", "REWRITE") == Error("ERR The server is running without a config file"));
    const RespValue help = Run("CONFIG", "HELP");
    REQUIRE(help.elements.size() == 11);
    CHECK(help.elements[0] ==
          Simple("CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    CHECK(help.elements[1] == Simple("GET parameter [parameter ...]"));
    CHECK(Run("CONFIG", "FOO") == Error("ERR unknown subcommand 'FOO'. Try CONFIG HELP."));
    CHECK(Run("CONFIG") == WrongArity("config"));
  });
}

}  // namespace spinel
