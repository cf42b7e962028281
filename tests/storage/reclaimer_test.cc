#include "storage/reclaimer.h"

#include <atomic>
#include <catch2/catch.hpp>

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
    Blob* blob = Blob::Create(1'000'000, 0);
    reclaimer.Free(Entry::NewBlob("k", blob, false));
    Blob* shared = Blob::Create(1'000'000, 0);
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

}  // namespace spinel
