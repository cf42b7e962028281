// An event loop: a thread, its connections, and the buffers that they share.
//
// EventLoop is one loop; LoopGroup makes and joins them all, accepts connections and is the Runtime
// that commands see. Cross-thread work arrives by Post.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "protocol/output_buffer.h"
#include "server/connection.h"
#include "server/dispatcher.h"
#include "server/loop_state.h"
#include "server/server.h"

namespace spinel {

// Unix time in milliseconds.
int64_t UnixMilliseconds();

class EventLoop {
 public:
  static constexpr size_t kSharedBytes = 64 * 1024;

  EventLoop(Server* server, int index);
  ~EventLoop();

  void Start();
  // Asks the thread to end; connections are closed.
  void Stop();
  void Join();

  // Any thread.
  void Post(std::function<void()> task);
  // Takes over an accepted socket.
  void Adopt(int fd, int family, Session::Origin origin);
  int connections() const { return connection_count_.load(std::memory_order_relaxed); }
  // Counts a connection that is on its way here, so that the next one goes elsewhere.
  void Expect() { connection_count_.fetch_add(1, std::memory_order_relaxed); }
  // A connection has closed: its place is free, even while its object still waits to be destroyed.
  void Leave() { connection_count_.fetch_sub(1, std::memory_order_relaxed); }

  // The loop's thread.
  boost::asio::io_context& io() { return io_; }
  Server& server() { return *server_; }
  LoopState& state() { return state_; }
  const LoopState& state() const { return state_; }
  char* shared_input() { return shared_input_.get(); }
  OutputBuffer& staging() { return staging_; }
  OutputBuffer& deferred_pushes() { return deferred_pushes_; }
  std::vector<std::string_view>& arguments() { return arguments_; }
  std::vector<Request>& requests() { return requests_; }
  std::vector<size_t>& request_ends() { return request_ends_; }
  // The time for a batch of commands: reads the clock.
  void UpdateClock();
  // Has the connection's pushes sent when what is ready now has been served: so a connection that
  // several others push to sends once.
  void AddToFlush(Connection* connection);
  void Forget(Connection* connection);
  void CloseClient(uint64_t id);
  void Unblock(uint64_t id, const std::string& resp);
  // Has ResumePaused come by this connection.
  void AddPaused(uint64_t id) { paused_.push_back(id); }
  void ResumePaused();

 private:
  void Run();
  void FlushPushed();
  void ScheduleTick();
  void Tick();
  void ExpireKeys();
  void CheckConnections();

  Server* const server_;
  boost::asio::io_context io_;
  boost::asio::steady_timer timer_;
  LoopState state_;
  std::unique_ptr<char[]> shared_input_;
  OutputBuffer staging_;
  OutputBuffer deferred_pushes_;
  // One batch of requests: see Connection::ExecuteAll.
  std::vector<std::string_view> arguments_;
  std::vector<Request> requests_;
  std::vector<size_t> request_ends_;
  std::vector<Connection*> to_flush_;
  std::vector<uint64_t> paused_;  // ids, as CLIENT PAUSE stopped them
  absl::flat_hash_map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> graveyard_;
  std::atomic<int> connection_count_{0};
  int64_t last_check_ms_ = 0;
  bool expiry_backlog_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace spinel
