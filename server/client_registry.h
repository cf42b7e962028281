// Every connected client, on whatever loop: for CLIENT LIST, CLIENT KILL and the count.
//
// Owner: the Server. Threads: any. A session is in here from accept until its socket is closed; a
// visitor sees it alive because the registry's mutex is held meanwhile: it must be brief, read only
// what a Session offers to any thread, and not call the registry.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "storage/mutex.h"

namespace spinel {

class Session;

// All clients added up.
struct ClientTotals {
  uint64_t count = 0;
  uint64_t subscribed = 0;  // with subscriptions
  uint64_t watching = 0;    // with keys that they watch
  uint64_t blocked = 0;     // held back by CLIENT PAUSE or a blocking command
  uint64_t memory = 0;      // bytes of sessions and their buffers
};

// Bytes of a session and its buffers.
uint64_t MemoryOf(const Session& session);

class ClientRegistry {
 public:
  uint64_t NextId() { return next_id_.fetch_add(1, std::memory_order_relaxed); }

  void Add(Session* session);
  void Remove(Session* session);
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }

  // Visits the sessions in the order of their ids.
  void ForEach(absl::FunctionRef<void(Session&)> visit);
  // Cheaper than ForEach: in no order, nothing copied.
  ClientTotals Totals();
  // False: no such client.
  bool Visit(uint64_t id, absl::FunctionRef<void(Session&)> visit);

 private:
  std::atomic<uint64_t> next_id_{1};
  std::atomic<uint64_t> count_{0};
  Mutex mutex_;
  absl::flat_hash_map<uint64_t, Session*> sessions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spinel
