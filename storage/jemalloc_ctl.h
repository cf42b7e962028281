// What jemalloc lets a program ask and tell it by name (mallctl): the one place that speaks to it.
//
// With another allocator there are no names: nothing is answered, nothing is done. Threads: any.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace spinel {

// `size` bytes from or to where the pointer shows. False: there is no such name, or it is of
// another size. The templates below are what callers want.
bool ReadAllocator(const char* name, void* value, size_t size);
bool WriteAllocator(const char* name, const void* value, size_t size);
// A name that is something to do.
bool TellAllocator(const char* name);

// T is what the name is documented to be: size_t for sizes, unsigned for arenas.
template <typename T>
std::optional<T> AllocatorValue(const char* name) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value{};
  if (!ReadAllocator(name, &value, sizeof(value))) return std::nullopt;
  return value;
}
template <typename T>
bool SetAllocatorValue(const char* name, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return WriteAllocator(name, &value, sizeof(value));
}

// "stats.arenas" and "pmuzzy": the name of that figure for all arenas together.
std::string OfAllArenas(std::string_view group, std::string_view what);

}  // namespace spinel
