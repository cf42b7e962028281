#include "server/host_resources.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string_view>

#include "server/cgroup.h"
#include "storage/jemalloc_ctl.h"

namespace spinel {

UsableCpus DecideCpus(int present, int by_affinity, const std::string& root) {
  UsableCpus cpus{std::max(present, 1), "all there are"};
  const auto tighten = [&cpus, present](int count, std::string_view reason) {
    if (count <= 0 || count >= cpus.count) return;
    cpus = {count, fmt::format("of {}, by {}", present, reason)};
  };
  tighten(by_affinity, "CPU affinity");
  const CgroupLimit set = CgroupCpuset(root);
  // The affinity mask respects the set already; the set is what the operator knows of.
  if (set.value > 0 && static_cast<int>(set.value) == cpus.count && cpus.count < present) {
    cpus.reason = fmt::format("of {}, by {}", present, set.source);
  }
  tighten(static_cast<int>(set.value), set.source);
  const CgroupLimit quota = CgroupCpuQuota(root);
  if (quota.value > 0 && quota.value < cpus.count) {
    tighten(static_cast<int>(std::ceil(quota.value)),
            fmt::format("a quota of {:.2g} CPUs: {}", quota.value, quota.source));
  }
  return cpus;
}

UsableCpus FindUsableCpus() {
  const int present = static_cast<int>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
  cpu_set_t set;
  CPU_ZERO(&set);
  const bool known = sched_getaffinity(0, sizeof(set), &set) == 0;
  return DecideCpus(present, known ? CPU_COUNT(&set) : present, "");
}

MemoryLimit DecideMemory(int64_t physical, const std::string& root) {
  MemoryLimit limit{physical, "physical memory", false};
  const CgroupLimit group = CgroupMemory(root);
  constexpr double kNoLimit = 9e18;  // version 1 has a number for that, near the largest
  if (group.value <= 0 || group.value >= kNoLimit) return limit;
  const auto bytes = static_cast<int64_t>(group.value);
  if (physical <= 0 || bytes < physical) limit = {bytes, group.source, true};
  return limit;
}

MemoryLimit FindMemoryLimit() {
  return DecideMemory(int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE), "");
}

ProcessMemory ReadProcessMemory() {
  ProcessMemory memory;
  uint64_t total_pages = 0;
  uint64_t resident_pages = 0;
  uint64_t file_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages >> file_pages;
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  memory.resident = resident_pages * page;
  memory.anonymous = (resident_pages - std::min(resident_pages, file_pages)) * page;
  // Figures are as of the last epoch. Without jemalloc there is none, and only pages are known.
  if (!SetAllocatorValue("epoch", uint64_t{1})) {
    memory.allocated = memory.active = memory.allocator_resident = memory.resident;
    return memory;
  }
  // What threads keep at hand for their next allocations counts as allocated there.
  static const std::string cached = OfAllArenas("stats.arenas", "tcache_bytes");
  const auto figure = [](const char* name) { return AllocatorValue<size_t>(name).value_or(0); };
  const uint64_t allocated = figure("stats.allocated");
  memory.allocated = allocated - std::min<uint64_t>(allocated, figure(cached.c_str()));
  memory.active = figure("stats.active");
  memory.allocator_resident = figure("stats.resident");
  static const std::string dirty = OfAllArenas("stats.arenas", "pdirty");
  static const std::string muzzy = OfAllArenas("stats.arenas", "pmuzzy");
  memory.unused = (figure(dirty.c_str()) + figure(muzzy.c_str())) * figure("arenas.page");
  return memory;
}

int64_t ThreadNetBytes() {
  const auto counter = [](const char* name) -> const uint64_t* {
    return AllocatorValue<uint64_t*>(name).value_or(nullptr);
  };
  thread_local const uint64_t* const allocated = counter("thread.allocatedp");
  thread_local const uint64_t* const freed = counter("thread.deallocatedp");
  if (allocated == nullptr || freed == nullptr) return 0;
  return static_cast<int64_t>(*allocated - *freed);
}

void PurgeMemory() { TellAllocator(OfAllArenas("arena", "purge").c_str()); }

}  // namespace spinel
