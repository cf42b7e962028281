// What the machine, or the container, lets this process use.
//
// Pure functions over files of the kernel; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace spinel {

struct UsableCpus {
  int count = 1;
  std::string reason;  // "of 8, by the cgroup's quota"
};

// The CPUs that the process may really use: affinity mask and cgroup quota (v1 and v2).
UsableCpus FindUsableCpus();

struct MemoryLimit {
  int64_t bytes = 0;   // 0: unknown
  std::string source;  // "cgroup", "physical memory"
  bool cgroup = false;
};

// The least of the cgroup's limit and the physical memory.
MemoryLimit FindMemoryLimit();

// Of this process, now.
struct ProcessMemory {
  uint64_t allocated = 0;  // by the allocator, to the program
  uint64_t active = 0;     // pages the allocator uses
  uint64_t allocator_resident = 0;
  uint64_t resident = 0;  // of the whole process
};
ProcessMemory ReadProcessMemory();

// Asks the allocator to give back what it keeps.
void PurgeMemory();

}  // namespace spinel
