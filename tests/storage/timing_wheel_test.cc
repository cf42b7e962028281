#include "storage/timing_wheel.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace spinel {
namespace {

using Handle = TimingWheel::Handle;

constexpr int64_t kStart = 106'250'000'123;  // the tick of a day in 2023, not round
constexpr int64_t kHorizon = int64_t{1} << 32;

std::vector<Handle> CollectAll(TimingWheel* wheel, int64_t now, size_t batch = 64) {
  std::vector<Handle> all;
  std::vector<Handle> part(batch);
  for (;;) {
    const auto [count, more] = wheel->Collect(now, part.data(), batch);
    all.insert(all.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(count));
    if (!more) return all;
  }
}

// The wheel beside a map that is obviously right.
class Model {
 public:
  explicit Model(int64_t now) : wheel(now), now_(now) {}

  void Arm(int64_t tick) {
    const uint64_t locator = next_locator_++ & 0xffffffffff;
    const int64_t armed = wheel.Arm(tick, locator);
    const int64_t expected = std::min(std::max(tick, now_ + 1), now_ + kHorizon - 1);
    wrong_ += armed != expected;
    expected_.emplace(armed, locator);
  }

  // Moves the clock; checks that everything due comes, once, at its own tick, in order of ticks.
  void Advance(int64_t now, size_t batch = 64) {
    now_ = std::max(now, now_);
    std::vector<std::pair<int64_t, uint64_t>> got;
    for (const Handle& handle : CollectAll(&wheel, now, batch)) {
      got.emplace_back(handle.tick, handle.locator);
    }
    wrong_ += !std::is_sorted(got.begin(), got.end(),
                              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::sort(got.begin(), got.end());
    const auto due = expected_.upper_bound(now_);
    std::vector<std::pair<int64_t, uint64_t>> wanted(expected_.begin(), due);
    expected_.erase(expected_.begin(), due);
    std::sort(wanted.begin(), wanted.end());
    wrong_ += got != wanted;
    wrong_ += wheel.size() != expected_.size();
  }

  // Sweeps, keeping handles with even locators.
  void Sweep() {
    Handle handles[64];
    size_t count;
    do {
      count = wheel.CollectForSweep(handles, 64);
      for (size_t i = 0; i < count; ++i) {
        const auto [first, last] = expected_.equal_range(handles[i].tick);
        const auto found = std::find_if(
            first, last, [&](const auto& e) { return e.second == handles[i].locator; });
        if (found == last) {
          ++wrong_;
        } else if (handles[i].locator % 2 == 0) {
          wrong_ += wheel.Arm(handles[i].tick, handles[i].locator) != handles[i].tick;
        } else {
          expected_.erase(found);
        }
      }
    } while (count == 64);
  }

  int64_t now() const { return now_; }
  size_t left() const { return expected_.size(); }
  int wrong() const { return wrong_; }

  TimingWheel wheel;

 private:
  int64_t now_;
  uint64_t next_locator_ = 0xabcdef0000;
  std::multimap<int64_t, uint64_t> expected_;
  int wrong_ = 0;
};

}  // namespace

TEST_CASE("TimingWheel: a handle comes at its tick, not before, and once", "[storage]") {
  // Around the borders of every level.
  for (const int64_t distance :
       {int64_t{1}, int64_t{2}, int64_t{255}, int64_t{256}, int64_t{257}, int64_t{65535},
        int64_t{65536}, int64_t{65537}, (int64_t{1} << 24) - 1, int64_t{1} << 24,
        (int64_t{1} << 24) + 1}) {
    for (const int64_t start : {kStart, kStart / 256 * 256, (kStart >> 24 << 24) - 1}) {
      CAPTURE(distance, start);
      TimingWheel wheel(start);
      CHECK(wheel.Arm(start + distance, 0xffffffffff) == start + distance);
      CHECK(wheel.size() == 1);
      CHECK(CollectAll(&wheel, start + distance - 1).empty());
      const std::vector<Handle> got = CollectAll(&wheel, start + distance);
      REQUIRE(got.size() == 1);
      CHECK(got[0].locator == 0xffffffffff);
      CHECK(got[0].tick == start + distance);
      CHECK(wheel.size() == 0);
      CHECK(CollectAll(&wheel, start + distance + 1000).empty());
    }
  }
}

TEST_CASE("TimingWheel: what is over comes with the next tick", "[storage]") {
  TimingWheel wheel(kStart);
  CHECK(wheel.Arm(kStart - 5, 1) == kStart + 1);
  CHECK(wheel.Arm(-1, 2) == kStart + 1);
  CHECK(CollectAll(&wheel, kStart).empty());
  CHECK(CollectAll(&wheel, kStart + 1).size() == 2);
}

TEST_CASE("TimingWheel: what lies beyond the wheel comes early, to be armed again", "[storage]") {
  TimingWheel wheel(kStart);
  const int64_t far = kStart + 3 * kHorizon;
  const int64_t armed = wheel.Arm(far, 7);
  CHECK(armed == kStart + kHorizon - 1);
  CHECK(CollectAll(&wheel, armed - 1).empty());
  const std::vector<Handle> got = CollectAll(&wheel, armed);
  REQUIRE(got.size() == 1);
  CHECK(got[0].tick == armed);
  CHECK(wheel.Arm(far, 7) == armed + kHorizon - 1);
}

TEST_CASE("TimingWheel: quiet is what has nothing to do until then", "[storage]") {
  constexpr int64_t kRound = 256;
  constexpr int64_t kBegin = kStart / kRound * kRound;
  TimingWheel wheel(kBegin);
  CHECK(wheel.QuietUntil(kBegin + 7));
  wheel.Arm(kBegin + 10, 1);
  wheel.Arm(kBegin + 3 * kRound, 2);
  CHECK(wheel.QuietUntil(kBegin + 9));
  CHECK_FALSE(wheel.QuietUntil(kBegin + 10));
  CHECK_FALSE(wheel.QuietUntil(kBegin + kRound));  // cannot tell
  CHECK(CollectAll(&wheel, kBegin + 10).size() == 1);
  CHECK(wheel.QuietUntil(kBegin + kRound - 1));
  wheel.RequestSweep();
  CHECK_FALSE(wheel.QuietUntil(kBegin + kRound - 1));
  Handle swept;
  CHECK(wheel.CollectForSweep(&swept, 1) == 1);
  CHECK_FALSE(wheel.QuietUntil(kBegin + kRound - 1));
  CHECK(wheel.CollectForSweep(&swept, 1) == 0);
  CHECK(wheel.QuietUntil(kBegin + kRound - 1));
}

TEST_CASE("TimingWheel: never quiet where a handle comes", "[storage]") {
  std::mt19937_64 random(5);
  TimingWheel wheel(kStart);
  int64_t now = kStart;
  int quiet_but_busy = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 4 == 0) wheel.Arm(now + static_cast<int64_t>(random() % 600), 1);
    const bool quiet = wheel.QuietUntil(now + 7);
    now += 7;
    const bool nothing = CollectAll(&wheel, now).empty();
    quiet_but_busy += quiet && !nothing;
  }
  CHECK(quiet_but_busy == 0);
}

