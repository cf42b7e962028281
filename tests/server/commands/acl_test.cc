#include "server/acl.h"

#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

RespValue NoPerm(std::string_view user, std::string_view command) {
  return Error(
      fmt::format("NOPERM User {} has no permissions to run the '{}' command", user, command));
}
RespValue NoKey() { return Error("NOPERM No permissions to access a key"); }
RespValue NoChannel() { return Error("NOPERM No permissions to access a channel"); }

// The field of a map, in either protocol.
RespValue Field(const RespValue& map, std::string_view name) {
  for (size_t i = 0; i + 1 < map.elements.size(); i += 2) {
    if (map.elements[i].text == name) return map.elements[i + 1];
  }
  return Error(fmt::format("no field {}", name));
}

}  // namespace

TEST_CASE_METHOD(CommandFixture, "ACL SETUSER, GETUSER, LIST, USERS, DELUSER, WHOAMI") {
  BothProtocols([this] {
    CHECK(Run("ACL", "WHOAMI") == Bulk("default"));
    CHECK(Run("ACL", "LIST") == Bulks({"user default on nopass sanitize-payload ~* &* +@all"}));
    CHECK(Run("ACL", "SETUSER", "ann", "on", ">p", "~a*", "+@read", "(+set", "~b)") == Ok());
    CHECK(Run("ACL", "USERS") == Bulks({"ann", "default"}));
    const RespValue user = Run("ACL", "GETUSER", "ann");
    CHECK(user.elements.size() == 12);
    CHECK(Field(user, "commands") == Bulk("-@all +@read"));
    CHECK(Field(user, "keys") == Bulk("~a*"));
    CHECK(Field(user, "channels") == Bulk(""));
    CHECK(Field(user, "flags").elements == Bulks({"on", "sanitize-payload"}).elements);
    CHECK(Field(user, "passwords").elements.size() == 1);
    REQUIRE(Field(user, "selectors").elements.size() == 1);
    CHECK(Field(Field(user, "selectors").elements[0], "keys") == Bulk("~b"));
    CHECK(Run("ACL", "GETUSER", "none") == Nil());
    CHECK(Run("ACL", "DELUSER", "ann", "none") == Int(1));
    CHECK(Run("ACL", "DELUSER", "none", "default") ==
          Error("ERR The 'default' user cannot be removed"));
    CHECK(Run("ACL", "USERS") == Bulks({"default"}));
  });
}

TEST_CASE_METHOD(CommandFixture, "ACL SETUSER: all rules or none") {
  Run("ACL", "SETUSER", "ann", "on", "+get");
  CHECK(Run("ACL", "SETUSER", "ann", "+set", "foo") ==
        Error("ERR Error in ACL SETUSER modifier 'foo': Syntax error"));
  CHECK(Field(Run("ACL", "GETUSER", "ann"), "commands") == Bulk("-@all +get"));
  CHECK(
      Run("ACL", "SETUSER", "ann", "+none") ==
      Error("ERR Error in ACL SETUSER modifier '+none': Unknown command or category name in ACL"));
  CHECK(Run("ACL", "SETUSER", "bob", "(+get", "~a") ==
        Error("ERR Unmatched parenthesis in acl selector starting at '(+get'."));
  CHECK(Run("ACL", "SETUSER", "a b") ==
        Error("ERR Usernames can't contain spaces or null characters"));
  CHECK(Run("ACL", "USERS") == Bulks({"ann", "default"}));
  CHECK(Run("CONFIG", "SET", "acl-pubsub-default", "allchannels") == Ok());
  Run("ACL", "SETUSER", "bob");
  CHECK(Field(Run("ACL", "GETUSER", "bob"), "channels") == Bulk("&*"));
}

