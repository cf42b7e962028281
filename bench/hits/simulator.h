// What a policy would make of a trace if it were carried out exactly, object by object: the lines
// that the servers' hit ratios are read against.
//
// LRU and LFU evict exactly the least recently, or least often, used object (LFU forgets the count
// of what it evicts, and among equals takes the least recently used); servers sample. S3-FIFO: J.
// Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023. SIEVE: Y. Zhang et
// al., "SIEVE is simpler than LRU", NSDI 2024. Belady knows the future and evicts what is needed
// last: no policy of this capacity does better.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "bench/hits/trace.h"

namespace spinel::hits {

class Policy {
 public:
  virtual ~Policy() = default;
  // The trace's next request: whether the object was there. It is there afterwards.
  virtual bool Request(uint32_t object) = 0;
  // How many objects are there: never more than the capacity.
  virtual uint32_t held() const = 0;
};

// "LRU", "LFU", "S3-FIFO", "SIEVE", "Belady".
std::span<const std::string_view> PolicyNames();

// A policy that holds `capacity` > 0 objects; null for a name that is none of those. It is for one
// run through that trace, from the first request on.
std::unique_ptr<Policy> MakePolicy(std::string_view name, uint32_t capacity, const Trace& trace);

// The share of hits among the requests from position `warm_up` on; those before it are carried out
// and not counted. 0 when there are none to count.
double HitRatio(Policy& policy, const Trace& trace, size_t warm_up);

}  // namespace spinel::hits
