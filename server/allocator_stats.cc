#include "server/allocator_stats.h"

#include <fmt/format.h>
#include <unistd.h>

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
#if defined(SPINEL_JEMALLOC)
  static const std::string name = fmt::format("stats.arenas.{}.pmuzzy", MALLCTL_ARENAS_ALL);
  size_t pages = 0;
  size_t size = sizeof(pages);
  if (mallctl(name.c_str(), &pages, &size, nullptr, 0) != 0) return 0;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
#else
  return 0;
#endif
}

}  // namespace spinel
