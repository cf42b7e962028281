#include "storage/store.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <numeric>
#include <utility>

#include "storage/random.h"
#include "storage/snapshot_hook.h"

namespace spinel {
namespace {

void DeleteAll(std::vector<Keyspace>* tables) {
  for (Keyspace& table : *tables) {
    table.ForEach([](Entry* entry) { Entry::Delete(entry); });
  }
  tables->clear();
}

}  // namespace

Store::Store(const Options& options) ABSL_NO_THREAD_SAFETY_ANALYSIS
    : stripe_count_(options.stripes),
      stripe_shift_(64 - std::countr_zero(options.stripes)),
      databases_(options.databases),
      one_thread_(options.one_thread),
      stripes_(new Stripe[options.stripes]),
      physical_(static_cast<size_t>(options.databases)),
      queues_(&access_tracking_, options.stripes) {
  assert(std::has_single_bit(options.stripes) && options.stripes >= kWheels);
  assert(options.stripes <= 4096 && options.databases >= 1 && options.databases <= kMaxDatabases);
  std::iota(physical_.begin(), physical_.end(), uint8_t{0});
  for (int i = 0; i < kWheels; ++i) {
    wheels_.push_back(std::make_unique<TimingWheel>(TimingWheel::NowTick(options.now_ms)));
  }
  if (one_thread_) {
    for (uint32_t i = 0; i < stripe_count_; ++i) stripes_[i].lock.Lock();
  }
}

Store::~Store() {
  reclaimer_.Drain();
  StoreStats stats;
  OpContext context(&stats);
  Flush(context, -1, false);
}

MultiLock Store::Lock(std::span<const Key> keys) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  MultiLock lock;
  if (one_thread_ || HoldsEverything()) return lock;
  absl::InlinedVector<uint32_t, 16> numbers;
  for (const Key& key : keys) numbers.push_back(StripeIndex(key.hash));
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  for (size_t i = 0; i < numbers.size();) {
    i = LockNext(&stripes_[numbers[i]], &lock) ? i + 1 : 0;
  }
  return lock;
}

MultiLock Store::LockAll() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  MultiLock lock;
  if (one_thread_ || HoldsEverything()) return lock;
  lock.locks_.reserve(stripe_count_);
  for (uint32_t i = 0; i < stripe_count_;) i = LockNext(&stripes_[i], &lock) ? i + 1 : 0;
  return lock;
}

bool Store::LockNext(Stripe* stripe, MultiLock* held) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  constexpr int kLookMs = 2;
  while (!stripe->lock.TryLock() && !stripe->lock.TryLockFor(kLookMs)) {
    if (held->locks_.empty() || !growing_.load()) continue;
    held->Release();
    while (growing_.load()) SpinLockHolder wait(&growth_right_);
    return false;
  }
  held->locks_.push_back(&stripe->lock);
  return true;
}

void Store::Grow(const Key& key, MultiLock* held) {
  SpinLock* lock = &StripeOf(key).lock;
  if (one_thread_ || HoldsEverything() || held->Holds(lock)) return;
  GrowTo(lock, held);
}

void Store::GrowToAll(MultiLock* held) {
  if (one_thread_ || HoldsEverything()) return;
  std::vector<SpinLock*> before(held->locks_.begin(), held->locks_.end());
  std::sort(before.begin(), before.end());
  for (uint32_t i = 0; i < stripe_count_; ++i) {
    SpinLock* lock = &stripes_[i].lock;
    if (!std::binary_search(before.begin(), before.end(), lock)) GrowTo(lock, held);
  }
}

void Store::GrowTo(SpinLock* lock, MultiLock* held) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  constexpr int kLookMs = 2;
  if (!lock->TryLock()) {
    growing_.store(true);
    while (!lock->TryLockFor(kLookMs)) {
    }
    growing_.store(false);
  }
  held->locks_.push_back(lock);
}

void Store::TrackAccess(AccessTracking::Kind kind) {
  if (kind == access_tracking_.kind()) return;
  access_tracking_.SetKind(kind);
  queues_.Clear();
}

