// The part of the Store that serves those who wait for keys: see waiters.h.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "storage/store.h"

namespace spinel {

void WriteGuard::ServeReady() { store()->ServeReady(*context(), {.one = mutex()}); }

void Store::AddWaiter(int database, const Key& key, uint64_t ticket,
                      std::shared_ptr<Waiter> waiter) {
  Stripe& stripe = StripeOf(key);
  stripe.lock.AssertHeld();
  stripe.EnsureObservers().waiters.Add(database, key.hash, key.name, ticket, std::move(waiter));
}

void Store::RemoveWaiter(int database, const Key& key, uint64_t ticket) {
  Stripe& stripe = StripeOf(key);
  StripeLock lock(LockOf(&stripe));
  stripe.lock.AssertHeld();
  if (stripe.observers == nullptr) return;
  stripe.observers->waiters.Remove(database, key.hash, key.name, ticket);
  stripe.DropEmptyObservers();
}

bool Store::Holds(const HeldStripes& held, std::string_view key) const {
  if (one_thread_ || held.all) return true;
  const SpinLock* const lock = &StripeOf(MakeKey(key)).lock;
  return held.several != nullptr ? held.several->Holds(lock) : held.one == lock;
}

bool Store::ServeQueue(const OpContext& context, const ReadyKey& ready, WaiterQueue* queue,
                       const HeldStripes& held) {
  const Key key{ready.name, ready.hash};
  for (auto waiting = queue->begin(); waiting != queue->end();) {
    KeySlot slot = Slot(context, ready.database, key);
    if (!slot) return true;
    const std::string* const destination = waiting->second->destination();
    if (destination != nullptr && !Holds(held, *destination)) return false;
    if (waiting->second->Serve(&slot) == Waiter::Outcome::kNothing) {
      ++waiting;
    } else {
      waiting = queue->erase(waiting);
    }
  }
  return true;
}

void Store::ServeReady(const OpContext& context, const HeldStripes& held) {
  // Serving may make further keys ready, behind those that are.
  for (size_t i = 0; i < context.ready.size(); ++i) {
    ReadyKey ready = context.ready[i];
    Stripe& stripe = StripeOf({ready.name, ready.hash});
    stripe.lock.AssertHeld();
    if (stripe.observers == nullptr) continue;
    Waiters& waiters = stripe.observers->waiters;
    WaiterQueue* queue = waiters.Find(ready.database, ready.hash, ready.name);
    if (queue == nullptr) continue;
    const bool done = ServeQueue(context, ready, queue, held);
    waiters.RemoveIfEmpty(ready.database, ready.hash, ready.name);
    stripe.DropEmptyObservers();
    if (!done) context.deferred.push_back(std::move(ready));
  }
  context.ready.clear();
}

void Store::ServeDeferred(const OpContext& context) {
  constexpr size_t kLockTogether = 8;
  while (!context.deferred.empty()) {
    const ReadyKey ready = std::move(context.deferred.back());
    context.deferred.pop_back();
    std::vector<std::string> destinations;
    const Key key{ready.name, ready.hash};
    {
      Stripe& stripe = StripeOf(key);
      StripeLock lock(LockOf(&stripe));
      stripe.lock.AssertHeld();
      WaiterQueue* queue =
          stripe.observers == nullptr
              ? nullptr
              : stripe.observers->waiters.Find(ready.database, ready.hash, ready.name);
      if (queue == nullptr) continue;
      for (const auto& [ticket, waiter] : *queue) {
        if (waiter->destination() != nullptr) destinations.push_back(*waiter->destination());
        if (destinations.size() == kLockTogether) break;
      }
    }
    absl::InlinedVector<Key, 16> keys = {key};
    for (const std::string& name : destinations) keys.push_back(MakeKey(name));
    const MultiLock lock = Lock(keys);
    context.ready.push_back(ready);
    ServeReady(context, {.several = &lock});
  }
}

void Store::RunUnlocked(const OpContext& context) {
  std::vector<std::function<void()>> work;
  work.swap(context.unlocked);
  for (const std::function<void()>& step : work) step();
  work.clear();
  if (context.unlocked.empty()) context.unlocked.swap(work);  // keeps its memory for the next time
}

}  // namespace spinel
