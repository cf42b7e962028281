#include "storage/evictor.h"

#include <algorithm>
#include <limits>

#include "storage/key_hash.h"
#include "storage/random.h"

namespace spinel {
namespace {

// Random stripes that are looked at before the walk over all of them.
constexpr int kStripeTries = 64;
// Buckets of one table that are looked at; in one in eight of whose keys has an expiry, that finds
// some.
constexpr int kBucketTries = 16;
constexpr uint32_t kDenseEnough = 8;
// A newcomer that was used so often is none any more when its turn comes.
constexpr uint32_t kUsesToStay = 2;

// A key that is looked at and may go.
bool MayGo(const Entry& entry, const EvictionRules& rules) {
  return !rules.volatile_only || entry.has_expiry_field();
}

// Of keys that are alike to the policy, the one goes first that would soon go anyway.
uint64_t SoonerFirst(uint64_t score, const Entry& entry, int64_t now_ms) {
  constexpr int64_t kForever = (int64_t{1} << 32) - 1;
  const int64_t left = entry.has_expiry_field()
                           ? std::clamp<int64_t>(entry.expiry() - now_ms, 0, kForever)
                           : kForever;
  return score << 32 | static_cast<uint64_t>(kForever - left);
}

}  // namespace

uint64_t Evictor::Score(const Entry& entry, EvictBy by, int64_t now_ms) const {
  const AccessTracking& tracking = store_->access_tracking_;
  if (entry.ExpiredAt(now_ms)) return std::numeric_limits<uint64_t>::max();
  const uint32_t clock = entry.access_clock();
  switch (by) {
    case EvictBy::kIdleTime:
      return SoonerFirst(static_cast<uint64_t>(tracking.IdleSeconds(clock, now_ms)), entry, now_ms);
    case EvictBy::kFrequency:
      return SoonerFirst(255u - tracking.Frequency(clock, now_ms), entry, now_ms);
    case EvictBy::kTimeToLive:
      return static_cast<uint64_t>(std::numeric_limits<int64_t>::max() - entry.expiry());
    case EvictBy::kQueues:
      return SoonerFirst(tracking.QueuedFor(clock), entry, now_ms);
    default:
      return FastRandom() >> 1;
  }
}

void Evictor::Offer(const OpContext& context, const EvictionRules& rules, const Entry& entry,
                    int physical) {
  const Candidate fresh{kKeyHasher(entry.key()), Score(entry, rules.by, context.now_ms), physical};
  for (size_t i = 0; i < pooled_; ++i) {
    if (pool_[i].hash == fresh.hash && pool_[i].physical == physical) return;
  }
  if (pooled_ == kPoolSize) {
    if (fresh.score <= pool_[0].score) return;
    std::move(pool_.begin() + 1, pool_.end(), pool_.begin());
    --pooled_;
  }
  // Behind equals: the last goes first, so those that have waited do.
  size_t place = 0;
  while (place < pooled_ && pool_[place].score < fresh.score) ++place;
  std::move_backward(pool_.begin() + static_cast<std::ptrdiff_t>(place),
                     pool_.begin() + static_cast<std::ptrdiff_t>(pooled_),
                     pool_.begin() + static_cast<std::ptrdiff_t>(pooled_ + 1));
  pool_[place] = fresh;
  ++pooled_;
}

int Evictor::SampleTable(const OpContext& context, const EvictionRules& rules, Database* database,
                         int physical, Effort effort) {
  const int wanted = effort.wanted;
  const bool thorough = effort.thorough;
  const Keyspace& table = database->table;
  if (table.empty() || (rules.volatile_only && database->expiring == 0)) return 0;
  if (rules.volatile_only && !thorough && database->expiring < table.size() / kDenseEnough) {
    return 0;  // the wheels find them more easily
  }
  int seen = 0;
  const uint64_t buckets = table.bucket_count();
  const uint64_t start = FastRandom() % buckets;
  const uint64_t most = thorough ? buckets : std::min<uint64_t>(kBucketTries, buckets);
  for (uint64_t i = 0; i < most && seen < wanted; ++i) {
    table.VisitBucket((start + i) % buckets, [&](Entry* entry) {
      if (seen >= wanted || !MayGo(*entry, rules)) return;
      ++seen;
      Offer(context, rules, *entry, physical);
    });
  }
  return seen;
}

int Evictor::SampleStripe(const OpContext& context, const EvictionRules& rules, uint32_t number,
                          Effort effort) {
  Stripe& stripe = store_->stripes_[number];
  StripeLock lock(store_->LockOf(&stripe));
  stripe.lock.AssertHeld();
  int seen = SampleTable(context, rules, &stripe.first, 0, effort);
  if (stripe.others == nullptr) [[likely]]
    return seen;
  for (int physical = 1; physical < store_->databases_; ++physical) {
    seen += SampleTable(context, rules, stripe.Find(physical), physical, effort);
  }
  return seen;
}

int Evictor::SampleWheels(const OpContext& context, const EvictionRules& rules, int wanted) {
  int seen = 0;
  const auto first = static_cast<int>(FastRandom() % Store::kWheels);
  for (int i = 0; i < Store::kWheels && seen < wanted; ++i) {
    const int wheel = (first + i) % Store::kWheels;
    // Handles of keys that are gone are met too.
    for (int tries = 0; tries < 4 && seen < wanted; ++tries) {
      TimingWheel::Handle handle;
      if (!store_->wheels_[static_cast<size_t>(wheel)]->Sample(&handle)) break;
      store_->VisitHandle(wheel, handle, [&](const Entry& entry, int physical) {
        if (!entry.has_expiry_field()) return;
        Offer(context, rules, entry, physical);
        ++seen;
      });
    }
  }
  return seen;
}

bool Evictor::Fill(const OpContext& context, const EvictionRules& rules) {
  const int wanted = std::clamp(rules.samples, 1, kMaxSamples);
  const uint32_t stripes = store_->stripe_count_;
  int seen = 0;
  for (int i = 0; i < kStripeTries && seen < wanted; ++i) {
    const auto number = static_cast<uint32_t>(FastRandom() % stripes);
    seen += SampleStripe(context, rules, number, {wanted - seen, false});
  }
  if (seen < wanted && rules.volatile_only) seen += SampleWheels(context, rules, wanted - seen);
  if (seen > 0) return true;
  // Hardly anything is left.
  for (uint32_t number = 0; number < stripes && seen < wanted; ++number) {
    seen += SampleStripe(context, rules, number, {wanted - seen, true});
  }
  return seen > 0;
}

Evictor::Result Evictor::Remove(const OpContext& context, Stripe* stripe, int physical,
                                Entry* entry) {
  if (entry->ExpiredAt(context.now_ms)) {
    store_->RemoveExpired(context, stripe, physical, entry);
  } else {
    store_->RemoveEntry(context, stripe, physical, entry, Store::Discarded::kReplaced,
                        kNotifyEvicted, "evicted");
    context.stats->evicted_keys.Add();
  }
  stripe->lock.AssertHeld();
  // With limits of a few megabytes the tables of empty stripes would be most of what is left.
  Database* const database = stripe->Find(physical);
  if (database != nullptr && database->table.empty()) database->table.Clear();
  return Result::kEvicted;
}

Evictor::Result Evictor::EvictCandidate(const OpContext& context, const EvictionRules& rules) {
  const Candidate chosen = pool_[--pooled_];
  Stripe& stripe = store_->stripes_[store_->StripeIndex(chosen.hash)];
  StripeLock lock(store_->LockOf(&stripe));
  stripe.lock.AssertHeld();
  Database* const database = stripe.Find(chosen.physical);
  if (database == nullptr) return Result::kMissed;
  const auto position = database->table.Find(chosen.hash, [&chosen](const Entry& entry) {
    return kKeyHasher(entry.key()) == chosen.hash;
  });
  if (!position || !MayGo(*position.node(), rules)) return Result::kMissed;
  Entry* const entry = position.node();
  // It was used, or will live longer.
  const bool better =
      rules.by != EvictBy::kRandom && Score(*entry, rules.by, context.now_ms) < chosen.score;
  if (better) return Result::kMissed;
  const uint32_t clock = entry->access_clock();
  if (rules.by == EvictBy::kQueues && S3Clock::Uses(clock) > 0 &&
      !entry->ExpiredAt(context.now_ms)) {
    entry->set_access_clock(
        store_->access_tracking_.QueuedNow(S3Clock::kMain, S3Clock::Uses(clock) - 1));
    return Result::kMissed;
  }
  return Remove(context, &stripe, chosen.physical, entry);
}

Evictor::Result Evictor::EvictNewcomer(const OpContext& context, const EvictionRules& rules,
                                       const S3Fifo::Newcomer& newcomer) {
  Stripe& stripe = store_->stripes_[newcomer.stripe];
  StripeLock lock(store_->LockOf(&stripe));
  stripe.lock.AssertHeld();
  for (int physical = 0; physical < store_->databases_; ++physical) {
    const Database* const database = stripe.Find(physical);
    if (database == nullptr) break;
    Entry* found = nullptr;
    uint64_t found_hash = 0;
    database->table.VisitCandidates(
        newcomer.hash, S3Fifo::kHashBits, [&](Keyspace::Position position) {
          if (S3Clock::QueueOf(position.node()->access_clock()) != S3Clock::kNewcomer) return;
          const uint64_t hash = kKeyHasher(position.node()->key());
          if ((hash & ((uint64_t{1} << S3Fifo::kHashBits) - 1)) == newcomer.hash) {
            found = position.node();
            found_hash = hash;
          }
        });
    if (found == nullptr) continue;
    const bool stays = !MayGo(*found, rules) || S3Clock::Uses(found->access_clock()) >= kUsesToStay;
    if (stays && !found->ExpiredAt(context.now_ms)) {
      found->set_access_clock(store_->access_tracking_.QueuedNow(S3Clock::kMain, /*uses=*/0));
      return Result::kMissed;
    }
    store_->queues_.Remember(found_hash, newcomer.stripe);
    return Remove(context, &stripe, physical, found);
  }
  return Result::kMissed;
}

Evictor::Result Evictor::EvictFromQueues(const OpContext& context, const EvictionRules& rules) {
  constexpr int kTries = 32;
  for (int i = 0; i < kTries; ++i) {
    S3Fifo::Newcomer newcomer;
    Result result;
    if (store_->queues_.TakeNewcomer(&newcomer)) {
      result = EvictNewcomer(context, rules, newcomer);
    } else {
      if (!Fill(context, rules) && pooled_ == 0) return Result::kNothing;
      result = EvictCandidate(context, rules);
    }
    if (result == Result::kEvicted) return result;
  }
  return Result::kMissed;
}

Evictor::Result Evictor::EvictOne(const OpContext& context, const EvictionRules& rules) {
  if (rules.by == EvictBy::kNothing) return Result::kNothing;
  if (rules.by != rules_.by || rules.volatile_only != rules_.volatile_only) {
    pooled_ = 0;
    rules_ = rules;
  }
  if (rules.by == EvictBy::kQueues) return EvictFromQueues(context, rules);
  if (!Fill(context, rules) && pooled_ == 0) return Result::kNothing;
  while (pooled_ > 0) {
    if (EvictCandidate(context, rules) == Result::kEvicted) return Result::kEvicted;
  }
  return Result::kMissed;
}

}  // namespace spinel
