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
#include "server/idle_mode.h"
#include "server/observed_limits.h"
#include "server/pubsub.h"
#include "server/rate_sampler.h"
#include "storage/mutex.h"
#include "storage/store.h"

namespace spinel {

class Acl;
class Loading;
class MemoryKeeper;
class Monitors;
class Observation;
class Saver;
class Scripts;
class ShutdownSequence;
class Tracking;
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
  // The idle mode is over: every loop looks at its timers with the next tick.
  virtual void EndRest() = 0;
  // Stops the process in an orderly way. Returns at once.
  virtual void Shutdown() = 0;
};

// An address that the server listens on.
struct ListeningAddress {
  enum class Kind : uint8_t { kTcp, kTls, kUnix };
  Kind kind = Kind::kTcp;
  std::string name;  // "127.0.0.1:6379", "[::1]:6379" or the path
};

// CLIENT PAUSE, and the pause while the server stops: until when, and whom.
class PauseState {
 public:
  enum class Mode : uint8_t { kNone, kWrite, kAll };

  // Of a pause that is in force the later end and the stricter mode stay.
  void Pause(int64_t now_ms, int64_t until_ms, Mode mode);
  void Unpause();
  // Writes wait until Thaw, whatever clients say: the final snapshot is being taken.
  void Freeze();
  void Thaw();
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
  bool frozen_ ABSL_GUARDED_BY(mutex_) = false;
  // What holds again after Thaw.
  Mode thawed_mode_ ABSL_GUARDED_BY(mutex_) = Mode::kNone;
  int64_t thawed_until_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Why commands may be refused that are all right by themselves.
enum class Trouble : uint32_t {
  kLoading = 1 << 0,      // the data is not there yet
  kSavingFails = 1 << 1,  // writes are refused: stop-writes-on-bgsave-error
  kBusy = 1 << 2,         // a script has run for longer than busy-reply-threshold
  kOverLimit = 1 << 3,    // more memory is used than maxmemory allows: keys have to go
  kOutOfMemory = 1 << 4,  // and none can: what takes memory is refused
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
  IdleMode& idle_mode() { return idle_mode_; }
  RateSampler& rates() { return rates_; }
  Loading& loading() const { return *loading_; }
  Saver& saver() const { return *saver_; }
  ShutdownSequence& shutdown() const { return *shutdown_; }
  Monitors& monitors() const { return *monitors_; }
  Observation& observation() const { return *observation_; }
  Tracking& tracking() const { return *tracking_; }
  Scripts& scripts() const { return *scripts_; }
  MemoryKeeper& memory() const { return *memory_; }

  // Set before the first command; outlives all commands.
  void set_runtime(Runtime* runtime) {
    runtime_ = runtime;
    channels_.set_runtime(runtime);
  }
  Runtime& runtime() const { return *runtime_; }

  // The latest reason why a command named by rename-command is unknown; empty: none.
  const std::string& command_error() const { return command_error_; }

  // Waits until every other loop than `own` (-1: every loop) has finished what it executes: what is
  // set before is seen by all that comes after. False: some loop waits like that already, and two
  // would wait for each other.
  bool WaitForLoops(int own);

  // -- Trouble: looked at in front of every command ----------------------------------------------
  bool in_trouble() const { return trouble_.load(std::memory_order_relaxed) != 0; }
  bool Has(Trouble trouble) const {
    return (trouble_.load(std::memory_order_relaxed) & static_cast<uint32_t>(trouble)) != 0;
  }
  // False: it was so already.
  bool Set(Trouble trouble, bool on);

  // -- Users
  // ---------------------------------------------------------------------------------------
  Acl& acl() const { return *acl_; }
  // Which rules are in force: rises with every change of a user.
  uint64_t acl_generation() const { return acl_generation_.load(std::memory_order_relaxed); }
  // Whether a client that has not authenticated is refused.
  bool needs_password() const { return needs_password_.load(std::memory_order_relaxed); }

  // -- Facts
  // -----------------------------------------------------------------------------------------
  const std::string& run_id() const { return run_id_; }
  int64_t started_ms() const { return started_ms_; }
  // 40 hexadecimal digits that name this data set's history.
  std::string replication_id() const;
  void ChangeReplicationId();
  // Where the server listens, for INFO and the start-up screen; set by the runtime.
  std::vector<ListeningAddress> listeners() const;
  void set_listeners(std::vector<ListeningAddress> addresses);
  std::atomic<int64_t> tcp_port{0};  // without TLS; 0: none
  std::atomic<int64_t> tls_port{0};
  std::string executable;

  // -- Statistics --------------------------------------------------------------------------------
  // From when on a command is reported to the Observation.
  ObservedLimits observed_limits;
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
  std::atomic<bool> cron_paused{false};   // DEBUG PAUSE-CRON
  std::atomic<bool> deny_scripts{true};   // DEBUG SET-DISABLE-DENY-SCRIPTS turns it off
  // DEBUG QUICKLIST-PACKED-THRESHOLD: see ListLimits.
  std::atomic<size_t> list_own_chunk_bytes{0};

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
  IdleMode idle_mode_;
  std::atomic<uint32_t> trouble_{0};
  std::atomic<uint64_t> acl_generation_{1};
  std::atomic<bool> needs_password_{false};
  std::atomic<bool> waits_for_loops_{false};
  std::unique_ptr<Observation> observation_;
  std::unique_ptr<Monitors> monitors_;
  std::unique_ptr<Tracking> tracking_;
  RateSampler rates_;
  std::unique_ptr<Scripts> scripts_;
  std::unique_ptr<Acl> acl_;
  std::unique_ptr<MemoryKeeper> memory_;
  Runtime* runtime_ = nullptr;
  int64_t last_sample_ms_ = 0;  // Cron's
  int64_t last_memory_ms_ = 0;
  std::atomic<uint64_t> startup_memory_{0};
  mutable Mutex replication_mutex_;
  std::string replication_id_ ABSL_GUARDED_BY(replication_mutex_);
  mutable Mutex errors_mutex_;
  TextMap<uint64_t> errors_ ABSL_GUARDED_BY(errors_mutex_);
  mutable Mutex listeners_mutex_;
  std::vector<ListeningAddress> listeners_ ABSL_GUARDED_BY(listeners_mutex_);
  // Last: they have threads that use the rest.
  std::unique_ptr<Loading> loading_;
  std::unique_ptr<Saver> saver_;
  std::unique_ptr<ShutdownSequence> shutdown_;
};

}  // namespace spinel
