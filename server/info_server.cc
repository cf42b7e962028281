// INFO's sections about the process: server, clients, replication, cpu, modules,
// cluster, keyspace.

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "server/cycle_clock.h"
#include "server/info.h"
#include "server/tracking.h"
#include "server/version.h"
#include "storage/access_clock.h"

namespace spinel {
namespace {

// The name of the system never changes, and asking is a system call.
const std::string& SystemName() {
  static const std::string kName = [] {
    utsname name{};
    if (uname(&name) != 0) return std::string("unknown");
    return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
  }();
  return kName;
}

// Tells builds apart: a hash of what this binary was made from and with.
const std::string& BuildId() {
  static const std::string kId = [] {
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const std::string_view part :
         {kSpinelVersion, kRedisVersion, std::string_view(__VERSION__)}) {
      for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    return fmt::format("{:016x}", hash);
  }();
  return kId;
}

std::string ExecutablePath(const Server& server) {
  if (!server.executable.empty()) return server.executable;
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  return size > 0 ? std::string(path, static_cast<size_t>(size)) : std::string();
}

std::string_view SupervisedName(const Config& config) {
  const Supervised mode = config.supervised();
  const bool automatic = mode == Supervised::kAuto;
  if (mode == Supervised::kSystemd || (automatic && getenv("NOTIFY_SOCKET") != nullptr)) {
    return "systemd";
  }
  if (mode == Supervised::kUpstart || (automatic && getenv("UPSTART_JOB") != nullptr)) {
    return "upstart";
  }
  return "no";
}

// One line per kind of listener, as Redis 7.2 has them.
void WriteListeners(const Server& server, InfoText* text) {
  std::array<std::string, 3> binds;  // by kind
  for (const ListeningAddress& address : server.listeners()) {
    std::string bind = address.name;
    if (address.kind != ListeningAddress::Kind::kUnix) bind.resize(bind.rfind(':'));
    if (bind.starts_with('[')) bind = bind.substr(1, bind.size() - 2);
    binds[static_cast<size_t>(address.kind)] += ",bind=" + bind;
  }
  int number = 0;
  const auto write = [&](ListeningAddress::Kind kind, std::string_view name, int64_t port) {
    const std::string& bind = binds[static_cast<size_t>(kind)];
    if (bind.empty()) return;
    const std::string where = port == 0 ? "" : fmt::format(",port={}", port);
    text->Formatted(fmt::format("listener{}", number++), "name={}{}{}", name, bind, where);
  };
  write(ListeningAddress::Kind::kTcp, "tcp", server.tcp_port.load());
  write(ListeningAddress::Kind::kUnix, "unix", 0);
  write(ListeningAddress::Kind::kTls, "tls", server.tls_port.load());
}

std::string SecondsText(const timeval& time) {
  return fmt::format("{}.{:06}", time.tv_sec, time.tv_usec);
}

std::string SecondsText(uint64_t microseconds) {
  return fmt::format("{}.{:06}", microseconds / 1'000'000, microseconds % 1'000'000);
}

}  // namespace

void WriteServerInfo(const InfoSource& source, InfoText* text) {
  const Server& server = source.server;
  const Config& config = source.config();
  const int64_t uptime = (source.now_ms - server.started_ms()) / 1000;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  text->Section("Server");
  text->Field("redis_version", kRedisVersion);
  text->Field("server_name", "spinel");
  text->Field("spinel_version", kSpinelVersion);
  text->Field("redis_git_sha1", "00000000");
  text->Field("redis_git_dirty", 0);
  text->Field("redis_build_id", BuildId());
  text->Field("redis_mode", "standalone");
  text->Field("os", SystemName());
  text->Field("arch_bits", sizeof(void*) * 8);
  text->Formatted("monotonic_clock", "cycle counter @ {:.0f} ticks/us",
                  static_cast<double>(CycleClock::FromMicroseconds(1'000'000)) / 1e6);
  text->Field("multiplexing_api", "epoll");
  text->Field("atomicvar_api", "c11-builtin");
  text->Formatted("gcc_version", "{}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
  text->Field("process_id", getpid());
  text->Field("process_supervised", SupervisedName(config));
  text->Field("run_id", server.run_id());
  const int64_t plain_port = server.tcp_port.load();
  text->Field("tcp_port", plain_port != 0 ? plain_port : server.tls_port.load());
  text->Field("server_time_usec", int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000);
  text->Field("uptime_in_seconds", uptime);
  text->Field("uptime_in_days", uptime / 86400);
  text->Field("hz", config.hz());
  text->Field("configured_hz", config.hz());
  text->Field("lru_clock", source.now_ms / 1000 & AccessTracking::kMask);
  text->Field("executable", ExecutablePath(server));
  text->Field("config_file", config.config_file);
  text->Field("io_threads_active", server.runtime().loops() > 1 ? 1 : 0);
  WriteListeners(server, text);
}

void WriteClientsInfo(const InfoSource& source, InfoText* text) {
  const ClientTotals clients = source.server.clients().Totals();
  uint64_t input = 0;
  uint64_t output = 0;
  const Runtime& runtime = source.server.runtime();
  for (int i = 0; i < runtime.loops(); ++i) {
    input = std::max(input, runtime.loop(i).stats.input_peak.Get(source.now_ms));
    output = std::max(output, runtime.loop(i).stats.output_peak.Get(source.now_ms));
  }
  const BlockedClients::Totals blocked = source.server.blocked().totals();
  text->Section("Clients");
  text->Field("connected_clients", clients.count);
  text->Field("cluster_connections", 0);
  text->Field("maxclients", source.config().maxclients());
  text->Field("client_recent_max_input_buffer", input);
  text->Field("client_recent_max_output_buffer", output);
  text->Field("blocked_clients", clients.blocked);
  text->Field("tracking_clients", source.server.tracking().totals().clients);
  text->Field("pubsub_clients", clients.subscribed);
  text->Field("watching_clients", clients.watching);
  text->Field("clients_in_timeout_table", blocked.with_timeout);
  text->Field("total_watched_keys", source.server.store().WatchedKeys());
  text->Field("total_blocking_keys", blocked.keys);
  text->Field("total_blocking_keys_on_nokey", 0);
}

void WriteReplicationInfo(const InfoSource& source, InfoText* text) {
  text->Section("Replication");
  text->Field("role", "master");
  text->Field("connected_slaves", 0);
  text->Field("master_failover_state", "no-failover");
  text->Field("master_replid", source.server.replication_id());
  text->Field("master_replid2", std::string(40, '0'));
  text->Field("master_repl_offset", 0);
  text->Field("second_repl_offset", -1);
  text->Field("repl_backlog_active", 0);
  text->Field("repl_backlog_size", source.config().GetOne("repl-backlog-size").value_or("0"));
  text->Field("repl_backlog_first_byte_offset", 0);
  text->Field("repl_backlog_histlen", 0);
}

void WriteCpuInfo(const InfoSource& source, InfoText* text) {
  rusage own{};
  rusage children{};
  getrusage(RUSAGE_SELF, &own);
  getrusage(RUSAGE_CHILDREN, &children);
  text->Section("CPU");
  text->Field("used_cpu_sys", SecondsText(own.ru_stime));
  text->Field("used_cpu_user", SecondsText(own.ru_utime));
  text->Field("used_cpu_sys_children", SecondsText(children.ru_stime));
  text->Field("used_cpu_user_children", SecondsText(children.ru_utime));
  // Tools take these for the thread that executes commands: of ours, the first loop's.
  text->Field("used_cpu_sys_main_thread", SecondsText(source.server.first_loop_system_us.load()));
  text->Field("used_cpu_user_main_thread", SecondsText(source.server.first_loop_user_us.load()));
}

void WriteModulesInfo(const InfoSource&, InfoText* text) { text->Section("Modules"); }

void WriteClusterInfo(const InfoSource&, InfoText* text) {
  text->Section("Cluster");
  text->Field("cluster_enabled", 0);
}

void WriteKeyspaceInfo(const InfoSource& source, InfoText* text) {
  text->Section("Keyspace");
  Store& store = source.server.store();
  for (int database = 0; database < store.databases(); ++database) {
    const Store::DatabaseInfo info = store.Info(database, source.now_ms);
    if (info.keys == 0) continue;
    text->Formatted(fmt::format("db{}", database),
                    "keys={},expires={},avg_ttl={},keys_with_volatile_items={}", info.keys,
                    info.expiring, info.average_ttl_ms, info.with_expiring_elements);
  }
}

}  // namespace spinel
