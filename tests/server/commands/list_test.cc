#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {

namespace {
constexpr const char* kNotAnInteger = "ERR value is not an integer or out of range";
constexpr const char* kLimits =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
}  // namespace

TEST_CASE_METHOD(CommandFixture, "LPUSH, RPUSH: order, lengths, and what is there already") {
  BothProtocols([this] {
    CHECK(Run("LPUSH", "l", "a", "b", "c") == Int(3));
    CHECK(Run("RPUSH", "l", "0", "1") == Int(5));
    CHECK(Run("LRANGE", "l", "0", "-1") == Bulks({"c", "b", "a", "0", "1"}));
    CHECK(Run("LLEN", "l") == Int(5));
    CHECK(Run("LLEN", "none") == Int(0));
    CHECK(Run("TYPE", "l") == Simple("list"));
    CHECK(Run("OBJECT", "ENCODING", "l") == Bulk("listpack"));
    CHECK(Run("LPUSHX", "none", "a") == Int(0));
    CHECK(Run("RPUSHX", "none", "a") == Int(0));
    CHECK(Run("EXISTS", "none") == Int(0));
    CHECK(Run("LPUSHX", "l", "x", "y") == Int(7));
    CHECK(Run("RPUSHX", "l", "", "z") == Int(9));
    CHECK(Run("LRANGE", "l", "0", "1") == Bulks({"y", "x"}));
    CHECK(Run("LRANGE", "l", "-2", "-1") == Bulks({"", "z"}));
    CHECK(Run("LPUSH", "l") == WrongArity("lpush"));
    Run("PEXPIRE", "l", "1000");
    Run("RPUSH", "l", "more");
    CHECK(Run("PTTL", "l") == Int(1000));
  });
}

TEST_CASE_METHOD(CommandFixture, "Lists: another type is refused, and stays as it was") {
  BothProtocols([this] {
    Run("SET", "s", "x");
    Run("RPUSH", "l", "a");
    CHECK(Run("LPUSH", "s", "a") == WrongType());
    CHECK(Run("RPUSH", "s", "a") == WrongType());
    CHECK(Run("LPUSHX", "s", "a") == WrongType());
    CHECK(Run("RPUSHX", "s", "a") == WrongType());
    CHECK(Run("LPOP", "s") == WrongType());
    CHECK(Run("RPOP", "s", "2") == WrongType());
    CHECK(Run("LLEN", "s") == WrongType());
    CHECK(Run("LINDEX", "s", "x") == WrongType());
    CHECK(Run("LSET", "s", "x", "a") == WrongType());
    CHECK(Run("LINSERT", "s", "BEFORE", "a", "b") == WrongType());
    CHECK(Run("LRANGE", "s", "0", "1") == WrongType());
    CHECK(Run("LTRIM", "s", "0", "1") == WrongType());
    CHECK(Run("LREM", "s", "0", "1") == WrongType());
    CHECK(Run("LPOS", "s", "a") == WrongType());
    CHECK(Run("LMOVE", "s", "l", "LEFT", "LEFT") == WrongType());
    CHECK(Run("LMOVE", "l", "s", "LEFT", "LEFT") == WrongType());
    CHECK(Run("RPOPLPUSH", "l", "s") == WrongType());
    CHECK(Run("LMPOP", "2", "none", "s", "LEFT") == WrongType());
    CHECK(Run("GET", "l") == WrongType());
    CHECK(Run("GET", "s") == Bulk("x"));
    CHECK(Run("LRANGE", "l", "0", "-1") == Bulks({"a"}));
  });
}

