#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {

TEST_CASE_METHOD(CommandFixture, "EXPIRE and its relatives, TTL and its relatives") {
  BothProtocols([this] {
    const int64_t now = now_ms();
    CHECK(Run("EXPIRE", "k", "10") == Int(0));
    CHECK(Run("TTL", "k") == Int(-2));
    CHECK(Run("PEXPIRETIME", "k") == Int(-2));
    Run("SET", "k", "v");
    CHECK(Run("PTTL", "k") == Int(-1));
    CHECK(Run("EXPIRETIME", "k") == Int(-1));

    CHECK(Run("EXPIRE", "k", "10") == Int(1));
    CHECK(Run("TTL", "k") == Int(10));
    CHECK(Run("PTTL", "k") == Int(10'000));
    CHECK(Run("EXPIRETIME", "k") == Int(now / 1000 + 10));
    CHECK(Run("PEXPIRETIME", "k") == Int(now + 10'000));

    CHECK(Run("PEXPIRE", "k", "1499") == Int(1));
    CHECK(Run("TTL", "k") == Int(1));
    CHECK(Run("PEXPIRE", "k", "1500") == Int(1));
    CHECK(Run("TTL", "k") == Int(2));
    CHECK(Run("EXPIREAT", "k", now / 1000 + 7) == Int(1));
    CHECK(Run("PTTL", "k") == Int(7'000));
    CHECK(Run("PEXPIREAT", "k", now + 7'499) == Int(1));
    CHECK(Run("EXPIRETIME", "k") == Int(now / 1000 + 7));
    CHECK(Run("GET", "k") == Bulk("v"));
  });
}

TEST_CASE_METHOD(CommandFixture, "EXPIRE: the key is there until its time, then not") {
  BothProtocols([this] {
    Run("SET", "k", "v");
    Run("PEXPIRE", "k", "100");
    AdvanceWithoutTick(100);
    CHECK(Run("PTTL", "k") == Int(0));
    CHECK(Run("EXISTS", "k") == Int(1));
    AdvanceWithoutTick(1);
    CHECK(Run("PTTL", "k") == Int(-2));
    CHECK(Run("DBSIZE") == Int(0));
    Run("SET", "k", "v");
    Run("PEXPIRE", "k", "100");
    Run("PEXPIRE", "k", "1000");
    Advance(500);
    CHECK(Run("PTTL", "k") == Int(500));
    Advance(520);
    CHECK(server().store().Size(0) == 0);  // by the timing wheel
    CHECK(state().stats.store.expired_keys.Get() == 2);
  });
}

TEST_CASE_METHOD(CommandFixture, "EXPIRE: a time that is over removes the key") {
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"EXPIRE", "k", "0"},
                                             {"EXPIRE", "k", "-1"},
                                             {"PEXPIRE", "k", "0"},
                                             {"PEXPIRE", "k", "-9223372036854775808"},
                                             {"EXPIREAT", "k", "0"},
                                             {"EXPIREAT", "k", "-9223372036854775"},
                                             {"PEXPIREAT", "k", std::to_string(now_ms())},
                                             {"PEXPIREAT", "k", "-9223372036854775808"}}) {
    Run("SET", "k", "v");
    CHECK(RunArgs(command) == Int(1));
    CHECK(Run("EXISTS", "k") == Int(0));
    CHECK(RunArgs(command) == Int(0));
  }
  Run("SET", "k", "v");
  CHECK(Run("PEXPIREAT", "k", now_ms() + 1) == Int(1));
  CHECK(Run("EXISTS", "k") == Int(1));
}

TEST_CASE_METHOD(CommandFixture, "EXPIRE: times that cannot be, options that cannot be") {
  BothProtocols([this] {
    Run("SET", "k", "v");
    const auto invalid = [](std::string_view command) {
      return Error(fmt::format("ERR invalid expire time in '{}' command", command));
    };
    const RespValue not_integer = Error("ERR value is not an integer or out of range");
    CHECK(Run("EXPIRE", "k", "9223372036854775807") == invalid("expire"));
    CHECK(Run("EXPIRE", "k", "9223372036854776") == invalid("expire"));
    CHECK(Run("EXPIRE", "k", "9223372036854775") == invalid("expire"));
    CHECK(Run("EXPIRE", "k", "-9223372036854776") == invalid("expire"));
    CHECK(Run("EXPIREAT", "k", "9223372036854776") == invalid("expireat"));
    CHECK(Run("PEXPIRE", "k", "9223372036854770000") == invalid("pexpire"));
    CHECK(Run("EXPIRE", "none", "9223372036854776") == invalid("expire"));
    CHECK(Run("EXPIRE", "k", "x") == not_integer);
    CHECK(Run("EXPIRE", "k", "1.5") == not_integer);
    CHECK(Run("PEXPIREAT", "k", "9223372036854775808") == not_integer);
    CHECK(Run("EXPIRE", "k", "x", "AB") == Error("ERR Unsupported option AB"));
    CHECK(Run("EXPIRE", "k", "1", "NX", "AB") == Error("ERR Unsupported option AB"));
    const RespValue nx =
        Error("ERR NX and XX, GT or LT options at the same time are not compatible");
    CHECK(Run("EXPIRE", "k", "1", "NX", "XX") == nx);
    CHECK(Run("EXPIRE", "k", "1", "NX", "GT") == nx);
    CHECK(Run("EXPIRE", "k", "1", "LT", "NX") == nx);
    CHECK(Run("PEXPIREAT", "k", "1", "GT", "LT") ==
          Error("ERR GT and LT options at the same time are not compatible"));
    CHECK(Run("EXPIRE", "k") == WrongArity("expire"));
    CHECK(Run("TTL", "k") == Int(-1));
  });
}

TEST_CASE_METHOD(CommandFixture, "EXPIRE: NX, XX, GT, LT; no expiry is infinitely late") {
  BothProtocols([this] {
    Run("SET", "k", "v");
    CHECK(Run("EXPIRE", "k", "100", "XX") == Int(0));
    CHECK(Run("EXPIRE", "k", "100", "GT") == Int(0));
    CHECK(Run("EXPIRE", "k", "100", "xx", "gt") == Int(0));
    CHECK(Run("TTL", "k") == Int(-1));
    CHECK(Run("EXPIRE", "k", "100", "NX") == Int(1));
    CHECK(Run("EXPIRE", "k", "200", "NX") == Int(0));
    CHECK(Run("EXPIRE", "k", "100", "GT") == Int(0));
    CHECK(Run("EXPIRE", "k", "100", "LT") == Int(0));
    CHECK(Run("EXPIRE", "k", "200", "GT") == Int(1));
    CHECK(Run("EXPIRE", "k", "150", "GT") == Int(0));
    CHECK(Run("EXPIRE", "k", "150", "XX", "LT") == Int(1));
    CHECK(Run("TTL", "k") == Int(150));
    Run("PERSIST", "k");
    CHECK(Run("EXPIRE", "k", "50", "XX", "LT") == Int(0));
    CHECK(Run("EXPIRE", "k", "50", "LT") == Int(1));
    CHECK(Run("EXPIRE", "k", "-1", "GT") == Int(0));
    CHECK(Run("EXPIRE", "k", "-1", "LT") == Int(1));
    CHECK(Run("EXISTS", "k") == Int(0));
  });
}

TEST_CASE_METHOD(CommandFixture, "PEXPIREAT: the farthest times come back as they were") {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (const int64_t time : {kMax, kMax - 1, int64_t{1} << 48, (int64_t{1} << 48) - 1}) {
    Run("SET", "k", "v");
    CHECK(Run("PEXPIREAT", "k", time) == Int(1));
    CHECK(Run("PEXPIRETIME", "k") == Int(time));
    CHECK(Run("EXPIRETIME", "k") == Int(time / 1000 + (time % 1000 >= 500 ? 1 : 0)));
    CHECK(Run("PTTL", "k") == Int(time - now_ms()));
    CHECK(Run("RENAME", "k", "l") == Ok());
    CHECK(Run("PEXPIRETIME", "l") == Int(time));
    CHECK(Run("COPY", "l", "k") == Int(1));
    CHECK(Run("PEXPIRETIME", "k") == Int(time));
    CHECK(Run("PEXPIRE", "k", "10") == Int(1));
    Advance(30);
    CHECK(server().store().Size(0) == 1);
    Run("DEL", "l");
  }
}

TEST_CASE_METHOD(CommandFixture, "PERSIST") {
  BothProtocols([this] {
    CHECK(Run("PERSIST", "k") == Int(0));
    Run("SET", "k", "v");
    CHECK(Run("PERSIST", "k") == Int(0));
    Run("EXPIRE", "k", "10");
    CHECK(Run("PERSIST", "k") == Int(1));
    CHECK(Run("TTL", "k") == Int(-1));
    Advance(20'000);
    CHECK(Run("GET", "k") == Bulk("v"));
  });
}

TEST_CASE_METHOD(CommandFixture, "EXPIRE touches its key, TTL does not") {
  Run("SET", "k", "v");
  Advance(10'000);
  Run("TTL", "k");
  CHECK(Run("OBJECT", "IDLETIME", "k") == Int(10));
  Run("EXPIRE", "k", "100");
  CHECK(Run("OBJECT", "IDLETIME", "k") == Int(0));
}

TEST_CASE_METHOD(CommandFixture, "EXPIRE of a big value that is over: freed as configured") {
  Run("SET", "k", std::string(20'000, 'x'));
  REQUIRE(Run("CONFIG", "SET", "lazyfree-lazy-expire", "yes") == Ok());
  CHECK(Run("EXPIRE", "k", "-1") == Int(1));
  server().store().reclaimer().Drain();
  CHECK(server().store().reclaimer().freed() == 1);
}

}  // namespace spinel
