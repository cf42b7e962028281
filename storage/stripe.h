// A stripe: the part of the keyspace that one lock guards. The stripe of a key is given by the high
// bits of its hash; all databases of those keys lie in it, so MOVE, COPY and SWAPDB lock like any
// other command.
//
// Owner: the Store. Everything is guarded by `lock`, which guards.h takes.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/entry.h"
#include "storage/hash_table.h"
#include "storage/key_hash.h"
#include "storage/spin_lock.h"
#include "storage/tracked_keys.h"
#include "storage/waiters.h"
#include "storage/watchers.h"

namespace spinel {

struct EntryHash {
  static uint64_t Hash(const Entry& entry) { return kKeyHasher(entry.key()); }
};
using Keyspace = HashTable<Entry, EntryHash>;

// One database's share of a stripe.
struct Database {
  Keyspace table;
  // A stripe never has 2^32 keys.
  uint32_t expiring = 0;           // keys with an expiry
  uint32_t expiring_elements = 0;  // keys with elements that expire by themselves
};

// Clients that are told of what happens to keys of a stripe.
struct Observers {
  Waiters waiters;      // for a key to get a value
  Watchers watchers;    // for a key to change
  TrackedKeys tracked;  // keep copies of keys
  bool empty() const { return waiters.empty() && watchers.empty() && tracked.empty(); }
};

struct alignas(64) Stripe {
  SpinLock lock;
  // While a snapshot is taken: whatever changes must be kept for it if it is not in its picture
  // yet. An entry is if its epoch is the stripe's; the beginning of a snapshot turns that over.
  bool pictured ABSL_GUARDED_BY(lock) = false;
  bool epoch ABSL_GUARDED_BY(lock) = false;
  Database first ABSL_GUARDED_BY(lock);                      // database 0, in the lock's cache line
  std::unique_ptr<Database[]> others ABSL_GUARDED_BY(lock);  // 1.., made by the first key in them
  std::unique_ptr<Observers> observers ABSL_GUARDED_BY(lock);  // only while there are any

  Observers& EnsureObservers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock) {
    if (observers == nullptr) observers = std::make_unique<Observers>();
    return *observers;
  }
  // After some of them have left.
  void DropEmptyObservers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock) {
    if (observers->empty()) observers.reset();
  }

  // Of a physical database; nullptr: it never had a key here.
  Database* Find(int database) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock) {
    if (database == 0) return &first;
    return others == nullptr ? nullptr : &others[static_cast<size_t>(database) - 1];
  }
  Database* FindOrCreate(int database, int databases) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock) {
    if (database == 0) return &first;
    if (others == nullptr)
      others = std::make_unique<Database[]>(static_cast<uint8_t>(databases - 1));
    return &others[static_cast<size_t>(database) - 1];
  }
};

static_assert(sizeof(Stripe) == 64, "lock, table and count share one cache line");

}  // namespace spinel
