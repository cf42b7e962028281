// What an operation on the store brings along: the time, how it touches the key, and where it
// counts.
//
// Owner: a loop (one for all its commands) or a test. Threads: the owner's; the counters may be
// read by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/key_events.h"
#include "storage/tracked_keys.h"

namespace spinel {

// A counter with one writer: an increment is a plain load and store, other threads may read it.
class Counter {
 public:
  [[gnu::always_inline]] void Add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }
  void Reset() { value_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct StoreStats {
  Counter keyspace_hits;
  Counter keyspace_misses;
  Counter expired_keys;
  Counter expired_fields;
  Counter evicted_keys;
  Counter changes;  // modifications of the data set
};

// A key that has got a value while clients wait for one.
struct ReadyKey {
  int database;
  uint64_t hash;
  std::string name;
};

struct OpContext {
  explicit OpContext(StoreStats* store_stats) : stats(store_stats) {}

  // Unix milliseconds; set once per batch of commands, so that all of one batch see the same time.
  void SetNow(int64_t unix_ms) { now_ms = unix_ms; }

  bool Tells(int64_t event_class) const {
    return (event_classes->load(std::memory_order_relaxed) & event_class) != 0;
  }
  // Tells of something that has happened to a key; its stripe is locked. See key_events.h.
  void Notify(int64_t event_class, std::string_view event, int database,
              std::string_view key) const {
    if (Tells(event_class)) [[unlikely]]
      key_events->OnKeyEvent(event, database, key);
  }

  int64_t now_ms = 0;
  StoreStats* stats;
  // Keys whose waiters are to be served before the locks are released; and those for which further
  // locks are needed (Store::FinishServing). See waiters.h.
  mutable std::vector<ReadyKey> ready;
  mutable std::vector<ReadyKey> deferred;
  // What is left to do without any lock: waking other loops, for one, costs a system call.
  mutable std::vector<std::function<void()>> unlocked;
  // Clients that have to forget their copies of keys; whoever runs the operation has them told.
  mutable std::vector<Invalidation> invalidations;
  // Who is told what happens to keys, and of which classes of events; the sink may be null while
  // there are none.
  const KeyEventClasses* event_classes = &kNoKeyEvents;
  KeyEventSink* key_events = nullptr;
  bool touch = true;  // false: a read leaves the key's access clock alone (CLIENT NO-TOUCH)
};

}  // namespace spinel
