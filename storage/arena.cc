#include "storage/arena.h"

#include <cstddef>

#if defined(SPINEL_JEMALLOC)
#include <jemalloc/jemalloc.h>
#endif

namespace spinel {

#if defined(SPINEL_JEMALLOC)

unsigned ThreadArena() {
  unsigned arena = 0;
  size_t size = sizeof(arena);
  mallctl("thread.arena", &arena, &size, nullptr, 0);
  return arena;
}

void UseArena(unsigned arena) { mallctl("thread.arena", nullptr, nullptr, &arena, sizeof(arena)); }

#else

unsigned ThreadArena() { return 0; }
void UseArena(unsigned arena) {}

#endif

}  // namespace spinel
