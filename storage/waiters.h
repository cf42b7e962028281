// Clients that wait for a key to get a value (BLPOP and its relatives): a queue per key, first
// come, first served, under the lock of the key's stripe.
//
// Whoever puts a value under a key (KeySlot::Put: a push, RENAME, MOVE, COPY, SORT STORE ...)
// serves the key's queue before the stripe's lock is released, so nobody comes between. Only where
// serving needs the lock of another stripe (BLMOVE's destination) it happens right after the
// release, with both locks taken in order.
//
// Owner: Waiters belong to a Stripe (Observers), which has them only while somebody waits or
// watches. A Waiter is shared by the queues it stands in and its client. Threads: under the
// stripe's lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"

namespace spinel {

class KeySlot;
struct OpContext;

class Waiter {
 public:
  enum class Outcome : uint8_t {
    kServed,   // it got what it waited for: out of the queue
    kNothing,  // not this value (another type): it goes on waiting
    kGone,     // it waits no more: out of the queue
  };

  virtual ~Waiter() = default;

  // Takes what it wants from the key. The key exists; the destination's stripe is locked too.
  virtual Outcome Serve(KeySlot* slot) = 0;
  // The key that what it takes is moved to; nullptr: it takes the element out.
  virtual const std::string* destination() const { return nullptr; }
};

// In the order in which they came: the key is the ticket.
using WaiterQueue = std::map<uint64_t, std::shared_ptr<Waiter>>;

class Waiters {
 public:
  // A number higher than any before. Any thread.
  static uint64_t NextTicket();

  // A waiter stands in a queue at most once.
  void Add(int database, uint64_t hash, std::string_view name, uint64_t ticket,
           std::shared_ptr<Waiter> waiter);
  void Remove(int database, uint64_t hash, std::string_view name, uint64_t ticket);
  // nullptr: nobody waits for the key.
  WaiterQueue* Find(int database, uint64_t hash, std::string_view name);
  // Removes the key's queue if it is empty.
  void RemoveIfEmpty(int database, uint64_t hash, std::string_view name);
  bool empty() const { return keys_.empty(); }

  // Calls visit(hash, name) for every key of a database that somebody waits for.
  template <typename Visit>
  void ForEachKey(int database, Visit&& visit) const {
    for (const auto& [hash, keys] : keys_) {
      for (const WaitedKey& key : keys) {
        if (key.database == database) visit(hash, std::string_view(key.name));
      }
    }
  }

 private:
  struct WaitedKey {
    int database;  // logical: SWAPDB changes what they wait at, not whom they wait for
    std::string name;
    WaiterQueue queue;
  };

  absl::flat_hash_map<uint64_t, absl::InlinedVector<WaitedKey, 1>> keys_;
};

}  // namespace spinel
