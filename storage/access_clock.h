// The 24-bit access clock of an entry: what eviction and OBJECT IDLETIME/FREQ know of its use.
//
// LRU: the second of the last access. LFU (C. Sanfilippo's scheme): 16 bits of minutes of the last
// decrement, 8 bits of a logarithmic counter.
//
// Threads: the settings may be changed by any; entries are changed under their stripe's lock.
#pragma once

#include <atomic>
#include <cstdint>

namespace spinel {

class AccessTracking {
 public:
  static constexpr uint32_t kMask = (1u << 24) - 1;
  static constexpr uint8_t kInitialFrequency = 5;

  // LFU instead of LRU; the factor and the decay (minutes) are `lfu-log-factor`, `lfu-decay-time`.
  void SetLfu(bool lfu) { lfu_.store(lfu, std::memory_order_relaxed); }
  bool lfu() const { return lfu_.load(std::memory_order_relaxed); }
  void SetLfuFactors(uint32_t log_factor, uint32_t decay_minutes) {
    log_factor_.store(log_factor, std::memory_order_relaxed);
    decay_minutes_.store(decay_minutes, std::memory_order_relaxed);
  }

  // The clock of a new entry.
  uint32_t Initial(int64_t now_ms) const {
    return lfu() ? Minutes(now_ms) << 8 | kInitialFrequency : Seconds(now_ms);
  }
  // The clock after an access at `now_ms`.
  uint32_t Accessed(uint32_t clock, int64_t now_ms) const {
    return lfu() ? LfuAccessed(clock, now_ms) : Seconds(now_ms);
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

 private:
  static uint32_t Seconds(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 1000) & kMask; }
  static uint32_t Minutes(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 60000) & 0xffff; }
  uint32_t LfuAccessed(uint32_t clock, int64_t now_ms) const;

  std::atomic<bool> lfu_{false};
  std::atomic<uint32_t> log_factor_{10};
  std::atomic<uint32_t> decay_minutes_{1};
};

}  // namespace spinel
