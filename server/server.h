// The server without its sockets: configuration, store, command table and what all loops share.
//
// Owner: main or a test; outlives the loops. Threads: any, as each part says.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/blocking.h"
#include "server/client_registry.h"
#include "server/command_table.h"
#include "server/config.h"
#include "server/pubsub.h"
#include "server/rate_sampler.h"
#include "storage/mutex.h"
#include "storage/store.h"

namespace spinel {

class Scripts;
struct LoopState;

// What the server needs of whatever runs its loops: threads and sockets, or a test.
class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual int loops() const = 0;
  // The state of a loop, for statistics.
  virtual const LoopState& loop(int index) const = 0;
  virtual LoopState& loop(int index) = 0;
  // Runs `task` on a loop's thread, soon; tasks of one poster keep their order.
  virtual void Post(int loop, std::function<void()> task) = 0;
  // Closes a client of a loop, by id; nothing happens if it is gone.
  virtual void CloseClient(int loop, uint64_t id) = 0;
  // Gives a client that waits in a blocking command its reply (RESP, or nothing) and lets it go on.
  virtual void Unblock(int loop, uint64_t id, std::string resp) = 0;
  // Lets clients that CLIENT PAUSE stopped go on.
  virtual void ResumePaused() = 0;
  // Stops the process in an orderly way. Returns at once.
  virtual void Shutdown() = 0;
};

// CLIENT PAUSE: until when, and whom.
class PauseState {
 public:
  enum class Mode : uint8_t { kNone, kWrite, kAll };

  // Of a pause that is in force the later end and the stricter mode stay.
  void Pause(int64_t now_ms, int64_t until_ms, Mode mode);
  void Unpause();
  Mode mode(int64_t now_ms) const {
    const Mode mode = mode_.load(std::memory_order_relaxed);
    if (mode == Mode::kNone) [[likely]]
      return Mode::kNone;
    return now_ms < until_ms_.load(std::memory_order_relaxed) ? mode : Mode::kNone;
  }
  int64_t until_ms() const { return until_ms_.load(std::memory_order_relaxed); }
  // Whether a command with these flags has to wait.
  bool Blocks(uint32_t flags, int64_t now_ms) const {
    const Mode current = mode(now_ms);
    if (current == Mode::kNone) [[likely]]
      return false;
    return current == Mode::kAll || (flags & (kWrite | kMayReplicate)) != 0;
  }

 private:
  Mutex mutex_;  // of writers
  std::atomic<Mode> mode_{Mode::kNone};
  std::atomic<int64_t> until_ms_{0};
};

class Server {
 public:
  // `now_ms`: Unix time. `loops` decides how finely the store is striped. The configuration
  // outlives the server.
  Server(Config* config, int64_t now_ms, int loops);
  ~Server();

  const Config& config() const { return *config_; }
  Config& mutable_config() { return *config_; }
  Store& store() { return store_; }
  const CommandTable& commands() const { return commands_; }
  ClientRegistry& clients() { return clients_; }
  ChannelRegistry& channels() { return channels_; }
  BlockedClients& blocked() { return blocked_; }
  PauseState& pause() { return pause_; }
  RateSampler& rates() { return rates_; }
  Scripts& scripts() const { return *scripts_; }

  // Set before the first command; outlives all commands.
  void set_runtime(Runtime* runtime) { runtime_ = runtime; }
  Runtime& runtime() const { return *runtime_; }

  // The latest reason why a command named by rename-command is unknown; empty: none.
  const std::string& command_error() const { return command_error_; }

  // -- Authentication
  // ------------------------------------------------------------------------------
  bool needs_password() const { return needs_password_.load(std::memory_order_relaxed); }
  // Compares in constant time. Always true without a password.
  bool PasswordMatches(std::string_view password) const;

  // -- Facts
  // -----------------------------------------------------------------------------------------
  const std::string& run_id() const { return run_id_; }
  int64_t started_ms() const { return started_ms_; }
  // 40 hexadecimal digits that name this data set's history.
  std::string replication_id() const;
  void ChangeReplicationId();
  // Where the server listens, for INFO and the start-up screen; set by the runtime.
  std::vector<std::string> listeners() const;
  void set_listeners(std::vector<std::string> names);
  std::atomic<int64_t> tcp_port{0};
  std::string executable;

  // -- Statistics --------------------------------------------------------------------------------
  // Counts an error reply by its code ("ERR", "WRONGTYPE"), for INFO errorstats.
  void CountError(std::string_view code);
  std::vector<std::pair<std::string, uint64_t>> ErrorCounts() const;
  // CONFIG RESETSTAT.
  void ResetStatistics();
  uint64_t Changes() const;
  // What is to be done from time to time; the first loop calls it with every tick.
  void Cron(int64_t now_ms);
  // Bytes: the most that was ever allocated, `allocated` now included; and what was allocated when
  // the loops had started.
  uint64_t NotePeakMemory(uint64_t allocated);
  uint64_t startup_memory() const { return startup_memory_.load(); }
  // CPU time of the first loop's thread, a second old at most.
  std::atomic<uint64_t> first_loop_user_us{0};
  std::atomic<uint64_t> first_loop_system_us{0};
  std::atomic<uint64_t> peak_memory{0};
  std::atomic<uint64_t> peak_clients{0};
  std::atomic<bool> active_expire{true};  // DEBUG SET-ACTIVE-EXPIRE
  std::atomic<bool> deny_scripts{true};   // DEBUG SET-DISABLE-DENY-SCRIPTS turns it off
  // A script has run for longer than busy-reply-threshold: most commands are refused.
  std::atomic<bool> busy{false};
  // DEBUG QUICKLIST-PACKED-THRESHOLD: see ListLimits.
  std::atomic<size_t> list_own_chunk_bytes{0};
  std::atomic<int64_t> saved_ms;  // when the data was last saved, or the start

 private:
  static Store::Options StoreOptions(const Config& config, int64_t now_ms, int loops);
  void RegisterHooks();

  Config* const config_;
  const int64_t started_ms_;
  std::string run_id_;
  std::string command_error_;
  CommandTable commands_;
  Store store_;
  ClientRegistry clients_;
  ChannelRegistry channels_;
  BlockedClients blocked_;
  PauseState pause_;
  RateSampler rates_;
  std::unique_ptr<Scripts> scripts_;
  Runtime* runtime_ = nullptr;
  std::atomic<bool> needs_password_{false};
  int64_t last_sample_ms_ = 0;  // Cron's
  int64_t last_memory_ms_ = 0;
  std::atomic<uint64_t> startup_memory_{0};
  mutable Mutex replication_mutex_;
  std::string replication_id_ ABSL_GUARDED_BY(replication_mutex_);
  mutable Mutex errors_mutex_;
  TextMap<uint64_t> errors_ ABSL_GUARDED_BY(errors_mutex_);
  mutable Mutex listeners_mutex_;
  std::vector<std::string> listeners_ ABSL_GUARDED_BY(listeners_mutex_);
};

}  // namespace spinel
