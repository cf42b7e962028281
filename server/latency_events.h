// LATENCY's events: what kept a loop busy for longer than latency-monitor-threshold, and when.
//
// Owner: the Observation. Threads: any. Lock order: stripes, then the mutex here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/mutex.h"

namespace spinel {

class LatencyEvents {
 public:
  struct Sample {
    int64_t unix_seconds;
    int64_t ms;
  };
  // One kind of event: its latest samples, the oldest first, at most one per second (the longest).
  struct Series {
    std::vector<Sample> samples;  // not empty
    int64_t longest_ms = 0;       // of all there ever were
  };

  void Add(std::string_view event, int64_t unix_seconds, int64_t ms);
  // By name.
  std::vector<std::pair<std::string, Series>> All() const;
  // Without samples: there is no such event.
  Series Get(std::string_view event) const;
  // False: there is no such event.
  bool Reset(std::string_view event);
  // Returns how many there were.
  size_t ResetAll();

 private:
  mutable Mutex mutex_;
  std::map<std::string, Series, std::less<>> series_ ABSL_GUARDED_BY(mutex_);
};

// A picture of a series, drawn with characters.
std::string DrawLatency(std::string_view event, const LatencyEvents::Series& series,
                        int64_t unix_seconds);
// What the events tell about the server, for people. `threshold_ms` 0: nothing is recorded.
std::string ExplainLatency(const LatencyEvents& events, int64_t unix_seconds, int64_t threshold_ms);

}  // namespace spinel
