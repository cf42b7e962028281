// Counts a loop's turns and what they take, and tells the loop when one ends: a turn is everything
// between two sleeps.
//
// Asio tells nobody when a loop goes to sleep. It does so in epoll_wait, so the program has its own
// function of that name, which notes the time around the real call: two readings of the CPU's
// counter per turn, whatever the turn has to do. On threads without a TurnClock it only sleeps.
//
// Owner: the loop's thread, one at most. Threads: that one.
#pragma once

#include <cstdint>
#include <functional>

#include "server/stats.h"

namespace spinel {

class TurnClock {
 public:
  // What is left to do for a turn. True: Asio may have got work from it, so it must not sleep.
  using Ending = std::function<bool()>;

  // The thread's turns are counted in `stats` from now on, to this object's end, and each is ended
  // by `ending`.
  explicit TurnClock(LoopStats* stats, Ending ending = nullptr);
  ~TurnClock();
  TurnClock(const TurnClock&) = delete;
  TurnClock& operator=(const TurnClock&) = delete;

  // While it lives, looking for events is part of the turn: a script that takes long lets others
  // have their answers.
  class SameTurn {
   public:
    SameTurn();
    ~SameTurn();
    SameTurn(const SameTurn&) = delete;
    SameTurn& operator=(const SameTurn&) = delete;

   private:
    TurnClock* const clock_;
  };

  // The thread's; null: its sleeps are not counted.
  static TurnClock* OfThread();

  void Begin();
  // False: there is more to do, do not sleep.
  bool End();

 private:
  LoopStats* const stats_;
  const Ending ending_;
  uint64_t began_;  // CycleClock
  uint64_t commands_;
};

}  // namespace spinel
