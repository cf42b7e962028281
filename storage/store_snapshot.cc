// The part of the Store that lets a snapshot be taken: see snapshot_hook.h.

#include "absl/container/inlined_vector.h"
#include "storage/snapshot_hook.h"
#include "storage/store.h"

namespace spinel {

bool Store::ReserveSnapshot() { return !snapshot_busy_.exchange(true, std::memory_order_acq_rel); }

bool Store::PictureEpoch() const {
  stripes_[0].lock.AssertHeld();
  return stripes_[0].epoch;
}

void Store::BeginSnapshot(SnapshotHook* hook, AtCut at_cut) {
  {
    std::vector<DatabaseInfo> databases(static_cast<size_t>(databases_));
    const MultiLock lock = LockAll();
    snapshot_ = hook;
    for (uint32_t i = 0; i < stripe_count_; ++i) {
      Stripe& stripe = stripes_[i];
      stripe.lock.AssertHeld();
      stripe.pictured = true;
      stripe.epoch = !stripe.epoch;
      for (int database = 0; database < databases_; ++database) {
        if (stripe.others == nullptr && Physical(database) != 0) continue;
        const Database& found = *stripe.Find(Physical(database));
        DatabaseInfo& info = databases[static_cast<size_t>(database)];
        info.keys += found.table.size();
        info.expiring += found.expiring;
        info.with_expiring_elements += found.expiring_elements;
      }
    }
    at_cut(databases);
  }
  ShareLocks();
}

void Store::DetachSnapshot() {
  const MultiLock lock = LockAll();
  snapshot_ = nullptr;
  for (uint32_t i = 0; i < stripe_count_; ++i) {
    stripes_[i].lock.AssertHeld();
    stripes_[i].pictured = false;
  }
}

void Store::EndSnapshot() { snapshot_busy_.store(false, std::memory_order_release); }

uint64_t Store::WalkStripe(uint32_t number, int physical, uint64_t cursor, PictureVisitor visit) {
  Stripe& stripe = stripes_[number];
  StripeLock lock(LockOf(&stripe));
  const Keyspace* const table = TableOf(&stripe, physical);
  if (table == nullptr || table->empty()) return 0;
  stripe.lock.AssertHeld();
  const bool epoch = stripe.epoch;
  absl::InlinedVector<Entry*, 32> entries;
  for (bool go_on = true; go_on;) {
    entries.clear();
    cursor = table->Scan(cursor, [&entries](Entry* entry) {
      // Most of them are not in the cache.
      __builtin_prefetch(entry);
      __builtin_prefetch(reinterpret_cast<const char*>(entry) + 64);
      entries.push_back(entry);
    });
    for (Entry* const entry : entries) {
      const bool fresh = entry->epoch() != epoch;
      entry->set_epoch(epoch);
      if (!visit(fresh ? entry : nullptr)) go_on = false;
    }
    if (cursor == 0) return 0;
  }
  return cursor;
}

SpinLock* Store::PictureLock(uint32_t number) { return LockOf(&stripes_[number]); }

void Store::KeepForSnapshot(Stripe* stripe, int physical, const OpContext& context, Entry* entry) {
  stripe->lock.AssertHeld();
  entry->set_epoch(stripe->epoch);
  snapshot_->Keep(context, static_cast<uint32_t>(stripe - stripes_.get()), physical, entry);
}

// False: the snapshot has no use for the entry.
bool Store::GiveToSnapshot(const Discarded& from, const OpContext& context, Entry* entry) {
  from.stripe->lock.AssertHeld();
  if (entry->is_object() && entry->object()->picture() != nullptr) {
    entry->object()->picture()->TakeOver(entry);
    return true;
  }
  const bool in_picture = entry->epoch() == from.stripe->epoch;
  // Who loads the file would leave out what is over.
  if (in_picture || from.why == Discarded::kExpired) return false;
  snapshot_->TakeEntry(context, from.physical, entry);
  return true;
}

void Store::Discard(const Discarded& from, const OpContext& context, Entry* entry) {
  from.stripe->lock.AssertHeld();
  if (from.stripe->pictured && GiveToSnapshot(from, context, entry)) [[unlikely]]
    return;
  if (from.why == Discarded::kUnlinked || entry->IsBig()) {
    reclaimer_.Free(entry);
  } else {
    Entry::Delete(entry);
  }
}

// -- Stores of one thread, which otherwise take no locks
// --------------------------------------------------------

void Store::ShareLocks() {
  if (!one_thread_) return;
  one_thread_ = false;
  shared_ = true;
  if (HoldsEverything()) {
    release_later_ = true;
  } else {
    ReleaseAll();
  }
}

void Store::ReleaseAll() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  release_later_ = false;
  for (uint32_t i = 0; i < stripe_count_; ++i) stripes_[i].lock.Unlock();
}

void Store::StopSharing() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!shared_ || release_later_ || snapshot_busy_.load(std::memory_order_acquire)) return;
  for (uint32_t i = 0; i < stripe_count_; ++i) stripes_[i].lock.Lock();
  shared_ = false;
  one_thread_ = true;
}

}  // namespace spinel
