// What MEMORY DOCTOR says: which troubles with memory the figures show, and what helps.
//
// A pure function; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "server/host_resources.h"

namespace spinel {

// What is judged. Sizes in bytes.
struct MemorySigns {
  ProcessMemory process;
  uint64_t peak = 0;   // the most that was ever allocated
  uint64_t limit = 0;  // maxmemory; 0: none
  uint64_t clients = 0;
  uint64_t client_bytes = 0;  // of all of them
  uint64_t scripts = 0;       // in the cache
};

// A text for people: one line, or a list with a remark for each trouble.
std::string MemoryAdvice(const MemorySigns& signs);

}  // namespace spinel
