#include "bench/hits/simulator.h"

#include <algorithm>
#include <array>
#include <queue>
#include <utility>
#include <vector>

#include "bench/hits/object_queue.h"

namespace spinel::hits {
namespace {

class Lru final : public Policy {
 public:
  Lru(uint32_t capacity, const Trace& trace)
      : capacity_(capacity), links_(trace.footprint()), present_(trace.footprint()) {}

  bool Request(uint32_t object) override {
    const bool hit = present_[object];
    if (hit) {
      queue_.Remove(links_, object);
    } else if (queue_.size() == capacity_) {
      present_[queue_.PopOldest(links_)] = false;
    }
    queue_.Push(links_, object);
    present_[object] = true;
    return hit;
  }

  uint32_t held() const override { return queue_.size(); }

 private:
  uint32_t capacity_;
  QueueLinks links_;
  std::vector<bool> present_;
  ObjectQueue queue_;
};

// A queue for each number of uses; the lowest that is not empty loses its oldest.
class Lfu final : public Policy {
 public:
  Lfu(uint32_t capacity, const Trace& trace)
      : capacity_(capacity), links_(trace.footprint()), uses_(trace.footprint()) {}

  bool Request(uint32_t object) override {
    const bool hit = uses_[object] > 0;
    if (hit) {
      queues_[uses_[object]].Remove(links_, object);
      if (fewest_ == uses_[object] && queues_[fewest_].empty()) ++fewest_;
    } else {
      if (held_ == capacity_) {
        uses_[queues_[fewest_].PopOldest(links_)] = 0;
        --held_;
      }
      ++held_;
      fewest_ = 1;
    }
    const uint32_t uses = ++uses_[object];
    if (queues_.size() <= uses) queues_.resize(uses + 1);
    queues_[uses].Push(links_, object);
    return hit;
  }

  uint32_t held() const override { return held_; }

 private:
  uint32_t capacity_;
  uint32_t held_ = 0;
  uint32_t fewest_ = 1;
  QueueLinks links_;
  std::vector<uint32_t> uses_;
  std::vector<ObjectQueue> queues_;
};

// A tenth of the capacity is a queue for newcomers; who is used twice more before its end moves to
// the main queue, others are remembered by name for as long as the main queue is.
class S3Fifo final : public Policy {
 public:
  S3Fifo(uint32_t capacity, const Trace& trace)
      : capacity_(capacity),
        small_target_(std::max(capacity / 10, 1U)),
        ghosts_(capacity - std::min(capacity, small_target_)),
        links_(trace.footprint()),
        objects_(trace.footprint()) {}

  bool Request(uint32_t object) override {
    Object& one = objects_[object];
    if (one.place != Place::kNowhere) {
      one.uses = std::min<uint8_t>(static_cast<uint8_t>(one.uses + 1), kMostUses);
      return true;
    }
    while (held() >= capacity_) Evict();
    const bool remembered = one.forgotten_after > evicted_from_small_;
    one = Object{.place = remembered ? Place::kMain : Place::kSmall};
    (remembered ? main_ : small_).Push(links_, object);
    return false;
  }

  uint32_t held() const override { return small_.size() + main_.size(); }

 private:
  static constexpr uint8_t kMostUses = 3;
  static constexpr uint8_t kUsesToStay = 2;
  enum class Place : uint8_t { kNowhere, kSmall, kMain };
  struct Object {
    Place place = Place::kNowhere;
    uint8_t uses = 0;
    // It is a ghost until so many have left the small queue.
    uint64_t forgotten_after = 0;
  };

  void Evict() {
    if (small_.size() >= small_target_ || main_.empty()) {
      EvictFromSmall();
    } else {
      EvictFromMain();
    }
  }

  // May move objects to the main queue only.
  void EvictFromSmall() {
    while (!small_.empty()) {
      const uint32_t object = small_.PopOldest(links_);
      Object& one = objects_[object];
      if (one.uses >= kUsesToStay) {
        one.place = Place::kMain;
        one.uses = 0;
        main_.Push(links_, object);
        continue;
      }
      one = Object{.forgotten_after = ++evicted_from_small_ + ghosts_};
      return;
    }
  }

