// EVAL and its like, SCRIPT, conversions both ways, the sandbox, hostile scripts.

#include <catch2/catch.hpp>

#include "server/scripts.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

std::string TextOf(const RespValue& value) { return value.text; }

bool FailsWith(const RespValue& value, std::string_view part) {
  INFO(ToString(value));
  return value.type == RespValue::Type::kError && value.text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE_METHOD(CommandFixture, "EVAL: values of Lua as replies") {
  BothProtocols([&] {
    CHECK(Run("EVAL", "return 3.99", "0") == Int(3));
    CHECK(Run("EVAL", "return 'a\\0b'", "0") == Bulk(std::string_view("a\0b", 3)));
    CHECK(Run("EVAL", "return true", "0") == Int(1));
    CHECK(Run("EVAL", "return false", "0") == Nil());
    CHECK(Run("EVAL", "return {ok='fine'}", "0") == Simple("fine"));
    CHECK(Run("EVAL", "return {1,2,nil,4}", "0") == Array({Int(1), Int(2)}));
    CHECK(Run("EVAL", "return {KEYS[1],ARGV[1],#KEYS,#ARGV}", "1", "k", "a") ==
          Array({Bulk("k"), Bulk("a"), Int(1), Int(1)}));
    CHECK(Run("EVAL", "return redis.error_reply('MY text')", "0") == Error("MY text"));
    CHECK(Run("EVAL", "return redis.status_reply('OK')", "0") == Ok());
  });
}

TEST_CASE_METHOD(CommandFixture, "EVAL: replies as values of Lua") {
  Run("SET", "k", "v");
  Run("HSET", "h", "f", "1");
  CHECK(Run("EVAL", "return redis.call('GET', KEYS[1])", "1", "k") == Bulk("v"));
  CHECK(Run("EVAL", "return type(redis.call('GET', 'none'))", "0") == Bulk("boolean"));
  CHECK(Run("EVAL", "return redis.call('SET', 'k', 5)['ok']", "0") == Bulk("OK"));
  CHECK(Run("EVAL", "return redis.pcall('INCR', 'h')['err']", "0") ==
        Bulk("WRONGTYPE Operation against a key holding the wrong kind of value"));
  CHECK(Run("EVAL", "redis.setresp(3); return redis.call('HGETALL', 'h')['map']['f']", "0") ==
        Bulk("1"));
  CHECK(Run("EVAL", "redis.call('SET', 'n', 9007199254740991) return redis.call('GET', 'n')",
            "0") == Bulk("9007199254740991"));
}

TEST_CASE_METHOD(CommandFixture, "EVAL: errors name the script and the line") {
  const std::string text = TextOf(Run("EVAL", "\nreturn nothing", "0"));
  CHECK(text.find("ERR user_script:2: Script attempted to access nonexistent global variable "
                  "'nothing' script: ") == 0);
  CHECK(text.find(", on @user_script:2.") != std::string::npos);
  CHECK(FailsWith(Run("EVAL", "return redis.call('NONE')", "0"),
                  "ERR Unknown command called from script script: "));
  CHECK(FailsWith(Run("EVAL", "return redis.call('GET')", "0"),
                  "ERR Wrong number of args calling command from script"));
  CHECK(FailsWith(Run("EVAL", "return redis.call('MULTI')", "0"),
                  "ERR This Redis command is not allowed from script"));
  CHECK(FailsWith(Run("EVAL", "return (", "0"), "ERR Error compiling script (new function): "));
  CHECK(FailsWith(Run("EVAL_RO", "return redis.call('SET', 'a', 'b')", "0"),
                  "ERR Write commands are not allowed from read-only scripts."));
  CHECK(Run("EVAL", "return 1", "-1") == Error("ERR Number of keys can't be negative"));
}

TEST_CASE_METHOD(CommandFixture, "SCRIPT: the cache") {
  const std::string sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
  const RespValue unknown = Error("NOSCRIPT No matching script. Please use EVAL.");
  CHECK(Run("EVALSHA", sha, "0") == unknown);
  CHECK(Run("SCRIPT", "LOAD", "return 1") == Bulk(sha));
  CHECK(Run("EVALSHA", "E0E1F9FABFC9D4800C877A703B823AC0578FF8DB", "0") == Int(1));
  CHECK(Run("SCRIPT", "EXISTS", sha, "none") == Array({Int(1), Int(0)}));
  CHECK(Run("SCRIPT", "SHOW", sha) == Bulk("return 1"));
  CHECK(Run("SCRIPT", "FLUSH", "SYNC") == Ok());
  CHECK(Run("EVALSHA", sha, "0") == unknown);
  CHECK(Run("SCRIPT", "KILL") == Error("NOTBUSY No scripts in execution right now."));
  for (int i = 0; i < 510; ++i) Run("EVAL", "return " + std::to_string(i), "0");
  CHECK(server().scripts().count() == Scripts::kEvalScripts);
  CHECK(server().scripts().evicted() == 10);
}

TEST_CASE_METHOD(CommandFixture, "Scripts: declared keys are learned, others work at any time") {
  const std::string script =
      "redis.call('INCR', KEYS[1]) "
      "if ARGV[1] then redis.call('SET', ARGV[1], 'x') redis.call('DBSIZE') end "
      "return redis.call('GET', KEYS[1])";
  for (int i = 1; i <= 6; ++i) CHECK(Run("EVAL", script, "1", "n") == Bulk(std::to_string(i)));
  CHECK(Run("EVAL", script, "1", "n", "other") == Bulk("7"));
  CHECK(Run("GET", "other") == Bulk("x"));
  CHECK(Run("EVAL", script, "1", "n", "other") == Bulk("8"));

  const std::string reader = "return redis.call('GET', ARGV[1] or KEYS[1])";
  for (int i = 0; i < 6; ++i) CHECK(Run("EVAL", reader, "1", "n") == Bulk("8"));
  CHECK(Run("EVAL", reader, "1", "n", "other") == Bulk("x"));
}

TEST_CASE_METHOD(CommandFixture, "Scripts: SELECT stays inside; EXEC runs them") {
  Run("EVAL", "redis.call('SELECT', 5) redis.call('SET', 'k', 'five')", "0");
  CHECK(Run("GET", "k") == Nil());
  Run("MULTI");
  Run("EVAL", "return redis.call('SET', KEYS[1], 'v')", "1", "k");
  CHECK(Run("EXEC") == Array({Ok()}));
}

TEST_CASE_METHOD(CommandFixture, "Scripts: MONITOR shows them in front of what they call") {
  const auto monitor = NewClient();
  monitor->Execute({"MONITOR"});
  Run("EVAL", "return redis.call('GET', KEYS[1])", "1", "k");
  const auto lines = monitor->TakePushes();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].text.find("\"EVAL\"") != std::string::npos);
  CHECK(lines[1].text.find("[0 lua] \"GET\" \"k\"") != std::string::npos);
}

