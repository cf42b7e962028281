#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

const RespValue kNoHll = Error("WRONGTYPE Key is not a valid HyperLogLog string value.");
const RespValue kCorrupt = Error("INVALIDOBJ Corrupted HLL object detected");

}  // namespace

TEST_CASE_METHOD(CommandFixture, "PFADD, PFCOUNT: new elements count, sparse and dense") {
  BothProtocols([this] {
    CHECK(Run("PFADD", "h") == Int(1));
    CHECK(Run("PFADD", "h") == Int(0));
    CHECK(Run("PFCOUNT", "h") == Int(0));
    CHECK(Run("PFADD", "h", "a", "b", "c") == Int(1));
    CHECK(Run("PFADD", "h", "a", "b", "c") == Int(0));
    CHECK(Run("PFCOUNT", "h") == Int(3));
    CHECK(Run("PFDEBUG", "ENCODING", "h") == Simple("sparse"));
    CHECK(Run("PFDEBUG", "TODENSE", "h") == Int(1));
    CHECK(Run("PFDEBUG", "TODENSE", "h") == Int(0));
    CHECK(Run("PFDEBUG", "ENCODING", "h") == Simple("dense"));
    CHECK(Run("PFCOUNT", "h") == Int(3));
    CHECK(Run("PFADD", "h", "a", "d") == Int(1));
    CHECK(Run("PFADD", "h", "a", "d") == Int(0));
    CHECK(Run("PFCOUNT", "h") == Int(4));
    CHECK(Run("STRLEN", "h") == Int(12304));
    CHECK(Run("PFDEBUG", "GETREG", "h").elements.size() == 16384);
    CHECK(Run("PFCOUNT", "none") == Int(0));
  });
}

TEST_CASE_METHOD(CommandFixture, "PFADD: the expiry stays; hll-sparse-max-bytes is honoured") {
  Run("PFADD", "h", "a");
  Run("EXPIRE", "h", "100");
  Run("PFADD", "h", "b");
  CHECK(Run("TTL", "h") == Int(100));
  CHECK(Run("CONFIG", "SET", "hll-sparse-max-bytes", "30") == Ok());
  for (int i = 0; i < 20; ++i) Run("PFADD", "h", i);
  CHECK(Run("PFDEBUG", "ENCODING", "h") == Simple("dense"));
  CHECK(Run("PFCOUNT", "h") == Int(22));
  CHECK(Run("CONFIG", "SET", "hll-sparse-max-bytes", "1000000") == Ok());
  for (int i = 0; i < 4000; ++i) Run("PFADD", "all", i);
  CHECK(Run("PFDEBUG", "ENCODING", "all") == Simple("sparse"));
  CHECK(Run("CONFIG", "SET", "hll-sparse-max-bytes", "3000") == Ok());
}

TEST_CASE_METHOD(CommandFixture, "PFCOUNT, PFMERGE: several keys") {
  Run("PFADD", "a", "1", "2", "3");
  Run("PFADD", "b", "3", "4");
  CHECK(Run("PFCOUNT", "a", "b", "none") == Int(4));
  CHECK(Run("PFMERGE", "d", "a", "b") == Ok());
  CHECK(Run("PFCOUNT", "d") == Int(4));
  CHECK(Run("PFDEBUG", "ENCODING", "d") == Simple("sparse"));
  Run("PFDEBUG", "TODENSE", "b");
  CHECK(Run("PFMERGE", "a", "b", "none") == Ok());
  CHECK(Run("PFDEBUG", "ENCODING", "a") == Simple("dense"));
  CHECK(Run("PFCOUNT", "a") == Int(4));
  CHECK(Run("PFMERGE", "fresh") == Ok());
  CHECK(Run("PFCOUNT", "fresh") == Int(0));
}

TEST_CASE_METHOD(CommandFixture,
                 "HyperLogLog: other values and corrupt ones are refused, unchanged") {
  Run("SET", "text", "hello");
  Run("SET", "number", "12");
  Run("RPUSH", "list", "x");
  CHECK(Run("PFADD", "list", "a") == WrongType());
  CHECK(Run("PFCOUNT", "list", "text") == WrongType());
  for (const char* key : {"text", "number"}) {
    CHECK(Run("PFADD", key, "a") == kNoHll);
    CHECK(Run("PFCOUNT", key) == kNoHll);
    CHECK(Run("PFCOUNT", "none", key) == kNoHll);
    CHECK(Run("PFMERGE", "d", key) == kNoHll);
    CHECK(Run("PFDEBUG", "GETREG", key) == kNoHll);
  }
  Run("PFADD", "short", "a", "b");
  Run("APPEND", "short", "hello");
  CHECK(Run("PFCOUNT", "short") == kCorrupt);
  CHECK(Run("PFCOUNT", "short", "none") == kCorrupt);
  CHECK(Run("PFMERGE", "d", "short") == kCorrupt);
  CHECK(Run("PFDEBUG", "TODENSE", "short") == kCorrupt);
  CHECK(Run("PFDEBUG", "GETREG", "short") == kCorrupt);
  CHECK(Run("EXISTS", "d") == Int(0));
  Run("SETRANGE", "short", "1000000", "x");  // too long for any
  CHECK(Run("PFADD", "short", "a") == kCorrupt);
  CHECK(Run("PFDEBUG", "GETREG", "none") == Error("ERR The specified key does not exist"));
  Run("PFADD", "h", "a");
  CHECK(Run("PFDEBUG", "FROB", "h") == Error("ERR Unknown PFDEBUG subcommand 'FROB'"));
  CHECK(Run("PFDEBUG", "DECODE", "h") == Bulk("Z:12711 v:2,1 Z:3672"));
  Run("PFDEBUG", "TODENSE", "h");
  CHECK(Run("PFDEBUG", "DECODE", "h") == Error("ERR HLL encoding is not sparse"));
}

TEST_CASE_METHOD(CommandFixture, "PFSELFTEST: passes") { CHECK(Run("PFSELFTEST") == Ok()); }

}  // namespace spinel