uint32_t Store::NewAccessClock(const Stripe& stripe, uint64_t hash, int64_t now_ms) {
  if (access_tracking_.kind() != AccessTracking::Kind::kQueues) [[likely]]
    return access_tracking_.Initial(now_ms);
  uint64_t keys = stripe.first.table.size();
  for (int i = 1; stripe.others != nullptr && i < databases_; ++i) {
    keys += stripe.others[static_cast<size_t>(i) - 1].table.size();
  }
  return queues_.Admit(hash, StripeIndex(hash), keys);
}

Keyspace* Store::TableOf(Stripe* stripe, int physical) const {
  stripe->lock.AssertHeld();
  Database* found = stripe->Find(physical);
  return found == nullptr ? nullptr : &found->table;
}

void Store::Prefetch(int database, std::span<const Key* const> keys) {
  for (const Key* key : keys) __builtin_prefetch(&StripeOf(*key));
  if (one_thread_) return PrefetchAlone(database, keys);
  for (const Key* key : keys) PrefetchBucket(database, *key);
  const auto prefetch_node = [this, database](const Key& key, int depth) {
    Stripe& stripe = StripeOf(key);
    StripeLock lock(LockOf(&stripe));
    const Keyspace* table = TableOf(&stripe, Physical(database));
    return table != nullptr && table->PrefetchNode(key.hash, depth);
  };
  absl::InlinedVector<const Key*, 32> overflowing;  // one in seven or so
  for (const Key* key : keys) {
    if (prefetch_node(*key, 0)) overflowing.push_back(key);
  }
  for (const Key* key : overflowing) prefetch_node(*key, 1);
}

// With one thread nothing moves between the steps: where a key is looked for is found once.
void Store::PrefetchAlone(int database, std::span<const Key* const> keys) {
  const int physical = Physical(database);
  absl::InlinedVector<Keyspace::Hint, 32> hints;
  for (const Key* key : keys) {
    const Keyspace* table = TableOf(&StripeOf(*key), physical);
    if (table != nullptr) hints.push_back(table->PrefetchBucket(key->hash));
  }
  size_t overflowing = 0;  // one in seven or so
  for (Keyspace::Hint& hint : hints) {
    if (Keyspace::PrefetchNode(&hint)) hints[overflowing++] = hint;
  }
  for (size_t i = 0; i < overflowing; ++i) Keyspace::PrefetchNode(&hints[i]);
}

void Store::PrefetchBucket(int database, const Key& key) {
  Stripe& stripe = StripeOf(key);
  StripeLock lock(LockOf(&stripe));
  if (const Keyspace* table = TableOf(&stripe, Physical(database))) table->PrefetchBucket(key.hash);
}

bool Store::PrefetchElements(int database, const Key& key, std::span<const uint64_t> hashes,
                             ElementHint hint) {
  Stripe& stripe = StripeOf(key);
  StripeLock lock(LockOf(&stripe));
  const Keyspace* table = TableOf(&stripe, Physical(database));
  if (table == nullptr) return false;
  const Keyspace::Position position =
      table->Find(key.hash, [&key](const Entry& entry) { return entry.key() == key.name; });
  if (!position || !position.node()->is_object()) return false;
  const BigValue& object = *position.node()->object();
  for (const uint64_t hash : hashes) object.Prefetch(hash, hint);
  return true;
}

uint64_t Store::Size(int database) {
  uint64_t total = 0;
  for (uint32_t i = 0; i < stripe_count_; ++i) {
    StripeLock lock(LockOf(&stripes_[i]));
    if (const Keyspace* table = TableOf(&stripes_[i], Physical(database))) total += table->size();
  }
  return total;
}

Store::DatabaseInfo Store::Info(int database, int64_t now_ms) {
  constexpr int kSamples = 64;
  DatabaseInfo info;
  int64_t ttl_sum = 0;
  int samples = 0;
  for (uint32_t i = 0; i < stripe_count_; ++i) {
    Stripe& stripe = stripes_[i];
    StripeLock lock(LockOf(&stripe));
    stripe.lock.AssertHeld();
    Database* found = stripe.Find(Physical(database));
    if (found == nullptr) continue;
    info.keys += found->table.size();
    info.expiring += found->expiring;
    info.with_expiring_elements += found->expiring_elements;
    if (found->expiring == 0 || samples >= kSamples) continue;
    const Entry* entry = found->table.Sample(FastRandom);
    if (entry == nullptr || entry->expiry() <= now_ms) continue;
    ttl_sum += entry->expiry() - now_ms;
    ++samples;
  }
  if (samples > 0) info.average_ttl_ms = ttl_sum / samples;
  return info;
}

