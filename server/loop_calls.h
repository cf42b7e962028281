// Work that the metrics port has done by an event loop, because only a loop may look at the data.
//
// Owner: the thread of the io_context, which also makes and destroys it; the work runs on a loop.
// At most kMost calls are under way: a loop that is busy for long does not collect work.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "server/server.h"
#include "storage/mutex.h"

namespace spinel {

class LoopCalls {
 public:
  static constexpr size_t kMost = 32;

  using Work = std::function<std::string(LoopState* loop)>;
  // nullopt: no loop came to it in time.
  using Done = std::function<void(std::optional<std::string> result)>;

  LoopCalls(boost::asio::io_context* io, Server* server);
  ~LoopCalls();
  LoopCalls(const LoopCalls&) = delete;
  LoopCalls& operator=(const LoopCalls&) = delete;

  // Does `work` on one of the loops, each in its turn, between two commands; `done` is called once,
  // on the thread of the io_context.
  void Run(Work work, std::chrono::milliseconds timeout, Done done);

 private:
  // What a loop needs to hand a result back; it may outlive this object.
  struct Link {
    Mutex mutex;
    LoopCalls* calls ABSL_GUARDED_BY(mutex);
  };
  struct Call;

  void Finish(uint64_t id, std::optional<std::string> result);

  boost::asio::io_context* const io_;
  Server* const server_;
  const std::shared_ptr<Link> link_;
  uint64_t next_id_ = 1;
  size_t under_way_ = 0;  // on their way to a loop, those that nobody waits for included
  std::unordered_map<uint64_t, std::unique_ptr<Call>> calls_;
};

}  // namespace spinel
