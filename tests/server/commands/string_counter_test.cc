#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

const RespValue kNotAnInteger = Error("ERR value is not an integer or out of range");
const RespValue kNotAFloat = Error("ERR value is not a valid float");
const RespValue kOverflow = Error("ERR increment or decrement would overflow");

}  // namespace

TEST_CASE_METHOD(CommandFixture, "INCR, DECR, INCRBY, DECRBY: add and subtract") {
  BothProtocols([this] {
    CHECK(Run("INCR", "k") == Int(1));
    CHECK(Run("INCRBY", "k", "41") == Int(42));
    CHECK(Run("DECR", "k") == Int(41));
    CHECK(Run("DECRBY", "k", "50") == Int(-9));
    CHECK(Run("GET", "k") == Bulk("-9"));
    CHECK(Run("DECR", "new") == Int(-1));
    CHECK(Run("SET", "text", "100") == Ok());
    CHECK(Run("INCRBY", "text", "-1") == Int(99));
  });
}

TEST_CASE_METHOD(CommandFixture, "INCR: refuses what is no integer and what would overflow") {
  for (const char* value : {"", " 1", "1 ", "1.5", "abc", "01", "+1", "9223372036854775808"}) {
    Run("SET", "k", value);
    CHECK(Run("INCR", "k") == kNotAnInteger);
    CHECK(Run("GET", "k") == Bulk(value));
  }
  Run("SET", "k", "9223372036854775807");
  CHECK(Run("INCR", "k") == kOverflow);
  CHECK(Run("DECRBY", "k", "-1") == kOverflow);
  Run("SET", "k", "-9223372036854775808");
  CHECK(Run("DECR", "k") == kOverflow);
  CHECK(Run("GET", "k") == Bulk("-9223372036854775808"));
  CHECK(Run("DECRBY", "k", "-9223372036854775808") == Error("ERR decrement would overflow"));
  CHECK(Run("INCRBY", "k", "x") == kNotAnInteger);
  CHECK(Run("INCRBY", "k", "9223372036854775808") == kNotAnInteger);
  CHECK(Run("DECRBY", "k", "1.0") == kNotAnInteger);
  Run("SET", "long", std::string(20'000, '1'));
  CHECK(Run("INCR", "long") == kNotAnInteger);
}

TEST_CASE_METHOD(CommandFixture, "INCR: keeps the expiry, and turns text into an integer") {
  Run("SET", "k", "1", "EX", "100");
  Run("INCR", "k");
  CHECK(Run("TTL", "k") == Int(100));
  Run("APPEND", "k", "5");
  CHECK(Run("OBJECT", "ENCODING", "k") == Bulk("raw"));
  CHECK(Run("INCR", "k") == Int(26));
  CHECK(Run("OBJECT", "ENCODING", "k") == Bulk("int"));
  CHECK(Run("TTL", "k") == Int(100));
}

TEST_CASE_METHOD(CommandFixture, "INCRBYFLOAT: the decimal form that Redis gives") {
  BothProtocols([this] {
    const auto sum = [this](std::string_view value, std::string_view increment) {
      Run("SET", "k", value);
      const RespValue result = Run("INCRBYFLOAT", "k", increment);
      if (result.type == RespValue::Type::kBulk) CHECK(Run("GET", "k") == result);
      return result;
    };
    CHECK(Run("INCRBYFLOAT", "new", "1") == Bulk("1"));
    CHECK(sum("1", "0.25") == Bulk("1.25"));
    CHECK(sum("1.5", "1.5") == Bulk("3"));
    CHECK(sum("10.50", "0.1") == Bulk("10.6"));
    CHECK(sum("5.0e3", "2.0e2") == Bulk("5200"));
    CHECK(sum("1", "-1") == Bulk("0"));
    CHECK(sum("1", "-1.1") == Bulk("-0.1"));
    CHECK(sum("-0.0", "-0.0") == Bulk("0"));
    CHECK(sum("0x10", "1") == Bulk("17"));
    CHECK(sum("17179869184", "1.5") == Bulk("17179869185.5"));
    CHECK(sum("1e300", "0").text.size() == 301);
    CHECK(sum("1", "inf") == Error("ERR increment would produce NaN or Infinity"));
    CHECK(sum("-inf", "inf") == Error("ERR increment would produce NaN or Infinity"));
    CHECK(sum("1", "nan") == kNotAFloat);
    CHECK(sum("1", "") == kNotAFloat);
    CHECK(sum("1", " 1") == kNotAFloat);
    CHECK(sum("1", "1 ") == kNotAFloat);
    CHECK(sum("1", "1e5000") == kNotAFloat);
    CHECK(sum("1", "1e-5000") == kNotAFloat);
    CHECK(sum(std::string(5120, '1'), "1") == kNotAFloat);
    // What it answers it also takes.
    CHECK(sum("1e4900", "1").text.size() == 4901);
    CHECK(Run("INCRBYFLOAT", "k", "0").text.size() == 4901);
    CHECK(sum("", "1") == kNotAFloat);
    CHECK(sum("abc", "1") == kNotAFloat);
  });
}

TEST_CASE_METHOD(CommandFixture, "INCRBYFLOAT: keeps the expiry; the result is no integer") {
  Run("SET", "k", "1", "EX", "100");
  CHECK(Run("INCRBYFLOAT", "k", "2") == Bulk("3"));
  CHECK(Run("TTL", "k") == Int(100));
  CHECK(Run("OBJECT", "ENCODING", "k") == Bulk("embstr"));
  CHECK(Run("INCR", "k") == Int(4));
}

TEST_CASE_METHOD(CommandFixture, "counters: arity") {
  CHECK(Run("INCR") == WrongArity("incr"));
  CHECK(Run("INCR", "k", "1") == WrongArity("incr"));
  CHECK(Run("DECR", "k", "1") == WrongArity("decr"));
  CHECK(Run("INCRBY", "k") == WrongArity("incrby"));
  CHECK(Run("DECRBY", "k") == WrongArity("decrby"));
  CHECK(Run("INCRBYFLOAT", "k") == WrongArity("incrbyfloat"));
}

}  // namespace spinel
