// Random numbers that need to be quick, not secret (xorshift64*, S. Vigna 2014). One state per
// thread.
#pragma once

#include <cstdint>

namespace spinel {

inline uint64_t FastRandom() {
  thread_local uint64_t state = 0x9e3779b97f4a7c15 ^ reinterpret_cast<uintptr_t>(&state);
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1d;
}

}  // namespace spinel
