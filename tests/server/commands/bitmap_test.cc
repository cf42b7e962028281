#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

const RespValue kBadOffset = Error("ERR bit offset is not an integer or out of range");

}  // namespace

TEST_CASE_METHOD(CommandFixture, "SETBIT, GETBIT: all encodings, gaps, big strings") {
  BothProtocols([this] {
    CHECK(Run("GETBIT", "k", "7") == Int(0));
    CHECK(Run("SETBIT", "k", "1", "1") == Int(0));
    CHECK(Run("SETBIT", "k", "1", "1") == Int(1));
    CHECK(Run("GET", "k") == Bulk("@"));
    CHECK(Run("SETBIT", "k", "1", "0") == Int(1));
    CHECK(Run("SETBIT", "k", "23", "1") == Int(0));
    CHECK(Run("GET", "k") == Bulk(std::string_view("\0\0\1", 3)));
    CHECK(Run("GETBIT", "k", "23") == Int(1));
    CHECK(Run("GETBIT", "k", "4294967295") == Int(0));
    Run("SET", "n", "1");  // 0x31
    CHECK(Run("GETBIT", "n", "7") == Int(1));
    CHECK(Run("SETBIT", "n", "6", "1") == Int(0));
    CHECK(Run("GET", "n") == Bulk("3"));
    CHECK(Run("OBJECT", "ENCODING", "n") == Bulk("raw"));
    CHECK(Run("SETBIT", "n", "8000000", "1") == Int(0));
    CHECK(Run("STRLEN", "n") == Int(1'000'001));
    CHECK(Run("SETBIT", "n", "1000", "1") == Int(0));
    CHECK(Run("BITCOUNT", "n") == Int(6));
  });
}

TEST_CASE_METHOD(CommandFixture, "SETBIT: keeps the expiry; an unchanged bit is no change") {
  Run("SET", "k", "a", "EX", "100");
  const auto other = NewClient();
  other->Execute({"WATCH", "k"});
  CHECK(Run("SETBIT", "k", "1", "1") == Int(1));
  other->Execute({"MULTI"});
  CHECK(other->Execute({"EXEC"}) == Array({}));
  other->Execute({"WATCH", "k"});
  CHECK(Run("SETBIT", "k", "1", "0") == Int(1));
  CHECK(Run("TTL", "k") == Int(100));
  other->Execute({"MULTI"});
  CHECK(other->Execute({"EXEC"}) == NilArray());
}

TEST_CASE_METHOD(CommandFixture, "SETBIT, GETBIT: bad arguments") {
  CHECK(Run("SETBIT", "k", "x", "1") == kBadOffset);
  CHECK(Run("SETBIT", "k", "-1", "1") == kBadOffset);
  CHECK(Run("SETBIT", "k", "4294967296", "1") == kBadOffset);
  CHECK(Run("SETBIT", "k", "9223372036854775807", "1") == kBadOffset);
  CHECK(Run("SETBIT", "k", "#1", "1") == kBadOffset);
  CHECK(Run("SETBIT", "k", "0", "2") == Error("ERR bit is not an integer or out of range"));
  CHECK(Run("SETBIT", "k", "0", "x") == Error("ERR bit is not an integer or out of range"));
  CHECK(Run("GETBIT", "k", "4294967296") == kBadOffset);
  CHECK(Run("EXISTS", "k") == Int(0));
  Run("RPUSH", "list", "a");
  CHECK(Run("SETBIT", "list", "0", "1") == WrongType());
  CHECK(Run("GETBIT", "list", "0") == WrongType());
  CHECK(Run("BITCOUNT", "list") == WrongType());
  CHECK(Run("BITPOS", "list", "0") == WrongType());
  CHECK(Run("BITOP", "OR", "k", "list") == WrongType());
  CHECK(Run("BITFIELD", "list", "GET", "u8", "0") == WrongType());
  CHECK(Run("BITFIELD", "list", "SET", "u8", "0", "1") == WrongType());
}

