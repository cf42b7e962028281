#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

RespValue WrongPassword() {
  return Error("WRONGPASS invalid username-password pair or user is disabled.");
}

void SetPassword(Config* config, std::string_view password) {
  const std::string_view pair[] = {"requirepass", password};
  REQUIRE(config->Set(pair).ok());
}

}  // namespace

TEST_CASE_METHOD(CommandFixture, "PING and ECHO: what was sent comes back") {
  BothProtocols([this] {
    CHECK(Run("PING") == Simple("PONG"));
    CHECK(Run("PING", "") == Bulk(""));
    const std::string binary("\r\n\0\xff", 4);
    CHECK(Run("PING", binary) == Bulk(binary));
    CHECK(Run("PING", std::string(100'000, 'x')) == Bulk(std::string(100'000, 'x')));
    CHECK(Run("PING", "a", "b") == WrongArity("ping"));
    CHECK(Run("ECHO", binary) == Bulk(binary));
    CHECK(Run("ECHO") == WrongArity("echo"));
  });
}

TEST_CASE_METHOD(CommandFixture, "SELECT: each database has its own keys") {
  BothProtocols([this] {
    Run("SET", "k", "zero");
    CHECK(Run("SELECT", 15) == Ok());
    CHECK(Run("GET", "k") == Nil());
    CHECK(Run("SELECT", 16) == Error("ERR DB index is out of range"));
    CHECK(Run("SELECT", -1) == Error("ERR DB index is out of range"));
    CHECK(Run("SELECT", "x") == Error("ERR value is not an integer or out of range"));
    CHECK(client().session().db() == 15);
    CHECK(Run("SELECT", 0) == Ok());
    CHECK(Run("GET", "k") == Bulk("zero"));
  });
}

TEST_CASE_METHOD(CommandFixture, "QUIT: answers, then closes") {
  BothProtocols([this] {
    CHECK(Run("QUIT", "now") == Ok());
    CHECK(client().session().close_after_reply);
  });
}

TEST_CASE_METHOD(CommandFixture, "AUTH: without a password") {
  BothProtocols([this] {
    CHECK(Run("AUTH", "x") ==
          Error("ERR AUTH <password> called without any password configured for the default user. "
                "Are you sure your configuration is correct?"));
    CHECK(Run("AUTH", "default", "anything") == Ok());
    CHECK(Run("AUTH", "nobody", "x") == WrongPassword());
    CHECK(Run("AUTH", "a", "b", "c") == SyntaxError());
    CHECK(Run("AUTH") == WrongArity("auth"));
  });
}

TEST_CASE_METHOD(CommandFixture, "AUTH: nothing else before it") {
  SetPassword(&config(), "secret");
  const auto fresh = NewClient();
  CHECK(fresh->Execute({"GET", "k"}) == Error("NOAUTH Authentication required."));
  CHECK(fresh->Execute({"PING"}) == Error("NOAUTH Authentication required."));
  CHECK(fresh->Execute({"AUTH", "wrong"}) == WrongPassword());
  CHECK(fresh->Execute({"AUTH", "default", "secret2"}) == WrongPassword());
  CHECK(fresh->Execute({"AUTH", "nobody", "secret"}) == WrongPassword());
  CHECK(fresh->Execute({"PING"}) == Error("NOAUTH Authentication required."));
  CHECK(fresh->Execute({"AUTH", "secret"}) == Ok());
  CHECK(fresh->Execute({"PING"}) == Simple("PONG"));
  CHECK(fresh->Execute({"AUTH", "wrong"}) == WrongPassword());
  CHECK(fresh->Execute({"PING"}) == Simple("PONG"));

  const auto other = NewClient();
  CHECK(other->Execute({"AUTH", "default", "secret"}) == Ok());
  CHECK(other->Execute({"RESET"}) == Simple("RESET"));
  CHECK(other->Execute({"PING"}) == Error("NOAUTH Authentication required."));
  SetPassword(&config(), "");
  CHECK(other->Execute({"PING"}) == Simple("PONG"));
}

