#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {

TEST_CASE_METHOD(CommandFixture, "MSET and MGET: several keys, also the same one twice") {
  BothProtocols([this] {
    CHECK(Run("MSET", "a", "1", "b", "x y", "a", "2", "c", std::string(20'000, 'c')) == Ok());
    CHECK(Run("MGET", "a", "none", "b", "a", "c") ==
          Array({Bulk("2"), Nil(), Bulk("x y"), Bulk("2"), Bulk(std::string(20'000, 'c'))}));
    Run("SET", "ttl", "v", "EX", "100");
    Run("MSET", "ttl", "w");
    CHECK(Run("TTL", "ttl") == Int(-1));
    CHECK(Run("MSET", "a", "1", "b") == WrongArity("mset"));
    CHECK(Run("MSET", "a") == WrongArity("mset"));
    CHECK(Run("MGET") == WrongArity("mget"));
  });
}

TEST_CASE_METHOD(CommandFixture, "MSETNX: all or nothing") {
  CHECK(Run("MSETNX", "a", "1", "b", "2", "b", "3") == Int(1));
  CHECK(Run("MGET", "a", "b") == Bulks({"1", "3"}));
  CHECK(Run("MSETNX", "c", "1", "b", "4") == Int(0));
  CHECK(Run("EXISTS", "c") == Int(0));
  CHECK(Run("MSETNX", "c", "1", "b") == WrongArity("msetnx"));
  Run("SET", "gone", "x", "PX", "10");
  AdvanceWithoutTick(11);
  CHECK(Run("MSETNX", "gone", "1") == Int(1));
}

TEST_CASE_METHOD(CommandFixture, "MSETEX: conditions and one expiry for all") {
  BothProtocols([this] {
    CHECK(Run("MSETEX", "2", "a", "1", "b", "2", "EX", "100") == Int(1));
    CHECK(Run("MGET", "a", "b") == Bulks({"1", "2"}));
    CHECK(Run("TTL", "b") == Int(100));
    CHECK(Run("MSETEX", "2", "a", "x", "new", "x", "NX") == Int(0));
    CHECK(Run("MSETEX", "2", "a", "x", "new", "x", "XX") == Int(0));
    CHECK(Run("MSETEX", "2", "a", "3", "b", "4", "KEEPTTL", "XX") == Int(1));
    CHECK(Run("TTL", "a") == Int(100));
    CHECK(Run("MSETEX", "1", "a", "5") == Int(1));
    CHECK(Run("TTL", "a") == Int(-1));
    CHECK(Run("MSETEX", "1", "new", "5", "NX", "PXAT", now_ms() + 5000) == Int(1));
    CHECK(Run("PTTL", "new") == Int(5000));
  });
  CHECK(Run("MSETEX", "0", "a", "1") == Error("ERR invalid numkeys value"));
  CHECK(Run("MSETEX", "x", "a", "1") == Error("ERR invalid numkeys value"));
  CHECK(Run("MSETEX", "2", "a", "1") == Error("ERR wrong number of key-value pairs"));
  CHECK(Run("MSETEX", "2147483647", "a", "1") == Error("ERR wrong number of key-value pairs"));
  CHECK(Run("MSETEX", "1", "a", "1", "NX", "XX") == SyntaxError());
  CHECK(Run("MSETEX", "1", "a", "1", "EX", "5", "KEEPTTL") == SyntaxError());
  CHECK(Run("MSETEX", "1", "a", "1", "b", "2") == SyntaxError());
  CHECK(Run("MSETEX", "1", "a", "1", "EX", "0") ==
        Error("ERR invalid expire time in 'msetex' command"));
  CHECK(Run("MSETEX", "1", "a") == WrongArity("msetex"));
}

}  // namespace spinel