TEST_CASE_METHOD(CommandFixture, "ACL: AUTH as a user, and what it may do") {
  BothProtocols([this] {
    Run("ACL", "SETUSER", "ann", "on", ">p", "~a*", "+@all", "-@dangerous", "&x");
    const auto ann = NewClient();
    CHECK(ann->Execute({"AUTH", "ann", "wrong"}) ==
          Error("WRONGPASS invalid username-password pair or user is disabled."));
    CHECK(ann->Execute({"AUTH", "ann", "p"}) == Ok());
    CHECK(ann->Execute({"ACL", "WHOAMI"}) == Bulk("ann"));
    CHECK(ann->Execute({"SET", "a1", "v"}) == Ok());
    CHECK(ann->Execute({"SET", "b1", "v"}) == NoKey());
    CHECK(ann->Execute({"FLUSHALL"}) == NoPerm("ann", "flushall"));
    CHECK(ann->Execute({"CONFIG", "GET", "x"}) == NoPerm("ann", "config|get"));
    CHECK(ann->Execute({"PUBLISH", "x", "v"}) == Int(0));
    CHECK(ann->Execute({"PUBLISH", "y", "v"}) == NoChannel());
    CHECK(ann->Execute({"GET"}) == WrongArity("get"));
    // A change holds for the next command.
    Run("ACL", "SETUSER", "ann", "~b*", "-get");
    CHECK(ann->Execute({"SET", "b1", "v"}) == Ok());
    CHECK(ann->Execute({"GET", "b1"}) == NoPerm("ann", "get"));
    // RESET makes it the default user again.
    CHECK(ann->Execute({"RESET"}) == Simple("RESET"));
    CHECK(ann->Execute({"ACL", "WHOAMI"}) == Bulk("default"));
    CHECK(ann->Execute({"HELLO", "2", "AUTH", "ann", "p"}).type != RespValue::Type::kError);
    CHECK(ann->Execute({"ACL", "WHOAMI"}) == Bulk("ann"));
    // Disabled: those who are in stay.
    Run("ACL", "SETUSER", "ann", "off");
    CHECK(ann->Execute({"PING"}) == Simple("PONG"));
    CHECK(NewClient()->Execute({"AUTH", "ann", "p"}).type == RespValue::Type::kError);
  });
}

TEST_CASE_METHOD(CommandFixture, "ACL: requirepass is the default user's password") {
  Run("CONFIG", "SET", "requirepass", "secret");
  const auto client = NewClient();
  CHECK(client->Execute({"PING"}) == Error("NOAUTH Authentication required."));
  CHECK(client->Execute({"AUTH", "secret"}) == Ok());
  CHECK(client->Execute({"PING"}) == Simple("PONG"));
  CHECK(Run("ACL", "SETUSER", "default", ">other") == Ok());
  CHECK(NewClient()->Execute({"AUTH", "other"}) == Ok());
  Run("ACL", "SETUSER", "default", "nopass");
  CHECK(NewClient()->Execute({"PING"}) == Simple("PONG"));
  Run("ACL", "SETUSER", "default", "off");
  CHECK(NewClient()->Execute({"PING"}) == Error("NOAUTH Authentication required."));
  CHECK(Run("PING") == Simple("PONG"));
}

TEST_CASE_METHOD(CommandFixture, "ACL: transactions are checked when queued and when run") {
  Run("ACL", "SETUSER", "ann", "on", "nopass", "~*", "+@all", "-incr");
  const auto ann = NewClient();
  ann->Execute({"AUTH", "ann", "x"});
  ann->Execute({"MULTI"});
  CHECK(ann->Execute({"INCR", "n"}) == NoPerm("ann", "incr"));
  CHECK(ann->Execute({"EXEC"}) ==
        Error("EXECABORT Transaction discarded because of previous errors."));
  ann->Execute({"MULTI"});
  ann->Execute({"SET", "k", "v"});
  ann->Execute({"GET", "k"});
  Run("ACL", "SETUSER", "ann", "-set");
  const RespValue replies = ann->Execute({"EXEC"});
  REQUIRE(replies.elements.size() == 2);
  CHECK(replies.elements[0] ==
        Error("NOPERM ACLs rules changed between the moment the transaction was accumulated and "
              "the EXEC call. This command is no longer allowed for the following reason: no "
              "permission to execute the command or subcommand"));
  CHECK(replies.elements[1] == Nil());
}

