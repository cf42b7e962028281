// The keyspace alone: looking up, overwriting and adding keys, in memory that no cache holds.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/store.h"

namespace spinel {
namespace {

constexpr int kKeys = 1'000'000;
const std::string kValue(64, 'x');

struct Filled {
  Filled() : context(&stats) {
    names.reserve(kKeys);
    for (int i = 0; i < kKeys; ++i) {
      names.push_back(fmt::format("key:{:012}", i));
      store.Write(context, 0, Store::MakeKey(names.back())).SetString(kValue, Entry::kNoExpiry);
    }
  }
  // One of the names, in an order that no prefetcher guesses.
  const std::string& Next() {
    position = (position + 611'953) % kKeys;  // a prime
    return names[position];
  }

  Store store{Store::Options{}};
  StoreStats stats;
  OpContext context;
  std::vector<std::string> names;
  size_t position = 0;
};

Filled& Shared() {
  static auto* const filled = new Filled;
  return *filled;
}

void Read(benchmark::State& state) {
  Filled& filled = Shared();
  while (state.KeepRunning()) {
    const ReadGuard guard = filled.store.Read(filled.context, 0, Store::MakeKey(filled.Next()));
    benchmark::DoNotOptimize(guard.exists());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Read);

// As the pipeline does: hints for 16 keys, then the reads.
void ReadPrefetched(benchmark::State& state) {
  constexpr int kBatch = 16;
  Filled& filled = Shared();
  Key keys[kBatch];
  while (state.KeepRunning()) {
    const Key* pointers[kBatch];
    for (int i = 0; i < kBatch; ++i) {
      keys[i] = Store::MakeKey(filled.Next());
      pointers[i] = &keys[i];
    }
    filled.store.Prefetch(0, pointers);
    for (const Key& key : keys) {
      const ReadGuard guard = filled.store.Read(filled.context, 0, key);
      benchmark::DoNotOptimize(guard.exists());
    }
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(ReadPrefetched);

void Overwrite(benchmark::State& state) {
  Filled& filled = Shared();
  while (state.KeepRunning()) {
    filled.store.Write(filled.context, 0, Store::MakeKey(filled.Next()))
        .SetString(kValue, Entry::kNoExpiry);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Overwrite);

void AddAndDelete(benchmark::State& state) {
  Filled& filled = Shared();
  const std::string name = "a key that comes and goes";
  while (state.KeepRunning()) {
    filled.store.Write(filled.context, 0, Store::MakeKey(name)).SetString(kValue, Entry::kNoExpiry);
    filled.store.Write(filled.context, 0, Store::MakeKey(name)).Delete();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(AddAndDelete);

}  // namespace
}  // namespace spinel