size_t Store::MemoryOf(const Entry& entry) {
  // What a key costs when there are many: see HashTable's load and TimingWheel's chunks.
  constexpr size_t kTableShare = 14;
  constexpr size_t kTimer = 9;
  return entry.MemoryBytes() + kTableShare + (entry.armed() ? kTimer : 0);
}

size_t Store::TableMemoryBytes(int database) {
  size_t total = 0;
  for (uint32_t i = 0; i < stripe_count_; ++i) {
    StripeLock lock(LockOf(&stripes_[i]));
    if (const Keyspace* table = TableOf(&stripes_[i], Physical(database))) {
      total += table->MemoryBytes();
    }
  }
  return total;
}

uint64_t Store::Scan(const OpContext& context, int database, uint64_t cursor, uint64_t count,
                     EntryVisitor visit, std::optional<ValueType> type) {
  constexpr int kStepsPerLock = 8;  // a stripe's lock is held for a few buckets at a time
  const uint32_t stripe_bits = static_cast<uint32_t>(std::countr_zero(stripe_count_));
  auto number = static_cast<uint32_t>(cursor & (stripe_count_ - 1));
  uint64_t position = cursor >> stripe_bits;
  const uint64_t max_steps = count > UINT64_MAX / 10 ? UINT64_MAX : count * 10;
  uint64_t seen = 0;
  absl::InlinedVector<Entry*, 8> expired;
  for (uint64_t steps = 0; seen < count && steps < max_steps;) {
    Stripe& stripe = stripes_[number];
    StripeLock lock(LockOf(&stripe));
    const Keyspace* table = TableOf(&stripe, Physical(database));
    if (table == nullptr || table->empty()) {
      // Costs no step: a database of a few keys is scanned in one go.
      position = 0;
    } else {
      for (int i = 0; i < kStepsPerLock && seen < count && steps < max_steps; ++i, ++steps) {
        position = table->Scan(position, [&](Entry* entry) {
          ++seen;
          if (type.has_value() && entry->type() != *type) return;
          if (entry->ExpiredAt(context.now_ms)) {
            expired.push_back(entry);
          } else {
            visit(*entry);
          }
        });
        if (position == 0) break;
      }
      if (!keeps_expired()) {
        for (Entry* entry : expired) RemoveExpired(context, &stripe, Physical(database), entry);
      }
      expired.clear();
    }
    if (position == 0 && ++number == stripe_count_) return 0;
  }
  return position << stripe_bits | number;
}

void Store::ForEach(const OpContext& context, int database, EntryVisitor visit) {
  for (uint32_t i = 0; i < stripe_count_; ++i) {
    StripeLock lock(LockOf(&stripes_[i]));
    const Keyspace* table = TableOf(&stripes_[i], Physical(database));
    if (table == nullptr) continue;
    table->ForEach([&](Entry* entry) {
      if (!entry->ExpiredAt(context.now_ms)) visit(*entry);
    });
  }
}

bool Store::RandomKey(const OpContext& context, int database, std::string* name) {
  constexpr int kMostExpired = 16;  // of those that have to stay, from one stripe
  // Random stripes first; then, in a nearly empty store, all of them in turn.
  const uint32_t tries = 2 * stripe_count_;
  for (uint32_t i = 0; i < tries + stripe_count_; ++i) {
    const auto number = static_cast<uint32_t>(i < tries ? FastRandom() % stripe_count_ : i - tries);
    Stripe& stripe = stripes_[number];
    StripeLock lock(LockOf(&stripe));
    const Keyspace* table = TableOf(&stripe, Physical(database));
    if (table == nullptr) continue;
    int over = 0;
    while (Entry* entry = table->Sample(FastRandom)) {
      if (keeps_expired() && entry->ExpiredAt(context.now_ms)) {
        if (++over == kMostExpired) break;
        continue;
      }
      const std::string_view key = entry->key();
      // A slot removes the key if it has expired.
      *name = key;
      if (Slot(context, database, MakeKey(*name)).exists()) return true;
    }
  }
  return false;
}

