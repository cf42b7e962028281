// Several threads on one store. Run under ThreadSanitizer and AddressSanitizer, it is these that
// judge; the checks here see torn values, lost keys and lost counts.

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "storage/blob.h"
#include "storage/store.h"
#include "storage/string_value.h"

namespace spinel {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int kThreads = 4;

void RunThreads(const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

std::string Name(uint64_t i) { return "key:" + std::to_string(i); }

// All bytes of a value are the same letter; anything else was torn.
bool Whole(std::string_view bytes) {
  return bytes.find_first_not_of(bytes.empty() ? 'x' : bytes[0]) == std::string_view::npos;
}

// One thread's random operations.
class Worker {
 public:
  Worker(Store* store, std::atomic<int64_t>* clock, int number)
      : store_(store), clock_(clock), random_(static_cast<uint64_t>(number)) {}

  void Step() {
    context_.SetNow(clock_->load());
    name_ = Name(random_() % 400);
    const int database = static_cast<int>(random_() % 3);
    switch (random_() % 100) {
      case 0:
        return All();
      case 1:
        return store_->Flush(context_, static_cast<int>(random_() % 4) - 1, random_() % 2 == 0);
      case 2:
        return store_->SwapDatabases(context_, database, static_cast<int>(random_() % 3));
      case 3:
      case 4:
        return Look(database);
      default:
        break;
    }
    if (random_() % 8 == 0) {
      const int wheel = static_cast<int>(random_() % Store::kWheels);
      store_->ExpireStep(context_, wheel);
      store_->SweepStep(wheel);
      if (random_() % 4 == 0) clock_->fetch_add(1);
    }
    if (random_() % 4 == 0) {
      Several(database);
    } else {
      One(database);
    }
  }
  bool torn() const { return torn_; }

 private:
  int64_t Expiry() {
    return random_() % 2 == 0 ? Entry::kNoExpiry
                              : context_.now_ms + static_cast<int64_t>(random_() % 300);
  }
  std::string Value() {
    const size_t size = random_() % 50 == 0 ? 16'384 + random_() % 300'000 : random_() % 300;
    return std::string(size, static_cast<char>('a' + random_() % 26));
  }
  void Change(KeySlot* slot) {
    switch (random_() % 8) {
      case 0:
        slot->Delete();
        return;
      case 1:
        slot->Unlink();
        return;
      case 2:
        if (slot->exists()) slot->SetExpiry(context_.now_ms + static_cast<int64_t>(random_() % 90));
        return;
      case 3:
        slot->Persist();
        return;
      case 4:
        if (slot->exists() && slot->entry()->string_encoding() != StringEncoding::kInteger) {
          IntegerText text;
          const std::string_view bytes = StringBytes(*slot->entry(), &text);
          const char letter = bytes.empty() ? 'q' : bytes[0];
          if (bytes.size() < 600'000) AppendString(slot, std::string(1 + random_() % 99, letter));
        }
        return;
      default:
        break;
    }
    const std::string value = Value();
    if (value.size() < Blob::kMinBytes) return slot->SetString(value, Expiry());
    slot->SetBlob(Blob::Copy(value), Expiry());
  }
  void One(int database) {
    const Key key = Store::MakeKey(name_);
    const Key* const keys[] = {&key};
    store_->Prefetch(database, keys);
    if (random_() % 3 == 0) {
      WriteGuard slot = store_->Write(context_, database, key);
      return Change(&slot);
    }
    Blob* pinned = nullptr;
    {
      const ReadGuard guard = store_->Read(context_, database, key);
      if (!guard) return;
      IntegerText text;
      torn_ = torn_ || !Whole(StringBytes(*guard, &text));
      if (guard->string_encoding() == StringEncoding::kBlob) {
        pinned = guard->blob();
        pinned->AddRef();
      }
    }
    if (pinned == nullptr) return;
    torn_ = torn_ || !Whole(pinned->view());
    pinned->Release();
  }
  void Several(int database) {
    std::vector<std::string> names;
    for (uint64_t n = 1 + random_() % 12; n > 0; --n) names.push_back(Name(random_() % 400));
    std::vector<Key> keys;
    for (const std::string& name : names) keys.push_back(Store::MakeKey(name));
    const MultiLock lock = store_->Lock(keys);
    for (const Key& key : keys) {
      KeySlot slot = store_->Slot(context_, database, key);
      Change(&slot);
    }
  }
  void All() {
    const MultiLock lock = store_->LockAll();
    for (int i = 0; i < 5; ++i) {
      const std::string name = Name(random_() % 400);
      WriteGuard slot = store_->Write(context_, 0, Store::MakeKey(name), Locking::kHeld);
      Change(&slot);
    }
  }
  void Look(int database) {
    const auto whole = [this](const Entry& entry) {
      IntegerText text;
      torn_ = torn_ || !Whole(StringBytes(entry, &text));
    };
    store_->Scan(context_, database, random_(), 20, whole);
    if (random_() % 8 == 0) store_->ForEach(context_, database, whole);
    std::string name;
    store_->RandomKey(context_, database, &name);
    store_->Info(database, context_.now_ms);
    store_->TableMemoryBytes(database);
    store_->WheelMemoryBytes();
    store_->WheelHandles();
  }

  Store* store_;
  std::atomic<int64_t>* clock_;
  StoreStats stats_;
  OpContext context_{&stats_};
  std::mt19937_64 random_;
  std::string name_;
  bool torn_ = false;
};

}  // namespace

TEST_CASE("Store stress: random operations of several threads", "[storage]") {
  Store store({.stripes = 16, .databases = 3, .now_ms = kNow});
  std::atomic<int64_t> clock{kNow};
  std::atomic<int> torn{0};
  RunThreads([&](int number) {
    Worker worker(&store, &clock, number);
    for (int i = 0; i < 6000; ++i) worker.Step();
    torn += worker.torn();
  });
  CHECK(torn == 0);
  // Nothing is left that would not expire or could not be found.
  StoreStats stats;
  OpContext context(&stats);
  context.SetNow(clock + 10'000);
  for (int wheel = 0; wheel < Store::kWheels; ++wheel) {
    while (store.ExpireStep(context, wheel)) {
    }
  }
  for (int database = 0; database < 3; ++database) {
    const Store::DatabaseInfo info = store.Info(database, context.now_ms);
    CHECK(info.expiring == 0);
    uint64_t found = 0;
    for (uint64_t i = 0; i < 400; ++i) {
      found += store.Read(context, database, Store::MakeKey(Name(i))).exists();
    }
    CHECK(found == info.keys);
  }
  store.Flush(context, -1, true);
  CHECK(store.WheelHandles() == 0);
}

TEST_CASE("Store stress: counters of several threads add up", "[storage]") {
  constexpr int kRounds = 10'000;
  Store store({.stripes = 16, .databases = 1, .now_ms = kNow});
  RunThreads([&](int) {
    StoreStats stats;
    OpContext context(&stats);
    context.SetNow(kNow);
    for (int i = 0; i < kRounds; ++i) {
      WriteGuard slot = store.Write(context, 0, Store::MakeKey("counter"));
      slot.SetInteger(slot ? slot->integer() + 1 : 1, Entry::kNoExpiry);
    }
  });
  StoreStats stats;
  OpContext context(&stats);
  CHECK(store.Read(context, 0, Store::MakeKey("counter"))->integer() == kThreads * kRounds);
}

TEST_CASE("Store stress: several keys are written and read as one", "[storage]") {
  Store store({.stripes = 16, .databases = 1, .now_ms = kNow});
  std::vector<std::string> names;
  for (uint64_t i = 0; i < 10; ++i) names.push_back(Name(i));
  std::atomic<int> torn{0};
  RunThreads([&](int number) {
    StoreStats stats;
    OpContext context(&stats);
    context.SetNow(kNow);
    std::mt19937 random(static_cast<uint32_t>(number));
    for (int64_t i = 0; i < 3000; ++i) {
      // In any order: the locks are taken in theirs.
      std::vector<std::string> shuffled = names;
      std::shuffle(shuffled.begin(), shuffled.end(), random);
      std::vector<Key> keys;
      for (const std::string& name : shuffled) keys.push_back(Store::MakeKey(name));
      const MultiLock lock = store.Lock(keys);
      const KeySlot first = store.Slot(context, 0, keys[0]);
      const int64_t value = first ? first->integer() : -1;
      for (const Key& key : keys) {
        KeySlot slot = store.Slot(context, 0, key);
        torn += (slot ? slot->integer() : -1) != value;
        slot.SetInteger(number * 10'000 + i, Entry::kNoExpiry);
      }
    }
  });
  CHECK(torn == 0);
}

}  // namespace spinel
