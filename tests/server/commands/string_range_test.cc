#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

const RespValue kTooLong = Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");

}  // namespace

TEST_CASE_METHOD(CommandFixture, "APPEND: across encodings") {
  BothProtocols([this] {
    CHECK(Run("APPEND", "k", "12") == Int(2));
    CHECK(Run("OBJECT", "ENCODING", "k") == Bulk("int"));
    CHECK(Run("APPEND", "k", "34") == Int(4));
    CHECK(Run("GET", "k") == Bulk("1234"));
    CHECK(Run("OBJECT", "ENCODING", "k") == Bulk("raw"));
    CHECK(Run("APPEND", "k", "") == Int(4));
    CHECK(Run("APPEND", "empty", "") == Int(0));
    CHECK(Run("EXISTS", "empty") == Int(1));
    std::string model = "1234";
    for (int i = 0; i < 40; ++i) {
      const std::string piece(static_cast<size_t>(997 * i), static_cast<char>('a' + i % 26));
      model += piece;
      CHECK(Run("APPEND", "k", piece) == Int(static_cast<int64_t>(model.size())));
    }
    CHECK(Run("GET", "k") == Bulk(model));
    const std::string big(300'000, 'x');
    CHECK(Run("APPEND", "big", big) == Int(300'000));
    CHECK(Run("APPEND", "big", big) == Int(600'000));
    CHECK(Run("GET", "big") == Bulk(big + big));
  });
}

TEST_CASE_METHOD(CommandFixture, "APPEND, SETRANGE: keep the expiry") {
  Run("SET", "k", "v", "EX", "100");
  Run("APPEND", "k", "w");
  Run("SETRANGE", "k", "30000", "w");
  CHECK(Run("TTL", "k") == Int(100));
}

TEST_CASE_METHOD(CommandFixture, "SETRANGE: overwrites, fills gaps, grows") {
  BothProtocols([this] {
    CHECK(Run("SETRANGE", "k", "0", "") == Int(0));
    CHECK(Run("EXISTS", "k") == Int(0));
    CHECK(Run("SETRANGE", "k", "2", "ab") == Int(4));
    CHECK(Run("GET", "k") == Bulk(std::string_view("\0\0ab", 4)));
    CHECK(Run("SETRANGE", "k", "0", "xy") == Int(4));
    CHECK(Run("SETRANGE", "k", "100", "") == Int(4));
    CHECK(Run("SETRANGE", "k", "3", "zz") == Int(5));
    CHECK(Run("GET", "k") == Bulk("xyazz"));
    Run("SET", "n", "1234");
    CHECK(Run("SETRANGE", "n", "1", "x") == Int(4));
    CHECK(Run("GET", "n") == Bulk("1x34"));
    CHECK(Run("SETRANGE", "n", "999999", "!") == Int(1'000'000));
    CHECK(Run("STRLEN", "n") == Int(1'000'000));
    CHECK(Run("GETRANGE", "n", "0", "4") == Bulk(std::string_view("1x34\0", 5)));
    CHECK(Run("GETRANGE", "n", "-2", "-1") == Bulk(std::string_view("\0!", 2)));
  });
}

TEST_CASE_METHOD(CommandFixture, "SETRANGE, APPEND: offsets and lengths beyond the limits") {
  CHECK(Run("SETRANGE", "k", "-1", "x") == Error("ERR offset is out of range"));
  CHECK(Run("SETRANGE", "k", "x", "x") == Error("ERR value is not an integer or out of range"));
  CHECK(Run("SETRANGE", "k", "536870912", "x") == kTooLong);
  CHECK(Run("SETRANGE", "k", "536870911", "xy") == kTooLong);
  CHECK(Run("SETRANGE", "k", "9223372036854775807", "x") == kTooLong);
  CHECK(Run("SETRANGE", "k", "9223372036854775807", "") == Int(0));
  CHECK(Run("EXISTS", "k") == Int(0));
  Run("CONFIG", "SET", "proto-max-bulk-len", "1mb");
  CHECK(Run("SETRANGE", "k", "1048575", "x") == Int(1'048'576));
  CHECK(Run("APPEND", "k", "x") == kTooLong);
  CHECK(Run("STRLEN", "k") == Int(1'048'576));
}

TEST_CASE_METHOD(CommandFixture, "GETRANGE and SUBSTR: positions from both ends") {
  BothProtocols([this] {
    Run("SET", "k", "Hello World");
    for (const char* name : {"GETRANGE", "SUBSTR"}) {
      CHECK(Run(name, "k", "0", "4") == Bulk("Hello"));
      CHECK(Run(name, "k", "-5", "-1") == Bulk("World"));
      CHECK(Run(name, "k", "0", "-1") == Bulk("Hello World"));
      CHECK(Run(name, "k", "-100", "100") == Bulk("Hello World"));
      CHECK(Run(name, "k", "5", "4") == Bulk(""));
      CHECK(Run(name, "k", "-1", "-5") == Bulk(""));
      CHECK(Run(name, "k", "-100", "-100") == Bulk("H"));
      CHECK(Run(name, "k", "-100", "-101") == Bulk(""));
      CHECK(Run(name, "k", "11", "20") == Bulk(""));
      CHECK(Run(name, "k", "0", "9223372036854775807") == Bulk("Hello World"));
      CHECK(Run(name, "k", "-9223372036854775808", "0") == Bulk("H"));
      CHECK(Run(name, "none", "0", "-1") == Bulk(""));
      CHECK(Run(name, "k", "x", "1") == Error("ERR value is not an integer or out of range"));
    }
    Run("SET", "n", "-12");
    CHECK(Run("GETRANGE", "n", "1", "1") == Bulk("1"));
    Run("SET", "empty", "");
    CHECK(Run("GETRANGE", "empty", "0", "-1") == Bulk(""));
    std::string big(100'000, 'b');
    big[50'000] = '!';
    Run("SET", "big", big);
    CHECK(Run("GETRANGE", "big", "40000", "-2") == Bulk(big.substr(40'000, 59'999)));
    CHECK(Run("GETRANGE", "big", "49999", "50001") == Bulk("b!b"));
  });
}

TEST_CASE_METHOD(CommandFixture, "STRLEN: of every encoding") {
  CHECK(Run("STRLEN", "none") == Int(0));
  Run("SET", "k", "-123");
  CHECK(Run("STRLEN", "k") == Int(4));
  Run("SET", "k", std::string(16'384, 'x'));
  CHECK(Run("STRLEN", "k") == Int(16'384));
  CHECK(Run("STRLEN") == WrongArity("strlen"));
  CHECK(Run("GETRANGE", "k", "0") == WrongArity("getrange"));
  CHECK(Run("SUBSTR", "k", "0") == WrongArity("substr"));
  CHECK(Run("SETRANGE", "k", "0") == WrongArity("setrange"));
  CHECK(Run("APPEND", "k") == WrongArity("append"));
}

}  // namespace spinel
