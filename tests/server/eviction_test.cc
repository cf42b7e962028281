// Limits of memory and what happens at them, by commands.

#include <catch2/catch.hpp>
#include <set>

#include "server/eviction_policy.h"
#include "server/host_resources.h"
#include "server/memory_keeper.h"
#include "storage/evictor.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

#if defined(SPINEL_JEMALLOC)

const RespValue kOom = Error("OOM command not allowed when used memory > 'maxmemory'.");

class EvictionFixture : public CommandFixture {
 protected:
  // A limit that leaves room for so many bytes, and a policy.
  void Limit(int64_t room, std::string_view policy) {
    REQUIRE(Run("CONFIG", "SET", "maxmemory-eviction-tenacity", "100") == Ok());
    REQUIRE(Run("CONFIG", "SET", "maxmemory-policy", policy) == Ok());
    // Every stripe has its table, and every class of sizes its first slab.
    for (int i = 0; i < 8000; ++i) Run("SET", fmt::format("warm:{}", i), std::string(1000, 'x'));
    for (int i = 0; i < 8000; ++i) Run("DEL", fmt::format("warm:{}", i));
    const int64_t used = static_cast<int64_t>(ReadProcessMemory().allocated);
    limit_ = used + room;
    REQUIRE(Run("CONFIG", "SET", "maxmemory", limit_) == Ok());
  }
  // Whoever has been refused has given back what his request took: that may be what was missing.
  void Tighten() { Tighten(&client()); }
  void Tighten(TestClient* client) {
    const std::string less = std::to_string(limit_ - 50'000);
    REQUIRE(client->Execute({"CONFIG", "SET", "maxmemory", less}) == Ok());
  }
  // What a loop does between batches.
  void Tick() { server().memory().Tick(&state()); }
  // SETs `count` keys of 1 KB, with ticks in between; the first answer that is not OK.
  RespValue Fill(std::string_view prefix, int count, std::vector<std::string> options = {}) {
    for (int i = 0; i < count; ++i) {
      std::vector<std::string> args = {"SET", fmt::format("{}:{}", prefix, i),
                                       std::string(1000, 'x')};
      args.insert(args.end(), options.begin(), options.end());
      RespValue reply = RunArgs(args);
      if (reply != Ok()) return reply;
      if (i % 16 == 0) Tick();
    }
    return Ok();
  }
  uint64_t evicted() { return state().stats.store.evicted_keys.Get(); }
  ~EvictionFixture() override { Run("CONFIG", "SET", "maxmemory", "0"); }

 private:
  int64_t limit_ = 0;
};

TEST_CASE_METHOD(EvictionFixture, "maxmemory: without eviction, what takes memory is refused") {
  Run("SET", "k", "v");
  Limit(200'000, "noeviction");
  CHECK(Fill("x", 1000) == kOom);
  Tighten();
  CHECK(Run("GET", "k") == Bulk("v"));
  CHECK(Run("LPUSH", "l", "v") == kOom);
  CHECK(Run("DEL", "k") == Int(1));
  CHECK(evicted() == 0);
  CHECK(Run("CONFIG", "SET", "maxmemory", "0") == Ok());
  CHECK(Run("SET", "k", "v") == Ok());
}

TEST_CASE_METHOD(EvictionFixture, "maxmemory: transactions are refused, also on their way") {
  Limit(200'000, "noeviction");
  CHECK(Run("MULTI") == Ok());
  CHECK(Run("SET", "a", "1") == Simple("QUEUED"));
  auto other = NewClient();
  for (int i = 0; i < 1000; ++i) {
    if (other->Execute({"SET", fmt::format("x:{}", i), std::string(1000, 'x')}) != Ok()) break;
    Tick();
  }
  Tighten(other.get());
  CHECK(Run("EXEC") ==
        Error("EXECABORT Transaction discarded because of: OOM command not allowed when used "
              "memory > 'maxmemory'."));
  CHECK(Run("MULTI") == Ok());
  CHECK(Run("GET", "a") == kOom);  // the queue takes memory, too
  CHECK(Run("EXEC") == Error("EXECABORT Transaction discarded because of previous errors."));
}

TEST_CASE_METHOD(EvictionFixture, "maxmemory: scripts may not take memory unless they say so") {
  Limit(200'000, "noeviction");
  CHECK(Fill("x", 1000) == kOom);
  Tighten();
  CHECK(Run("EVAL", "return redis.call('get', KEYS[1])", "1", "x:0").text.size() == 1000);
  const RespValue refused = Run("EVAL", "return redis.call('set', KEYS[1], 'v')", "1", "k");
  CHECK(refused.text.substr(0, 24) == "OOM command not allowed ");
  CHECK(Run("EVAL", "#!lua\nreturn 1", "0") == kOom);
  CHECK(Run("EVAL", "#!lua flags=no-writes\nreturn 1", "0") == Int(1));
  CHECK(Run("EVAL", "#!lua flags=allow-oom\nreturn redis.call('set', KEYS[1], 'v')", "1", "k") ==
        Ok());
  // What has begun to write goes on.
  CHECK(Run("EVAL", "redis.call('del', KEYS[1]); return redis.call('set', KEYS[1], 'v')", "1",
            "k") == Ok());
}

TEST_CASE_METHOD(EvictionFixture, "maxmemory: what one command has taken counts before the next") {
  Limit(40'000, "volatile-random");
  CHECK(Run("SET", "k", "v", "EX", "1000") == Ok());
  CHECK(Run("SETBIT", "big", "480000", "0") == Int(0));
  server().memory().Tell(&state(), 30);
  CHECK(Run("EXISTS", "k", "big") == Int(1));
  CHECK(evicted() == 1);
}

TEST_CASE_METHOD(EvictionFixture,
                 "maxmemory: what readers are told of one key does not drive out the next") {
  Restart(RespVersion::kResp3);
  CHECK(Run("CLIENT", "TRACKING", "ON") == Ok());
  // Beside it what an empty process has in pages does not matter.
  Run("SETRANGE", "big", "67108864", "x");
  for (int i = 0; i < 300; ++i) {
    const std::string name = fmt::format("{:01000}", i);
    Run("SET", name, "x", "EX", "1000");
    Run("GET", name);
  }
  Limit(-40'000, "volatile-lru");
  Run("PING");
  CHECK(evicted() >= 10);
  CHECK(evicted() <= 100);
}

TEST_CASE_METHOD(EvictionFixture, "maxmemory: every policy for all keys makes room") {
  for (const char* policy : {"allkeys-lru", "allkeys-lfu", "allkeys-random", "allkeys-s3"}) {
    INFO(policy);
    Restart();
    Limit(1'000'000, policy);
    CHECK(Fill("x", 3000) == Ok());
    CHECK(evicted() > 1500);
    CHECK(evicted() < 2800);
    const RespValue keys = Run("DBSIZE");
    CHECK(keys.integer == static_cast<int64_t>(3000 - evicted()));
    Run("CONFIG", "SET", "maxmemory", "0");
  }
}

TEST_CASE_METHOD(EvictionFixture, "maxmemory: volatile policies leave the other keys alone") {
  for (const char* policy :
       {"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "volatile-s3"}) {
    INFO(policy);
    Restart();
    CHECK(Fill("keep", 500) == Ok());
    Limit(500'000, policy);
    CHECK(Fill("go", 2000, {"EX", "1000"}) == Ok());
    CHECK(evicted() > 1000);
    for (int i = 0; i < 500; ++i) CHECK(Run("EXISTS", fmt::format("keep:{}", i)) == Int(1));
    // When all of them are gone, there is nothing left to do.
    CHECK(Fill("keep2", 2000) == kOom);
    Tick();
    int64_t left = 0;
    for (int i = 0; i < 2000; ++i) left += Run("EXISTS", fmt::format("go:{}", i)).integer;
    CHECK(left == 0);
    Run("CONFIG", "SET", "maxmemory", "0");
  }
}

TEST_CASE_METHOD(EvictionFixture, "maxmemory: a few volatile keys among many others are found") {
  CHECK(Fill("keep", 3000) == Ok());
  CHECK(Fill("go", 20, {"EX", "1000"}) == Ok());
  Limit(0, "volatile-lru");
  for (int i = 0; i < 1000 && evicted() < 20; ++i) {
    Run("SET", "more", std::string(static_cast<size_t>(i) * 100, 'x'));
    Tick();
  }
  CHECK(evicted() == 20);
}

TEST_CASE_METHOD(EvictionFixture, "volatile-ttl: the keys that end first go first") {
  CHECK(Fill("late", 1000, {"EX", "5000"}) == Ok());
  CHECK(Fill("soon", 1000, {"EX", "100"}) == Ok());
  Limit(0, "volatile-ttl");
  for (int i = 0; i < 600; ++i) {
    Run("SET", fmt::format("new:{}", i), std::string(1000, 'x'));
    Tick();
  }
  int64_t late = 0;
  for (int i = 0; i < 1000; ++i) late += Run("EXISTS", fmt::format("late:{}", i)).integer;
  CHECK(evicted() > 400);
  CHECK(late > 950);
}

TEST_CASE_METHOD(EvictionFixture, "maxmemory-samples: more make a better choice") {
  constexpr int kKeys = 2000;
  const auto fill = [this] {
    Run("FLUSHALL");
    for (int i = 0; i < kKeys; ++i) Run("SET", i, "v", "EX", 1000 + i);
  };
  // How many of the first quarter to end are among the 400 that are evicted.
  const auto well_chosen = [&](int samples) {
    fill();
    Evictor evictor(&server().store());
    const EvictionRules rules = RulesOf(MaxmemoryPolicy::kVolatileTtl, samples);
    for (int gone = 0; gone < 400;) {
      const Evictor::Result result = evictor.EvictOne(state().op, rules);
      REQUIRE(result != Evictor::Result::kNothing);
      if (result == Evictor::Result::kEvicted) ++gone;
    }
    int64_t left = 0;
    for (int i = 0; i < kKeys / 4; ++i) left += Run("EXISTS", i).integer;
    return kKeys / 4 - left;
  };
  const int64_t with_one = well_chosen(1);
  const int64_t with_many = well_chosen(20);
  CHECK(with_one < 300);  // 100 would be chance
  CHECK(with_many > 360);
}

TEST_CASE_METHOD(EvictionFixture, "maxmemory-eviction-tenacity: what one command evicts") {
  CHECK(Fill("x", 5000) == Ok());
  Run("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
  const auto evicted_by_one = [this](std::string_view tenacity) {
    Run("CONFIG", "SET", "maxmemory-eviction-tenacity", tenacity);
    const auto used = static_cast<int64_t>(ReadProcessMemory().allocated);
    Run("CONFIG", "SET", "maxmemory", used - 60'000);
    const uint64_t before = evicted();
    Run("SET", "k", "v");
    const uint64_t count = evicted() - before;
    Run("CONFIG", "SET", "maxmemory", "0");
    return count;
  };
  CHECK(evicted_by_one("0") == 16);  // then it looks at the time
  CHECK(evicted_by_one("100") > 40);
}

TEST_CASE_METHOD(EvictionFixture,
                 "lfu-log-factor, lfu-decay-time: how uses count, and for how long") {
  Run("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu");
  // What Redis's manual says of 1,000 hits: 255 with a factor of 0, 49 with 1, 18 with 10, 11 with
  // 100.
  const auto after_1000_hits = [this](std::string_view factor) {
    Run("CONFIG", "SET", "lfu-log-factor", factor);
    Run("DEL", "k");
    Run("SET", "k", "v");
    for (int i = 0; i < 1000; ++i) Run("GET", "k");
    return Run("OBJECT", "FREQ", "k").integer;
  };
  CHECK(after_1000_hits("0") == 255);
  const int64_t with_1 = after_1000_hits("1");
  const int64_t with_10 = after_1000_hits("10");
  const int64_t with_100 = after_1000_hits("100");
  CHECK((with_1 >= 30 && with_1 <= 70));
  CHECK((with_10 >= 12 && with_10 <= 28));
  CHECK((with_100 >= 6 && with_100 <= 17));

  Run("CONFIG", "SET", "lfu-log-factor", "0");
  Run("DEL", "k");
  Run("SET", "k", "v");
  for (int i = 0; i < 95; ++i) Run("GET", "k");
  CHECK(Run("OBJECT", "FREQ", "k") == Int(100));
  Advance(30 * 60'000);
  Run("CONFIG", "SET", "lfu-decay-time", "0");
  CHECK(Run("OBJECT", "FREQ", "k") == Int(100));
  Run("CONFIG", "SET", "lfu-decay-time", "7");
  CHECK(Run("OBJECT", "FREQ", "k") == Int(96));
  Run("CONFIG", "SET", "lfu-decay-time", "1");
  CHECK(Run("OBJECT", "FREQ", "k") == Int(70));
  Advance(100 * 60'000);
  CHECK(Run("OBJECT", "FREQ", "k") == Int(0));
}

TEST_CASE_METHOD(EvictionFixture,
                 "OBJECT REFCOUNT: small integers are not shared while use counts") {
  Run("SET", "i", "7");
  CHECK(Run("OBJECT", "REFCOUNT", "i") == Int(2147483647));
  Run("CONFIG", "SET", "maxmemory", "1gb");
  CHECK(Run("OBJECT", "REFCOUNT", "i") == Int(2147483647));
  Run("CONFIG", "SET", "maxmemory-policy", "volatile-lru");
  CHECK(Run("OBJECT", "REFCOUNT", "i") == Int(1));
  Run("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
  CHECK(Run("OBJECT", "REFCOUNT", "i") == Int(2147483647));
}

TEST_CASE_METHOD(EvictionFixture, "allkeys-lru: keys that are used stay") {
  CHECK(Fill("x", 2000) == Ok());
  Advance(10'000);
  for (int i = 0; i < 500; ++i) Run("GET", fmt::format("x:{}", i));
  Limit(0, "allkeys-lru");
  for (int i = 0; i < 1000; ++i) {
    Run("SET", fmt::format("new:{}", i), std::string(1000, 'x'));
    Tick();
  }
  int64_t used = 0;
  for (int i = 0; i < 500; ++i) used += Run("EXISTS", fmt::format("x:{}", i)).integer;
  CHECK(evicted() > 700);
  CHECK(used > 480);
}

TEST_CASE_METHOD(EvictionFixture, "allkeys-s3: keys that are used stay, whatever passes through") {
  Limit(2'000'000, "allkeys-s3");
  CHECK(Fill("x", 500) == Ok());
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 500; ++i) Run("GET", fmt::format("x:{}", i));
    CHECK(Fill(fmt::format("once{}", round), 4000) == Ok());
  }
  int64_t used = 0;
  for (int i = 0; i < 500; ++i) used += Run("EXISTS", fmt::format("x:{}", i)).integer;
  CHECK(evicted() > 10'000);
  CHECK(used > 400);
}

TEST_CASE_METHOD(EvictionFixture,
                 "allkeys-s3: OBJECT FREQ counts uses, OBJECT IDLETIME is unknown") {
  Run("CONFIG", "SET", "maxmemory-policy", "allkeys-s3");
  Run("SET", "k", "v");
  CHECK(Run("OBJECT", "FREQ", "k") == Int(0));
  Run("SET", "other", "v");  // time goes on
  for (int i = 0; i < 5; ++i) Run("GET", "k");
  CHECK(Run("OBJECT", "FREQ", "k") == Int(3));
  CHECK(Run("OBJECT", "IDLETIME", "k").text.starts_with("ERR An S3 maxmemory policy is selected"));
}

TEST_CASE_METHOD(EvictionFixture, "eviction is told: events, WATCH") {
  Run("CONFIG", "SET", "notify-keyspace-events", "Ee");
  auto listener = NewClient();
  listener->ExecuteAll({"SUBSCRIBE", "__keyevent@0__:evicted"});
  CHECK(Fill("x", 100) == Ok());
  CHECK(Run("WATCH", "x:5") == Ok());
  CHECK(Run("CONFIG", "SET", "maxmemory-policy", "allkeys-random") == Ok());
  Limit(-300'000, "allkeys-random");
  Tick();
  CHECK(Run("PING") == Simple("PONG"));
  CHECK(evicted() == 100);
  std::set<std::string> told;
  for (const RespValue& message : listener->TakePushes()) told.insert(message.elements[2].text);
  CHECK(told.size() == 100);
  Run("CONFIG", "SET", "maxmemory", "0");
  Run("MULTI");
  Run("PING");
  CHECK(Run("EXEC") == NilArray());
}

TEST_CASE_METHOD(EvictionFixture,
                 "maxmemory-clients: the biggest client goes, unless it is exempt") {
  auto big = NewClient();
  auto exempt = NewClient();
  exempt->Execute({"CLIENT", "NO-EVICT", "ON"});
  big->session().output_pending.store(8'000'000);
  exempt->session().output_pending.store(9'000'000);
  Run("CONFIG", "SET", "maxmemory-clients", "10mb");
  Advance(1000);
  Tick();
  CHECK(closed() == std::vector<uint64_t>{big->session().id});
  CHECK(state().stats.evicted_clients.Get() == 1);
  Run("CONFIG", "SET", "maxmemory-clients", "0");
}

TEST_CASE_METHOD(EvictionFixture,
                 "maxmemory-clients: a lower limit is looked at with the next tick, and who is "
                 "being closed does not count") {
  auto gone = NewClient();
  auto small = NewClient();
  gone->session().output_pending.store(8'000'000);
  gone->session().closing.store(true);
  small->session().output_pending.store(4'000'000);
  Run("CONFIG", "SET", "maxmemory-clients", "10mb");
  Tick();
  CHECK(closed().empty());
  Run("CONFIG", "SET", "maxmemory-clients", "3mb");
  Tick();
  CHECK(closed() == std::vector<uint64_t>{small->session().id});
  Run("CONFIG", "SET", "maxmemory-clients", "0");
}

TEST_CASE_METHOD(
    EvictionFixture,
    "maxmemory-clients: keys that are watched, channels that are listened to, prefixes count") {
  constexpr int kNames = 1000;
  const auto watching = NewClient();
  const auto listening = NewClient();
  const auto tracking = NewClient();
  tracking->Execute({"HELLO", "3"});
  const uint64_t before = MemoryOf(watching->session());
  for (int i = 0; i < kNames; ++i) {
    watching->Execute({"WATCH", "key:" + std::to_string(i), "key:0"});
    listening->ExecuteAll({"PSUBSCRIBE", "news:" + std::to_string(i)});
    tracking->Execute({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", fmt::format("{:04}", i)});
  }
  CHECK(MemoryOf(watching->session()) > before + kNames * 40);
  CHECK(MemoryOf(listening->session()) > before + kNames * 40);
  CHECK(MemoryOf(tracking->session()) > before + kNames * 40);
  Run("CONFIG", "SET", "maxmemory-clients", "50kb");
  Advance(1000);
  Tick();
  CHECK(closed().size() == 3);
  Run("CONFIG", "SET", "maxmemory-clients", "0");
  tracking->Execute({"CLIENT", "TRACKING", "OFF"});
  watching->Execute({"UNWATCH"});
  listening->ExecuteAll({"PUNSUBSCRIBE"});
  CHECK(MemoryOf(watching->session()) == before);
  CHECK(MemoryOf(listening->session()) == before);
  CHECK(MemoryOf(tracking->session()) == before);
}

#endif

}  // namespace
}  // namespace spinel
