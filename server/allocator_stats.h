// The allocator's own account of its memory, for people: MEMORY MALLOC-STATS and DEBUG JMAP.
#pragma once

#include <string>

namespace spinel {

// Empty if the allocator keeps none. Any thread; takes some milliseconds.
std::string AllocatorStatistics();

}  // namespace spinel
