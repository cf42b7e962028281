#include "storage/atomic_section.h"

#include <cassert>

namespace spinel {

AtomicSection::AtomicSection(Store* store, const OpContext* context, std::span<const Key> keys,
                             bool everything)
    : store_(store),
      context_(context),
      everything_(everything),
      lock_(everything ? store->LockAll() : store->Lock(keys)) {
  assert(!store->HoldsEverything());
  if (everything) Store::everything_held_ = store;
}

void AtomicSection::GrowToEverything() {
  if (everything_) return;
  store_->GrowToAll(&lock_);
  everything_ = true;
  Store::everything_held_ = store_;
}

AtomicSection::~AtomicSection() {
  if (!context_->ready.empty()) {
    store_->ServeReady(*context_, {.several = &lock_, .all = everything_});
  }
  if (everything_) Store::everything_held_ = nullptr;
  if (store_->release_later_) store_->ReleaseAll();
}

}  // namespace spinel
