// The configuration of a running server: every option's value, typed, and the operations behind
// CONFIG GET, SET and REWRITE. What options exist is said once, in the table of config_table.h;
// files and the command line are read by config_file.h and command_line.h.
//
// Owner: main makes one before the server and destroys it after. Threads: values and Get may be
// read on any thread at any time; Set, Rewrite and OnChange take a mutex of their own. While a Set
// of several options is being applied, other threads may see some of them changed and others not
// yet.
//
//   config.maxclients()        -> int64_t, one relaxed load
//   config.maxmemory_policy()  -> MaxmemoryPolicy
//   config.requirepass()       -> std::string, copied under a lock
#pragma once

#include <absl/base/thread_annotations.h>

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/config_types.h"

namespace spinel {

class Config;
struct ConfigRow;
struct ConfigValue;

// Who sends a CONFIG SET, and when.
struct ConfigSetContext {
  bool local_client = false;  // loopback or Unix socket: what `local` admits
  bool loading = false;       // the data set is being loaded
};

// The bytes of memory that a percentage refers to, or 0 if unknown.
using MemoryLimitFn = std::function<int64_t()>;

// Runs after an option has changed; sees the new values. Returns an empty string, or why the change
// is refused: then every option of that CONFIG SET gets its old value back and the hook runs once
// more. It runs on the thread of the CONFIG SET with Config's mutex held: it must neither call Set,
// Rewrite or OnChange nor wait for another loop (which may be waiting for that mutex).
using ConfigHook = std::function<std::string(const Config&)>;

class Config {
 public:
  explicit Config(MemoryLimitFn memory_limit = {});
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;

  // -- CONFIG
  // --------------------------------------------------------------------------------------

  // Names and values that match any pattern, without duplicates. A pattern without glob characters
  // is a name, and answered as the caller spelled it; hidden options answer to their exact name
  // only.
  std::vector<std::pair<std::string, std::string>> Get(
      std::span<const std::string_view> patterns) const;
  // The value of one option as CONFIG GET shows it; nullopt if there is no such option.
  std::optional<std::string> GetOne(std::string_view name) const;

  // CONFIG SET name value [name value ...]: all or none. An error is the complete reply text.
  ConfigStatus Set(std::span<const std::string_view> names_and_values,
                   const ConfigSetContext& context = {});

  // CONFIG REWRITE: see config_rewrite.h. With `force_all` every option is written.
  ConfigStatus Rewrite(bool force_all = false);

  // What the file is to say about users, "user NAME RULE ...", when it is rewritten; unless this is
  // set, what it says stays.
  void set_user_lines(std::function<std::vector<std::string>()> lines) {
    MutexLock lock(&mutex_);
    user_lines_ = std::move(lines);
  }

  // Has the option a value that must not be logged (a password)? False for unknown names.
  static bool IsSecret(std::string_view name);

  // Registers a hook for one or several options; it runs once per CONFIG SET, however many of them
  // change. Values that stay the same do not trigger it, except files that may have new contents.
  void OnChange(std::initializer_list<std::string_view> names, ConfigHook hook);
  void OnChange(std::string_view name, ConfigHook hook) {
    OnChange(std::initializer_list<std::string_view>{name}, std::move(hook));
  }

  // -- Loading, before any other thread runs
  // -------------------------------------------------------

  // Sets an option from a file or the command line: no hooks, immutable options included. `args`
  // are the words behind the name. `append`: the option was given before in this start (only `save`
  // accumulates). The error is the reason alone.
  ConfigStatus LoadRow(const ConfigRow& row, std::span<const std::string> args, bool append);

  // The option's present value is that of an environment variable, which a file cannot override.
  void NoteEnvironment(const ConfigRow& row, std::string variable);
  // Those variables, in the order of the table.
  std::vector<std::string> environment_variables() const;

  // Has the option its default value?
  bool IsDefault(const ConfigRow& row) const;

  // Absolute path of the file that CONFIG REWRITE writes; empty if the server was started without.
  std::string config_file;
  std::vector<RenamedCommand> renamed_commands;
  // `user` directives, the words behind "user", in order.
  std::vector<std::vector<std::string>> user_directives;
  std::vector<ConfigNotice> notices;

