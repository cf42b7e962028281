// What the log says when the process crashes: signal, address, stack, and what was being executed.
// The signal is raised again afterwards, so that a core dump is possible.
//
// The report is written by the signal handler, with functions that may be called there; it takes no
// lock and no memory. Builds with a sanitizer leave crashes to the sanitizer.
// Threads: SetCrashReports is main's or, later, one at a time; a CrashReportsOfThread is its
// thread's.
#pragma once

#include <cstddef>
#include <memory>

namespace spinel {

class Server;
struct LoopState;

// Turns the reports on or off. `server` is what they tell of and outlives them; null: nothing.
void SetCrashReports(bool on, Server* server);

// Gives the thread a stack for signals, so that an overflow of its own is reported too, and makes
// it known which loop it is: null for none.
class CrashReportsOfThread {
 public:
  explicit CrashReportsOfThread(const LoopState* loop);
  ~CrashReportsOfThread();
  CrashReportsOfThread(const CrashReportsOfThread&) = delete;
  CrashReportsOfThread& operator=(const CrashReportsOfThread&) = delete;

 private:
  static constexpr size_t kStackBytes = 64 * 1024;
  std::unique_ptr<char[]> stack_;
};

}  // namespace spinel
