// Which of the allocator's arenas a thread allocates from.
//
// A thread of its own gets an arena of its own, whose first pages nobody has touched yet. On a
// virtual machine the first touch of a huge page takes milliseconds, and every thread that touches
// one at the same time waits longer. A thread that works for a moment on behalf of another one had
// better go on with the pages that this one has.
//
// Without jemalloc these do nothing. Threads: any; each speaks of itself.
#pragma once

namespace spinel {

// The arena of this thread.
unsigned ThreadArena();
// This thread allocates from that arena from now on.
void UseArena(unsigned arena);

}  // namespace spinel