  // -- Typed values that are not a single cell
  // -----------------------------------------------------

  std::vector<SavePoint> save_points() const;
  // Addresses to listen on; one that begins with '-' may be unavailable.
  std::vector<std::string> bind_addresses() const;
  // Addresses of the metrics port; none: those of bind_addresses.
  std::vector<std::string> metrics_addresses() const;
  std::vector<double> latency_percentiles() const;
  const OutputLimit& output_limit(OutputClass output_class) const {
    return output_limits[static_cast<size_t>(output_class)];
  }
  // What percentages of memory refer to, in bytes; 0 if unknown.
  int64_t memory_limit() const { return memory_limit_ ? memory_limit_() : 0; }

  // -- Values
  // ------------------------------------------------------------------------------------------ Each
  // is described in its row. Units are bytes for sizes; for times what the option's name has:
  // seconds, unless its help says otherwise. Written by Config only.

  // Network
  Setting<int64_t> port;
  Setting<int64_t> tcp_backlog;
  Setting<int64_t> tcp_keepalive;
  Setting<int64_t> timeout;
  Setting<int64_t> unauthenticated_timeout;
  Setting<int64_t> unixsocketperm;
  Setting<bool> protected_mode;
  TextCell bind_source_addr;
  TextCell unixsocket;
  TextCell unixsocketgroup;

  // TLS
  Setting<int64_t> tls_port;
  Setting<int64_t> tls_session_cache_size;
  Setting<int64_t> tls_session_cache_timeout;
  Setting<bool> tls_prefer_server_ciphers;
  Setting<bool> tls_session_caching;
  Setting<TlsAuthClients> tls_auth_clients;
  TextCell tls_cert_file;
  TextCell tls_key_file;
  TextCell tls_key_file_pass;
  TextCell tls_dh_params_file;
  TextCell tls_ca_cert_file;
  TextCell tls_ca_cert_dir;
  TextCell tls_protocols;
  TextCell tls_ciphers;
  TextCell tls_ciphersuites;

  // Clients
  Setting<int64_t> maxclients;
  Setting<int64_t> maxmemory_clients;  // bytes; below 0: percent of maxmemory, negated
  Setting<int64_t> client_query_buffer_limit;
  Setting<int64_t> proto_max_bulk_len;
  Setting<int64_t> tracking_table_max_keys;
  std::array<OutputLimit, kOutputClasses> output_limits;

  // Process and threads
  Setting<int64_t> io_threads;  // 0: as many as the CPUs the process may use
  Setting<int64_t> databases;
  Setting<int64_t> hz;
  Setting<bool> dynamic_hz;
  Setting<bool> daemonize;
  Setting<bool> always_show_logo;
  Setting<bool> set_proc_title;
  Setting<Supervised> supervised;
  Setting<int64_t> shutdown_timeout;
  Setting<int64_t> shutdown_on_sigint;
  Setting<int64_t> shutdown_on_sigterm;
  TextCell pidfile;
  TextCell proc_title_template;

  // Logging
  Setting<LogLevel> loglevel;
  Setting<LogFormat> log_format;
  Setting<LogTimestamp> log_timestamp_format;
  Setting<int64_t> syslog_facility;  // LOG_LOCAL0 and so on, of <syslog.h>
  Setting<bool> syslog_enabled;
  Setting<bool> hide_user_data_from_log;
  Setting<bool> crash_log_enabled;
  TextCell logfile;
  TextCell syslog_ident;

  // Security
  Setting<ProtectedAction> enable_protected_configs;
  Setting<ProtectedAction> enable_debug_command;
  Setting<ProtectedAction> enable_module_command;
  Setting<bool> acl_pubsub_default_allchannels;
  Setting<int64_t> acllog_max_len;
  TextCell requirepass;
  TextCell aclfile;

  // Memory and eviction
  Setting<int64_t> maxmemory;  // bytes, percentages resolved
  Setting<MaxmemoryPolicy> maxmemory_policy;
  Setting<int64_t> maxmemory_samples;
  Setting<int64_t> maxmemory_eviction_tenacity;
  Setting<int64_t> lfu_log_factor;
  Setting<int64_t> lfu_decay_time;  // minutes
  Setting<int64_t> active_expire_effort;
  Setting<bool> lazyfree_lazy_eviction;
  Setting<bool> lazyfree_lazy_expire;
  Setting<bool> lazyfree_lazy_server_del;
  Setting<bool> lazyfree_lazy_user_del;
  Setting<bool> lazyfree_lazy_user_flush;

