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
  uint64_t peak = 0;     // the most that was ever allocated
  uint64_t startup = 0;  // allocated when the server had started
  uint64_t clients = 0;  // sessions and their buffers
  uint64_t timers = 0;   // the expiry wheels
  // Buckets and directories of each database that has keys.
  std::vector<std::pair<int, uint64_t>> tables;
  // Startup, clients, timers and tables: all that is not data.
  uint64_t overhead = 0;
  uint64_t dataset = 0;        // allocated beyond the overhead
  double dataset_percent = 0;  // of what was allocated since the start
};

MemoryReport MeasureMemory(Server& server);

}  // namespace spinel
