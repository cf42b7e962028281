#include "storage/jemalloc_ctl.h"

#if defined(SPINEL_JEMALLOC)
#include <jemalloc/jemalloc.h>
#endif

namespace spinel {

#if defined(SPINEL_JEMALLOC)

bool ReadAllocator(const char* name, void* value, size_t size) {
  size_t length = size;
  return mallctl(name, value, &length, nullptr, 0) == 0 && length == size;
}

// The interface takes what it only reads by a pointer to what may change.
bool WriteAllocator(const char* name, const void* value, size_t size) {
  return mallctl(name, nullptr, nullptr, const_cast<void*>(value), size) == 0;
}

bool TellAllocator(const char* name) { return mallctl(name, nullptr, nullptr, nullptr, 0) == 0; }

std::string OfAllArenas(std::string_view group, std::string_view what) {
  return std::string(group) + "." + std::to_string(MALLCTL_ARENAS_ALL) + "." + std::string(what);
}

#else

bool ReadAllocator(const char* name, void* value, size_t size) { return false; }
bool WriteAllocator(const char* name, const void* value, size_t size) { return false; }
bool TellAllocator(const char* name) { return false; }
std::string OfAllArenas(std::string_view group, std::string_view what) { return {}; }

#endif

}  // namespace spinel
