#include "server/host_resources.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#if defined(SPINEL_JEMALLOC)
#include <jemalloc/jemalloc.h>
#endif

namespace spinel {
namespace {

// The first word of a file; empty if it cannot be read.
std::string FirstWord(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

// Folders that may hold this process's limits: its own cgroup (v2) and what is mounted at the root,
// which inside a container is the container's.
std::vector<std::string> CgroupFolders(const char* v1_controller) {
  std::vector<std::string> folders;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t last = line.rfind(':');
    if (last == std::string::npos) continue;
    const std::string path = line.substr(last + 1);
    if (line.starts_with("0::")) folders.push_back("/sys/fs/cgroup" + path);
    if (line.find(v1_controller) != std::string::npos) {
      folders.push_back(fmt::format("/sys/fs/cgroup/{}{}", v1_controller, path));
    }
  }
  folders.emplace_back("/sys/fs/cgroup");
  folders.push_back(fmt::format("/sys/fs/cgroup/{}", v1_controller));
  return folders;
}

// CPUs by quota, or 0 for none.
double CpuQuota() {
  double least = 0;
  const auto consider = [&least](double quota, double period) {
    if (quota <= 0 || period <= 0) return;
    if (least == 0 || quota / period < least) least = quota / period;
  };
  for (const std::string& folder : CgroupFolders("cpu")) {
    std::ifstream file(folder + "/cpu.max");
    std::string quota;
    double period = 0;
    if (file >> quota >> period && quota != "max") consider(std::atof(quota.c_str()), period);
    consider(std::atof(FirstWord(folder + "/cpu.cfs_quota_us").c_str()),
             std::atof(FirstWord(folder + "/cpu.cfs_period_us").c_str()));
  }
  return least;
}

#if defined(SPINEL_JEMALLOC)
uint64_t Mallctl(const char* name) {
  size_t value = 0;
  size_t size = sizeof(value);
  return mallctl(name, &value, &size, nullptr, 0) == 0 ? value : 0;
}
#endif

}  // namespace

UsableCpus FindUsableCpus() {
  const int present = static_cast<int>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
  UsableCpus cpus{present, "all there are"};
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) < cpus.count) {
    cpus = {CPU_COUNT(&set), fmt::format("of {}, by CPU affinity", present)};
  }
  const double quota = CpuQuota();
  if (quota > 0 && static_cast<int>(std::ceil(quota)) < cpus.count) {
    cpus = {std::max(static_cast<int>(std::ceil(quota)), 1),
            fmt::format("of {}, by the cgroup's quota", present)};
  }
  return cpus;
}

MemoryLimit FindMemoryLimit() {
  MemoryLimit limit;
  limit.bytes = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  limit.source = "physical memory";
  for (const std::string& folder : CgroupFolders("memory")) {
    for (const char* name : {"/memory.max", "/memory.limit_in_bytes"}) {
      const std::string word = FirstWord(folder + name);
      if (word.empty() || word == "max") continue;
      const int64_t bytes = std::atoll(word.c_str());
      if (bytes > 0 && bytes < limit.bytes) {
        limit.bytes = bytes;
        limit.source = "cgroup";
        limit.cgroup = true;
      }
    }
  }
  return limit;
}

ProcessMemory ReadProcessMemory() {
  ProcessMemory memory;
  uint64_t total_pages = 0;
  uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  memory.resident = resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
#if defined(SPINEL_JEMALLOC)
  uint64_t epoch = 1;
  size_t size = sizeof(epoch);
  mallctl("epoch", &epoch, &size, &epoch, size);
  memory.allocated = Mallctl("stats.allocated");
  memory.active = Mallctl("stats.active");
  memory.allocator_resident = Mallctl("stats.resident");
#else
  memory.allocated = memory.active = memory.allocator_resident = memory.resident;
#endif
  return memory;
}

void PurgeMemory() {
#if defined(SPINEL_JEMALLOC)
  const std::string name = fmt::format("arena.{}.purge", MALLCTL_ARENAS_ALL);
  mallctl(name.c_str(), nullptr, nullptr, nullptr, 0);
#endif
}

}  // namespace spinel
