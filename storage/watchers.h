// Clients that WATCH keys: per key the flags to be raised when it changes, under the lock of the
// key's stripe.
//
// Whatever changes a key (KeySlot: a new value, an element, an expiry, its removal; the store:
// expiry, FLUSHALL, SWAPDB) raises them. A flag is raised, never lowered, in here: its owner reads
// it while it holds the stripes of all its keys, so nothing can come between its look and what it
// does next.
//
// Owner: Watchers belong to a Stripe (Observers), which has them only while somebody waits or
// watches. A flag belongs to a session, which takes it out of all stripes before it goes. Threads:
// under the stripe's lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"

namespace spinel {

class Watchers {
 public:
  using Flag = std::atomic<bool>;

  // False: the flag watches this key already.
  bool Add(int database, uint64_t hash, std::string_view name, Flag* changed);
  void Remove(int database, uint64_t hash, std::string_view name, const Flag* changed);
  // The key has changed: raises its flags.
  void Touch(int database, uint64_t hash, std::string_view name);

  bool empty() const { return keys_.empty(); }
  // Keys, however many watch each.
  size_t size() const;

  // Calls visit(hash, name) for every key of a database that somebody watches.
  template <typename Visit>
  void ForEachKey(int database, Visit&& visit) const {
    for (const auto& [hash, keys] : keys_) {
      for (const WatchedKey& key : keys) {
        if (key.database == database) visit(hash, std::string_view(key.name));
      }
    }
  }

 private:
  struct WatchedKey {
    int database;  // logical: SWAPDB changes what is in it, not whose it is
    std::string name;
    absl::InlinedVector<Flag*, 2> flags;
  };
  using WatchedKeys = absl::InlinedVector<WatchedKey, 1>;  // of one hash

  static WatchedKey* Find(WatchedKeys* keys, int database, std::string_view name);

  absl::flat_hash_map<uint64_t, WatchedKeys> keys_;
};

}  // namespace spinel
