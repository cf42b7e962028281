// A library to preload: the wall clock of the process stands still, but for what whoever replays a
// trace writes into the file that TRACE_CLOCK names: nanoseconds since the beginning, 8 bytes.
//
// A replay makes in seconds the requests of hours. Policies that know ages by a clock of seconds
// (Redis's LRU) or forget by the minute (its LFU) would see no time pass, or as much as the machine
// happened to be slow. The monotonic clock, by which servers measure how long their own work takes,
// is left alone.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;

using SharedClock = std::atomic<int64_t>;
static_assert(sizeof(SharedClock) == 8 && SharedClock::is_always_lock_free);

// The system call, not the function, which is what this stands in front of. Nothing here needs what
// an allocator could be in the middle of setting up when it asks for the time.
int64_t Real() {
  timespec now{};
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  return now.tv_sec * kNanoseconds + now.tv_nsec;
}

// Null when there is no such file: time is as it is then.
const SharedClock* Map() {
  const char* const path = getenv("TRACE_CLOCK");
  const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* const memory = mmap(nullptr, sizeof(SharedClock), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  return memory == MAP_FAILED ? nullptr : static_cast<const SharedClock*>(memory);
}

int64_t Now() {
  static const SharedClock* const passed = Map();
  static const int64_t start = Real();
  return passed == nullptr ? Real() : start + passed->load(std::memory_order_relaxed);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) {
    return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  }
  const int64_t now = Now();
  time->tv_sec = now / kNanoseconds;
  time->tv_nsec = now % kNanoseconds;
  return 0;
}

int gettimeofday(timeval* time, void* /*zone*/) noexcept {
  const int64_t now = Now();
  time->tv_sec = now / kNanoseconds;
  time->tv_usec = now % kNanoseconds / 1000;
  return 0;
}

time_t time(time_t* seconds) noexcept {
  const time_t now = Now() / kNanoseconds;
  if (seconds != nullptr) *seconds = now;
  return now;
}

}  // extern "C"
