// Replays a trace against a server as applications use a cache: GET, and after a miss SET.
//
// Requests travel in windows. What missed is SET at the head of the next window; where a window
// asks again for what it has just missed, that request is repeated behind its SET, so that it
// counts as what it would have been without a pipeline.
//
// Servers take different memory for a key, so the limit is not given in bytes but found: a fresh
// server is filled with as many keys as the cache is to hold, what it then says that it uses
// becomes its `maxmemory`, and during the warm-up the limit is corrected until DBSIZE agrees. Then
// it stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/hits/trace.h"

namespace spinel::hits {

struct ReplayOptions {
  uint16_t port = 0;
  std::string policy;         // for `maxmemory-policy`
  uint32_t keys = 0;          // that the cache is to hold
  size_t value_bytes = 1024;  // of every key
  int64_t ttl_seconds = 0;    // of every key; 0: none
  size_t window = 32;         // requests that are under way at once
  std::string clock;          // the file that the server's clock follows; empty: none
  double seconds = 0;         // that the whole trace lasts by that clock
  size_t warm_up = 0;         // requests that are not counted; the limit is set meanwhile
};

struct ReplayResult {
  std::string refused;  // what the server said to the policy; empty when it took it
  uint64_t requests = 0;
  uint64_t hits = 0;
  uint64_t refused_sets = 0;  // SETs that were answered an error, of the whole trace
  std::string error;          // the first of them
  uint64_t evicted = 0;
  uint64_t maxmemory = 0;
  // DBSIZE while requests were counted.
  double held_mean = 0;
  uint64_t held_least = 0;
  uint64_t held_most = 0;
  double seconds = 0;
};

// The server is fresh, empties itself on FLUSHALL, and is nobody else's. Throws std::runtime_error
// when it cannot be measured.
ReplayResult Replay(const Trace& trace, const ReplayOptions& options);

}  // namespace spinel::hits
