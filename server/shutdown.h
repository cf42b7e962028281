// Stopping in an orderly way: with a last snapshot, if the configuration or the operator wants one,
// in which every write is that was answered.
//
// Writes are held back first and let go on if the snapshot fails, because then the server does not
// stop. Owner: the Server. Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace spinel {

class Server;

// What was asked for.
struct ShutdownRequest {
  bool save = false;    // even where no save points are set
  bool nosave = false;  // even where some are
  bool now = false;
  bool force = false;  // also if saving fails
};

class ShutdownSequence {
 public:
  explicit ShutdownSequence(Server* server) : server_(server) {}
  ShutdownSequence(const ShutdownSequence&) = delete;
  ShutdownSequence& operator=(const ShutdownSequence&) = delete;

  // SHUTDOWN, on its loop: returns when all is saved and the runtime has been told to stop. False:
  // the server goes on, and the log says why.
  bool Run(const ShutdownRequest& request, int loop, int64_t now_ms);
  // SIGTERM or SIGINT, on main's thread: has the first loop run it, as the configuration says.
  void OnSignal(bool interrupt);
  // SHUTDOWN ABORT. False: nothing was under way.
  bool Abort();
  // Whether the server is about to stop: it saves, or has been told to stop.
  bool under_way() const { return active_.load() || stops_.load(); }

 private:
  void StopNow();
  bool Wants(const ShutdownRequest& request) const;
  // False: it could not be saved, or Abort came.
  bool SaveAll(const ShutdownRequest& request, int loop, int64_t now_ms);

  Server* const server_;
  std::atomic<bool> active_{false};
  std::atomic<bool> aborted_{false};
  std::atomic<bool> stops_{false};
};

}  // namespace spinel
