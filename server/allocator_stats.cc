#include "server/allocator_stats.h"

#include <unistd.h>

#include "storage/jemalloc_ctl.h"

#if defined(SPINEL_JEMALLOC)
#include <jemalloc/jemalloc.h>
#endif

namespace spinel {

std::string AllocatorStatistics() {
  std::string text;
#if defined(SPINEL_JEMALLOC)
  const auto append = [](void* to, const char* part) {
    static_cast<std::string*>(to)->append(part);
  };
  malloc_stats_print(append, &text, nullptr);
#endif
  return text;
}

uint64_t AllocatorMuzzyBytes() {
  static const std::string name = OfAllArenas("stats.arenas", "pmuzzy");
  const size_t pages = AllocatorValue<size_t>(name.c_str()).value_or(0);
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace spinel
