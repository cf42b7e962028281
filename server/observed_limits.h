// From when on a command is worth a closer look (Observation): whoever runs commands compares, and
// reports those that reach one of these.
//
// Owner: the Server. Threads: any; written by Observation.
#pragma once

#include <atomic>
#include <cstdint>

namespace spinel {

struct ObservedLimits {
  static constexpr uint64_t kNever = UINT64_MAX;

  // CycleClock; 0 while somebody monitors.
  std::atomic<uint64_t> ticks{kNever};
  std::atomic<uint64_t> request_bytes{kNever};
  std::atomic<uint64_t> reply_bytes{kNever};

  bool Reached(uint64_t took, uint64_t request, uint64_t reply) const {
    return (static_cast<unsigned>(took >= ticks.load(std::memory_order_relaxed)) |
            static_cast<unsigned>(request >= request_bytes.load(std::memory_order_relaxed)) |
            static_cast<unsigned>(reply >= reply_bytes.load(std::memory_order_relaxed))) != 0;
  }
};

}  // namespace spinel