TEST_CASE_METHOD(CommandFixture, "ACL: scripts run as their client's user") {
  Run("ACL", "SETUSER", "ann", "on", "nopass", "~a*", "+eval", "+get", "+set");
  const auto ann = NewClient();
  ann->Execute({"AUTH", "ann", "x"});
  CHECK(ann->Execute({"EVAL", "return redis.call('set', KEYS[1], 'v')", "1", "a"}) == Ok());
  CHECK(ann->Execute({"EVAL", "return 1", "1", "b"}) == NoKey());
  const RespValue denied = ann->Execute({"EVAL", "return redis.call('get', 'b')", "0"});
  CHECK(denied.text.starts_with(
      "ERR ACL failure in script: No permissions to access a key script: "));
  CHECK(ann->Execute({"EVAL", "return redis.pcall('incr', 'a')", "0"}) ==
        Error("ERR ACL failure in script: User ann has no permissions to run the 'incr' command"));
  CHECK(ann->Execute(
            {"EVAL",
             "return {redis.acl_check_cmd('set','a','v'), redis.acl_check_cmd('set','b','v'),"
             "redis.acl_check_cmd('incr','a')}",
             "0"}) == Array({Int(1), Nil(), Nil()}));
  CHECK(Field(Run("ACL", "LOG").elements[0], "context") == Bulk("lua"));
}

TEST_CASE_METHOD(CommandFixture, "ACL: SORT's patterns need the right to read every key") {
  Run("RPUSH", "a", "1", "2");
  Run("ACL", "SETUSER", "ann", "on", "nopass", "~a", "+sort", "+sort_ro");
  const auto ann = NewClient();
  ann->Execute({"AUTH", "ann", "x"});
  CHECK(ann->Execute({"SORT", "a"}) == Bulks({"1", "2"}));
  CHECK(ann->Execute({"SORT", "a", "BY", "nosort"}) == Bulks({"1", "2"}));
  CHECK(ann->Execute({"SORT", "a", "BY", "w*"}) ==
        Error("ERR BY option of SORT denied due to insufficient ACL permissions."));
  CHECK(ann->Execute({"SORT_RO", "a", "GET", "w*"}) ==
        Error("ERR GET option of SORT denied due to insufficient ACL permissions."));
  Run("ACL", "SETUSER", "ann", "%R~*");
  CHECK(ann->Execute({"SORT", "a", "GET", "w*"}) == Array({Nil(), Nil()}));
}

TEST_CASE_METHOD(CommandFixture, "ACL: clients of a deleted user are closed") {
  Run("ACL", "SETUSER", "ann", "on", "nopass", "~*", "+@all");
  const auto ann = NewClient();
  ann->Execute({"AUTH", "ann", "x"});
  CHECK(ann->Execute({"ACL", "DELUSER", "ann"}) == Int(1));
  CHECK(ann->session().close_after_reply);
  Run("ACL", "SETUSER", "ann", "on", "nopass", "~*", "+@all");
  const auto other = NewClient();
  other->Execute({"AUTH", "ann", "x"});
  CHECK(Run("CLIENT", "LIST", "USER", "ann").text.find("user=ann ") != std::string::npos);
  Run("ACL", "DELUSER", "ann");
  CHECK(closed() == std::vector<uint64_t>{other->session().id});
  CHECK(Run("CLIENT", "KILL", "USER", "ann") == Error("ERR No such user 'ann'"));
}

TEST_CASE_METHOD(CommandFixture,
                 "ACL: subscribers that lose a channel are closed, others are not") {
  Run("ACL", "SETUSER", "ann", "on", "nopass", "+@all", "&a", "&b*");
  const auto stays = NewClient();
  stays->Execute({"AUTH", "ann", "x"});
  stays->ExecuteAll({"SUBSCRIBE", "b1"});
  const auto leaves = NewClient();
  leaves->Execute({"AUTH", "ann", "x"});
  leaves->ExecuteAll({"SSUBSCRIBE", "a"});
  Run("ACL", "SETUSER", "ann", "&c");
  CHECK(closed().empty());
  Run("ACL", "SETUSER", "ann", "resetchannels", "&b*");
  CHECK(closed() == std::vector<uint64_t>{leaves->session().id});
  Run("ACL", "SETUSER", "ann", "resetchannels", "&b?");
  CHECK(closed().size() == 1);  // b1 is still allowed
  Run("ACL", "SETUSER", "ann", "resetchannels");
  CHECK(closed().size() == 2);
}