  void EvictFromMain() {
    while (true) {
      const uint32_t object = main_.PopOldest(links_);
      Object& one = objects_[object];
      if (one.uses == 0) {
        one = Object{};
        return;
      }
      --one.uses;
      main_.Push(links_, object);
    }
  }

  uint32_t capacity_;
  uint32_t small_target_;
  uint32_t ghosts_;
  uint64_t evicted_from_small_ = 0;
  QueueLinks links_;
  std::vector<Object> objects_;
  ObjectQueue small_;
  ObjectQueue main_;
};

// One queue whose order never changes, and a hand that goes from the oldest to the newest and takes
// whom nobody used since it last came by.
class Sieve final : public Policy {
 public:
  Sieve(uint32_t capacity, const Trace& trace)
      : capacity_(capacity), links_(trace.footprint()), states_(trace.footprint(), kAbsent) {}

  bool Request(uint32_t object) override {
    if (states_[object] != kAbsent) {
      states_[object] = kUsed;
      return true;
    }
    if (queue_.size() == capacity_) Evict();
    queue_.Push(links_, object);
    states_[object] = kUnused;
    return false;
  }

  uint32_t held() const override { return queue_.size(); }

 private:
  static constexpr uint8_t kAbsent = 0;
  static constexpr uint8_t kUnused = 1;
  static constexpr uint8_t kUsed = 2;

  void Evict() {
    uint32_t object = hand_ == ObjectQueue::kNone ? queue_.oldest() : hand_;
    while (states_[object] == kUsed) {
      states_[object] = kUnused;
      object = links_.newer[object];
      if (object == ObjectQueue::kNone) object = queue_.oldest();
    }
    hand_ = links_.newer[object];
    queue_.Remove(links_, object);
    states_[object] = kAbsent;
  }

  uint32_t capacity_;
  uint32_t hand_ = ObjectQueue::kNone;
  QueueLinks links_;
  std::vector<uint8_t> states_;
  ObjectQueue queue_;
};

class Belady final : public Policy {
 public:
  Belady(uint32_t capacity, const Trace& trace)
      : capacity_(capacity), next_(trace.NextUses()), needed_(trace.footprint()) {}

  bool Request(uint32_t object) override {
    const bool hit = needed_[object] != 0;
    if (!hit) {
      if (held_ == capacity_) Evict();
      ++held_;
    }
    // From 1, so that 0 says that it is not there. Never, as a position, is the last of all.
    needed_[object] = uint64_t{next_[position_++]} + 1;
    by_need_.emplace(needed_[object], object);
    return hit;
  }

  uint32_t held() const override { return held_; }

 private:
  void Evict() {
    while (true) {
      const auto [needed, object] = by_need_.top();
      by_need_.pop();
      if (needed_[object] != needed) continue;  // it was asked for since
      needed_[object] = 0;
      --held_;
      return;
    }
  }

  uint32_t capacity_;
  uint32_t held_ = 0;
  size_t position_ = 0;
  std::vector<uint32_t> next_;
  std::vector<uint64_t> needed_;
  std::priority_queue<std::pair<uint64_t, uint32_t>> by_need_;
};

template <typename T>
std::unique_ptr<Policy> Make(uint32_t capacity, const Trace& trace) {
  return std::make_unique<T>(capacity, trace);
}

constexpr std::array<std::string_view, 5> kNames = {"LRU", "LFU", "S3-FIFO", "SIEVE", "Belady"};
constexpr std::array kMakers = {Make<Lru>, Make<Lfu>, Make<S3Fifo>, Make<Sieve>, Make<Belady>};
static_assert(kNames.size() == kMakers.size());

}  // namespace

std::span<const std::string_view> PolicyNames() { return kNames; }

std::unique_ptr<Policy> MakePolicy(std::string_view name, uint32_t capacity, const Trace& trace) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return nullptr;
  return kMakers[static_cast<size_t>(found - kNames.begin())](capacity, trace);
}

double HitRatio(Policy& policy, const Trace& trace, size_t warm_up) {
  if (warm_up >= trace.size()) return 0;
  uint64_t hits = 0;
  for (size_t i = 0; i < trace.size(); ++i) {
    const bool hit = policy.Request(trace.requests()[i]);
    if (hit && i >= warm_up) ++hits;
  }
  return static_cast<double>(hits) / static_cast<double>(trace.size() - warm_up);
}

}  // namespace spinel::hits