TEST_CASE_METHOD(CommandFixture, "HELLO: says who the server is and switches the protocol") {
  const RespValue hello = Run("HELLO", "3", "SETNAME", "me");
  REQUIRE(hello.type == RespValue::Type::kMap);
  REQUIRE(hello.elements.size() == 14);
  CHECK(hello.elements[0] == Bulk("server"));
  CHECK(hello.elements[1] == Bulk("redis"));
  CHECK(hello.elements[3] == Bulk("7.2.4"));
  CHECK(hello.elements[4] == Bulk("proto"));
  CHECK(hello.elements[5] == Int(3));
  CHECK(hello.elements[7] == Int(static_cast<int64_t>(client().session().id)));
  CHECK(hello.elements[9] == Bulk("standalone"));
  CHECK(hello.elements[11] == Bulk("master"));
  CHECK(hello.elements[13] == Array({}));
  CHECK(Run("CLIENT", "GETNAME") == Bulk("me"));
  CHECK(Run("HELLO").type == RespValue::Type::kMap);
  const RespValue old = Run("HELLO", "2");
  CHECK(old.type == RespValue::Type::kArray);
  CHECK(old.elements.size() == 14);
  CHECK(Run("CLIENT", "GETNAME") == Bulk("me"));
}

TEST_CASE_METHOD(CommandFixture, "HELLO: errors change nothing") {
  BothProtocols([this] {
    const RespVersion version = client().session().resp();
    CHECK(Run("HELLO", "x") == Error("ERR Protocol version is not an integer or out of range"));
    CHECK(Run("HELLO", "1") == Error("NOPROTO unsupported protocol version"));
    CHECK(Run("HELLO", "4") == Error("NOPROTO unsupported protocol version"));
    CHECK(Run("HELLO", "99999999999999999999") ==
          Error("ERR Protocol version is not an integer or out of range"));
    CHECK(Run("HELLO", "3", "WHAT") == Error("ERR Syntax error in HELLO option 'WHAT'"));
    CHECK(Run("HELLO", "3", "AUTH", "default") == Error("ERR Syntax error in HELLO option 'AUTH'"));
    CHECK(Run("HELLO", "3", "SETNAME") == Error("ERR Syntax error in HELLO option 'SETNAME'"));
    CHECK(Run("HELLO", "3", "SETNAME", "a b") ==
          Error("ERR Client names cannot contain spaces, newlines or special characters."));
    CHECK(Run("HELLO", "3", "SETNAME", "n", "AUTH", "nobody", "x") == WrongPassword());
    CHECK(Run("CLIENT", "GETNAME") == Nil());
    CHECK(client().session().resp() == version);
  });
}

TEST_CASE_METHOD(CommandFixture, "HELLO: authenticates") {
  SetPassword(&config(), "secret");
  const auto fresh = NewClient();
  CHECK(fresh->Execute({"HELLO", "3"}) ==
        Error("NOAUTH HELLO must be called with the client already authenticated, otherwise the "
              "HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and "
              "select the RESP protocol version at the same time"));
  CHECK(fresh->session().resp() == RespVersion::kResp2);
  CHECK(fresh->Execute({"HELLO", "3", "AUTH", "default", "wrong"}) == WrongPassword());
  CHECK(fresh->Execute({"HELLO", "3", "AUTH", "default", "secret", "SETNAME", "n"}).type ==
        RespValue::Type::kMap);
  CHECK(fresh->Execute({"CLIENT", "GETNAME"}) == Bulk("n"));
}

TEST_CASE_METHOD(CommandFixture, "RESET: as after connecting") {
  BothProtocols([this] {
    Run("SELECT", 3);
    Run("CLIENT", "SETNAME", "n");
    Run("CLIENT", "SETINFO", "LIB-NAME", "lib");
    Run("CLIENT", "NO-EVICT", "ON");
    Run("CLIENT", "NO-TOUCH", "ON");
    Run("SUBSCRIBE", "c");
    Run("CLIENT", "REPLY", "OFF");
    CHECK(Run("RESET") == Simple("RESET"));
    const Session& session = client().session();
    CHECK(session.db() == 0);
    CHECK(session.resp() == RespVersion::kResp2);
    CHECK(session.names().name.empty());
    CHECK(session.names().lib_name == "lib");
    CHECK_FALSE(session.subscribed());
    CHECK_FALSE(session.no_evict);
    CHECK_FALSE(session.no_touch);
    CHECK(Run("PING") == Simple("PONG"));
    CHECK(NewClient()->Execute({"PUBLISH", "c", "m"}) == Int(0));
  });
}

}  // namespace spinel
