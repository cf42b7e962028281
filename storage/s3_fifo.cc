#include "storage/s3_fifo.h"

#include <algorithm>

namespace spinel {
namespace {

constexpr uint32_t kNewcomerHashMask = (1u << S3Fifo::kHashBits) - 1;
// The part of all keys that may be newcomers.
constexpr double kNewcomersShare = 0.1;
// A group's share of newcomers is counted in parts of a key: small caches have few for 16 groups.
constexpr uint32_t kPartsOfKey = 16;
// While all keys are admitted anew, each group moves the time on by so many ticks.
constexpr double kTicks = 256;
// The weight of one more stripe's size in the estimate of the number of keys.
constexpr double kWeight = 1.0 / 64;

}  // namespace

size_t S3Fifo::Ghosts::SetsFor(double keys) const {
  const size_t wanted = static_cast<size_t>(keys / kSetSize) + 1;
  // The number of keys is an estimate: small changes are noise.
  const bool fits = wanted * 3 <= sets_.size() * 4 && wanted * 3 >= sets_.size();
  return fits ? 0 : wanted;
}

void S3Fifo::Ghosts::Add(uint64_t hash) {
  if (sets_.empty()) return;
  Set& set = SetOf(hash);
  std::move_backward(set.begin(), set.end() - 1, set.end());
  set[0] = Fingerprint(hash);
}

bool S3Fifo::Ghosts::Remove(uint64_t hash) {
  if (sets_.empty()) return false;
  Set& set = SetOf(hash);
  const auto found = std::find(set.begin(), set.end(), Fingerprint(hash));
  if (found == set.end()) return false;
  std::move(found + 1, set.end(), found);
  set.back() = 0;
  return true;
}

S3Fifo::S3Fifo(AccessTracking* tracking, uint32_t stripes)
    : tracking_(tracking), stripes_per_group_(static_cast<double>(stripes) / kGroups) {}

uint32_t S3Fifo::Admit(uint64_t hash, uint32_t stripe, uint64_t stripe_keys) {
  Group& group = groups_[stripe % kGroups];
  SpinLockHolder lock(&group.lock);
  // Keys are spread evenly, so every stripe tells how many there are.
  group.keys += (static_cast<double>(stripe_keys) * stripes_per_group_ - group.keys) * kWeight;
  const auto share = static_cast<uint32_t>(group.keys * kNewcomersShare * kPartsOfKey) + 1;
  group.share.store(share, std::memory_order_relaxed);
  if (++group.admitted >= group.keys / kTicks) {
    group.admitted = 0;
    tracking_->MoveQueueTime();
  }
  // While no key has to go, queues do not grow beyond use; who finds no place is no newcomer.
  const size_t most = size_t{share} / kPartsOfKey * 2 + 8;
  const bool newcomer = !group.ghosts.Remove(hash) && group.newcomers.size() < most;
  if (newcomer) {
    group.newcomers.push_back(stripe / kGroups << kHashBits |
                              (static_cast<uint32_t>(hash) & kNewcomerHashMask));
    group.waiting.store(static_cast<uint32_t>(group.newcomers.size()), std::memory_order_relaxed);
  }
  return tracking_->QueuedNow(newcomer ? S3Clock::kNewcomer : S3Clock::kMain, /*uses=*/0);
}

bool S3Fifo::TakeNewcomer(Newcomer* out) {
  uint64_t waiting = 0;
  uint64_t share = 0;
  uint32_t fullest = 0;
  uint32_t most = 0;
  for (uint32_t i = 0; i < kGroups; ++i) {
    const uint32_t here = groups_[i].waiting.load(std::memory_order_relaxed);
    waiting += here;
    share += groups_[i].share.load(std::memory_order_relaxed);
    if (here > most) {
      most = here;
      fullest = i;
    }
  }
  if (most == 0 || waiting * kPartsOfKey < share) return false;
  Group& group = groups_[fullest];
  SpinLockHolder lock(&group.lock);
  if (group.newcomers.empty()) return false;
  const uint32_t locator = group.newcomers.front();
  group.newcomers.pop_front();
  group.waiting.store(static_cast<uint32_t>(group.newcomers.size()), std::memory_order_relaxed);
  *out = {(locator >> kHashBits) * kGroups + fullest, locator & kNewcomerHashMask};
  return true;
}

void S3Fifo::Remember(uint64_t hash, uint32_t stripe) {
  Group& group = groups_[stripe % kGroups];
  std::vector<Ghosts::Set> sets;  // made and freed without the lock
  for (;;) {
    size_t wanted;
    {
      SpinLockHolder lock(&group.lock);
      wanted = group.ghosts.SetsFor(group.keys * (1 - kNewcomersShare));
      if (wanted != 0 && sets.size() == wanted) {
        group.ghosts.Exchange(&sets);
        wanted = 0;
      }
      if (wanted == 0) return group.ghosts.Add(hash);
    }
    sets.assign(wanted, {});
  }
}

void S3Fifo::Clear() {
  for (Group& group : groups_) {
    std::deque<uint32_t> newcomers;
    std::vector<Ghosts::Set> sets;
    SpinLockHolder lock(&group.lock);
    group.newcomers.swap(newcomers);
    group.waiting.store(0, std::memory_order_relaxed);
    group.ghosts.Exchange(&sets);
  }
}

size_t S3Fifo::MemoryBytes() const {
  size_t bytes = 0;
  for (const Group& group : groups_) {
    SpinLockHolder lock(&group.lock);
    bytes += group.newcomers.size() * sizeof(uint32_t) + group.ghosts.MemoryBytes();
  }
  return bytes;
}

}  // namespace spinel
