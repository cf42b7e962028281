// A hierarchical timing wheel (G. Varghese, T. Lauck, "Hashed and Hierarchical Timing Wheels", SOSP
// 1987): four levels of 256 slots, ticks of 16 ms, so level 0 spans 4 s, level 3 two years; what is
// due later waits in the last slot and is armed again.
//
// The wheel holds handles of 8 bytes, not pointers: a locator that finds a key's bucket, and the
// rest of the tick. A handle is never removed: one whose key is gone is a harmless look-up when it
// fires, and is weeded out by a sweep when such handles pile up.
//
// Precondition of Collect: time does not run backwards (an earlier tick than the last collects
// nothing). Postcondition: a handle is collected once, at its tick or later, never before.
//
// Threads: any; a lock of its own, which may be taken under a stripe's lock, never the other way
// round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "storage/spin_lock.h"

namespace spinel {

class TimingWheel {
 public:
  static constexpr int64_t kTickMs = 16;
  static constexpr int kLocatorBits = 40;

  // What was armed: 40 bits of the caller's, and the tick it was armed for.
  struct Handle {
    uint64_t locator;
    int64_t tick;
  };

  explicit TimingWheel(int64_t now_tick) : current_(now_tick) {}
  ~TimingWheel() { Detach(); }
  TimingWheel(const TimingWheel&) = delete;
  TimingWheel& operator=(const TimingWheel&) = delete;

  // The first tick at which a key that expires at `unix_ms` is over.
  static constexpr int64_t TickOf(int64_t unix_ms) { return unix_ms / kTickMs + 1; }
  static constexpr int64_t NowTick(int64_t unix_ms) { return unix_ms / kTickMs; }

  // Arms a handle. Returns the tick it will really fire at: the next one when `tick` is over, an
  // earlier one when `tick` is beyond the wheel.
  int64_t Arm(int64_t tick, uint64_t locator);

  // Moves at most `max` handles that are due at `now_tick` to `out`. Does a bounded amount of work;
  // `more` tells that something may be left to do for this tick.
  struct Collected {
    size_t count;
    bool more;
  };
  Collected Collect(int64_t now_tick, Handle* out, size_t max);

  // Whether nothing is due until `tick`, which is less than 256 ticks away, and there is nothing
  // else to do. May say no although it is so.
  bool QuietUntil(int64_t tick) const;

  // Sweeping: once the handles have doubled since the last sweep, gives out at most `max` of them.
  // The caller arms again those that are still good; the others are forgotten.
  size_t CollectForSweep(Handle* out, size_t max);
  // The next sweep does not wait for that: many handles have lost their keys.
  void RequestSweep();

  // Some handle, chosen with random numbers but not evenly; it stays. Looks at a bounded number of
  // slots. False: there is none. The tick is not told.
  bool Sample(Handle* out) const;

  // Forgets everything. The work of freeing is in the destruction of what is returned, which may
  // happen on any thread.
  class Remains;
  std::unique_ptr<Remains> Detach();

  size_t size() const;
  size_t MemoryBytes() const;

 private:
  static constexpr int kLevels = 4;
  static constexpr int kSlotBits = 8;
  static constexpr int64_t kSlots = int64_t{1} << kSlotBits;
  static constexpr int kTickBits = 24;  // of a tick, kept in a handle
  static constexpr size_t kMinSweep = 4096;

  struct Chunk {
    static constexpr uint32_t kHandles = 30;
    Chunk* next;
    uint32_t count;
    uint32_t unused;
    uint64_t handles[kHandles];
  };
  static_assert(sizeof(Chunk) == 256);

  struct Lists {
    Chunk* slots[kLevels][kSlots] = {};
    Chunk* due = nullptr;  // all of tick current_
    // Slots of upper levels on their way down; current_ stands until these are empty.
    Chunk* cascading[kLevels] = {};
    Chunk* sweeping = nullptr;
  };

  void TakeSlot(int level, int64_t slot, Chunk** list) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void SkipEmptyTicks(int64_t limit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void Push(Chunk** list, uint64_t handle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  bool Pop(Chunk** list, uint64_t* handle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  int64_t Place(int64_t tick, uint64_t locator) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  int64_t SweptTick(uint64_t handle) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void AdvanceOneTick() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  // The tick of a handle found in a list whose ticks agree with `base` above its lowest `bits`.
  static int64_t FullTick(int64_t base, uint64_t handle, int bits) {
    const int64_t mask = (int64_t{1} << bits) - 1;
    return (base & ~mask) | (static_cast<int64_t>(handle) & mask);
  }
  static uint64_t Locator(uint64_t handle) { return handle >> kTickBits; }

  mutable SpinLock lock_;
  int64_t current_ ABSL_GUARDED_BY(lock_);  // the tick that is being, or was last, collected
  size_t size_ ABSL_GUARDED_BY(lock_) = 0;
  size_t chunks_ ABSL_GUARDED_BY(lock_) = 0;
  int filled_slots_[kLevels] ABSL_GUARDED_BY(lock_) = {};  // slots that hold a handle
  size_t sweep_at_ ABSL_GUARDED_BY(lock_) = kMinSweep;
  Lists lists_ ABSL_GUARDED_BY(lock_);
  bool slot_taken_ ABSL_GUARDED_BY(lock_) = true;     // level 0's slot of current_ is in due_
  int sweep_level_ ABSL_GUARDED_BY(lock_) = kLevels;  // kLevels: no sweep under way
  int64_t sweep_slot_ ABSL_GUARDED_BY(lock_) = 0;
  int64_t sweep_base_ ABSL_GUARDED_BY(lock_) = 0;  // the first tick of the slot in lists_.sweeping
};

class TimingWheel::Remains {
 public:
  explicit Remains(const Lists& lists) : lists_(lists) {}
  ~Remains();
  Remains(const Remains&) = delete;
  Remains& operator=(const Remains&) = delete;

 private:
  Lists lists_;
};

}  // namespace spinel
