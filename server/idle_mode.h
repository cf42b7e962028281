// Whether nobody has asked for anything for a while. Then loops without work of their own look at
// their timers every 96 ms in place of every 16: an idle server wakes its CPUs ten times a second
// and loop. With the first request all loops are woken, since it may set a time to live that is for
// another loop to keep.
//
// Owner: the Server. Threads: Note: the first loop; the rest: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace spinel {

class IdleMode {
 public:
  static constexpr int64_t kAfterMs = 1000;

  // `commands`: how many all loops have executed so far.
  void Note(int64_t now_ms, uint64_t commands) {
    if (commands != commands_) {
      commands_ = commands;
      since_ms_ = now_ms;
      on_.store(false, std::memory_order_relaxed);
    } else if (std::abs(now_ms - since_ms_) >= kAfterMs) {
      on_.store(true, std::memory_order_relaxed);
    }
  }
  bool on() const { return on_.load(std::memory_order_relaxed); }
  // In front of commands. True: it was on, and the caller is to wake the loops.
  bool End() { return on() && on_.exchange(false, std::memory_order_relaxed); }

 private:
  std::atomic<bool> on_{false};
  uint64_t commands_ = 0;
  int64_t since_ms_ = 0;
};

}  // namespace spinel
