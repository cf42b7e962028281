#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {

TEST_CASE_METHOD(CommandFixture, "LPOP, RPOP: one, several, none") {
  BothProtocols([this] {
    for (const char* fill : {"-2", "2"}) {
      Run("CONFIG", "SET", "list-max-listpack-size", fill);
      Run("RPUSH", "l", "a", "b", "c", "d", "e", "f");
      CHECK(Run("LPOP", "l") == Bulk("a"));
      CHECK(Run("RPOP", "l") == Bulk("f"));
      CHECK(Run("LPOP", "l", "0") == Array({}));
      CHECK(Run("LPOP", "l", "1") == Bulks({"b"}));
      CHECK(Run("RPOP", "l", "2") == Bulks({"e", "d"}));
      CHECK(Run("RPOP", "l", "9223372036854775807") == Bulks({"c"}));
      CHECK(Run("EXISTS", "l") == Int(0));
    }
    CHECK(Run("LPOP", "none") == Nil());
    const RespValue null = resp3() ? Nil() : NilArray();
    CHECK(Run("LPOP", "none", "0") == null);
    CHECK(Run("RPOP", "none", "1") == null);
    CHECK(Run("LPOP", "none", "-1") == Error("ERR value is out of range, must be positive"));
    CHECK(Run("LPOP", "none", "x") == Error("ERR value is out of range, must be positive"));
    CHECK(Run("LPOP", "none", "1", "1") == WrongArity("lpop"));
    CHECK(Run("RPOP", "none", "1", "1") == WrongArity("rpop"));
  });
}

TEST_CASE_METHOD(CommandFixture, "LMPOP: the first list that exists") {
  BothProtocols([this] {
    Run("RPUSH", "l2", "a", "b", "c");
    CHECK(Run("LMPOP", "2", "l1", "l2", "LEFT") == Array({Bulk("l2"), Bulks({"a"})}));
    CHECK(Run("LMPOP", "2", "l1", "l2", "right", "count", "10") ==
          Array({Bulk("l2"), Bulks({"c", "b"})}));
    CHECK(Run("EXISTS", "l2") == Int(0));
    CHECK(Run("LMPOP", "2", "l1", "l2", "LEFT") == (resp3() ? Nil() : NilArray()));
    for (const char* keys : {"0", "-1", "x", "9223372036854775808"}) {
      CHECK(Run("LMPOP", keys, "l", "LEFT") == Error("ERR numkeys should be greater than 0"));
    }
    CHECK(Run("LMPOP", "3", "l", "LEFT") == SyntaxError());
    CHECK(Run("LMPOP", "9223372036854775807", "l", "LEFT") == SyntaxError());
    CHECK(Run("LMPOP", "1", "l", "UP") == SyntaxError());
    CHECK(Run("LMPOP", "1", "l", "LEFT", "COUNT") == SyntaxError());
    CHECK(Run("LMPOP", "1", "l", "LEFT", "COUNT", "1", "COUNT", "1") == SyntaxError());
    CHECK(Run("LMPOP", "1", "l", "LEFT", "COUNT", "0") ==
          Error("ERR count should be greater than 0"));
  });
}

TEST_CASE_METHOD(CommandFixture, "LMOVE, RPOPLPUSH: between lists and within one") {
  BothProtocols([this] {
    for (const char* fill : {"-2", "2"}) {
      Run("CONFIG", "SET", "list-max-listpack-size", fill);
      Run("RPUSH", "from", "a", "b", "c", "d", "e");
      CHECK(Run("LMOVE", "from", "to", "LEFT", "RIGHT") == Bulk("a"));
      CHECK(Run("LMOVE", "from", "to", "right", "left") == Bulk("e"));
      CHECK(Run("RPOPLPUSH", "from", "to") == Bulk("d"));
      CHECK(Run("LRANGE", "to", "0", "-1") == Bulks({"d", "e", "a"}));
      CHECK(Run("LMOVE", "to", "to", "LEFT", "RIGHT") == Bulk("d"));
      CHECK(Run("LRANGE", "to", "0", "-1") == Bulks({"e", "a", "d"}));
      CHECK(Run("RPOPLPUSH", "to", "to") == Bulk("d"));
      CHECK(Run("LMOVE", "to", "to", "LEFT", "LEFT") == Bulk("d"));
      CHECK(Run("LRANGE", "to", "0", "-1") == Bulks({"d", "e", "a"}));
      CHECK(Run("LMOVE", "from", "to", "LEFT", "LEFT") == Bulk("b"));
      CHECK(Run("LMOVE", "from", "to", "LEFT", "LEFT") == Bulk("c"));
      CHECK(Run("EXISTS", "from") == Int(0));
      CHECK(Run("LMOVE", "from", "to", "LEFT", "LEFT") == Nil());
      CHECK(Run("RPOPLPUSH", "from", "from") == Nil());
      Run("DEL", "to");
      Run("RPUSH", "to", "only");
      Run("PEXPIRE", "to", "1000");
      CHECK(Run("RPOPLPUSH", "to", "to") == Bulk("only"));
      CHECK(Run("PTTL", "to") == Int(1000));
      Run("DEL", "to");
    }
    CHECK(Run("LMOVE", "from", "to", "LEFT", "UP") == SyntaxError());
    CHECK(Run("LMOVE", "from", "to", "UP", "LEFT") == SyntaxError());
    const std::string big(70'000, 'x');
    Run("RPUSH", "from", big, "a");
    CHECK(Run("LMOVE", "from", "to", "LEFT", "RIGHT") == Bulk(big));
    CHECK(Run("LINDEX", "to", "0") == Bulk(big));
    CHECK(Run("LMOVE", "to", "to", "LEFT", "RIGHT") == Bulk(big));
  });
}

}  // namespace spinel
