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
  // What clients that have not logged in may make the loop hold together, beside what each of them
  // may have anyway. Bytes.
  static constexpr size_t kMaxBeforeLoginBytes = 32 * 1024 * 1024;
  static constexpr size_t kFreeBeforeLoginBytes = 4 * 1024;

  EventLoop(Server* server, int index);
  ~EventLoop();

  void Start();
  // Asks the thread to end; connections are closed.
  void Stop();
  void Join();

  // Any thread. The task runs while no command is being executed.
  void Post(std::function<void()> task);
  // Has Adopt called: even while a command is being executed, so that SCRIPT KILL finds a way in.
  void PostAdopt(int fd, int family, Session::Origin origin, std::unique_ptr<TlsStream> tls);
  // Takes over an accepted socket. `tls`: null without TLS.
  void Adopt(int fd, int family, Session::Origin origin, std::unique_ptr<TlsStream> tls);
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
  char* shared_input() { return work_->input.get(); }
  // Ciphertext on its way in and out.
  char* shared_ciphertext() {
    if (work_->ciphertext == nullptr) work_->ciphertext.reset(new char[kSharedBytes]);
    return work_->ciphertext.get();
  }
  OutputBuffer& encrypted() { return work_->encrypted; }
  OutputBuffer& staging() { return work_->staging; }
  OutputBuffer& deferred_pushes() { return work_->deferred_pushes; }
  std::vector<std::string_view>& arguments() { return work_->arguments; }
  std::vector<Request>& requests() { return work_->requests; }
  std::vector<size_t>& request_ends() { return work_->request_ends; }
  size_t& before_login_bytes() { return before_login_bytes_; }
  // The time for a batch of commands: reads the clock.
  void UpdateClock();
  // Has the connection's pushes sent when the turn ends: so a connection that several others push
  // to sends once.
  void AddToFlush(Connection* connection);
  // Has the connection's CheckPeer called with the next ticks, until it returns true.
  void AddToCheck(uint64_t id) { to_check_.push_back(id); }
  // A connection's ShrinkInput is called every now and then, until it answers false.
  void AddToShrink(uint64_t id) { to_shrink_.push_back(id); }
  void Forget(Connection* connection);
  void CloseClient(uint64_t id);
  void Unblock(uint64_t id, const std::string& resp);
  // Has ResumePaused come by this connection.
  void AddPaused(uint64_t id) { paused_.push_back(id); }
  void ResumePaused();
  // See IdleMode.
  void EndRest();

  // Handles what has happened to other clients while a command is still being executed: a script
  // that takes long, or the wait for the locks of one that does on another loop. The server is busy
  // then, so whatever would need a lock is refused or put off.
  void PollWhileBusy();
  bool nested() const { return nested_; }
  // How often that was done.
  uint64_t busy_polls() const { return busy_polls_; }
  // Does it when no command is being executed.
  void DoLater(std::function<void()> task) { later_.push_back(std::move(task)); }

 private:
  // What the handling of one event uses. Events that are handled while a command is being executed
  // have one of their own.
  struct Workspace {
    std::unique_ptr<char[]> input{new char[kSharedBytes]};
    std::unique_ptr<char[]> ciphertext;  // made by the first TLS connection
    OutputBuffer encrypted;
    OutputBuffer staging;
    OutputBuffer deferred_pushes;
    // One batch of requests: see Connection::ExecuteAll.
    std::vector<std::string_view> arguments;
    std::vector<Request> requests;
    std::vector<size_t> request_ends;
    std::vector<Connection*> to_flush;
  };

  void Run();
  // Sends what was pushed during a turn. True: Asio was asked for something on the way.
  bool FlushPushed();
  void RunLater();
  void ScheduleTick();
  // Whether nothing is to be done in the next kRestTicks.
  bool MayRest() const;
  void Tick();
  void RemoveKeys();
  void ExpireKeys();
  void ShrinkWorkspace();
  void CheckPeers();
  void ShrinkInputs();
  void CheckConnections();

  Server* const server_;
  boost::asio::io_context io_;
  boost::asio::steady_timer timer_;
  LoopState state_;
  std::unique_ptr<Workspace> work_;
  std::vector<std::function<void()>> later_;
  bool nested_ = false;
  uint64_t busy_polls_ = 0;
  std::vector<uint64_t> paused_;  // ids, as CLIENT PAUSE stopped them
  absl::flat_hash_map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> graveyard_;
  std::vector<uint64_t> to_check_;   // ids
  std::vector<uint64_t> to_shrink_;  // ids
  std::atomic<int> connection_count_{0};
  size_t before_login_bytes_ = 0;
  int64_t last_check_ms_ = 0;
  int64_t last_peer_check_ms_ = 0;
  int64_t last_shrink_ms_ = 0;
  bool expiry_backlog_ = false;
  bool rests_ = false;  // the next tick is far away
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace spinel
