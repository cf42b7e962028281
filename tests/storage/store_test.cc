#include "storage/store.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "storage/blob.h"
#include "storage/string_value.h"

namespace spinel {
namespace {

constexpr int64_t kNow = 1'700'000'000'003;

class StoreFixture {
 public:
  StoreFixture() { context_.SetNow(kNow); }

  WriteGuard Slot(std::string_view name, int database = 0) {
    return store_.Write(context_, database, Store::MakeKey(name));
  }
  void Set(std::string_view name, std::string_view value, int64_t expiry = Entry::kNoExpiry,
           int database = 0) {
    Slot(name, database).SetString(value, expiry);
  }
  // "-" when there is none.
  std::string Get(std::string_view name, int database = 0) {
    const ReadGuard guard = store_.Read(context_, database, Store::MakeKey(name));
    if (!guard) return "-";
    IntegerText text;
    return std::string(StringBytes(*guard, &text));
  }
  // Time moves, and the wheels with it.
  void Advance(int64_t ms) {
    context_.SetNow(context_.now_ms + ms);
    for (int wheel = 0; wheel < Store::kWheels; ++wheel) {
      while (store_.ExpireStep(context_, wheel)) {
      }
    }
  }
  void Sweep() {
    for (int wheel = 0; wheel < Store::kWheels; ++wheel) {
      while (store_.SweepStep(wheel)) {
      }
    }
  }
  static std::string Name(size_t i) { return "key:" + std::to_string(i); }

