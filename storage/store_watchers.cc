// The part of the Store that tells those who watch keys: see watchers.h.

#include <algorithm>
#include <string_view>

#include "storage/store.h"

namespace spinel {

bool Store::AddWatcher(int database, const Key& key, Watchers::Flag* changed) {
  Stripe& stripe = StripeOf(key);
  stripe.lock.AssertHeld();
  return stripe.EnsureObservers().watchers.Add(database, key.hash, key.name, changed);
}

void Store::RemoveWatcher(int database, const Key& key, const Watchers::Flag* changed,
                          Locking locking) {
  Stripe& stripe = StripeOf(key);
  StripeLock lock(LockOf(key, locking));
  stripe.lock.AssertHeld();
  if (stripe.observers == nullptr) return;
  stripe.observers->watchers.Remove(database, key.hash, key.name, changed);
  stripe.DropEmptyObservers();
}

uint64_t Store::WatchedKeys() {
  uint64_t total = 0;
  for (uint32_t i = 0; i < stripe_count_; ++i) {
    Stripe& stripe = stripes_[i];
    StripeLock lock(LockOf(&stripe));
    stripe.lock.AssertHeld();
    if (stripe.observers != nullptr) total += stripe.observers->watchers.size();
  }
  return total;
}

int Store::Logical(int physical) const {
  const auto found = std::find(physical_.begin(), physical_.end(), physical);
  return static_cast<int>(found - physical_.begin());
}

void Store::TouchWatchers(const OpContext& context, Stripe* stripe, int physical,
                          const Entry& entry) {
  stripe->lock.AssertHeld();
  if (stripe->observers == nullptr) [[likely]]
    return;
  const Key key{entry.key(), kKeyHasher(entry.key())};
  stripe->observers->watchers.Touch(Logical(physical), key.hash, key.name);
  Invalidate(context, stripe, key, /*by_client=*/false);
}

void Store::TouchReplaced(const OpContext& context, Stripe* stripe, int database, int other) {
  stripe->lock.AssertHeld();
  if (stripe->observers == nullptr) [[likely]]
    return;
  Watchers& watchers = stripe->observers->watchers;
  watchers.ForEachKey(database, [&](uint64_t hash, std::string_view name) {
    // Slots remove what has expired: in either database that is no key, now or later.
    const Key key{name, hash};
    const bool existed = Slot(context, database, key).exists();
    const bool will_exist = other != -1 && Slot(context, other, key).exists();
    if (existed || will_exist) watchers.Touch(database, hash, name);
  });
}

}  // namespace spinel