TEST_CASE_METHOD(CommandFixture, "BITCOUNT: ranges in bytes and bits") {
  CHECK(Run("BITCOUNT", "none") == Int(0));
  CHECK(Run("BITCOUNT", "none", "0", "-1") == Int(0));
  Run("SET", "k", "foobar");
  CHECK(Run("BITCOUNT", "k") == Int(26));
  CHECK(Run("BITCOUNT", "k", "0", "0") == Int(4));
  CHECK(Run("BITCOUNT", "k", "1", "1", "byte") == Int(6));
  CHECK(Run("BITCOUNT", "k", "-100", "100") == Int(26));
  CHECK(Run("BITCOUNT", "k", "-1", "-3") == Int(0));
  CHECK(Run("BITCOUNT", "k", "-100", "-200") == Int(0));
  CHECK(Run("BITCOUNT", "k", "1") == Int(22));
  CHECK(Run("BITCOUNT", "k", "5", "30", "BIT") == Int(17));
  CHECK(Run("BITCOUNT", "k", "-8", "-1", "bit") == Int(4));
  CHECK(Run("BITCOUNT", "k", "0", "9223372036854775807", "BIT") == Int(26));
  CHECK(Run("BITCOUNT", "k", "0", "1", "word") == SyntaxError());
  CHECK(Run("BITCOUNT", "k", "0", "1", "BIT", "x") == SyntaxError());
  CHECK(Run("BITCOUNT", "k", "a", "b") == Error("ERR value is not an integer or out of range"));
  Run("SET", "big", std::string(300'000, '\x0f'));
  CHECK(Run("BITCOUNT", "big") == Int(1'200'000));
}

TEST_CASE_METHOD(CommandFixture,
                 "BITPOS: set and clear bits, ranges, what lies behind the string") {
  CHECK(Run("BITPOS", "none", "0") == Int(0));
  CHECK(Run("BITPOS", "none", "1") == Int(-1));
  Run("SET", "k", std::string_view("\xff\xf0\x00", 3));
  CHECK(Run("BITPOS", "k", "0") == Int(12));
  CHECK(Run("BITPOS", "k", "1", "2") == Int(-1));
  CHECK(Run("BITPOS", "k", "0", "0", "0") == Int(-1));
  CHECK(Run("BITPOS", "k", "1", "9", "20", "BIT") == Int(9));
  CHECK(Run("BITPOS", "k", "0", "-1", "-1", "BIT") == Int(23));
  CHECK(Run("BITPOS", "k", "1", "9") == Int(-1));
  Run("SET", "ones", std::string_view("\xff\xff\xff", 3));
  CHECK(Run("BITPOS", "ones", "0") == Int(24));
  CHECK(Run("BITPOS", "ones", "0", "1") == Int(24));
  CHECK(Run("BITPOS", "ones", "0", "0", "-1") == Int(-1));
  CHECK(Run("BITPOS", "ones", "0", "3") == Int(-1));
  Run("SET", "empty", "");
  CHECK(Run("BITPOS", "empty", "0") == Int(-1));
  CHECK(Run("BITPOS", "k", "2") == Error("ERR The bit argument must be 1 or 0."));
  CHECK(Run("BITPOS", "k", "1", "0", "1", "x") == SyntaxError());
}

TEST_CASE_METHOD(CommandFixture, "BITOP: results of any size, aliases, missing sources") {
  Run("SET", "a", "abc");
  Run("SET", "b", "ab");
  Run("SET", "n", "7");
  CHECK(Run("BITOP", "AND", "d", "a", "b") == Int(3));
  CHECK(Run("GET", "d") == Bulk(std::string_view("ab\0", 3)));
  CHECK(Run("OBJECT", "ENCODING", "d") == Bulk("raw"));
  CHECK(Run("BITOP", "or", "d", "a", "none", "n") == Int(3));
  CHECK(Run("GET", "d") == Bulk("wbc"));
  CHECK(Run("BITOP", "XOR", "a", "a", "a") == Int(3));
  CHECK(Run("GET", "a") == Bulk(std::string_view("\0\0\0", 3)));
  CHECK(Run("BITOP", "NOT", "a", "a") == Int(3));
  CHECK(Run("GET", "a") == Bulk("\xff\xff\xff"));
  CHECK(Run("BITOP", "AND", "d", "a", "none") == Int(3));
  CHECK(Run("GET", "d") == Bulk(std::string_view("\0\0\0", 3)));
  CHECK(Run("BITOP", "NOT", "d", "none") == Int(0));
  CHECK(Run("EXISTS", "d") == Int(0));
  Run("RPUSH", "list", "x");
  CHECK(Run("BITOP", "NOT", "list", "a") == Int(3));  // whatever it was
  const std::string big(100'000, 'x');
  Run("SET", "big", big);
  CHECK(Run("BITOP", "OR", "d", "big", "n") == Int(100'000));
  CHECK(Run("GETRANGE", "d", "0", "1") == Bulk("\x7fx"));
  CHECK(Run("BITOP", "NOT", "big", "big") == Int(100'000));
  CHECK(Run("BITOP", "NOT", "big", "big") == Int(100'000));
  CHECK(Run("GET", "big") == Bulk(big));
  CHECK(Run("BITOP", "NAND", "d", "a") == SyntaxError());
  CHECK(Run("BITOP", "NOT", "d", "a", "b") ==
        Error("ERR BITOP NOT must be called with a single source key."));
}

TEST_CASE_METHOD(CommandFixture, "BITFIELD: the types, offsets and overflows of Redis") {
  BothProtocols([this] {
    CHECK(Run("BITFIELD", "k", "SET", "u8", "0", "255", "GET", "i8", "0", "INCRBY", "u2", "0",
              "1") == Array({Int(0), Int(-1), Int(0)}));
    CHECK(Run("GET", "k") == Bulk("\x3f"));
    CHECK(
        Run("BITFIELD", "k", "GET", "u8", "#1", "GET", "u64", "0").text ==
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
        "i64 is.");
    CHECK(Run("BITFIELD", "s", "INCRBY", "u16", "#2", "70000") == Array({Int(4464)}));
    CHECK(Run("STRLEN", "s") == Int(6));
    CHECK(Run("BITFIELD", "s", "OVERFLOW", "SAT", "INCRBY", "u16", "#2", "70000", "OVERFLOW",
              "FAIL", "INCRBY", "u16", "#2", "1", "GET", "u16",
              "#2") == Array({Int(65535), Nil(), Int(65535)}));
    CHECK(Run("BITFIELD", "s") == Array({}));
    CHECK(Run("BITFIELD", "n", "GET", "i64", "1000000") == Array({Int(0)}));
    CHECK(Run("EXISTS", "n") == Int(0));
    CHECK(Run("BITFIELD", "n", "SET", "i64", "3", "-9223372036854775808") == Array({Int(0)}));
    CHECK(Run("BITFIELD_RO", "n", "GET", "i64", "3", "GET", "u4", "0") ==
          Array({Int(std::numeric_limits<int64_t>::min()), Int(1)}));
    CHECK(Run("BITFIELD_RO", "n", "SET", "u8", "0", "1") ==
          Error("ERR BITFIELD_RO only supports the GET subcommand"));
  });
}

TEST_CASE_METHOD(CommandFixture, "BITFIELD: bad arguments change nothing") {
  CHECK(Run("BITFIELD", "k", "SET", "u8", "0") == SyntaxError());
  CHECK(Run("BITFIELD", "k", "FROB", "u8", "0") == SyntaxError());
  CHECK(Run("BITFIELD", "k", "OVERFLOW", "LATER", "SET", "u8", "0", "1") ==
        Error("ERR Invalid OVERFLOW type specified"));
  CHECK(Run("BITFIELD", "k", "SET", "u8", "#9223372036854775807", "1") == kBadOffset);
  CHECK(Run("BITFIELD", "k", "SET", "u8", "-1", "1") == kBadOffset);
  CHECK(Run("BITFIELD", "k", "SET", "u8", "0", "x") ==
        Error("ERR value is not an integer or out of range"));
  for (const char* type : {"", "i", "u", "i0", "i65", "u0", "x8", "i+8", "u 8"}) {
    CHECK(
        Run("BITFIELD", "k", "SET", type, "0", "1").text.starts_with("ERR Invalid bitfield type"));
  }
  CHECK(Run("EXISTS", "k") == Int(0));
}

}  // namespace spinel
