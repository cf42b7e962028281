// Keys that clients keep copies of ("client-side caching"): per key the clients that are to be told
// when it changes. Told once: after that they have no copy, and are forgotten.
//
// A key is one by its name alone: clients that track do not say in which database.
//
// Whoever changes a key (KeySlot, expiry, FLUSHALL) takes its clients out under the lock of the
// key's stripe and notes them in his OpContext; who is told, and how, is the server's business
// (server/tracking.h), once the locks are released. Reading a key and noting who has read it happen
// under one lock, too, so no change is missed.
//
// Owner: TrackedKeys belong to a Stripe (Observers), which has them only while somebody tracks.
// Threads: under the stripe's lock; TrackingTotals any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"

namespace spinel {

// A client as the server names it; no meaning here.
using TrackingClient = uint64_t;
using TrackingClients = absl::InlinedVector<TrackingClient, 2>;

// Of all stripes.
struct TrackingTotals {
  std::atomic<uint64_t> keys{0};
  std::atomic<uint64_t> items{0};  // clients of keys
};

// A change that has to be told.
struct Invalidation {
  std::string key;
  TrackingClients clients;  // who have a copy
  bool broadcast = false;   // those are told, too, who want to know of all keys
  bool by_client =
      false;  // the client whose command it is did it; otherwise the key's time is over
  bool everything = false;  // no key in particular: all are gone
};

class TrackedKeys {
 public:
  void Add(uint64_t hash, std::string_view name, TrackingClient client, TrackingTotals* totals);
  // Forgets the key; returns who had a copy.
  TrackingClients Take(uint64_t hash, std::string_view name, TrackingTotals* totals);
  void Clear(TrackingTotals* totals);
  // Takes any key, which becomes *name. Expects that there is one.
  TrackingClients TakeAny(std::string* name, TrackingTotals* totals);

  bool has_keys() const { return !keys_.empty(); }
  bool empty() const { return keys_.empty() && broadcasters == 0; }

  // Clients that want to know of the changes of all keys, here and in every other stripe.
  uint32_t broadcasters = 0;

 private:
  struct TrackedKey {
    std::string name;
    TrackingClients clients;  // sorted
  };
  using SameHash = absl::InlinedVector<TrackedKey, 1>;

  absl::flat_hash_map<uint64_t, SameHash> keys_;
};

}  // namespace spinel
