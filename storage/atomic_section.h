// Several operations that nobody comes between: transactions and scripts. Holds the stripes of the
// keys that they name, or every stripe, from construction to destruction.
//
// Guards in it are made with Locking::kHeld. With everything held, whatever of the Store locks by
// itself (walks over the keyspace, Flush, SwapDatabases ...) finds that this thread holds it all
// and takes nothing. Those who wait for keys are served once, at the end.
//
// Sections do not nest. What serving leaves to do without locks is the owner's:
// Store::FinishServing. Lock order: stripes come before every Mutex, so that any command may run in
// here; nobody locks a stripe while he holds a Mutex.
//
// Owner: a scope. Threads: the one that made it.
#pragma once

#include <span>

#include "storage/guards.h"
#include "storage/store.h"

namespace spinel {

class AtomicSection {
 public:
  // Of the keys only the hashes matter.
  AtomicSection(Store* store, const OpContext* context, std::span<const Key> keys, bool everything);
  ~AtomicSection();
  AtomicSection(const AtomicSection&) = delete;
  // Locks a further key's stripe. Expects Store::growth_right, taken before this was made.
  void Grow(const Key& key) { store_->Grow(key, &lock_); }
  // The same for all stripes.
  void GrowToEverything();
  AtomicSection& operator=(const AtomicSection&) = delete;

 private:
  Store* const store_;
  const OpContext* const context_;
  bool everything_;
  MultiLock lock_;
};

}  // namespace spinel
