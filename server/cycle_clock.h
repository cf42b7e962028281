// A clock that is cheap enough to read once per command: the CPU's time stamp counter where it runs
// at a constant rate, else the steady clock.
//
// Threads: any. Calibrate() once at start, before other threads.
#pragma once

#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace spinel {

class CycleClock {
 public:
  static uint64_t Now() {
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
  }

  // Measures the rate against the steady clock; takes 10 ms.
  static void Calibrate();

  // In integers, for what runs once per command.
  static uint64_t ToNanoseconds(uint64_t ticks) {
    return static_cast<uint64_t>((static_cast<Wide>(ticks) * nanoseconds_per_2_32_ticks_) >> 32);
  }
  static double ToMicroseconds(uint64_t ticks) {
    return static_cast<double>(ticks) * microseconds_per_tick_;
  }
  static uint64_t FromMicroseconds(double us) {
    return static_cast<uint64_t>(us / microseconds_per_tick_);
  }

 private:
  __extension__ using Wide = unsigned __int128;

  static inline double microseconds_per_tick_ = 0.001;
  static inline uint64_t nanoseconds_per_2_32_ticks_ = uint64_t{1} << 32;
};

}  // namespace spinel