TEST_CASE("TimingWheel: agrees with a multimap, on all levels", "[storage]") {
  const uint32_t seed = GENERATE(range(0u, 12u));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Model model(kStart + static_cast<int64_t>(random() % 100'000'000));
  const auto any_distance = [&] {
    // Every magnitude is as likely as every other.
    return static_cast<int64_t>(random() >> (28 + random() % 36));
  };
  for (int step = 0; step < 3000; ++step) {
    for (uint64_t n = random() % 8; n > 0; --n) model.Arm(model.now() + any_distance() - 3);
    const uint64_t kind = random() % 100;
    if (kind < 90) {
      model.Advance(model.now() + static_cast<int64_t>(random() % 40), 1 + random() % 64);
    } else if (kind < 98) {
      model.Advance(model.now() + static_cast<int64_t>(random() % 5000));
    } else {
      model.Advance(model.now() + static_cast<int64_t>(random() % 3'000'000));
    }
    if (seed % 3 == 0) model.Sweep();
  }
  CHECK(model.wrong() == 0);
  while (model.left() > 0 && model.wrong() == 0) model.Advance(model.now() + kHorizon / 8);
  CHECK(model.wrong() == 0);
  CHECK(model.wheel.MemoryBytes() == sizeof(TimingWheel));
}

TEST_CASE("TimingWheel: sweeping while time goes on loses nothing that is armed again",
          "[storage]") {
  std::mt19937_64 random(5);
  Model model(kStart);
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 3000; ++i) {
      model.Arm(model.now() + static_cast<int64_t>(random() >> (28 + random() % 36)));
    }
    model.Sweep();
    model.Advance(model.now() + static_cast<int64_t>(random() % 1000));
  }
  CHECK(model.wrong() == 0);
}

