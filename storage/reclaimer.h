// Frees what would take too long to free on a loop: big values and whole keyspaces.
//
// Owner: the Store. Threads: Free and Run from any; the work is done on a thread of its own,
// started by the first use. The destructor finishes what is queued.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/mutex.h"

namespace spinel {

class Blob;
class Entry;

class Reclaimer {
 public:
  Reclaimer() = default;
  ~Reclaimer();
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  // Takes over the entry.
  void Free(Entry* entry);
  // Drops the caller's reference; frees the blob on the reclaimer's thread if that may take long.
  void Release(Blob* blob);
  // Runs `work` on the reclaimer's thread; `objects` is how many values it frees, for statistics.
  void Run(std::function<void()> work, uint64_t objects);

  // Values queued, and values freed so far (INFO's lazyfree_pending_objects, lazyfreed_objects).
  uint64_t pending() const { return pending_.load(std::memory_order_relaxed); }
  uint64_t freed() const { return freed_.load(std::memory_order_relaxed); }
  void ResetFreed() { freed_.store(0, std::memory_order_relaxed); }

  // Blocks until the queue is empty. For tests and for orderly shutdown.
  void Drain();

 private:
  struct Job {
    std::function<void()> work;
    uint64_t objects;
  };

  void Loop();

  Mutex mutex_;
  Condition changed_;  // the queue has work or is done, or the end is near
  std::vector<Job> queue_ ABSL_GUARDED_BY(mutex_);
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> pending_{0};
  std::atomic<uint64_t> freed_{0};
};

}  // namespace spinel
