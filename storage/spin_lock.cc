#include "storage/spin_lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace spinel {
namespace {

constexpr int kSpins = 100;

void CpuRelax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// A thread that waits longer than this looks whether it has something else to do.
constexpr int kIdleMs = 10;

thread_local SpinLock::Idle idle_work;

void SleepOn(std::atomic<uint32_t>* state, uint32_t expected, int ms) {
  const timespec timeout{.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1'000'000L};
  syscall(SYS_futex, state, FUTEX_WAIT_PRIVATE, expected, &timeout, nullptr, 0);
}

}  // namespace

void SpinLock::LockSlow() {
  for (int i = 0; i < kSpins; ++i) {
    CpuRelax();
    uint32_t free = kFree;
    if (state_.load(std::memory_order_relaxed) == kFree &&
        state_.compare_exchange_weak(free, kHeld, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return;
    }
  }
  // From here on the lock is taken as contended: whoever slept must not lose a later wake-up.
  while (state_.exchange(kContended, std::memory_order_acquire) != kFree) {
    SleepOn(&state_, kContended, kIdleMs);
    if (idle_work.run != nullptr && state_.load(std::memory_order_relaxed) != kFree) {
      idle_work.run(idle_work.context);
    }
  }
}

bool SpinLock::TryLockFor(int ms) {
  for (int i = 0; i < kSpins; ++i) {
    if (TryLock()) return true;
    CpuRelax();
  }
  for (int i = 0; i < ms; ++i) {
    if (state_.exchange(kContended, std::memory_order_acquire) == kFree) return true;
    SleepOn(&state_, kContended, 1);
  }
  if (state_.exchange(kContended, std::memory_order_acquire) == kFree) return true;
  if (idle_work.run != nullptr) idle_work.run(idle_work.context);
  return false;
}

void SpinLock::SetIdle(Idle what) { idle_work = what; }

void SpinLock::WakeOne() {
  syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace spinel
