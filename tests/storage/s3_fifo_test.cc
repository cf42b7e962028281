// The queues of newcomers and the memory for those that had to go.

#include "storage/s3_fifo.h"

#include <catch2/catch.hpp>

#include "storage/random.h"

namespace spinel {
namespace {

constexpr uint32_t kStripes = 64;

class S3FifoFixture {
 protected:
  S3FifoFixture() { tracking_.SetKind(AccessTracking::Kind::kQueues); }

  // Admits a key of that hash into a store of so many keys.
  uint32_t Admit(uint64_t hash, uint64_t keys) {
    return queues_.Admit(hash, StripeOf(hash), keys / kStripes);
  }
  static uint32_t StripeOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 58); }
  // Admits new keys until the queues know how many keys there are.
  void Settle(uint64_t keys) {
    for (int i = 0; i < 20'000; ++i) {
      Admit(FastRandom(), keys);
      S3Fifo::Newcomer newcomer;
      while (queues_.TakeNewcomer(&newcomer)) {
      }
    }
  }
  int Waiting() {
    S3Fifo::Newcomer newcomer;
    int taken = 0;
    while (queues_.TakeNewcomer(&newcomer)) ++taken;
    return taken;
  }

  AccessTracking tracking_;
  S3Fifo queues_{&tracking_, kStripes};
};

TEST_CASE_METHOD(S3FifoFixture,
                 "S3Fifo: a tenth of the keys are newcomers, the oldest goes first") {
  constexpr uint64_t kKeys = 64'000;
  Settle(kKeys);
  // At its share, one more is one too many.
  const uint64_t hash = FastRandom();
  CHECK(S3Clock::QueueOf(Admit(hash, kKeys)) == S3Clock::kNewcomer);
  S3Fifo::Newcomer newcomer;
  CHECK(queues_.TakeNewcomer(&newcomer));
  CHECK_FALSE(queues_.TakeNewcomer(&newcomer));
  // After a share's worth of others it is this one's turn.
  bool met = false;
  int others = 0;
  while (!met && others < 20'000) {
    Admit(FastRandom(), kKeys);
    while (queues_.TakeNewcomer(&newcomer)) {
      ++others;
      met |= newcomer.stripe == StripeOf(hash) && newcomer.hash == (hash & 0xffffff);
    }
  }
  CHECK(met);
  CHECK(others > 6'400 * 8 / 10);
  CHECK(others < 6'400 * 12 / 10);
}

TEST_CASE_METHOD(S3FifoFixture,
                 "S3Fifo: who finds no place while no key has to go is no newcomer") {
  int newcomers = 0;
  for (int i = 0; i < 100'000; ++i) {
    newcomers += S3Clock::QueueOf(Admit(FastRandom(), 64'000)) == S3Clock::kNewcomer ? 1 : 0;
  }
  CHECK(newcomers > 6'400);
  CHECK(newcomers < 6'400 * 5 / 2);
  CHECK(queues_.MemoryBytes() < 64'000);
  CHECK(Waiting() > 6'000);
}

TEST_CASE_METHOD(S3FifoFixture, "S3Fifo: who comes back after it had to go is no newcomer") {
  constexpr uint64_t kKeys = 64'000;
  Settle(kKeys);
  std::vector<uint64_t> gone(60'000);
  for (uint64_t& hash : gone) {
    hash = FastRandom();
    queues_.Remember(hash, StripeOf(hash));
  }
  int known = 0;
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t hash = gone[gone.size() - 1 - static_cast<size_t>(i)];
    known += S3Clock::QueueOf(Admit(hash, kKeys)) == S3Clock::kMain ? 1 : 0;
    S3Fifo::Newcomer newcomer;
    while (queues_.TakeNewcomer(&newcomer)) {
    }
  }
  CHECK(known > 18'000);
  // It was remembered once, for one return.
  int again = 0;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t hash = gone[gone.size() - 1 - static_cast<size_t>(i)];
    again += S3Clock::QueueOf(Admit(hash, kKeys)) == S3Clock::kMain ? 1 : 0;
    S3Fifo::Newcomer newcomer;
    while (queues_.TakeNewcomer(&newcomer)) {
    }
  }
  CHECK(again < 100);
  CHECK(queues_.MemoryBytes() < kKeys * 4);
  queues_.Clear();
  CHECK(queues_.MemoryBytes() == 0);
}

TEST_CASE("S3Clock: uses count up to three, and not where the key was queued just now") {
  AccessTracking tracking;
  tracking.SetKind(AccessTracking::Kind::kQueues);
  uint32_t clock = tracking.QueuedNow(S3Clock::kNewcomer, 0);
  clock = tracking.Accessed(clock, 0);
  CHECK(S3Clock::Uses(clock) == 0);
  tracking.MoveQueueTime();
  CHECK(tracking.QueuedFor(clock) == 1);
  for (int i = 0; i < 5; ++i) clock = tracking.Accessed(clock, 0);
  CHECK(S3Clock::Uses(clock) == 3);
  CHECK(S3Clock::QueueOf(clock) == S3Clock::kNewcomer);
  CHECK(tracking.QueuedFor(clock) == 1);
  // Time comes round.
  for (uint32_t i = 0; i < S3Clock::kTimeMask; ++i) tracking.MoveQueueTime();
  CHECK(tracking.QueuedFor(clock) == 0);
}

}  // namespace
}  // namespace spinel
