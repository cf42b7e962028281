// FUNCTION and FCALL.

#include <catch2/catch.hpp>

#include "server/scripts.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

constexpr const char* kLibrary =
    "#!lua name=lib\n"
    "local function twice(n) return 2 * n end\n"
    "redis.register_function('f', function(keys, args) return {keys[1], twice(args[1])} end)\n"
    "redis.register_function{function_name='r', callback=function(keys) return "
    "redis.call('GET', keys[1]) end, flags={'no-writes'}, description='reads'}\n";

}  // namespace

TEST_CASE_METHOD(CommandFixture, "FUNCTION: a library is loaded, called, replaced, deleted") {
  CHECK(Run("FUNCTION", "LOAD", kLibrary) == Bulk("lib"));
  CHECK(Run("FUNCTION", "LOAD", kLibrary) == Error("ERR Library 'lib' already exists"));
  CHECK(Run("FUNCTION", "LOAD", "REPLACE", kLibrary) == Bulk("lib"));
  CHECK(Run("FCALL", "F", "1", "k", "21") == Array({Bulk("k"), Int(42)}));
  Run("SET", "k", "v");
  CHECK(Run("FCALL_RO", "r", "1", "k") == Bulk("v"));
  CHECK(Run("FCALL_RO", "f", "0") ==
        Error("ERR Can not execute a script with write flag using *_ro command."));
  CHECK(Run("FCALL", "none", "0") == Error("ERR Function not found"));
  CHECK(Run("FUNCTION", "DELETE", "lib") == Ok());
  CHECK(Run("FUNCTION", "DELETE", "lib") == Error("ERR Library not found"));
  CHECK(Run("FCALL", "f", "0") == Error("ERR Function not found"));
}

TEST_CASE_METHOD(CommandFixture, "FUNCTION: DUMP and RESTORE") {
  Run("FUNCTION", "LOAD", kLibrary);
  const std::string dump = Run("FUNCTION", "DUMP").text;
  CHECK(Run("FUNCTION", "RESTORE", dump) == Error("ERR Library lib already exists"));
  CHECK(Run("FUNCTION", "RESTORE", dump, "REPLACE") == Ok());
  Run("FUNCTION", "FLUSH");
  CHECK(Run("FUNCTION", "RESTORE", dump) == Ok());
  CHECK(Run("FUNCTION", "RESTORE", dump, "FLUSH") == Ok());
  CHECK(Run("FCALL", "f", "1", "k", "1") == Array({Bulk("k"), Int(2)}));
  CHECK(Run("FUNCTION", "RESTORE", "rubbish") ==
        Error("ERR DUMP payload version or checksum are wrong"));
  CHECK(server().scripts().LibraryCodes() == std::vector<std::string>{kLibrary});
}

TEST_CASE_METHOD(CommandFixture, "FUNCTION: a library that is refused leaves nothing behind") {
  const auto refused = [&](const std::string& code) { return Run("FUNCTION", "LOAD", code).text; };
  CHECK(refused("return 1") == "ERR Missing library metadata");
  CHECK(refused("#!lua\nreturn 1") == "ERR Library name was not given");
  CHECK(refused("#!js name=a\nreturn 1") == "ERR Engine 'js' not found");
  CHECK(refused("#!lua name=a\nreturn 1") == "ERR No functions registered");
  CHECK(refused("#!lua name=a\nx = 1").find("Attempt to modify a readonly table") !=
        std::string::npos);
  CHECK(refused("#!lua name=a\nredis.call('PING')").find("nonexistent global variable 'call'") !=
        std::string::npos);
  CHECK(refused("#!lua name=a\nwhile true do end").find("FUNCTION LOAD timeout") !=
        std::string::npos);
  CHECK(Run("FUNCTION", "LIST") == Array({}));
}

}  // namespace spinel