 protected:
  StoreStats stats_;
  OpContext context_{&stats_};
  Store store_{{.stripes = 64, .databases = 4, .now_ms = kNow}};
};

}  // namespace

// -- Guards and slots
// ------------------------------------------------------------------------------

TEST_CASE_METHOD(StoreFixture, "Store: values come and go", "[storage]") {
  CHECK(Get("k") == "-");
  Set("k", "v");
  CHECK(Get("k") == "v");
  Set("k", std::string(5000, 'x'));
  CHECK(Get("k") == std::string(5000, 'x'));
  Slot("k").SetInteger(-7, Entry::kNoExpiry);
  CHECK(Get("k") == "-7");
  Slot("k").ChangeInteger(8);
  CHECK(Get("k") == "8");
  Slot("k").SetBlob(Blob::Copy(std::string(50'000, 'b')), Entry::kNoExpiry);
  CHECK(Get("k") == std::string(50'000, 'b'));
  Set("k", "small again");
  CHECK(Get("k") == "small again");
  CHECK(Slot("k").Delete());
  CHECK_FALSE(Slot("k").Delete());
  CHECK_FALSE(Slot("k").Unlink());
  CHECK(Slot("k").Take() == nullptr);
  CHECK(store_.Size(0) == 0);
  CHECK(stats_.changes.Get() == 7);
}

TEST_CASE_METHOD(StoreFixture, "Store: an entry can move to another key", "[storage]") {
  Set("from", "value", kNow + 1000);
  Entry* entry = Slot("from").Take();
  REQUIRE(entry != nullptr);
  CHECK(Get("from") == "-");
  Slot("to").Put(Entry::WithKey(entry, "to"));
  CHECK(Get("to") == "value");
  CHECK(store_.Info(0, kNow).expiring == 1);
  Advance(1016);
  CHECK(store_.Size(0) == 0);
  CHECK(store_.Info(0, kNow).expiring == 0);
}

TEST_CASE_METHOD(StoreFixture, "Store: lookups count, and touch unless told otherwise",
                 "[storage]") {
  Set("k", "v");
  const auto idle = [this] {
    return store_.access_tracking().IdleSeconds(Slot("k")->access_clock(), context_.now_ms);
  };
  const auto look = [this](LookupMode mode) {
    store_.Read(context_, 0, Store::MakeKey("k"), mode);
    store_.Read(context_, 0, Store::MakeKey("none"), mode);
  };
  context_.SetNow(kNow + 10'000);
  look(LookupMode::kPeek);
  CHECK(stats_.keyspace_hits.Get() == 0);
  CHECK(stats_.keyspace_misses.Get() == 0);
  look(LookupMode::kCountNoTouch);
  CHECK(stats_.keyspace_hits.Get() == 1);
  CHECK(stats_.keyspace_misses.Get() == 1);
  CHECK(idle() == 10);
  context_.touch = false;
  look(LookupMode::kCount);
  CHECK(idle() == 10);
  context_.touch = true;
  look(LookupMode::kCount);
  CHECK(idle() == 0);
  CHECK(stats_.keyspace_hits.Get() == 3);
}

TEST_CASE_METHOD(StoreFixture, "Store: several keys under one lock, stripes and names repeated",
                 "[storage]") {
  std::vector<std::string> names;
  for (size_t i = 0; i < 500; ++i) names.push_back(Name(i % 400));
  std::vector<Key> keys;
  for (const std::string& name : names) keys.push_back(Store::MakeKey(name));
  {
    const MultiLock lock = store_.Lock(keys);
    for (size_t i = 0; i < keys.size(); ++i) {
      store_.Slot(context_, 0, keys[i]).SetInteger(static_cast<int64_t>(i), Entry::kNoExpiry);
    }
    MultiLock none = store_.Lock({});
  }
  CHECK(store_.Size(0) == 400);
  CHECK(Get(Name(7)) == "407");
  CHECK(Get(Name(399)) == "399");
}

TEST_CASE_METHOD(StoreFixture, "Store: slots of different keys do not disturb each other",
                 "[storage]") {
  // All in one table, which is rebuilt again and again below them.
  std::vector<std::string> names;
  for (size_t i = 0; names.size() < 300; ++i) {
    if (Store::MakeKey(Name(i)).hash >> 58 == 17) names.push_back(Name(i));
  }
  std::vector<Key> keys;
  for (const std::string& name : names) keys.push_back(Store::MakeKey(name));
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    for (size_t i = 0; i < 150; ++i) Set(names[i], "x", i % 2 == 0 ? kNow + 100'000 : -1);
    {
      const MultiLock lock = store_.Lock(keys);
      std::vector<KeySlot> slots;
      for (const Key& key : keys) slots.push_back(store_.Slot(context_, 0, key));
      std::shuffle(slots.begin(), slots.end(), random);
      for (KeySlot& slot : slots) {
        switch (random() % 5) {
          case 0:
            slot.Delete();
            break;
          case 1:
            slot.SetString(std::string(random() % 3000, 'y'), kNow + 50'000);
            break;
          case 2:
            if (slot) slot.SetExpiry(kNow + 70'000);
            break;
          case 3:
            slot.Persist();
            break;
          case 4:
            AppendString(&slot, std::string(random() % 20'000, 'z'));
            break;
        }
      }
      for (const KeySlot& slot : slots) {
        const KeySlot again = store_.Slot(context_, 0, slot.key());
        if (again.entry() != slot.entry()) FAIL("a slot lost its entry");
      }
    }
    uint64_t expiring = 0;
    for (const std::string& name : names) {
      WriteGuard slot = Slot(name);
      if (slot && slot->key() != name) FAIL("a key holds another's entry");
      expiring += slot.expiry() != Entry::kNoExpiry;
    }
    CHECK(store_.Info(0, kNow).expiring == expiring);
  }
  Advance(200'000);
  CHECK(store_.Info(0, context_.now_ms).expiring == 0);
}

// -- Databases
// -------------------------------------------------------------------------------------

TEST_CASE_METHOD(StoreFixture, "Store: databases do not see each other", "[storage]") {
  for (int db = 0; db < 4; ++db) Set("k", std::to_string(db), Entry::kNoExpiry, db);
  for (int db = 0; db < 4; ++db) {
    CHECK(Get("k", db) == std::to_string(db));
    CHECK(store_.Size(db) == 1);
  }
  store_.Flush(context_, 2, false);
  CHECK(Get("k", 2) == "-");
  CHECK(Get("k", 3) == "3");
}

TEST_CASE_METHOD(StoreFixture, "Store: databases swap, and their keys expire where they are then",
                 "[storage]") {
  Set("a", "zero", kNow + 1000);
  Set("b", "zero");
  Set("a", "three", kNow + 2000, 3);
  store_.SwapDatabases(context_, 0, 3);
  CHECK(Get("a", 0) == "three");
  CHECK(Get("a", 3) == "zero");
  CHECK(store_.Size(0) == 1);
  CHECK(store_.Size(3) == 2);
  store_.SwapDatabases(context_, 1, 1);
  // Another expiry, set after the swap.
  Slot("a", 0).SetExpiry(kNow + 5000);
  Set("c", "new", kNow + 1000, 0);
  Advance(1015);
  CHECK(store_.Size(0) == 1);
  CHECK(store_.Size(3) == 1);
  CHECK(Get("b", 3) == "zero");
  Advance(2000);
  CHECK(Get("a", 0) == "three");
  Advance(2000);
  CHECK(store_.Size(0) == 0);
  CHECK(stats_.expired_keys.Get() == 3);
}

TEST_CASE_METHOD(StoreFixture, "Store: flush, here and in the background, gives all memory back",
                 "[storage]") {
  const bool background = GENERATE(false, true);
  const int database = GENERATE(-1, 0);
  CAPTURE(background, database);
  const size_t empty_wheels = store_.WheelMemoryBytes();
  for (size_t i = 0; i < 20'000; ++i) Set(Name(i), "value", kNow + 1000 + static_cast<int64_t>(i));
  Slot("blob").SetBlob(Blob::Copy(std::string(300'000, 'b')), Entry::kNoExpiry);
  Set("other", "value", kNow + 5000, 1);
  CHECK(store_.TableMemoryBytes(0) > 0);
  CHECK(store_.WheelHandles() == 20'001);
  const uint64_t changes = stats_.changes.Get();
  store_.Flush(context_, database, background);
  CHECK(store_.Size(0) == 0);
  CHECK(store_.Size(1) == (database == -1 ? 0 : 1));
  CHECK(stats_.changes.Get() - changes == (database == -1 ? 20'002 : 20'001));
  CHECK(store_.Info(0, kNow).expiring == 0);
  CHECK(store_.TableMemoryBytes(0) == 0);
  store_.reclaimer().Drain();
  CHECK(store_.reclaimer().pending() == 0);
  CHECK(store_.reclaimer().freed() == (background ? (database == -1 ? 20'002u : 20'001u) : 0u));
  Sweep();
  CHECK(store_.WheelHandles() == (database == -1 ? 0 : 1));
  if (database == -1) CHECK(store_.WheelMemoryBytes() == empty_wheels);
  // And all works as before.
  Set("again", "v", kNow + 1000);
  CHECK(Get("again") == "v");
  Advance(6000);
  CHECK(store_.Size(0) + store_.Size(1) == 0);
}

// -- Going through all keys
// ------------------------------------------------------------------------

TEST_CASE_METHOD(StoreFixture, "Store: RandomKey finds live keys only", "[storage]") {
  std::string name;
  CHECK_FALSE(store_.RandomKey(context_, 0, &name));
  Set("only", "v", Entry::kNoExpiry, 1);
  for (size_t i = 0; i < 1000; ++i) Set(Name(i), "v", kNow + 5, 1);
  context_.SetNow(kNow + 6);
  REQUIRE(store_.RandomKey(context_, 1, &name));
  CHECK(name == "only");
  CHECK_FALSE(store_.RandomKey(context_, 0, &name));
  for (size_t i = 0; i < 200; ++i) Set(Name(i), "v", Entry::kNoExpiry, 1);
  std::set<std::string> seen;
  // A key that shares its stripe with many comes seldom: with 20,000 draws none is missed.
  for (int i = 0; i < 20'000; ++i) {
    REQUIRE(store_.RandomKey(context_, 1, &name));
    seen.insert(name);
  }
  CHECK(seen.size() == 201);
}

TEST_CASE_METHOD(StoreFixture, "Store: Scan returns what stays, while the store grows and shrinks",
                 "[storage]") {
  constexpr size_t kStaying = 1000;
  constexpr size_t kMost = 200'000;
  const bool grow = GENERATE(true, false);
  CAPTURE(grow);
  for (size_t i = 0; i < kStaying; ++i) Set("stay:" + std::to_string(i), "v");
  if (!grow) {
    for (size_t i = 0; i < kMost; ++i) Set(Name(i), "v");
  }
  std::map<std::string, int> seen;
  size_t next = 0;
  uint64_t cursor = 0;
  uint64_t calls = 0;
  do {
    cursor = store_.Scan(context_, 0, cursor, 10, [&seen](const Entry& entry) {
      if (entry.key().substr(0, 5) == "stay:") ++seen[std::string(entry.key())];
    });
    for (int i = 0; i < 2000 && next < kMost; ++i, ++next) {
      if (grow) {
        Set(Name(next), "v");
      } else {
        Slot(Name(next)).Delete();
      }
    }
    ++calls;
  } while (cursor != 0);
  CHECK(next == kMost);
  CHECK(seen.size() == kStaying);
  CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& each) { return each.second == 1; }));
  CHECK(calls > 100);
}

TEST_CASE_METHOD(StoreFixture, "Store: Scan and ForEach pass over what has expired", "[storage]") {
  for (size_t i = 0; i < 300; ++i) Set(Name(i), "v", i % 3 == 0 ? kNow + 5 : Entry::kNoExpiry);
  context_.SetNow(kNow + 6);
  size_t visited = 0;
  store_.ForEach(context_, 0, [&visited](const Entry&) { ++visited; });
  CHECK(visited == 200);
  visited = 0;
  CHECK(store_.Scan(context_, 0, 0, 100'000, [&visited](const Entry&) { ++visited; }) == 0);
  CHECK(visited == 200);
  CHECK(store_.Size(0) == 200);
  // Any cursor is an answer, as clients send what they like.
  for (const uint64_t cursor : {uint64_t{1}, uint64_t{12345}, UINT64_MAX, UINT64_MAX / 3}) {
    store_.Scan(context_, 0, cursor, UINT64_MAX, [](const Entry&) {});
  }
}

// -- Expiry
// ----------------------------------------------------------------------------------------

TEST_CASE_METHOD(StoreFixture, "Store: a key is there until its time and gone after it",
                 "[storage]") {
  Set("k", "v", kNow + 100);
  context_.SetNow(kNow + 100);
  CHECK(Get("k") == "v");
  context_.SetNow(kNow + 101);
  CHECK(Get("k") == "-");
  CHECK(stats_.expired_keys.Get() == 1);
  CHECK(store_.Info(0, kNow).expiring == 0);
}

TEST_CASE_METHOD(StoreFixture, "Store: ExpireStep removes exactly what is over, within a tick",
                 "[storage]") {
  std::mt19937_64 random(9);
  std::multimap<int64_t, std::string> times;
  for (size_t i = 0; i < 20'000; ++i) {
    const int64_t expiry = kNow + 1 + static_cast<int64_t>(random() % 8000);
    const int database = static_cast<int>(i % 3);
    Set(Name(i), "v", kNow + 90'000, database);
    // Set at once, put off, brought forward, taken away and given again.
    WriteGuard slot = Slot(Name(i), database);
    if (i % 4 == 1) slot.SetExpiry(kNow + 50);
    if (i % 4 == 2) slot.Persist();
    if (i % 4 == 3) slot.SetExpiry(kNow + 3);
    slot.SetExpiry(expiry);
    times.emplace(expiry, Name(i));
  }
  bool exact = true;
  for (int64_t elapsed = 0; elapsed < 9000; elapsed += 7) {
    Advance(7);
    const int64_t now = context_.now_ms;
    const auto left = static_cast<uint64_t>(std::distance(times.lower_bound(now), times.end()));
    const auto left_at_tick = static_cast<uint64_t>(
        std::distance(times.lower_bound(now - TimingWheel::kTickMs), times.end()));
    const uint64_t present = store_.Size(0) + store_.Size(1) + store_.Size(2);
    exact = exact && present >= left && present <= left_at_tick;
  }
  CHECK(exact);
  CHECK(store_.Size(0) == 0);
  CHECK(stats_.expired_keys.Get() == 20'000);
  // Handles of the times that were taken back are gone with the last of them.
  Advance(90'000);
  CHECK(store_.WheelHandles() == 0);
}

TEST_CASE_METHOD(StoreFixture, "Store: a key that is set again and again keeps few handles",
                 "[storage]") {
  for (int i = 0; i < 10'000; ++i) {
    Set("hot", std::to_string(i), context_.now_ms + 60'000);
    context_.SetNow(context_.now_ms + 1);
  }
  CHECK(store_.WheelHandles() <= 2);
  // Also when its size changes all the time, and when the expiry is a change of its own.
  for (size_t i = 0; i < 10'000; ++i) {
    Set("hot", std::string(i % 20'000 % 16'000, 'x'), context_.now_ms + 60'000);
    Slot("hot").SetExpiry(context_.now_ms + 61'000);
    Advance(1);
  }
  CHECK(store_.WheelHandles() <= 2);
  Advance(61'016);
  CHECK(store_.Size(0) == 0);
  CHECK(store_.WheelHandles() == 0);
}

TEST_CASE_METHOD(StoreFixture, "Store: handles without a key are swept when they pile up",
                 "[storage]") {
  for (size_t i = 0; i < 300'000; ++i) {
    Set(Name(i % 100), "v", kNow + 10'000'000);
    Slot(Name(i % 100)).Delete();
    if (i % 100 == 0) {
      for (int wheel = 0; wheel < Store::kWheels; ++wheel) store_.SweepStep(wheel);
    }
  }
  for (size_t i = 0; i < 100; ++i) Set(Name(i), "v", kNow + 10'000'000);
  Sweep();
  CHECK(store_.WheelHandles() < 16 * 8192);
  Advance(10'000'017);
  CHECK(store_.Size(0) == 0);
  CHECK(store_.WheelHandles() == 0);
}

TEST_CASE_METHOD(StoreFixture, "Store: a sweep leaves live keys their timers", "[storage]") {
  for (size_t i = 0; i < 100'000; ++i) {
    Set(Name(i), "v", kNow + 1000 + static_cast<int64_t>(i) * 100);
  }
  for (int round = 0; round < 30; ++round) {
    Sweep();
    Advance(300'000);
    context_.SetNow(context_.now_ms + 16);
  }
  Advance(2'000'000);
  CHECK(store_.Size(0) == 0);
  CHECK(stats_.expired_keys.Get() == 100'000);
}

TEST_CASE_METHOD(StoreFixture, "Store: times at the edges", "[storage]") {
  const int64_t max = std::numeric_limits<int64_t>::max();
  Set("far", "v", max);
  Set("wheel", "v", Entry::kMaxWheelExpiry);
  Set("horizon", "v", kNow + (int64_t{1} << 37));
  Set("past", "v", 1);
  CHECK(Get("past") == "-");
  Set("past", "v", 1);
  Advance(17);
  CHECK(store_.Size(0) == 3);
  CHECK(Slot("far").expiry() == max);
  // Three of the wheel's rounds later.
  Advance((int64_t{1} << 37) + 17);
  CHECK(Get("horizon") == "-");
  CHECK(Get("far") == "v");
  CHECK(Get("wheel") == "v");
  Slot("far").SetExpiry(context_.now_ms + 10);
  Slot("wheel").SetExpiry(max);
  Advance(32);
  CHECK(store_.Size(0) == 1);
  CHECK(Slot("wheel").Persist());
  CHECK_FALSE(Slot("wheel").Persist());
}

TEST_CASE_METHOD(StoreFixture, "Store: big values are freed elsewhere", "[storage]") {
  constexpr size_t kBig = Blob::kSlowToFreeBytes;
  Slot("a").SetBlob(Blob::Copy(std::string(kBig, 'a')), Entry::kNoExpiry);
  Slot("b").SetBlob(Blob::Copy(std::string(kBig, 'b')), kNow + 10);
  Slot("c").SetBlob(Blob::Copy(std::string(20'000, 'c')), Entry::kNoExpiry);
  Slot("d").SetBlob(Blob::Copy(std::string(kBig, 'd')), kNow + 10);
  Set("a", "small");
  Slot("c").Unlink();
  context_.SetNow(kNow + 11);
  CHECK(Get("b") == "-");
  Advance(16);
  store_.reclaimer().Drain();
  CHECK(store_.reclaimer().freed() == 4);
  CHECK(store_.Size(0) == 1);
}

}  // namespace spinel
