// Comparing short byte strings without a call: names of keys and commands are compared with every
// request, and calling memcmp costs more than the comparison.
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace spinel {

template <typename Word>
bool EqualWords(const char* a, const char* b) {
  Word first;
  Word second;
  std::memcpy(&first, a, sizeof(first));
  std::memcpy(&second, b, sizeof(second));
  return first == second;
}

inline bool EqualBytes(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  const char* const x = a.data();
  const char* const y = b.data();
  constexpr size_t kShort = 32;
  // The last word overlaps the one before.
  if (size >= sizeof(uint64_t) && size <= kShort) {
    const size_t last = size - sizeof(uint64_t);
    for (size_t at = 0; at < last; at += sizeof(uint64_t)) {
      if (!EqualWords<uint64_t>(x + at, y + at)) return false;
    }
    return EqualWords<uint64_t>(x + last, y + last);
  }
  if (size > kShort) return std::memcmp(x, y, size) == 0;
  if (size >= sizeof(uint32_t)) {
    const size_t last = size - sizeof(uint32_t);
    return EqualWords<uint32_t>(x, y) && EqualWords<uint32_t>(x + last, y + last);
  }
  if (size >= sizeof(uint16_t)) {
    const size_t last = size - sizeof(uint16_t);
    return EqualWords<uint16_t>(x, y) && EqualWords<uint16_t>(x + last, y + last);
  }
  return size == 0 || *x == *y;
}

}  // namespace spinel