TEST_CASE_METHOD(CommandFixture, "LINDEX, LRANGE: indexes from both ends, in both forms") {
  BothProtocols([this] {
    for (const char* fill : {"-2", "2"}) {
      Run("CONFIG", "SET", "list-max-listpack-size", fill);
      Run("DEL", "l");
      Run("RPUSH", "l", "a", "b", "c", "d", "e");
      CHECK(Run("LINDEX", "l", "0") == Bulk("a"));
      CHECK(Run("LINDEX", "l", "3") == Bulk("d"));
      CHECK(Run("LINDEX", "l", "-5") == Bulk("a"));
      CHECK(Run("LINDEX", "l", "5") == Nil());
      CHECK(Run("LINDEX", "l", "-6") == Nil());
      CHECK(Run("LINDEX", "l", "-9223372036854775808") == Nil());
      CHECK(Run("LINDEX", "l", "x") == Error(kNotAnInteger));
      CHECK(Run("LINDEX", "none", "x") == Nil());
      CHECK(Run("LRANGE", "l", "1", "-2") == Bulks({"b", "c", "d"}));
      CHECK(Run("LRANGE", "l", "-100", "1") == Bulks({"a", "b"}));
      CHECK(Run("LRANGE", "l", "3", "9223372036854775807") == Bulks({"d", "e"}));
      CHECK(Run("LRANGE", "l", "3", "1") == Bulks({}));
      CHECK(Run("LRANGE", "l", "5", "9") == Bulks({}));
      CHECK(Run("LRANGE", "none", "0", "-1") == Bulks({}));
      CHECK(Run("LRANGE", "l", "x", "1") == Error(kNotAnInteger));
      CHECK(Run("LRANGE", "none", "0", "1.0") == Error(kNotAnInteger));
    }
  });
}

TEST_CASE_METHOD(CommandFixture, "LSET: replaces, in both forms; the encoding follows") {
  BothProtocols([this] {
    CHECK(Run("LSET", "none", "x", "a") == Error("ERR no such key"));
    Run("CONFIG", "SET", "list-max-listpack-size", "-1");
    Run("RPUSH", "l", "a", "b", "c");
    CHECK(Run("LSET", "l", "-1", "z") == Ok());
    CHECK(Run("LSET", "l", "3", "z") == Error("ERR index out of range"));
    CHECK(Run("LSET", "l", "-4", "z") == Error("ERR index out of range"));
    CHECK(Run("LSET", "l", "x", "z") == Error(kNotAnInteger));
    const std::string big(8192, 'x');
    CHECK(Run("LSET", "l", "0", big) == Ok());
    CHECK(Run("OBJECT", "ENCODING", "l") == Bulk("quicklist"));
    CHECK(Run("LRANGE", "l", "0", "-1") == Bulks({big, "b", "z"}));
    CHECK(Run("LSET", "l", "0", "small") == Ok());
    CHECK(Run("OBJECT", "ENCODING", "l") == Bulk("listpack"));
    CHECK(Run("LRANGE", "l", "0", "-1") == Bulks({"small", "b", "z"}));
  });
}

TEST_CASE_METHOD(CommandFixture, "LINSERT: next to the first match") {
  BothProtocols([this] {
    for (const char* fill : {"-2", "2"}) {
      Run("CONFIG", "SET", "list-max-listpack-size", fill);
      Run("DEL", "l");
      Run("RPUSH", "l", "a", "b", "c", "b");
      CHECK(Run("LINSERT", "l", "before", "b", "x") == Int(5));
      CHECK(Run("LINSERT", "l", "AFTER", "b", "y") == Int(6));
      CHECK(Run("LINSERT", "l", "AFTER", "none", "y") == Int(-1));
      CHECK(Run("LINSERT", "none", "AFTER", "b", "y") == Int(0));
      CHECK(Run("LINSERT", "l", "AT", "b", "y") == SyntaxError());
      CHECK(Run("LINSERT", "none", "AT", "b", "y") == SyntaxError());
      CHECK(Run("LRANGE", "l", "0", "-1") == Bulks({"a", "x", "b", "y", "c", "b"}));
    }
  });
}

TEST_CASE_METHOD(CommandFixture, "LREM: from the head, from the tail, all") {
  BothProtocols([this] {
    for (const char* fill : {"-2", "2"}) {
      Run("CONFIG", "SET", "list-max-listpack-size", fill);
      Run("DEL", "l");
      Run("RPUSH", "l", "a", "b", "a", "c", "a", "b", "a");
      CHECK(Run("LREM", "l", "2", "a") == Int(2));
      CHECK(Run("LRANGE", "l", "0", "-1") == Bulks({"b", "c", "a", "b", "a"}));
      CHECK(Run("LREM", "l", "-1", "b") == Int(1));
      CHECK(Run("LRANGE", "l", "0", "-1") == Bulks({"b", "c", "a", "a"}));
      CHECK(Run("LREM", "l", "0", "none") == Int(0));
      CHECK(Run("LREM", "l", "-9223372036854775807", "a") == Int(2));
      CHECK(Run("LREM", "l", "-9223372036854775808", "a") == Error(kLimits));
      CHECK(Run("LREM", "l", "x", "a") == Error(kNotAnInteger));
      CHECK(Run("LREM", "none", "1", "a") == Int(0));
      CHECK(Run("LREM", "l", "0", "b") == Int(1));
      CHECK(Run("LREM", "l", "0", "c") == Int(1));
      CHECK(Run("EXISTS", "l") == Int(0));
    }
  });
}

