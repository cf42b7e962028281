#include "server/cycle_clock.h"

namespace spinel {

void CycleClock::Calibrate() {
  using std::chrono::steady_clock;
  const auto begin_time = steady_clock::now();
  const uint64_t begin = Now();
  const auto until = begin_time + std::chrono::milliseconds(10);
  auto now = steady_clock::now();
  while (now < until) now = steady_clock::now();
  const uint64_t ticks = Now() - begin;
  const double us = std::chrono::duration<double, std::micro>(now - begin_time).count();
  if (ticks == 0) return;
  microseconds_per_tick_ = us / static_cast<double>(ticks);
  nanoseconds_per_2_32_ticks_ = static_cast<uint64_t>(microseconds_per_tick_ * 1000 * 0x1p32);
}

}  // namespace spinel
