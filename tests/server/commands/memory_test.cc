#include <catch2/catch.hpp>
#include <map>

#include "tests/support/command_fixture.h"

namespace spinel {

TEST_CASE_METHOD(CommandFixture, "MEMORY USAGE: grows with the key, the value and the expiry") {
  BothProtocols([this] {
    CHECK(Run("MEMORY", "USAGE", "none") == Nil());
    Run("SET", "k", "v");
    const int64_t small = Run("MEMORY", "USAGE", "k").integer;
    CHECK(small >= 24);
    CHECK(small <= 64);
    Run("EXPIRE", "k", "100");
    CHECK(Run("MEMORY", "USAGE", "k").integer > small);
    Run("SET", "k", std::string(1'000'000, 'x'));
    const int64_t big = Run("MEMORY", "USAGE", "k", "SAMPLES", "0").integer;
    CHECK(big >= 1'000'000);
    CHECK(big <= 1'300'000);
    CHECK(Run("MEMORY", "USAGE", "k", "SAMPLES", "-1") == SyntaxError());
    CHECK(Run("MEMORY", "USAGE", "k", "SAMPLES") == SyntaxError());
    CHECK(Run("MEMORY", "USAGE", "k", "FOO", "1") == SyntaxError());
    CHECK(Run("MEMORY", "USAGE", "k", "SAMPLES", "x") ==
          Error("ERR value is not an integer or out of range"));
    CHECK(Run("MEMORY", "USAGE") == WrongArity("memory|usage"));
  });
}

TEST_CASE_METHOD(CommandFixture, "MEMORY STATS: the fields, with true values") {
  BothProtocols([this] {
    for (int i = 0; i < 1000; ++i) Run("SET", "key:" + std::to_string(i), std::string(100, 'x'));
    const RespValue stats = Run("MEMORY", "STATS");
    CHECK(stats.type == (resp3() ? RespValue::Type::kMap : RespValue::Type::kArray));
    std::map<std::string, RespValue> fields;
    REQUIRE(stats.elements.size() % 2 == 0);
    for (size_t i = 0; i < stats.elements.size(); i += 2) {
      fields[stats.elements[i].text] = stats.elements[i + 1];
    }
    CHECK(fields.at("keys.count") == Int(1000));
    CHECK(fields.at("total.allocated").integer > 100'000);
    CHECK(fields.at("peak.allocated").integer >= fields.at("total.allocated").integer);
    CHECK(fields.at("db.0").elements.at(1).integer > 1000);
    CHECK(fields.at("dataset.percentage").type ==
          (resp3() ? RespValue::Type::kDouble : RespValue::Type::kBulk));
    for (const std::string name : {"startup.allocated",
                                   "replication.backlog",
                                   "clients.slaves",
                                   "clients.normal",
                                   "cluster.links",
                                   "aof.buffer",
                                   "lua.caches",
                                   "functions.caches",
                                   "overhead.total",
                                   "keys.bytes-per-key",
                                   "dataset.bytes",
                                   "peak.percentage",
                                   "allocator.allocated",
                                   "allocator.active",
                                   "allocator.resident",
                                   "allocator-fragmentation.ratio",
                                   "allocator-fragmentation.bytes",
                                   "allocator-rss.ratio",
                                   "allocator-rss.bytes",
                                   "rss-overhead.ratio",
                                   "rss-overhead.bytes",
                                   "fragmentation",
                                   "fragmentation.bytes"}) {
      CHECK(fields.count(name) == 1);
    }
  });
}

TEST_CASE_METHOD(CommandFixture, "MEMORY DOCTOR, PURGE, MALLOC-STATS, HELP") {
  BothProtocols([this] {
    const auto text = resp3() ? RespValue::Type::kVerbatim : RespValue::Type::kBulk;
    CHECK(Run("MEMORY", "DOCTOR").type == text);
    CHECK_FALSE(Run("MEMORY", "DOCTOR").text.empty());
    CHECK(Run("MEMORY", "PURGE") == Ok());
    CHECK_FALSE(Run("MEMORY", "MALLOC-STATS").text.empty());
    CHECK(Run("MEMORY", "HELP").elements.size() == 13);
    CHECK(Run("MEMORY", "x") == Error("ERR unknown subcommand 'x'. Try MEMORY HELP."));
  });
}

}  // namespace spinel
