// Scoped access to the store. A guard holds the lock of its key's stripe, or of several stripes,
// from construction to destruction; views into values do not outlive it.
//
// Inside a transaction or script the stripes are locked already: then guards are made with
// Locking::kHeld and take nothing.
//
// Lock order: stripes by ascending number, then a timing wheel.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "storage/key_slot.h"
#include "storage/spin_lock.h"

namespace spinel {

class MultiLock;
class Store;

enum class Locking : uint8_t { kTake, kHeld };

// Holds one stripe's lock, or nothing.
class StripeLock {
 public:
  explicit StripeLock(SpinLock* lock) ABSL_NO_THREAD_SAFETY_ANALYSIS : lock_(lock) {
    if (lock_ != nullptr) lock_->Lock();
  }
  ~StripeLock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (lock_ != nullptr) lock_->Unlock();
  }
  StripeLock(const StripeLock&) = delete;
  StripeLock& operator=(const StripeLock&) = delete;
  const SpinLock* mutex() const { return lock_; }

 private:
  SpinLock* lock_;
};

// Which stripes somebody holds: one, several, or all.
struct HeldStripes {
  const SpinLock* one = nullptr;
  const MultiLock* several = nullptr;
  bool all = false;
};

// The right to change one key. Serves those who wait for it before it lets go.
class WriteGuard : private StripeLock, public KeySlot {
 public:
  WriteGuard(SpinLock* lock, Store* store, const OpContext* context, int database, const Key& key,
             Locking locking, Use use = Use::kWrite)
      : StripeLock(lock),
        KeySlot(store, context, database, key, use),
        serves_(locking == Locking::kTake) {}
  ~WriteGuard() {
    if (!context()->ready.empty() && serves_) [[unlikely]]
      ServeReady();
  }

 private:
  void ServeReady();

  const bool serves_;  // otherwise the holder of the lock does
};

// How a key is looked up for reading: kCount counts a hit or miss, tells of a miss and updates the
// access clock; kCountNoTouch leaves the clock alone (TTL, TYPE); kCountOnly does not tell either
// (OBJECT); kPeek does nothing of all this.
enum class LookupMode : uint8_t { kCount, kCountNoTouch, kCountOnly, kPeek };

// The right to read one key. (Its lock is the same: reads touch the access clock.)
class ReadGuard {
 public:
  ReadGuard(SpinLock* lock, Store* store, const OpContext* context, int database, const Key& key,
            LookupMode mode)
      : lock_(lock), slot_(store, context, database, key, KeySlot::Use::kRead) {
    if (mode == LookupMode::kPeek) return;
    if (mode == LookupMode::kCountOnly) {
      slot_.CountHitOrMiss();
    } else {
      slot_.CountLookup(mode == LookupMode::kCount);
    }
  }

  bool exists() const { return slot_.exists(); }
  explicit operator bool() const { return exists(); }
  const Entry* operator->() const { return slot_.entry(); }
  const Entry& operator*() const { return *slot_.entry(); }
  bool Is(ValueType type) const { return slot_.Is(type); }

 private:
  const StripeLock lock_;
  KeySlot slot_;
};

// Holds the stripes of several keys; slots for them are made with Store::Slot.
class MultiLock {
 public:
  MultiLock() = default;
  ~MultiLock() { Release(); }
  MultiLock(const MultiLock&) = delete;
  MultiLock& operator=(const MultiLock&) = delete;
  MultiLock(MultiLock&& other) noexcept : locks_(std::exchange(other.locks_, {})) {}

  bool Holds(const SpinLock* lock) const {
    return std::find(locks_.begin(), locks_.end(), lock) != locks_.end();
  }

 private:
  friend class Store;
  void Release() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (auto lock = locks_.rbegin(); lock != locks_.rend(); ++lock) (*lock)->Unlock();
    locks_.clear();
  }

  absl::InlinedVector<SpinLock*, 16> locks_;
};

}  // namespace spinel