TEST_CASE_METHOD(CommandFixture, "ACL: who waits for a key that is not allowed any more is told") {
  Run("ACL", "SETUSER", "ann", "on", "nopass", "+@all", "~a", "~b");
  const auto ann = NewClient();
  ann->Execute({"AUTH", "ann", "x"});
  ann->ExecuteAll({"BLPOP", "a", "0"});
  REQUIRE(ann->blocked());
  Run("ACL", "SETUSER", "ann", "~c");
  CHECK(ann->blocked());
  Run("ACL", "SETUSER", "ann", "resetkeys", "~b");
  CHECK_FALSE(ann->blocked());
  const std::vector<RespValue> replies = ann->TakePushes();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0] == NoKey());
  CHECK(Run("RPUSH", "a", "1") == Int(1));
  CHECK(Run("LLEN", "a") == Int(1));
  CHECK(Field(Run("ACL", "LOG").elements[0], "object") == Bulk("a"));
  CHECK(Run("INFO", "commandstats")
            .text.find("cmdstat_blpop:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,"
                       "failed_calls=0\r\n") != std::string::npos);
}

TEST_CASE_METHOD(CommandFixture, "ACL LOG: no entries at all, if so configured") {
  Run("ACL", "SETUSER", "ann", "on", "nopass", "~a", "+@all");
  const auto ann = NewClient();
  ann->Execute({"AUTH", "ann", "x"});
  ann->Execute({"GET", "b"});
  CHECK(Run("ACL", "LOG").elements.size() == 1);
  CHECK(Run("CONFIG", "SET", "acllog-max-len", "0") == Ok());
  CHECK(Run("ACL", "LOG").elements.size() == 1);
  CHECK(ann->Execute({"GET", "b"}) == NoKey());
  CHECK(Run("ACL", "LOG").elements.empty());
  CHECK(Run("INFO", "stats").text.find("acl_access_denied_key:2\r\n") != std::string::npos);
  Run("CONFIG", "SET", "acllog-max-len", "1");
  ann->Execute({"GET", "b"});
  REQUIRE(Run("ACL", "LOG").elements.size() == 1);
  CHECK(Field(Run("ACL", "LOG").elements[0], "count") == Int(1));
}

