#include "server/turn_clock.h"

#include <sys/epoll.h>

#include <utility>

#include "server/cycle_clock.h"

namespace spinel {
namespace {

constinit thread_local TurnClock* clock_of_thread = nullptr;

void Raise(Counter* most, uint64_t value) {
  const uint64_t before = most->Get();
  if (value > before) most->Add(value - before);
}

}  // namespace

TurnClock::TurnClock(LoopStats* stats, Ending ending) : stats_(stats), ending_(std::move(ending)) {
  Begin();
  clock_of_thread = this;
}

TurnClock::~TurnClock() { clock_of_thread = nullptr; }

TurnClock* TurnClock::OfThread() { return clock_of_thread; }

void TurnClock::Begin() {
  began_ = CycleClock::Now();
  commands_ = stats_->commands_processed.Get();
}

bool TurnClock::End() {
  const bool more = ending_ && ending_();
  TurnStats& turn = stats_->turn;
  const uint64_t took = CycleClock::Now() - began_;
  turn.turns.Add();
  turn.ticks.Add(took);
  Raise(&turn.longest_ticks, took);
  // The statistics may have been reset since.
  const uint64_t commands = stats_->commands_processed.Get();
  Raise(&turn.most_commands, commands >= commands_ ? commands - commands_ : commands);
  return !more;
}

TurnClock::SameTurn::SameTurn() : clock_(clock_of_thread) { clock_of_thread = nullptr; }

TurnClock::SameTurn::~SameTurn() { clock_of_thread = clock_; }

}  // namespace spinel

// Stands in for the C library's: see turn_clock.h.
extern "C" int epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms) {
  spinel::TurnClock* const clock = spinel::TurnClock::OfThread();
  if (clock == nullptr) return epoll_pwait(epoll, events, most, timeout_ms, nullptr);
  const bool may_sleep = clock->End();
  const int ready = epoll_pwait(epoll, events, most, may_sleep ? timeout_ms : 0, nullptr);
  clock->Begin();
  return ready;
}
