// MONITOR: clients that are shown every command. A command is spelled once, and every loop that has
// such clients gets it posted once; with several loops all of them see one and the same order.
//
// Nobody spells anything while nobody monitors: commands come here by Observation, which asks for
// all of them only then.
//
// Owner: the Server. Threads: any, except as said. Lock order: stripes, then the mutex here, which
// is never held while anything else is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/command.h"
#include "storage/mutex.h"

namespace spinel {

class Server;
class Session;
struct LoopState;

class Monitors {
 public:
  // A loop that does not come to deliver does not collect more than this.
  static constexpr size_t kMaxQueuedBytes = size_t{64} << 20;

  explicit Monitors(Server* server) : server_(server) {}

  // MONITOR, and its end (also for a client that does not monitor). On the client's loop.
  void Add(LoopState* loop, Session* session);
  void Remove(LoopState* loop, Session* session);

  // Shows a command that `session` has had executed on `loop`, or a script that it runs.
  // `stripes_held`: other loops are woken later, by Store::FinishServing.
  void Show(LoopState* loop, const Session& session, CommandArgs args, bool by_script,
            bool stripes_held);

 private:
  using Line = std::shared_ptr<const std::string>;
  struct Queue {
    int monitors = 0;
    std::vector<Line> lines;
    size_t bytes = 0;
    bool overrun = false;  // lines are missing
  };

  // On the loop's thread: hands over what is queued for it.
  void Deliver(LoopState* loop);

  Server* const server_;
  mutable Mutex mutex_;
  std::vector<Queue> queues_ ABSL_GUARDED_BY(mutex_);  // by loop
};

// A request as MONITOR shows it, with its line break.
std::string SpellForMonitors(const Session& session, CommandArgs args, bool by_script,
                             int64_t unix_us);

}  // namespace spinel
