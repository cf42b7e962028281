// The slowest insert while a store grows: insert_latency [KEYS]
//
// Prints how long SETs of fresh keys took, in CPU time of the thread, so that what the machine does
// meanwhile does not count; and again with big tables, as large hashes have them.

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

#include "storage/store.h"

namespace spinel {
namespace {

int64_t ThreadNanoseconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

// Touches as much memory as the run will take and gives it back. What the host of a virtual machine
// takes to back memory that is new to it (up to 5 ms for 2 MB) is not the store's doing.
void WarmUp(int keys) {
  const size_t bytes = static_cast<size_t>(keys) * 256;
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  madvise(memory, bytes, MADV_HUGEPAGE);
  std::memset(memory, 1, bytes);
  munmap(memory, bytes);
}

void Load(const char* what, uint32_t stripes, int keys) {
  Store store(Store::Options{.stripes = stripes});
  StoreStats stats;
  const OpContext context(&stats);
  const std::string value(64, 'x');
  std::vector<uint32_t> times;
  times.reserve(static_cast<size_t>(keys));
  for (int i = 0; i < keys; ++i) {
    const std::string name = fmt::format("key:{:012}", i);
    const int64_t begin = ThreadNanoseconds();
    store.Write(context, 0, Store::MakeKey(name)).SetString(value, Entry::kNoExpiry);
    times.push_back(static_cast<uint32_t>(ThreadNanoseconds() - begin));
  }
  std::sort(times.begin(), times.end());
  const auto quantile = [&](double q) {
    return times[static_cast<size_t>(q * static_cast<double>(times.size() - 1))] / 1e3;
  };
  fmt::print("{}: {} inserts; median {:.1f}, 99.9% {:.1f}, 99.999% {:.1f}, slowest {:.1f} us\n",
             what, keys, quantile(0.5), quantile(0.999), quantile(0.99999), quantile(1.0));
}

}  // namespace
}  // namespace spinel

int main(int argc, char** argv) {
  const long keys = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 5'000'000;
  if (keys <= 0 || keys > std::numeric_limits<int>::max()) {
    fmt::print(stderr, "usage: insert_latency [KEYS]\n");
    return 2;
  }
  const int count = static_cast<int>(keys);
  spinel::WarmUp(count);
  spinel::Load("1024 stripes", 1024, count);
  spinel::Load("16 stripes", 16, count);
}
