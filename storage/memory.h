// Allocation in size classes: every block is allocated at the full size of its class, so that two
// sizes of one class can share a block in place, and freed with its size, which spares jemalloc the
// look-up.
//
// The classes are jemalloc's (quantum 16): multiples of 16 up to 128, then four per doubling.
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(SPINEL_JEMALLOC)
#include <jemalloc/jemalloc.h>
#endif

namespace spinel {

// The size of the class that holds `size` bytes.
constexpr size_t SizeClass(size_t size) {
  if (size <= 128) return size <= 16 ? 16 : (size + 15) & ~size_t{15};
  const size_t step = std::bit_floor(size - 1) / 4;
  return (size + step - 1) & ~(step - 1);
}

static_assert(SizeClass(1) == 16 && SizeClass(96) == 96 && SizeClass(97) == 112);
static_assert(SizeClass(128) == 128 && SizeClass(129) == 160 && SizeClass(257) == 320);

// A block of SizeClass(size) bytes; ends the process when there is no memory at all.
inline void* AllocateBytes(size_t size) {
  const size_t bytes = SizeClass(size);
  assert(bytes > 0);  // the static analyser cannot see it
  void* block = std::malloc(bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

inline void FreeBytes(void* block, size_t size) {
#if defined(SPINEL_JEMALLOC)
  sdallocx(block, SizeClass(size), 0);
#else
  std::free(block);
#endif
}

// A zeroed block aligned to cache lines; `size` is a multiple of 64.
inline void* AllocateLines(size_t size) {
  void* block = std::aligned_alloc(64, size);
  if (block == nullptr) throw std::bad_alloc();
  __builtin_memset(block, 0, size);
  return block;
}

inline void FreeLines(void* block) { std::free(block); }

}  // namespace spinel
