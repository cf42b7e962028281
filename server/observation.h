// Looks at commands for SLOWLOG, COMMANDLOG, LATENCY and MONITOR. Those who run commands report
// here only what reaches Server::observed_limits, which this class sets from the configuration:
// what nobody wants to see costs a comparison.
//
// Owner: the Server. Threads: any. Lock order: stripes, then mutexes: Report may be called with
// stripes held.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "server/command_log.h"
#include "server/latency_events.h"
#include "storage/mutex.h"

namespace spinel {

class Server;
class Session;
struct LoopState;
struct Request;

enum class CommandLogKind : uint8_t { kSlow, kLargeRequest, kLargeReply };

class Observation {
 public:
  struct Measured {
    uint64_t ticks;  // CycleClock
    uint64_t reply_bytes;
  };

  explicit Observation(Server* server);

  // The command was executed. One that blocks is reported when it begins to wait: what is to be
  // logged of it is kept with the client until that is over (Finish).
  void Report(LoopState* loop, Session* session, const Request& request, const Measured& measured,
              bool stripes_held);
  // Shows a command to those who monitor before it is executed: for commands that run others, which
  // then come behind it. Their rows have kSkipMonitor.
  void ShowBefore(LoopState* loop, const Session& session, const Request& request,
                  bool stripes_held);
  // A command that has waited is over.
  void Finish(std::unique_ptr<CommandLogEntry> entry);
  // Something that is no command took that long. `event` as LATENCY names it.
  void ReportEvent(std::string_view event, uint64_t ticks);
  // Whether ReportEvent does anything.
  bool records_latency() const;

  CommandLog& log(CommandLogKind kind) { return logs_[static_cast<size_t>(kind)]; }
  LatencyEvents& latency() { return latency_; }
  // Somebody begins to monitor, or ends it.
  void CountMonitor(bool comes);

 private:
  void Show(LoopState* loop, const Session& session, const Request& request, bool by_script,
            bool stripes_held);
  void Log(Session* session, const Request& request, const Measured& measured);
  size_t MostEntries(CommandLogKind kind) const;
  void SetLimits() ABSL_LOCKS_EXCLUDED(mutex_);

  Server* const server_;
  std::array<CommandLog, 3> logs_;
  LatencyEvents latency_;
  Mutex mutex_;
  uint64_t monitors_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace spinel
