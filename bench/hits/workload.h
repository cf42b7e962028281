// Made-up traces, each with one trait of real ones: the same seed gives the same trace everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "bench/hits/trace.h"

namespace spinel::hits {

struct WorkloadOptions {
  uint64_t keys = 1'000'000;      // among which popularity is distributed; at least 100
  uint64_t requests = 5'000'000;  // in the whole trace
  uint64_t seed = 1;
};

struct Workload {
  std::string_view name;
  std::string_view what;  // one line for a reader
  Trace (*make)(const WorkloadOptions& options);
};

// zipf-0.9, zipf-1.0, one-hit, scans, drift.
std::span<const Workload> Workloads();
const Workload* FindWorkload(std::string_view name);

}  // namespace spinel::hits
