#include "server/command_totals.h"

#include <algorithm>

#include "server/loop_state.h"

namespace spinel {

CommandTotals TotalsOf(const Runtime& runtime, size_t command) {
  CommandTotals totals;
  for (int i = 0; i < runtime.loops(); ++i) {
    const CommandStats& stats = runtime.loop(i).stats.command[command];
    const uint64_t calls = stats.calls.Get();
    totals.calls += calls - std::min(calls, stats.waiting.Get());
    totals.ticks += stats.ticks.Get();
    totals.rejected += stats.rejected.Get();
    totals.failed += stats.failed.Get();
  }
  if (totals.calls == 0) totals.ticks = 0;  // of calls that do not count, or not yet
  return totals;
}

uint64_t AddDurations(const Runtime& runtime, size_t command, std::vector<uint64_t>* counts) {
  uint64_t total = 0;
  for (int i = 0; i < runtime.loops(); ++i) {
    const LatencyHistogram* histogram =
        runtime.loop(i).stats.command[command].histogram.load(std::memory_order_acquire);
    if (histogram == nullptr) continue;
    for (size_t bucket = 0; bucket < LatencyHistogram::kBuckets; ++bucket) {
      const uint64_t count = histogram->Count(bucket);
      (*counts)[bucket] += count;
      total += count;
    }
  }
  return total;
}

}  // namespace spinel
