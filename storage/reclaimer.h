// Frees what would take too long to free on a loop: big values and whole keyspaces.
//
// Owner: the Store. Threads: Free and Run from any; the work is done on a thread of its own,
// started by the first use. The destructor finishes what is queued.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>

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
  // Does the next job of the queue on the calling thread, which has memory to wait for, if that
  // is brief: a string. False: it is not, or there is none.
  bool Help();

  // Values queued, and values freed so far (INFO's lazyfree_pending_objects, lazyfreed_objects).
  uint64_t pending() const { return pending_.load(std::memory_order_relaxed); }
  uint64_t freed() const { return freed_.load(std::memory_order_relaxed); }
  void ResetFreed() { freed_.store(0, std::memory_order_relaxed); }
  // Bytes of entries and blobs that have ever been queued, and of those that have been freed.
  int64_t bytes_queued() const { return bytes_queued_.load(std::memory_order_relaxed); }
  int64_t bytes_freed() const { return bytes_freed_.load(std::memory_order_relaxed); }

  // Blocks until the queue is empty. For tests and for orderly shutdown.
  void Drain();

 private:
  struct Job {
    std::function<void()> work;
    uint64_t objects;
    uint64_t bytes;
    bool brief;
  };

  void Queue(Job job);
  void Loop();
  Job TakeJob() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Do(Job job);

  Mutex mutex_;
  Condition changed_;  // the queue has work or is done, or the end is near
  std::deque<Job> queue_ ABSL_GUARDED_BY(mutex_);
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;  // threads that do a job
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> pending_{0};
  std::atomic<uint64_t> freed_{0};
  std::atomic<int64_t> bytes_queued_{0};
  std::atomic<int64_t> bytes_freed_{0};
};

}  // namespace spinel