TEST_CASE("TimingWheel: a sweep comes when the handles have doubled", "[storage]") {
  TimingWheel wheel(kStart);
  Handle handles[64];
  const auto arm = [&](int count) {
    for (int i = 0; i < count; ++i) wheel.Arm(kStart + 1000, 1);
  };
  arm(4095);
  CHECK(wheel.CollectForSweep(handles, 64) == 0);
  arm(1);
  size_t swept = 0;
  while (const size_t count = wheel.CollectForSweep(handles, 64)) swept += count;
  CHECK(swept == 4096);
  CHECK(wheel.size() == 0);
  // Asked for, it comes whatever their number.
  arm(10);
  CHECK(wheel.CollectForSweep(handles, 64) == 0);
  wheel.RequestSweep();
  CHECK(wheel.CollectForSweep(handles, 64) == 10);
}

TEST_CASE("TimingWheel: handles that a sweep holds are due all the same", "[storage]") {
  TimingWheel wheel(kStart);
  for (int i = 0; i < 5000; ++i) wheel.Arm(kStart + 10, static_cast<uint64_t>(i));
  Handle handles[64];
  REQUIRE(wheel.CollectForSweep(handles, 64) == 64);
  for (const Handle& handle : handles) wheel.Arm(handle.tick, handle.locator);
  // No further sweep step; the clock goes on.
  CHECK(CollectAll(&wheel, kStart + 10).size() == 5000);
}

TEST_CASE("TimingWheel: a clock that jumps far ahead is caught up with at once", "[storage]") {
  TimingWheel wheel(kStart);
  const int64_t decades = int64_t{100'000'000'000};  // 50 years of ticks
  wheel.Arm(kStart + 100, 1);
  wheel.Arm(kStart + 70'000, 2);
  wheel.Arm(kStart + 20'000'000, 3);
  wheel.Arm(kStart + kHorizon, 4);
  Handle handles[64];
  size_t got = 0;
  int calls = 0;
  bool more = true;
  while (more && calls < 1000) {
    const TimingWheel::Collected collected = wheel.Collect(kStart + decades, handles, 64);
    got += collected.count;
    more = collected.more;
    ++calls;
  }
  CHECK_FALSE(more);
  CHECK(got == 4);
  CHECK(calls < 1000);
  CHECK(wheel.Arm(0, 5) == kStart + decades + 1);
}

TEST_CASE("TimingWheel: a clock that runs backwards waits", "[storage]") {
  TimingWheel wheel(kStart);
  wheel.Arm(kStart + 10, 1);
  CHECK(CollectAll(&wheel, kStart + 5).empty());
  CHECK(CollectAll(&wheel, kStart - 1000).empty());
  CHECK(CollectAll(&wheel, kStart + 9).empty());
  CHECK(CollectAll(&wheel, kStart + 10).size() == 1);
}

TEST_CASE("TimingWheel: one call does a bounded amount of work", "[storage]") {
  TimingWheel wheel(kStart);
  for (uint64_t i = 0; i < 100'000; ++i) wheel.Arm(kStart + 70'000, i);
  Handle handles[64];
  size_t got = 0;
  int calls = 0;
  TimingWheel::Collected collected{0, true};
  while (collected.more) {
    collected = wheel.Collect(kStart + 80'000, handles, 64);
    got += collected.count;
    ++calls;
  }
  CHECK(got == 100'000);
  // 1563 batches are due, and about 200 calls bring the handles down two levels.
  CHECK(calls > 1563 + 2 * 90);
}

TEST_CASE("TimingWheel: Detach forgets everything and frees it", "[storage]") {
  TimingWheel wheel(kStart);
  for (int i = 0; i < 20; ++i) {
    for (int64_t bits = 0; bits < 32; ++bits) wheel.Arm(kStart + (int64_t{1} << bits), 1);
  }
  Handle one;
  wheel.Collect(kStart + 300, &one, 1);
  CHECK(wheel.size() == 639);
  CHECK(wheel.MemoryBytes() > sizeof(TimingWheel));
  auto remains = wheel.Detach();
  CHECK(wheel.size() == 0);
  CHECK(wheel.MemoryBytes() == sizeof(TimingWheel));
  CHECK(CollectAll(&wheel, kStart + 100'000).empty());
  wheel.Arm(kStart + 100'010, 3);
  CHECK(CollectAll(&wheel, kStart + 100'010).size() == 1);
  remains.reset();
}

}  // namespace spinel
