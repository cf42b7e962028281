// What each loop counts. Every counter has one writer, the loop; INFO and its like add the loops
// up.
#pragma once

#include <algorithm>
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
    const size_t index =
        (static_cast<size_t>(shift + 1) << kSubBits) | (ns >> shift & ((1u << kSubBits) - 1));
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
  Counter waiting;   // of the calls: begun by clients that have no answer yet (blocking.h)
  Counter ticks;     // CycleClock
  Counter rejected;  // refused before execution
  Counter failed;    // executed, and answered with an error
  // Made by the first call while latency-tracking is on.
  std::atomic<LatencyHistogram*> histogram{nullptr};

  ~CommandStats() { delete histogram.load(); }
};

// The greatest of the values noted in the last 8 seconds. One writer, any reader.
class RecentPeak {
 public:
  void Note(int64_t now_ms, uint64_t value) {
    const int64_t second = now_ms / 1000;
    Slot& slot = slots_[static_cast<size_t>(second) % kSeconds];
    const bool fresh = slot.second.load(std::memory_order_relaxed) != second;
    if (fresh || value > slot.value.load(std::memory_order_relaxed)) {
      slot.value.store(value, std::memory_order_relaxed);
    }
    if (fresh) slot.second.store(second, std::memory_order_relaxed);
  }
  uint64_t Get(int64_t now_ms) const {
    const int64_t oldest = now_ms / 1000 - static_cast<int64_t>(kSeconds);
    uint64_t peak = 0;
    for (const Slot& slot : slots_) {
      if (slot.second.load(std::memory_order_relaxed) <= oldest) continue;
      peak = std::max(peak, slot.value.load(std::memory_order_relaxed));
    }
    return peak;
  }

 private:
  static constexpr size_t kSeconds = 8;
  struct Slot {
    std::atomic<int64_t> second{-static_cast<int64_t>(kSeconds)};
    std::atomic<uint64_t> value{0};
  };
  std::array<Slot, kSeconds> slots_;
};

// How a loop spends its time: a turn is what it does between two sleeps. Durations in CycleClock's
// ticks. See turn_clock.h.
struct TurnStats {
  Counter turns;
  Counter ticks;
  Counter cron_ticks;  // of them, in the work that comes with time: expiry, timeouts, upkeep
  Counter longest_ticks;
  Counter most_commands;  // that one turn executed
  Counter nested_ticks;  // of commands that others executed (EXEC, scripts), counted with those too
};

struct LoopStats {
  explicit LoopStats(size_t commands) : command(new CommandStats[commands]), size(commands) {}

  StoreStats store;
  TurnStats turn;
  Counter commands_processed;
  Counter connections_received;
  Counter connections_rejected;
  Counter input_bytes;
  Counter output_bytes;
  Counter error_replies;
  Counter reads;  // socket reads and writes
  Counter writes;
  Counter output_limit_disconnections;
  Counter query_limit_disconnections;
  Counter evicted_clients;
  Counter expired_stale_ms;  // backlog of the last expiry tick
  RecentPeak input_peak;     // bytes of a client's query buffer, and of what waits to be sent to it
  RecentPeak output_peak;
  std::unique_ptr<CommandStats[]> command;
  size_t size;

  void Reset();
};

}  // namespace spinel
