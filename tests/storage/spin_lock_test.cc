#include "storage/spin_lock.h"

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace spinel {
namespace {

void RunThreads(int count, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("SpinLock: increments of several threads add up", "[storage]") {
  constexpr int kThreads = 4;
  constexpr int kRounds = 50'000;
  SpinLock lock;
  uint64_t counter = 0;
  RunThreads(kThreads, [&](int) {
    for (int i = 0; i < kRounds; ++i) {
      lock.Lock();
      ++counter;
      lock.Unlock();
    }
  });
  CHECK(counter == uint64_t{kThreads} * kRounds);
}

TEST_CASE("SpinLock: who sleeps is woken", "[storage]") {
  SpinLock lock;
  int entered = 0;
  lock.Lock();
  std::thread holder([&] {
    RunThreads(3, [&](int) {
      lock.Lock();
      ++entered;
      // Long enough that the others are past their spins.
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      lock.Unlock();
    });
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  lock.AssertHeld();
  lock.Unlock();
  holder.join();
  CHECK(entered == 3);
}

TEST_CASE("SpinLock: what was written under the lock is seen by the next", "[storage]") {
  SpinLock lock;
  std::array<int, 64> values = {};
  bool torn = false;
  RunThreads(3, [&](int number) {
    for (int i = 0; i < 20'000; ++i) {
      lock.Lock();
      for (const int value : values) torn = torn || value != values[0];
      values.fill(number * 1'000'000 + i);
      lock.Unlock();
    }
  });
  CHECK_FALSE(torn);
}

}  // namespace spinel
