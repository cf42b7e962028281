// What the machine, or the container, lets this process use.
//
// Pure functions over files of the kernel; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace spinel {

struct UsableCpus {
  int count = 1;
  std::string reason;  // "of 8, by a quota of 1.5 CPUs: cgroup v2, cpu.max of /"
};

// The CPUs that the process may really use: the least of affinity mask, cpuset and quota of its
// control groups (cgroup.h), a part of a CPU counted as one.
UsableCpus FindUsableCpus();
// The same, of a machine with `present` CPUs and a mask of `by_affinity`; `root` as in cgroup.h.
UsableCpus DecideCpus(int present, int by_affinity, const std::string& root);

struct MemoryLimit {
  int64_t bytes = 0;   // 0: unknown
  std::string source;  // "cgroup v2, memory.max of /", "physical memory"
  bool cgroup = false;
};

// The least of the control groups' limits and the physical memory.
MemoryLimit FindMemoryLimit();
// The same, of a machine with `physical` bytes (0: unknown).
MemoryLimit DecideMemory(int64_t physical, const std::string& root);

// Of this process, now.
struct ProcessMemory {
  uint64_t allocated = 0;  // by the allocator, to the program
  uint64_t active = 0;     // pages the allocator uses
  uint64_t unused = 0;     // resident pages the allocator keeps for what comes next
  uint64_t allocator_resident = 0;
  uint64_t resident = 0;   // of the whole process
  uint64_t anonymous = 0;  // the part of it that no file backs: the program itself is not in it
};
ProcessMemory ReadProcessMemory();

// Bytes that the calling thread has allocated less those that it has freed. Costs two loads.
int64_t ThreadNetBytes();

// Asks the allocator to give back what it keeps.
void PurgeMemory();

}  // namespace spinel
