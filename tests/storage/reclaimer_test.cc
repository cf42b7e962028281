#include "storage/reclaimer.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "storage/blob.h"
#include "storage/entry.h"

namespace spinel {

TEST_CASE("Reclaimer: does what is queued, counts it, and finishes before it ends", "[storage]") {
  std::atomic<int> done{0};
  {
    Reclaimer reclaimer;
    reclaimer.Drain();
    for (int i = 0; i < 100; ++i) reclaimer.Run([&done] { ++done; }, 3);
    reclaimer.Drain();
    CHECK(done == 100);
    CHECK(reclaimer.pending() == 0);
    CHECK(reclaimer.freed() == 300);
    reclaimer.ResetFreed();
    CHECK(reclaimer.freed() == 0);
    Blob* blob = Blob::Create(Blob::kSlowToFreeBytes, 0);
    reclaimer.Free(Entry::NewBlob("k", blob, false));
    Blob* shared = Blob::Create(Blob::kSlowToFreeBytes, 0);
    shared->AddRef();
    reclaimer.Release(shared);
    CHECK(shared->unique());
    reclaimer.Release(shared);
    reclaimer.Drain();
    CHECK(reclaimer.freed() == 2);
    for (int i = 0; i < 100; ++i) reclaimer.Run([&done] { ++done; }, 1);
  }
  CHECK(done == 200);
}

TEST_CASE("Reclaimer: whoever waits for memory helps with what is brief", "[storage]") {
  Reclaimer reclaimer;
  std::atomic<bool> begun{false};
  std::atomic<bool> go_on{false};
  reclaimer.Run(
      [&] {
        begun = true;
        while (!go_on) std::this_thread::yield();
      },
      1);
  while (!begun) std::this_thread::yield();
  CHECK_FALSE(reclaimer.Help());
  const auto queue_blob = [&] {
    reclaimer.Free(Entry::NewBlob("k", Blob::Create(Blob::kSlowToFreeBytes, 0), false));
  };
  queue_blob();
  queue_blob();
  std::atomic<bool> done{false};
  reclaimer.Run([&] { done = true; }, 1);
  CHECK(reclaimer.bytes_queued() - reclaimer.bytes_freed() >= 2'000'000);
  CHECK(reclaimer.Help());
  CHECK(reclaimer.Help());
  CHECK(reclaimer.bytes_queued() == reclaimer.bytes_freed());
  CHECK_FALSE(reclaimer.Help());  // it may take long
  CHECK_FALSE(done);
  go_on = true;
  reclaimer.Drain();
  CHECK(done);
  CHECK(reclaimer.pending() == 0);
}

}  // namespace spinel
