// Rates over the last 1.6 seconds (INFO's instantaneous_* fields): samples of running totals, taken
// every 100 ms.
//
// Owner: the Server. Threads: one samples, any reads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace spinel {

class RateSampler {
 public:
  enum Metric {
    kCommands,
    kInputBytes,
    kOutputBytes,
    kTurns,      // of all loops
    kTurnTicks,  // what they took, by CycleClock
    kMetrics
  };

  // `totals` as of `now_ms`.
  void Sample(int64_t now_ms, const std::array<uint64_t, kMetrics>& totals);
  uint64_t PerSecond(Metric metric) const { return rates_[metric].load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kSamples = 16;
  struct Point {
    int64_t ms = 0;
    std::array<uint64_t, kMetrics> totals{};
  };

  std::array<Point, kSamples> points_;
  size_t next_ = 0;
  size_t filled_ = 0;
  std::array<std::atomic<uint64_t>, kMetrics> rates_{};
};

}  // namespace spinel
