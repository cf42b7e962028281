// A 4-byte lock for critical sections of nanoseconds: spins a little, then sleeps on a futex.
//
// Threads: any. Not recursive. Never held across I/O, big allocations or the freeing of big values.
// After "Futexes Are Tricky" (U. Drepper, 2011), the second mutex there.
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>

#include "absl/base/thread_annotations.h"

namespace spinel {

class ABSL_LOCKABLE SpinLock {
 public:
  SpinLock() = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    uint32_t free = kFree;
    if (!state_.compare_exchange_strong(free, kHeld, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
      LockSlow();
    }
  }

  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    uint32_t free = kFree;
    return state_.compare_exchange_strong(free, kHeld, std::memory_order_acquire,
                                          std::memory_order_relaxed);
  }
  // Waits for at most `ms` milliseconds.
  bool TryLockFor(int ms) ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true);

  // What a thread does every now and then while it waits for a lock, besides sleeping: a loop that
  // waits for a long script looks after its clients. It takes no lock that a script may hold.
  struct Idle {
    void (*run)(void* context) = nullptr;
    void* context = nullptr;
  };
  static void SetIdle(Idle idle);

  void Unlock() ABSL_UNLOCK_FUNCTION() {
    if (state_.exchange(kFree, std::memory_order_release) == kContended) WakeOne();
  }

  // States, for the analysis and for debug builds, that the caller's guard holds the lock.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {
    assert(state_.load(std::memory_order_relaxed) != kFree);
  }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kContended = 2;  // held, and somebody may sleep

  void LockSlow();
  void WakeOne();

  std::atomic<uint32_t> state_{kFree};
};

static_assert(sizeof(SpinLock) == 4);

class ABSL_SCOPED_LOCKABLE SpinLockHolder {
 public:
  explicit SpinLockHolder(SpinLock* lock) ABSL_EXCLUSIVE_LOCK_FUNCTION(lock) : lock_(lock) {
    lock_->Lock();
  }
  ~SpinLockHolder() ABSL_UNLOCK_FUNCTION() { lock_->Unlock(); }
  SpinLockHolder(const SpinLockHolder&) = delete;
  SpinLockHolder& operator=(const SpinLockHolder&) = delete;

 private:
  SpinLock* lock_;
};

}  // namespace spinel
