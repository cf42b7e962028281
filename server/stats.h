// What each loop counts. Every counter has one writer, the loop; INFO and its like add the loops up.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "storage/op_context.h"

namespace spinel {

// Durations in nanoseconds, in buckets of 1/16 of a power of two: within 7% of the truth.
class LatencyHistogram {
 public:
  static constexpr int kSubBits = 4;
  static constexpr size_t kBuckets = (40 - kSubBits + 1) << kSubBits;

  void Add(uint64_t ns) { buckets_[IndexOf(ns)].Add(); }
  uint64_t Count(size_t bucket) const { return buckets_[bucket].Get(); }
  void Reset() {
    for (Counter& bucket : buckets_) bucket.Reset();
  }

  static size_t IndexOf(uint64_t ns) {
    if (ns < (1u << kSubBits)) return ns;
    const int shift = std::bit_width(ns) - 1 - kSubBits;
    const size_t index = (static_cast<size_t>(shift + 1) << kSubBits) |
                         (ns >> shift & ((1u << kSubBits) - 1));
    return index < kBuckets ? index : kBuckets - 1;
  }
  // The greatest duration that falls into the bucket.
  static uint64_t UpperBound(size_t bucket) {
    if (bucket < (1u << kSubBits)) return bucket;
    const int shift = static_cast<int>(bucket >> kSubBits) - 1;
    const uint64_t mantissa = (bucket & ((1u << kSubBits) - 1)) | 1u << kSubBits;
    return ((mantissa + 1) << shift) - 1;
  }

 private:
  std::array<Counter, kBuckets> buckets_;
};

struct CommandStats {
  Counter calls;
  Counter ticks;     // CycleClock
  Counter rejected;  // refused before execution
  Counter failed;    // executed, and answered with an error
  // Made by the first call while latency-tracking is on.
  std::atomic<LatencyHistogram*> histogram{nullptr};

  ~CommandStats() { delete histogram.load(); }
};

struct LoopStats {
  explicit LoopStats(size_t commands) : command(new CommandStats[commands]), size(commands) {}

  StoreStats store;
  Counter commands_processed;
  Counter connections_received;
  Counter connections_rejected;
  Counter input_bytes;
  Counter output_bytes;
  Counter error_replies;
  Counter reads;   // socket reads and writes
  Counter writes;
  Counter output_limit_disconnections;
  Counter query_limit_disconnections;
  Counter expired_stale_ms;  // backlog of the last expiry tick
  std::unique_ptr<CommandStats[]> command;
  size_t size;

  void Reset();
};

}  // namespace spinel
