// The 24-bit access clock of an entry: what eviction and OBJECT IDLETIME/FREQ know of its use.
//
// LRU: the second of the last access. LFU (C. Sanfilippo's scheme): 16 bits of minutes of the last
// decrement, 8 bits of a logarithmic counter. S3: see S3Clock.
//
// Threads: the settings may be changed by any; entries are changed under their stripe's lock.
#pragma once

#include <atomic>
#include <cstdint>

namespace spinel {

// An access clock under S3: 21 bits of the time it was put into its queue, one that says into
// which, two that count uses since.
struct S3Clock {
  enum Queue : uint8_t { kNewcomer, kMain };
  static constexpr uint32_t kMostUses = 3;
  static constexpr uint32_t kTimeMask = (1u << 21) - 1;

  static constexpr uint32_t Make(Queue queue, uint32_t uses, uint32_t time) {
    return (time & kTimeMask) << 3 | static_cast<uint32_t>(queue) << 2 | uses;
  }
  static constexpr Queue QueueOf(uint32_t clock) { return static_cast<Queue>(clock >> 2 & 1); }
  static constexpr uint32_t Uses(uint32_t clock) { return clock & 3; }
  static constexpr uint32_t Time(uint32_t clock) { return clock >> 3; }
};

class AccessTracking {
 public:
  static constexpr uint32_t kMask = (1u << 24) - 1;
  static constexpr uint8_t kInitialFrequency = 5;

  enum class Kind : uint8_t { kRecency, kFrequency, kQueues };
  void SetKind(Kind kind) { kind_.store(kind, std::memory_order_relaxed); }
  Kind kind() const { return kind_.load(std::memory_order_relaxed); }
  bool lfu() const { return kind() == Kind::kFrequency; }
  // LFU's factor and decay (minutes): `lfu-log-factor`, `lfu-decay-time`.
  void SetLfuFactors(uint32_t log_factor, uint32_t decay_minutes) {
    log_factor_.store(log_factor, std::memory_order_relaxed);
    decay_minutes_.store(decay_minutes, std::memory_order_relaxed);
  }

  // The clock of a new entry, under LRU and LFU.
  uint32_t Initial(int64_t now_ms) const {
    return lfu() ? Minutes(now_ms) << 8 | kInitialFrequency : Seconds(now_ms);
  }
  // The clock after an access at `now_ms`.
  uint32_t Accessed(uint32_t clock, int64_t now_ms) const {
    const Kind kind = this->kind();
    if (kind == Kind::kRecency) [[likely]]
      return Seconds(now_ms);
    return kind == Kind::kFrequency ? LfuAccessed(clock, now_ms) : S3Accessed(clock);
  }
  // Seconds since the last access. Meaningful under LRU.
  int64_t IdleSeconds(uint32_t clock, int64_t now_ms) const {
    return (Seconds(now_ms) - clock) & kMask;
  }
  // The clock of an entry that has not been used for so many seconds, under LRU.
  uint32_t WithIdleSeconds(uint64_t idle, int64_t now_ms) const {
    return static_cast<uint32_t>(static_cast<uint64_t>(now_ms / 1000) - idle) & kMask;
  }
  // The clock of an entry with that counter, under LFU.
  uint32_t WithFrequency(uint8_t counter, int64_t now_ms) const {
    return Minutes(now_ms) << 8 | counter;
  }
  // The counter, decayed until now. Meaningful under LFU.
  uint8_t Frequency(uint32_t clock, int64_t now_ms) const;

  // S3's time goes on with new keys.
  void MoveQueueTime() { queue_time_.fetch_add(1, std::memory_order_relaxed); }
  uint32_t QueuedNow(S3Clock::Queue queue, uint32_t uses) const {
    return S3Clock::Make(queue, uses, queue_time_.load(std::memory_order_relaxed));
  }
  // Ticks since it was queued, under S3.
  uint32_t QueuedFor(uint32_t clock) const {
    return (queue_time_.load(std::memory_order_relaxed) - S3Clock::Time(clock)) &
           S3Clock::kTimeMask;
  }

 private:
  static uint32_t Seconds(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 1000) & kMask; }
  static uint32_t Minutes(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 60000) & 0xffff; }
  uint32_t LfuAccessed(uint32_t clock, int64_t now_ms) const;
  // Uses right after it was queued belong to what put it there: a hash that gets its expiry by a
  // second command, say.
  uint32_t S3Accessed(uint32_t clock) const {
    const bool counts = S3Clock::Uses(clock) < S3Clock::kMostUses && QueuedFor(clock) != 0;
    return counts ? clock + 1 : clock;
  }

  std::atomic<Kind> kind_{Kind::kRecency};
  std::atomic<uint32_t> queue_time_{1};
  std::atomic<uint32_t> log_factor_{10};
  std::atomic<uint32_t> decay_minutes_{1};
};

}  // namespace spinel