TEST_CASE_METHOD(CommandFixture, "Scripts: SORT BY a constant has an order for them") {
  Run("SADD", "s", "b", "d", "aa", "c", "a");
  CHECK(Run("EVAL", "return redis.call('SORT', KEYS[1], 'BY', 'nosort')", "1", "s") ==
        Bulks({"a", "aa", "b", "c", "d"}));
}

TEST_CASE_METHOD(CommandFixture, "Scripts: the libraries") {
  CHECK(Run("EVAL", "return cjson.encode({1, 'a/\"', {x=true}, cjson.null})", "0") ==
        Bulk("[1,\"a\\/\\\"\",{\"x\":true},null]"));
  CHECK(Run("EVAL", "return cjson.decode('{\"a\":[1,\"\\\\u00e9\"]}').a[2]", "0") ==
        Bulk("\u00e9"));
  CHECK(FailsWith(Run("EVAL", "return cjson.decode('[1,')", "0"),
                  "Expected value but found T_END at character 4"));
  CHECK(Run("EVAL", "return cmsgpack.unpack(cmsgpack.pack({a={1,2,-3}})).a[3]", "0") == Int(-3));
  CHECK(Run("EVAL", "return {struct.unpack('>I2', struct.pack('>I2', 258))}", "0") ==
        Array({Int(258), Int(3)}));
  CHECK(Run("EVAL", "return bit.tohex(bit.bxor(0xff, 0x0f))", "0") == Bulk("000000f0"));
  CHECK(Run("EVAL", "return redis.sha1hex('')", "0") ==
        Bulk("da39a3ee5e6b4b0d3255bfef95601890afd80709"));
}

