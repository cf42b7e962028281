// The allocator's own account of its memory, for people: MEMORY MALLOC-STATS and DEBUG JMAP.
#pragma once

#include <cstdint>
#include <string>

namespace spinel {

// Empty if the allocator keeps none. Any thread; takes some milliseconds.
std::string AllocatorStatistics();

// Bytes of free pages that the kernel may take when it wants to. Any thread.
uint64_t AllocatorMuzzyBytes();

}  // namespace spinel
