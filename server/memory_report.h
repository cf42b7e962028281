// Where the memory goes: what INFO memory and MEMORY STATS tell.
//
// Any thread. Takes one stripe's lock at a time, and the client registry's.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "server/host_resources.h"
#include "server/server.h"

namespace spinel {

// In bytes.
struct MemoryReport {
  ProcessMemory process;
  uint64_t muzzy = 0;         // free pages that the kernel may take when it wants to
  uint64_t peak = 0;          // the most that was ever allocated
  uint64_t startup = 0;       // allocated when the server had started
  uint64_t clients = 0;       // sessions and their buffers
  uint64_t timers = 0;        // the expiry wheels
  uint64_t queues = 0;        // those of the eviction policies that have some
  uint64_t scripts = 0;       // cached scripts
  uint64_t libraries = 0;     // of functions
  uint64_t interpreters = 0;  // which run both
  // Buckets and directories of each database that has keys, and their sum.
  std::vector<std::pair<int, uint64_t>> tables;
  uint64_t table_bytes = 0;
  // Startup, clients, timers, queues, scripts and tables: all that is not data.
  uint64_t overhead = 0;
  uint64_t dataset = 0;        // allocated beyond the overhead
  double dataset_percent = 0;  // of what was allocated since the start
};

MemoryReport MeasureMemory(Server& server);

// 0 of nothing.
inline double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}
inline int64_t Excess(uint64_t more, uint64_t less) {
  return static_cast<int64_t>(more) - static_cast<int64_t>(less);
}

}  // namespace spinel