TEST_CASE_METHOD(CommandFixture, "LTRIM: keeps a range; an empty one removes the key") {
  BothProtocols([this] {
    for (const char* fill : {"-2", "2"}) {
      Run("CONFIG", "SET", "list-max-listpack-size", fill);
      Run("DEL", "l");
      Run("RPUSH", "l", "a", "b", "c", "d", "e");
      CHECK(Run("LTRIM", "l", "-100", "100") == Ok());
      CHECK(Run("LTRIM", "l", "1", "-2") == Ok());
      CHECK(Run("LRANGE", "l", "0", "-1") == Bulks({"b", "c", "d"}));
      CHECK(Run("LTRIM", "l", "x", "1") == Error(kNotAnInteger));
      CHECK(Run("LTRIM", "none", "0", "1") == Ok());
      CHECK(Run("LTRIM", "l", "2", "1") == Ok());
      CHECK(Run("EXISTS", "l") == Int(0));
    }
  });
}

TEST_CASE_METHOD(CommandFixture, "LPOS: rank, count and length") {
  BothProtocols([this] {
    for (const char* fill : {"-2", "2"}) {
      Run("CONFIG", "SET", "list-max-listpack-size", fill);
      Run("DEL", "l");
      Run("RPUSH", "l", "a", "b", "c", "1", "2", "3", "c", "c");
      CHECK(Run("LPOS", "l", "a") == Int(0));
      CHECK(Run("LPOS", "l", "c", "RANK", "-1") == Int(7));
      CHECK(Run("LPOS", "l", "c", "RANK", "2") == Int(6));
      CHECK(Run("LPOS", "l", "c", "RANK", "4") == Nil());
      CHECK(Run("LPOS", "l", "x") == Nil());
      CHECK(Run("LPOS", "l", "x", "COUNT", "0") == Array({}));
      CHECK(Run("LPOS", "l", "c", "COUNT", "2") == Array({Int(2), Int(6)}));
      CHECK(Run("LPOS", "l", "c", "COUNT", "0", "RANK", "-2") == Array({Int(6), Int(2)}));
      CHECK(Run("LPOS", "l", "c", "MAXLEN", "2") == Nil());
      CHECK(Run("LPOS", "l", "c", "count", "0", "maxlen", "3", "rank", "-1") ==
            Array({Int(7), Int(6)}));
      CHECK(Run("LPOS", "none", "c") == Nil());
      CHECK(Run("LPOS", "none", "c", "COUNT", "1") == Array({}));
    }
    CHECK(
        Run("LPOS", "l", "c", "RANK", "0") ==
        Error("ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
              "or use negative to start from the end of the list"));
    CHECK(Run("LPOS", "l", "c", "RANK", "-9223372036854775808") == Error(kLimits));
    CHECK(Run("LPOS", "l", "c", "COUNT", "-1") == Error("ERR COUNT can't be negative"));
    CHECK(Run("LPOS", "l", "c", "MAXLEN", "-1") == Error("ERR MAXLEN can't be negative"));
    CHECK(Run("LPOS", "l", "c", "COUNT") == SyntaxError());
    CHECK(Run("LPOS", "l", "c", "LIMIT", "1") == SyntaxError());
  });
}

TEST_CASE_METHOD(CommandFixture, "Lists: DEBUG DIGEST-VALUE is Redis's, changes are counted") {
  Run("CONFIG", "SET", "enable-debug-command", "yes");
  const uint64_t before = server().Changes();
  Run("RPUSH", "l", "a", "b", "c");
  CHECK(server().Changes() - before == 3);
  Run("LPOP", "l", "2");
  CHECK(server().Changes() - before == 5);
  Run("LTRIM", "l", "0", "-1");
  CHECK(server().Changes() - before == 5);
  Run("RPOP", "l");
  CHECK(server().Changes() - before == 6);
}

}  // namespace spinel
