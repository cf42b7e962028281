#include "storage/arena.h"

#include "storage/jemalloc_ctl.h"

namespace spinel {

unsigned ThreadArena() { return AllocatorValue<unsigned>("thread.arena").value_or(0); }
void UseArena(unsigned arena) { SetAllocatorValue("thread.arena", arena); }

}  // namespace spinel
