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
                                   "overhead.db.hashtable.lut",
                                   "overhead.db.hashtable.rehashing",
                                   "db.dict.rehashing.count",
                                   "expiry.timers",
                                   "eviction.queues",
                                   "scripts.interpreters",
                                   "allocator.muzzy",
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

TEST_CASE_METHOD(CommandFixture, "MEMORY STATS: what is not data is told and counted") {
  const auto field = [this](const std::string& name) {
    const RespValue stats = Run("MEMORY", "STATS");
    for (size_t i = 0; i < stats.elements.size(); i += 2) {
      if (stats.elements[i].text == name) return stats.elements[i + 1].integer;
    }
    return int64_t{-1};
  };
  const int64_t startup = field("startup.allocated");
  CHECK(field("lua.caches") == 0);
  CHECK(field("functions.caches") == 0);
  CHECK(field("scripts.interpreters") == 0);
  CHECK(field("eviction.queues") == 0);
  Run("EVAL", "return 1 -- " + std::string(1000, 'x'), "0");
  Run("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 1 end)");
  Run("CONFIG", "SET", "maxmemory-policy", "allkeys-s3");
  for (int i = 0; i < 5000; ++i) Run("SET", fmt::format("key:{}", i), "v", "EX", "100");
  CHECK(field("lua.caches") > 1000);
  CHECK(field("functions.caches") > 60);
  CHECK(field("scripts.interpreters") > 10'000);
  CHECK(field("eviction.queues") > 0);
  CHECK(field("expiry.timers") > 5000 * 8);
  CHECK(field("overhead.db.hashtable.lut") > 5000 * 9);
  CHECK(field("overhead.total") == startup + field("clients.normal") + field("lua.caches") +
                                       field("functions.caches") + field("scripts.interpreters") +
                                       field("eviction.queues") + field("expiry.timers") +
                                       field("overhead.db.hashtable.lut"));
}

TEST_CASE_METHOD(CommandFixture, "INFO memory: every field of Redis 7.2 and Valkey") {
  const std::string text = Run("INFO", "memory").text;
  for (const std::string name : {"used_memory",
                                 "used_memory_human",
                                 "used_memory_rss",
                                 "used_memory_rss_human",
                                 "used_memory_peak",
                                 "used_memory_peak_human",
                                 "used_memory_peak_perc",
                                 "used_memory_overhead",
                                 "used_memory_startup",
                                 "used_memory_dataset",
                                 "used_memory_dataset_perc",
                                 "allocator_allocated",
                                 "allocator_active",
                                 "allocator_resident",
                                 "allocator_muzzy",
                                 "total_system_memory",
                                 "total_system_memory_human",
                                 "used_memory_lua",
                                 "used_memory_vm_eval",
                                 "used_memory_lua_human",
                                 "used_memory_scripts_eval",
                                 "number_of_cached_scripts",
                                 "number_of_functions",
                                 "number_of_libraries",
                                 "used_memory_vm_functions",
                                 "used_memory_vm_total",
                                 "used_memory_vm_total_human",
                                 "used_memory_functions",
                                 "used_memory_scripts",
                                 "used_memory_scripts_human",
                                 "maxmemory",
                                 "maxmemory_human",
                                 "maxmemory_policy",
                                 "allocator_frag_ratio",
                                 "allocator_frag_bytes",
                                 "allocator_rss_ratio",
                                 "allocator_rss_bytes",
                                 "rss_overhead_ratio",
                                 "rss_overhead_bytes",
                                 "mem_fragmentation_ratio",
                                 "mem_fragmentation_bytes",
                                 "mem_not_counted_for_evict",
                                 "mem_replication_backlog",
                                 "mem_total_replication_buffers",
                                 "mem_clients_slaves",
                                 "mem_clients_normal",
                                 "mem_cluster_links",
                                 "mem_aof_buffer",
                                 "mem_allocator",
                                 "mem_overhead_db_hashtable_rehashing",
                                 "active_defrag_running",
                                 "lazyfree_pending_objects",
                                 "lazyfreed_objects"}) {
    INFO(name);
    CHECK(text.find("\n" + name + ":") != std::string::npos);
  }
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