void Store::TakeTables(Stripe* stripe, int physical, std::vector<Keyspace>* out, uint64_t* keys) {
  stripe->lock.AssertHeld();
  Database* found = stripe->Find(physical);
  if (found == nullptr || found->table.empty()) return;
  *keys += found->table.size();
  if (snapshot_ != nullptr) {
    snapshot_->TakeTable(physical, std::move(found->table));
  } else {
    out->emplace_back(std::move(found->table));
  }
  found->expiring = 0;
  found->expiring_elements = 0;
}

void Store::Flush(const OpContext& context, int database, bool background) {
  auto tables = std::make_shared<std::vector<Keyspace>>();
  // Not while everything is locked.
  tables->reserve(size_t{stripe_count_} * static_cast<size_t>(database == -1 ? databases_ : 1));
  std::vector<std::shared_ptr<TimingWheel::Remains>> remains;
  uint64_t keys = 0;
  {
    MultiLock lock = LockAll();
    for (uint32_t i = 0; i < stripe_count_; ++i) {
      for (int db = 0; db < databases_; ++db) {
        if (database != -1 && db != database) continue;
        TouchReplaced(context, &stripes_[i], db, -1);
        TakeTables(&stripes_[i], Physical(db), tables.get(), &keys);
      }
    }
    InvalidateEverything(context);
    if (database == -1) {
      for (auto& wheel : wheels_) remains.emplace_back(wheel->Detach());
    } else {
      for (auto& wheel : wheels_) wheel->RequestSweep();
    }
  }
  context.stats->changes.Add(keys);
  if (background && keys > 0) {
    reclaimer_.Run([tables, remains] { DeleteAll(tables.get()); }, keys);
  } else {
    DeleteAll(tables.get());
  }
}

void Store::SwapDatabases(const OpContext& context, int first, int second) {
  const bool serves = !HoldsEverything();  // otherwise whoever does serves at the end
  const MultiLock lock = LockAll();
  for (uint32_t i = 0; i < stripe_count_ && first != second; ++i) {
    TouchReplaced(context, &stripes_[i], first, second);
    TouchReplaced(context, &stripes_[i], second, first);
  }
  std::swap(physical_[static_cast<size_t>(first)], physical_[static_cast<size_t>(second)]);
  context.stats->changes.Add();
  for (uint32_t i = 0; i < stripe_count_; ++i) {
    Stripe& stripe = stripes_[i];
    stripe.lock.AssertHeld();
    if (stripe.observers == nullptr) continue;
    for (const int database : {first, second}) {
      stripe.observers->waiters.ForEachKey(database, [&](uint64_t hash, std::string_view name) {
        context.ready.push_back({database, hash, std::string(name)});
      });
    }
  }
  if (serves) ServeReady(context, {.all = true});
}

// Tells of something that happens to a key without a slot.
void Store::NotifyOf(const OpContext& context, int64_t event_class, std::string_view event,
                     int physical, const Entry& entry) const {
  if (!context.Tells(event_class)) [[likely]]
    return;
  context.Notify(event_class, event, Logical(physical), entry.key());
}

// Removes an entry that may be gone already; false: it was. Tells why.
bool Store::RemoveEntry(const OpContext& context, Stripe* stripe, int physical, Entry* entry,
                        Discarded::Why why, int64_t event_class, std::string_view event) {
  stripe->lock.AssertHeld();
  Database* database = stripe->Find(physical);
  const uint64_t hash = kKeyHasher(entry->key());
  const auto position =
      database->table.Find(hash, [entry](const Entry& found) { return &found == entry; });
  if (!position) return false;
  TouchWatchers(context, stripe, physical, *entry);
  NotifyOf(context, event_class, event, physical, *entry);
  database->table.Erase(hash, position);
  if (entry->has_expiry_field()) --database->expiring;
  if (entry->HasExpiringElements()) --database->expiring_elements;
  Discard({stripe, physical, why}, context, entry);
  return true;
}

}  // namespace spinel