  // Encodings
  Setting<int64_t> hash_max_listpack_entries;
  Setting<int64_t> hash_max_listpack_value;
  Setting<int64_t> list_max_listpack_size;
  Setting<int64_t> list_compress_depth;
  Setting<int64_t> set_max_intset_entries;
  Setting<int64_t> set_max_listpack_entries;
  Setting<int64_t> set_max_listpack_value;
  Setting<int64_t> zset_max_listpack_entries;
  Setting<int64_t> zset_max_listpack_value;
  Setting<int64_t> hll_sparse_max_bytes;
  Setting<int64_t> stream_node_max_bytes;
  Setting<int64_t> stream_node_max_entries;

  // Snapshots
  Setting<bool> rdbcompression;
  Setting<bool> rdbchecksum;
  Setting<bool> rdb_save_incremental_fsync;
  Setting<bool> stop_writes_on_bgsave_error;
  TextCell dbfilename;
  TextCell dir;  // absolute; also the process's working directory

  // Scripts
  Setting<int64_t> busy_reply_threshold;  // ms

  // Observation
  Setting<int64_t> slowlog_log_slower_than;  // us; below 0: off
  Setting<int64_t> slowlog_max_len;
  Setting<int64_t> commandlog_request_larger_than;  // bytes; below 0: off
  Setting<int64_t> commandlog_large_request_max_len;
  Setting<int64_t> commandlog_reply_larger_than;  // bytes; below 0: off
  Setting<int64_t> commandlog_large_reply_max_len;
  Setting<int64_t> latency_monitor_threshold;  // ms; 0: off
  Setting<bool> latency_tracking;
  Setting<int64_t> notify_keyspace_events;  // kNotify* bits
  Setting<int64_t> metrics_port;            // 0: none
  TextCell metrics_bind;                    // empty: as `bind`
  Setting<bool> console;

  // Replication
  Setting<bool> replica_read_only;

 private:
  // What the table's rows need beside the typed fields.
  struct Slot {
    NumberCell number;  // used where the row names no field
    TextCell text;
    std::vector<size_t> hooks;   // indexes of hooks_
    int64_t initial_number = 0;  // the default
    std::string initial_text;
    std::string variable;  // of the environment, that gave the value at the start; empty: none
    std::string environment_value;  // that value, as Show has it
  };
  struct Change;  // one option of a CONFIG SET

  const Slot& slot(const ConfigRow& row) const { return slots_.at(&row); }
  ConfigValue Load(const ConfigRow& row) const;
  // Returns an empty string or why the value could not be put into effect.
  std::string Store(const ConfigRow& row, const ConfigValue& value);
  std::string Parse(const ConfigRow& row, std::span<const std::string> args, bool append,
                    ConfigValue* value) const;
  std::string Show(const ConfigRow& row) const;
  std::vector<std::string> FileLines(const ConfigRow& row, const ConfigValue& value) const;
  bool LeftToEnvironment(const ConfigRow& row) const;

  ConfigStatus CheckSet(std::span<const std::string_view> args, const ConfigSetContext& context,
                        std::vector<Change>* changes) const;
  ConfigStatus ApplyChanges(std::vector<Change>* changes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string RunHooks(const std::vector<Change>& changes, std::vector<size_t>* run,
                       std::string_view* culprit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RollBack(const std::vector<Change>& changes, const std::vector<size_t>& hooks_run)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  MemoryLimitFn memory_limit_;
  mutable Mutex mutex_;  // serialises Set, Rewrite and OnChange
  std::vector<ConfigHook> hooks_ ABSL_GUARDED_BY(mutex_);
  std::function<std::vector<std::string>()> user_lines_ ABSL_GUARDED_BY(mutex_);
  // Filled by the constructor and never changed in shape: found without the mutex.
  std::unordered_map<const ConfigRow*, Slot> slots_;
};

}  // namespace spinel
