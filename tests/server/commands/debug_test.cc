#include <catch2/catch.hpp>

#include "server/sha1.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

class DebugFixture : public CommandFixture {
 protected:
  void Allow(ProtectedAction whom) {
    config().enable_debug_command.Store(static_cast<int64_t>(whom));
  }
};

std::string Hex(const Sha1Digest& digest) {
  std::string text;
  for (const uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

TEST_CASE("SHA-1: the standard's examples, and lengths around the block") {
  CHECK(Hex(Sha1("")) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(Hex(Sha1("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(Hex(Sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(Hex(Sha1(std::string(1'000'000, 'a'))) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  CHECK(Hex(Sha1(std::string(55, 'a'))) == "c1c8bbdc22796e28c0e15163d20899b65621d65a");
  CHECK(Hex(Sha1(std::string(56, 'a'))) == "c2db330f6083854c99d4b5bfb6e8f29f201be699");
  CHECK(Hex(Sha1(std::string(64, 'a'))) == "0098ba824b5c16427bd7a1122a5a442a25ec644d");
}

TEST_CASE_METHOD(DebugFixture, "DEBUG: only as enable-debug-command allows") {
  const RespValue refused = Error(
      "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", "
      "you can run it from a local connection, otherwise you need to set this option in the "
      "configuration file, and then restart the server.");
  CHECK(Run("DEBUG", "DIGEST") == refused);
  CHECK(Run("DEBUG", "HELP") == refused);
  Allow(ProtectedAction::kLocal);  // the fixture's clients are
  CHECK(Run("DEBUG", "DIGEST").type == RespValue::Type::kSimple);
  Allow(ProtectedAction::kYes);
  CHECK(Run("DEBUG", "DIGEST").type == RespValue::Type::kSimple);
  CHECK(
      Run("DEBUG", "nothing") ==
      Error("ERR unknown subcommand or wrong number of arguments for 'nothing'. Try DEBUG HELP."));
  CHECK(Run("DEBUG", "SLEEP") ==
        Error("ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP."));
  const RespValue help = Run("DEBUG", "HELP");
  CHECK(help.elements.front() ==
        Simple("DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
  CHECK(help.elements.back() == Simple("    Print this help."));
}

TEST_CASE_METHOD(DebugFixture, "DEBUG OBJECT") {
  Allow(ProtectedAction::kYes);
  CHECK(Run("DEBUG", "OBJECT", "none") == Error("ERR no such key"));
  const auto shows = [this](std::string_view part) {
    return Run("DEBUG", "OBJECT", "k").text.find(part) != std::string::npos;
  };
  Run("SET", "k", "hello");
  Advance(3000);
  CHECK(Run("DEBUG", "OBJECT", "k").text.starts_with("Value at:0x"));
  CHECK(shows(" refcount:1 encoding:embstr serializedlength:6 lru:"));
  CHECK(shows(" lru_seconds_idle:3"));
  const std::pair<const char*, const char*> lengths[] = {
      {"1", "encoding:int serializedlength:2 "},
      {"-129", "encoding:int serializedlength:3 "},
      {"70000", "encoding:int serializedlength:5 "},
      {"70000000000", "encoding:int serializedlength:12 "}};
  for (const auto& [value, part] : lengths) {
    Run("SET", "k", value);
    CHECK(shows(part));
  }
  Run("SET", "k", std::string(64, 'x'));
  CHECK(shows("encoding:raw serializedlength:66 "));
}

TEST_CASE_METHOD(DebugFixture, "DEBUG SET-ACTIVE-EXPIRE") {
  Allow(ProtectedAction::kYes);
  CHECK(Run("DEBUG", "SET-ACTIVE-EXPIRE", "0") == Ok());
  Run("SET", "k", "v", "PX", "10");
  Advance(100);
  CHECK(Run("DBSIZE") == Int(1));
  CHECK(Run("DEBUG", "SET-ACTIVE-EXPIRE", "1") == Ok());
  Advance(100);
  CHECK(Run("DBSIZE") == Int(0));
}

TEST_CASE_METHOD(DebugFixture, "DEBUG PAUSE-CRON") {
  Allow(ProtectedAction::kYes);
  CHECK(Run("DEBUG", "PAUSE-CRON", "1") == Ok());
  CHECK(server().cron_paused);
  CHECK(Run("DEBUG", "PAUSE-CRON", "0") == Ok());
  CHECK_FALSE(server().cron_paused);
  CHECK(Run("DEBUG", "PAUSE-CRON", "x").type == RespValue::Type::kError);
}

TEST_CASE_METHOD(DebugFixture, "DEBUG SLEEP: time has passed for what follows") {
  Allow(ProtectedAction::kYes);
  Run("SET", "k", "v", "PX", "5");
  CHECK(Run("DEBUG", "SLEEP", "0.02") == Ok());
  CHECK(Run("GET", "k") == Nil());
  CHECK(Run("DEBUG", "SLEEP", "x") == Error("ERR value is not a valid float"));
  CHECK(Run("DEBUG", "SLEEP", "-1").type == RespValue::Type::kError);
}

TEST_CASE_METHOD(DebugFixture, "DEBUG POPULATE") {
  Allow(ProtectedAction::kYes);
  Run("SET", "key:1", "mine");
  CHECK(Run("DEBUG", "POPULATE", "100") == Ok());
  CHECK(Run("DBSIZE") == Int(100));
  CHECK(Run("GET", "key:7") == Bulk("value:7"));
  CHECK(Run("GET", "key:1") == Bulk("mine"));
  CHECK(Run("DEBUG", "POPULATE", "3", "p", "10") == Ok());
  CHECK(Run("GET", "p:2") == Bulk(std::string("value:2\0\0\0", 10)));
  CHECK(Run("DEBUG", "POPULATE", "-1").type == RespValue::Type::kError);
}

TEST_CASE_METHOD(DebugFixture, "DEBUG DIGEST: the same for the same content") {
  Allow(ProtectedAction::kYes);
  const RespValue empty = Run("DEBUG", "DIGEST");
  CHECK(empty == Simple(std::string(40, '0')));
  Run("SET", "a", "1");
  Run("SET", "b", "x", "EX", "100");
  const RespValue digest = Run("DEBUG", "DIGEST");
  CHECK_FALSE(digest == empty);
  Run("SET", "a", "2");
  CHECK_FALSE(Run("DEBUG", "DIGEST") == digest);
  Run("FLUSHALL");
  Run("SET", "b", "x", "EX", "7");
  Run("SET", "a", "1");
  CHECK(Run("DEBUG", "DIGEST") == digest);
  Run("PERSIST", "b");
  CHECK_FALSE(Run("DEBUG", "DIGEST") == digest);
  Run("SET", "c", "1");
  const RespValue values = Run("DEBUG", "DIGEST-VALUE", "a", "none", "c", "b");
  REQUIRE(values.elements.size() == 4);
  CHECK(values.elements[0] == values.elements[2]);
  CHECK(values.elements[1] == empty);
  CHECK_FALSE(values.elements[0] == values.elements[3]);
}

TEST_CASE_METHOD(DebugFixture, "DEBUG PROTOCOL: a sample of every type") {
  BothProtocols([this] {
    Allow(ProtectedAction::kYes);
    const auto sample = [this](const char* type) { return Run("DEBUG", "PROTOCOL", type); };
    CHECK(sample("string") == Bulk("Hello World"));
    CHECK(sample("Integer") == Int(12345));
    CHECK(sample("double").text == "3.141");
    CHECK(sample("bignum").text == "1234567999999999999999999999999999999");
    CHECK(sample("null") == Nil());
    CHECK(sample("array") == Array({Int(0), Int(1), Int(2)}));
    CHECK(sample("set").elements.size() == 3);
    CHECK(sample("map").elements.size() == 6);
    CHECK(sample("true").integer == 1);
    CHECK(sample("false").integer == 0);
    CHECK(sample("x").type == RespValue::Type::kError);
    if (resp3()) {
      CHECK(sample("double").type == RespValue::Type::kDouble);
      CHECK(sample("bignum").type == RespValue::Type::kBigNumber);
      CHECK(sample("set").type == RespValue::Type::kSet);
      CHECK(sample("map").type == RespValue::Type::kMap);
      CHECK(sample("true").type == RespValue::Type::kBool);
      CHECK(sample("verbatim").text == "txt:This is a verbatim\nstring");
      CHECK(sample("attrib").type == RespValue::Type::kAttribute);
      CHECK(client().ExecuteAll({"DEBUG", "PROTOCOL", "push"}).size() == 2);
    } else {
      CHECK(sample("verbatim") == Bulk("This is a verbatim\nstring"));
      CHECK(sample("attrib") == Bulk("Some real reply following the attribute"));
      CHECK(sample("push") == Error("ERR RESP2 is not supported by this command"));
    }
  });
}

TEST_CASE_METHOD(DebugFixture, "DEBUG ERROR, STRINGMATCH-LEN, CHANGE-REPL-ID, JMAP") {
  Allow(ProtectedAction::kYes);
  CHECK(Run("DEBUG", "ERROR", "MYCODE text") == Error("MYCODE text"));
  CHECK(Run("DEBUG", "STRINGMATCH-LEN", "10", "a*a") == Int(1));
  CHECK(Run("DEBUG", "STRINGMATCH-LEN", "10", "a*b") == Int(0));
  const std::string before = server().replication_id();
  CHECK(Run("DEBUG", "CHANGE-REPL-ID") == Ok());
  CHECK(server().replication_id() != before);
  CHECK(server().replication_id().size() == 40);
  CHECK_FALSE(Run("DEBUG", "JMAP").text.empty());
}

}  // namespace spinel