TEST_CASE_METHOD(CommandFixture, "Sandbox: nothing can be changed or escaped from") {
  const std::string_view kReadOnly = "Attempt to modify a readonly table";
  for (const char* script :
       {"redis = 1", "_G = {}", "redis.call = 1", "cjson.encode = 1", "setmetatable(_G, {})",
        "getmetatable(_G).__index = {}", "rawset(redis, 'call', 1)", "table.insert(_G, 1)",
        "getmetatable('').__index = 1", "string.rep = 1", "setmetatable(redis, nil)"}) {
    CAPTURE(script);
    CHECK(FailsWith(Run("EVAL", script, "0"), kReadOnly));
  }
  CHECK(FailsWith(Run("EVAL", "return loadstring(string.dump(function() end))()", "0"),
                  "attempt to call a nil value"));
  CHECK(FailsWith(Run("EVAL", "return newproxy()", "0"), "nonexistent global variable"));
  CHECK(FailsWith(Run("EVAL", "os.execute('true')", "0"), "attempt to call field 'execute'"));
}

TEST_CASE_METHOD(CommandFixture, "Hostile scripts end in an error, and the memory is back") {
  for (const char* script :
       {"local s = 'x' while true do s = s .. s end", "return string.rep('x', 1e9)",
        "local t = {} while true do t[#t + 1] = string.rep('y', 100000) .. #t end",
        "local function f() return 1 + f() end return f()",
        "return cjson.decode(string.rep('[', 100000))", "return unpack({}, 0, 2^31 - 1)",
        "return string.find(string.rep('a', 300000), string.rep('a?', 300000))",
        "local f = setmetatable({}, {__index = function(t, k) return t[k] end}) return f.x"}) {
    CAPTURE(script);
    CHECK(Run("EVAL", script, "0").type == RespValue::Type::kError);
    CHECK(Run("EVAL", "return collectgarbage('count') < 20000", "0") == Int(1));
  }
}

TEST_CASE_METHOD(CommandFixture, "A script that takes too long can be killed, pcall or not") {
  Run("CONFIG", "SET", "busy-reply-threshold", "1");
  const auto other = NewClient();
  for (const char* script :
       {"while true do end", "while true do pcall(function() while true do end end) end",
        "while true do coroutine.wrap(function() while true do end end)() end"}) {
    state().look_after_clients = [&] {
      CHECK(FailsWith(other->Execute({"GET", "k"}), "BUSY Redis is busy running a script."));
      CHECK(FailsWith(other->Execute({"FUNCTION", "KILL"}), "BUSY"));
      CHECK(other->Execute({"SCRIPT", "KILL"}) == Ok());
    };
    CHECK(FailsWith(Run("EVAL", script, "0"), "Script killed by user with SCRIPT KILL."));
  }
  state().look_after_clients = [&] {
    CHECK(FailsWith(other->Execute({"SCRIPT", "KILL"}), "UNKILLABLE"));
    server().scripts().Abort();
  };
  CHECK(FailsWith(Run("EVAL", "redis.call('SET', 'k', 1) while true do end", "0"), "killed"));
  CHECK(other->Execute({"GET", "k"}) == Bulk("1"));
}

TEST_CASE_METHOD(CommandFixture, "Scripts: errors are counted once") {
  Run("CONFIG", "RESETSTAT");
  Run("EVAL", "return redis.call('SELECT', 99)", "0");
  CHECK(state().stats.error_replies.Get() == 1);
  Run("EVAL", "return redis.pcall('SELECT', 99)", "0");
  CHECK(state().stats.error_replies.Get() == 2);
}

}  // namespace spinel
