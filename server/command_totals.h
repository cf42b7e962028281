// Commands' counters and latencies, added up over the loops.
//
// Any thread: reads what the loops count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/server.h"

namespace spinel {

struct CommandTotals {
  uint64_t calls = 0;
  uint64_t ticks = 0;  // CycleClock
  uint64_t rejected = 0;
  uint64_t failed = 0;

  bool any() const { return calls != 0 || rejected != 0 || failed != 0; }
};

CommandTotals TotalsOf(const Runtime& runtime, size_t command);

// Adds the command's durations to `*counts`, which has a place per bucket of a LatencyHistogram.
// Returns how many there were.
uint64_t AddDurations(const Runtime& runtime, size_t command, std::vector<uint64_t>* counts);

}  // namespace spinel
