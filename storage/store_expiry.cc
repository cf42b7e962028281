// Expiry: what the timing wheels hold, and what happens when it is due.

#include <bit>

#include "storage/store.h"

namespace spinel {
namespace {

// A wheel handle's locator: stripe within the wheel (8 bits), physical database (8), the low bits
// of the hash (24).
constexpr int kHandleHashBits = 24;
constexpr uint64_t kHandleHashMask = (uint64_t{1} << kHandleHashBits) - 1;
constexpr int kWheelShift = std::countr_zero(unsigned{Store::kWheels});

constexpr uint64_t Locator(uint32_t stripe, int database, uint64_t hash) {
  return uint64_t{stripe >> kWheelShift} << (kHandleHashBits + 8) |
         static_cast<uint64_t>(database) << kHandleHashBits | (hash & kHandleHashMask);
}
constexpr int DatabaseOf(const TimingWheel::Handle& handle) {
  return static_cast<int>(handle.locator >> kHandleHashBits & 0xff);
}

// Whether a handle with this tick may be that of the value's own elements.
bool HoldsElementsArmedFor(int64_t tick, const Entry& entry) {
  return entry.is_object() && entry.object()->armed_tick() == tick;
}

}  // namespace

int64_t Store::Arm(uint64_t hash, int physical_database, int64_t tick) {
  const uint32_t stripe = StripeIndex(hash);
  return wheels_[stripe % kWheels]->Arm(tick, Locator(stripe, physical_database, hash));
}

Stripe& Store::StripeOfHandle(int wheel, const TimingWheel::Handle& handle) const {
  const auto within = static_cast<uint32_t>(handle.locator >> (kHandleHashBits + 8));
  return stripes_[within << kWheelShift | static_cast<uint32_t>(wheel)];
}

uint64_t Store::HashOfHandle(const TimingWheel::Handle& handle) const {
  return handle.locator & kHandleHashMask;
}

bool Store::ExpireStep(const OpContext& context, int wheel) {
  constexpr size_t kBatch = 64;
  TimingWheel::Handle handles[kBatch];
  const auto [count, more] = wheels_[static_cast<size_t>(wheel)]->Collect(
      TimingWheel::NowTick(context.now_ms), handles, kBatch);
  // The keys are scattered: bring bucket and entry of all of them into the cache first.
  for (size_t i = 0; i < count; ++i) __builtin_prefetch(&StripeOfHandle(wheel, handles[i]), 1);
  for (size_t i = 0; i < count; ++i) {
    Stripe& stripe = StripeOfHandle(wheel, handles[i]);
    StripeLock lock(LockOf(&stripe));
    Keyspace* table = TableOf(&stripe, DatabaseOf(handles[i]));
    if (table != nullptr) table->PrefetchBucket(HashOfHandle(handles[i]));
  }
  for (size_t i = 0; i < count; ++i) {
    Stripe& stripe = StripeOfHandle(wheel, handles[i]);
    StripeLock lock(LockOf(&stripe));
    Keyspace* table = TableOf(&stripe, DatabaseOf(handles[i]));
    if (table == nullptr) continue;
    table->VisitCandidates(
        HashOfHandle(handles[i]), kHandleHashBits, [](Keyspace::Position position) {
          __builtin_prefetch(position.node());
          __builtin_prefetch(reinterpret_cast<const char*>(position.node()) + 64);
        });
  }
  for (size_t i = 0; i < count; ++i) FireHandle(context, wheel, handles[i]);
  return more;
}

void Store::VisitHandle(int wheel, const TimingWheel::Handle& handle, HandleVisitor visit) {
  Stripe& stripe = StripeOfHandle(wheel, handle);
  StripeLock lock(LockOf(&stripe));
  const int physical = DatabaseOf(handle);
  const Keyspace* table = TableOf(&stripe, physical);
  if (table == nullptr) return;
  table->VisitCandidates(HashOfHandle(handle), kHandleHashBits,
                         [&](Keyspace::Position position) { visit(*position.node(), physical); });
}

void Store::FireHandle(const OpContext& context, int wheel, const TimingWheel::Handle& handle) {
  Stripe& stripe = StripeOfHandle(wheel, handle);
  StripeLock lock(LockOf(&stripe));
  const int physical = DatabaseOf(handle);
  Keyspace* table = TableOf(&stripe, physical);
  if (table == nullptr) return;
  absl::InlinedVector<Entry*, 8> expired;
  absl::InlinedVector<Entry*, 2> elements_due;
  table->VisitCandidates(HashOfHandle(handle), kHandleHashBits, [&](Keyspace::Position position) {
    Entry* entry = position.node();
    if (HoldsElementsArmedFor(handle.tick, *entry) && !entry->ExpiredAt(context.now_ms)) {
      elements_due.push_back(entry);
    }
    if (!entry->has_expiry_field()) return;
    if (entry->ExpiredAt(context.now_ms)) {
      expired.push_back(entry);
    } else if (entry->armed() && entry->armed_tick() == static_cast<uint16_t>(handle.tick)) {
      // This key's own handle, and its expiry was put off: arm it again.
      const uint64_t hash = kKeyHasher(entry->key());
      const int64_t tick = Arm(hash, physical, TimingWheel::TickOf(entry->expiry()));
      entry->Arm(static_cast<uint16_t>(tick));
    }
  });
  for (Entry* entry : elements_due) FireElements(context, &stripe, physical, entry);
  for (Entry* entry : expired) RemoveExpired(context, &stripe, physical, entry);
}

// The handle of a collection's earliest element has fired: removes what is over, a bounded number,
// and arms the next.
void Store::FireElements(const OpContext& context, Stripe* stripe, int physical, Entry* entry) {
  constexpr size_t kMaxElements = 256;  // some 100 us; the rest has to wait for the next tick
  stripe->lock.AssertHeld();
  Database* database = stripe->Find(physical);
  BigValue* const object = entry->object();
  object->set_armed_tick(BigValue::kNotArmed);
  if (!object->HasExpiringElements()) return;  // they have lost their expiries since
  if (object->AllExpired(context.now_ms)) {
    // Nothing of it is left: the reclaimer can have it as it is.
    context.stats->expired_fields.Add(object->size());
    NotifyOf(context, kNotifyHash, "hexpired", physical, *entry);
    RemoveEntry(context, stripe, physical, entry, Discarded::kExpired, kNotifyGeneric, "del");
    return;
  }
  if (stripe->pictured && entry->epoch() != stripe->epoch) [[unlikely]]
    KeepForSnapshot(stripe, physical, context, entry);
  const size_t removed = object->RemoveExpired(context.now_ms, kMaxElements);
  context.stats->expired_fields.Add(removed);
  if (removed > 0) {
    NotifyOf(context, kNotifyHash, "hexpired", physical, *entry);
    TouchWatchers(context, stripe, physical, *entry);
  }
  const int64_t next = object->NextExpiry();
  if (next == BigValue::kNeverExpires) {
    --database->expiring_elements;
  } else if (next <= Entry::kMaxWheelExpiry) {
    object->set_armed_tick(Arm(kKeyHasher(entry->key()), physical, TimingWheel::TickOf(next)));
  }
}

bool Store::RemoveExpired(const OpContext& context, Stripe* stripe, int physical, Entry* entry) {
  if (!RemoveEntry(context, stripe, physical, entry, Discarded::kExpired, kNotifyExpired,
                   "expired")) {
    return false;
  }
  context.stats->expired_keys.Add();
  return true;
}

bool Store::SweepStep(int wheel) {
  constexpr size_t kBatch = 64;
  TimingWheel::Handle handles[kBatch];
  const size_t count = wheels_[static_cast<size_t>(wheel)]->CollectForSweep(handles, kBatch);
  for (size_t i = 0; i < count; ++i) {
    Stripe& stripe = StripeOfHandle(wheel, handles[i]);
    StripeLock lock(LockOf(&stripe));
    const int physical = DatabaseOf(handles[i]);
    Keyspace* table = TableOf(&stripe, physical);
    if (table == nullptr) continue;
    table->VisitCandidates(
        HashOfHandle(handles[i]), kHandleHashBits, [&](Keyspace::Position position) {
          Entry* entry = position.node();
          const bool key = entry->has_expiry_field() && entry->armed() &&
                           entry->armed_tick() == static_cast<uint16_t>(handles[i].tick);
          const bool elements = HoldsElementsArmedFor(handles[i].tick, *entry);
          if (!key && !elements) return;
          const int64_t tick = Arm(kKeyHasher(entry->key()), physical, handles[i].tick);
          if (key) entry->Arm(static_cast<uint16_t>(tick));
          if (elements) entry->object()->set_armed_tick(tick);
        });
  }
  return count == kBatch;
}

size_t Store::WheelHandles() const {
  size_t total = 0;
  for (const auto& wheel : wheels_) total += wheel->size();
  return total;
}

size_t Store::WheelMemoryBytes() const {
  size_t total = 0;
  for (const auto& wheel : wheels_) total += wheel->MemoryBytes();
  return total;
}

}  // namespace spinel