TEST_CASE_METHOD(CommandFixture, "ACL LOG: entries, grouping, limits, counts in INFO") {
  BothProtocols([this] {
    Run("ACL", "SETUSER", "ann", "on", "nopass", "~a*", "+@all", "-set");
    const auto ann = NewClient();
    NewClient()->Execute({"AUTH", "nobody", "x"});
    ann->Execute({"AUTH", "ann", "x"});
    ann->Execute({"GET", "b"});
    Advance(1500);
    ann->Execute({"GET", "b"});
    ann->Execute({"SET", "a", "b"});
    ann->Execute({"PUBLISH", "c", "x"});
    const RespValue log = Run("ACL", "LOG");
    REQUIRE(log.elements.size() == 4);
    CHECK(Field(log.elements[0], "reason") == Bulk("channel"));
    CHECK(Field(log.elements[0], "object") == Bulk("c"));
    CHECK(Field(log.elements[1], "reason") == Bulk("command"));
    CHECK(Field(log.elements[1], "object") == Bulk("set"));
    const RespValue key = log.elements[2];
    CHECK(Field(key, "reason") == Bulk("key"));
    CHECK(Field(key, "context") == Bulk("toplevel"));
    CHECK(Field(key, "username") == Bulk("ann"));
    CHECK(Field(key, "count") == Int(2));
    CHECK(Field(key, "timestamp-last-updated") == Int(now_ms()));
    CHECK(Field(key, "timestamp-created") == Int(now_ms() - 1500));
    CHECK(Field(key, "client-info").text.find("user=ann") != std::string::npos);
    CHECK(Field(log.elements[1], "client-info").text.find(" cmd=set ") != std::string::npos);
    CHECK(Field(log.elements[3], "reason") == Bulk("auth"));
    CHECK(Field(log.elements[3], "username") == Bulk("nobody"));
    CHECK(Run("ACL", "LOG", "1").elements.size() == 1);
    CHECK(Run("ACL", "LOG", "-1").elements.empty());
    const std::string info = Run("INFO", "stats").text;
    CHECK(info.find("acl_access_denied_auth:1\r\n") != std::string::npos);
    CHECK(info.find("acl_access_denied_cmd:1\r\n") != std::string::npos);
    CHECK(info.find("acl_access_denied_key:2\r\n") != std::string::npos);
    CHECK(info.find("acl_access_denied_channel:1\r\n") != std::string::npos);
    Run("CONFIG", "SET", "acllog-max-len", "2");
    CHECK(Run("ACL", "LOG").elements.size() == 4);  // until the next one
    ann->Execute({"GET", "c"});
    CHECK(Run("ACL", "LOG").elements.size() == 2);
    CHECK(Run("ACL", "LOG", "RESET") == Ok());
    CHECK(Run("ACL", "LOG").elements.empty());
    // A minute later it is another entry.
    ann->Execute({"GET", "b"});
    Advance(61'000);
    ann->Execute({"GET", "b"});
    CHECK(Run("ACL", "LOG").elements.size() == 2);
  });
}

TEST_CASE_METHOD(CommandFixture, "ACL CAT, GENPASS, DRYRUN, HELP, files that are not configured") {
  CHECK(Run("ACL", "CAT").elements.size() == 21);
  CHECK(Run("ACL", "CAT", "TRANSACTION") ==
        Bulks({"multi", "exec", "discard", "watch", "unwatch"}));
  CHECK(Run("ACL", "CAT", "none") == Error("ERR Unknown category 'none'"));
  CHECK(Run("ACL", "CAT", "a", "b") ==
        Error("ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP."));
  CHECK(Run("ACL", "GENPASS").text.size() == 64);
  CHECK(Run("ACL", "GENPASS", "5").text.size() == 2);
  CHECK(Run("ACL", "GENPASS", "4096").text.size() == 1024);
  for (const std::string_view bits : {"0", "-1", "4097"}) {
    CHECK(Run("ACL", "GENPASS", bits) ==
          Error("ERR ACL GENPASS argument must be the number of bits for the output password, a "
                "positive number up to 4096"));
  }
  CHECK(Run("ACL", "GENPASS", "x") == Error("ERR value is not an integer or out of range"));
  Run("ACL", "SETUSER", "ann", "+get", "~a");
  CHECK(Run("ACL", "DRYRUN", "ann", "get", "a") == Ok());
  CHECK(Run("ACL", "DRYRUN", "ann", "get", "b") ==
        Bulk("User ann has no permissions to access the 'b' key"));
  CHECK(Run("ACL", "DRYRUN", "ann", "config", "get", "b") ==
        Bulk("User ann has no permissions to run the 'config|get' command"));
  CHECK(Run("ACL", "DRYRUN", "bob", "get", "b") == Error("ERR User 'bob' not found"));
  CHECK(Run("ACL", "DRYRUN", "ann", "nope", "b") == Error("ERR Command 'nope' not found"));
  CHECK(Run("ACL", "DRYRUN", "ann", "get") ==
        Error("ERR wrong number of arguments for 'get' command"));
  CHECK(Run("ACL", "HELP").elements.size() > 20);
  CHECK(Run("ACL", "LOAD").text.starts_with("ERR This instance is not configured to use an ACL"));
  CHECK(Run("ACL", "SAVE").text.starts_with("ERR This instance is not configured to use an ACL"));
}

}  // namespace spinel
