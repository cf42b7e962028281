#include "server/allocator_stats.h"

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

}  // namespace spinel
