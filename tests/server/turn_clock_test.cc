#include "server/turn_clock.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "server/cycle_clock.h"

namespace spinel {
namespace {

class Epoll {
 public:
  Epoll() : fd_(epoll_create1(EPOLL_CLOEXEC)) { REQUIRE(fd_ >= 0); }
  ~Epoll() { close(fd_); }
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  int Wait(int ms) const {
    epoll_event event{};
    return epoll_wait(fd_, &event, 1, ms);
  }

 private:
  const int fd_;
};

// Busy, by the clock that counts.
void WorkFor(double us) {
  const uint64_t until = CycleClock::Now() + CycleClock::FromMicroseconds(us);
  while (CycleClock::Now() < until) {
  }
}

TEST_CASE("A turn is what happens between two sleeps, and takes no time asleep") {
  const Epoll epoll;
  LoopStats stats(1);
  const uint64_t begin = CycleClock::Now();
  {
    const TurnClock clock(&stats);
    stats.commands_processed.Add(3);
    WorkFor(500);
    CHECK(epoll.Wait(30) == 0);
    stats.commands_processed.Add(2);
    CHECK(epoll.Wait(0) == 0);
  }
  const TurnStats& turn = stats.turn;
  CHECK(turn.turns.Get() == 2);
  CHECK(turn.most_commands.Get() == 3);
  CHECK(turn.longest_ticks.Get() >= CycleClock::FromMicroseconds(500));
  CHECK(turn.ticks.Get() >= turn.longest_ticks.Get());
  CHECK(turn.ticks.Get() + CycleClock::FromMicroseconds(29'000) <= CycleClock::Now() - begin);
  // It counts no more.
  CHECK(epoll.Wait(0) == 0);
  CHECK(turn.turns.Get() == 2);
}

TEST_CASE("Turns are counted by thread, and not while a turn looks for events") {
  const Epoll epoll;
  LoopStats stats(1);
  const TurnClock clock(&stats);
  std::thread other([&] { epoll.Wait(0); });
  other.join();
  CHECK(stats.turn.turns.Get() == 0);
  {
    const TurnClock::SameTurn same_turn;
    epoll.Wait(0);
  }
  CHECK(stats.turn.turns.Get() == 0);
  epoll.Wait(0);
  CHECK(stats.turn.turns.Get() == 1);
  stats.Reset();
  CHECK(stats.turn.turns.Get() == 0);
}

TEST_CASE("What is left to do ends a turn, and may keep the thread from sleeping") {
  const Epoll epoll;
  LoopStats stats(1);
  int ended = 0;
  bool more = true;
  const TurnClock clock(&stats, [&] {
    WorkFor(500);
    ++ended;
    return more;
  });
  uint64_t begin = CycleClock::Now();
  epoll.Wait(2000);
  CHECK(CycleClock::ToMicroseconds(CycleClock::Now() - begin) < 1'000'000);
  CHECK(ended == 1);
  CHECK(stats.turn.longest_ticks.Get() >= CycleClock::FromMicroseconds(500));
  more = false;
  begin = CycleClock::Now();
  epoll.Wait(30);
  CHECK(CycleClock::ToMicroseconds(CycleClock::Now() - begin) >= 29'000);
  CHECK(ended == 2);
}

}  // namespace
}  // namespace spinel
