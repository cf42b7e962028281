// The part of the Store that knows who keeps copies of keys: see tracked_keys.h.

#include "storage/store.h"

namespace spinel {

void Store::Track(const Key& key, TrackingClient client) {
  Stripe& stripe = StripeOf(key);
  stripe.lock.AssertHeld();
  stripe.EnsureObservers().tracked.Add(key.hash, key.name, client, &tracking_totals_);
}

void Store::CountBroadcaster(bool comes) {
  for (uint32_t i = 0; i < stripe_count_; ++i) {
    Stripe& stripe = stripes_[i];
    StripeLock lock(LockOf(&stripe));
    stripe.lock.AssertHeld();
    TrackedKeys& tracked = stripe.EnsureObservers().tracked;
    if (comes) {
      ++tracked.broadcasters;
    } else {
      --tracked.broadcasters;
      stripe.DropEmptyObservers();
    }
  }
}

void Store::EvictTracked(const OpContext& context, uint64_t most) {
  // Keys lie in stripes by chance, so any key of the next stripe is a random one.
  for (uint32_t passed = 0; passed < stripe_count_ && tracking_totals_.keys.load() > most;) {
    Stripe& stripe =
        stripes_[evict_from_.fetch_add(1, std::memory_order_relaxed) & (stripe_count_ - 1)];
    StripeLock lock(LockOf(&stripe));
    stripe.lock.AssertHeld();
    if (stripe.observers == nullptr || !stripe.observers->tracked.has_keys()) {
      ++passed;
      continue;
    }
    passed = 0;
    Invalidation invalidation;
    invalidation.clients = stripe.observers->tracked.TakeAny(&invalidation.key, &tracking_totals_);
    context.invalidations.push_back(std::move(invalidation));
    stripe.DropEmptyObservers();
  }
}

void Store::Invalidate(const OpContext& context, Stripe* stripe, const Key& key, bool by_client) {
  stripe->lock.AssertHeld();
  TrackedKeys& tracked = stripe->observers->tracked;
  if (tracked.empty()) return;
  const bool broadcast = tracked.broadcasters > 0;
  TrackingClients clients = tracked.Take(key.hash, key.name, &tracking_totals_);
  if (clients.empty() && !broadcast) return;
  Invalidation invalidation;
  invalidation.key = key.name;
  invalidation.clients = std::move(clients);
  invalidation.broadcast = broadcast;
  invalidation.by_client = by_client;
  context.invalidations.push_back(std::move(invalidation));
  stripe->DropEmptyObservers();
}

void Store::InvalidateEverything(const OpContext& context) {
  for (uint32_t i = 0; i < stripe_count_; ++i) {
    Stripe& stripe = stripes_[i];
    stripe.lock.AssertHeld();
    if (stripe.observers == nullptr) continue;
    stripe.observers->tracked.Clear(&tracking_totals_);
    stripe.DropEmptyObservers();
  }
  Invalidation invalidation;
  invalidation.everything = true;
  context.invalidations.push_back(std::move(invalidation));
}

}  // namespace spinel
