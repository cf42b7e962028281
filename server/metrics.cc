#include "server/metrics.h"

#include <fmt/format.h>

#include <ctime>
#include <vector>

#include "protocol/numbers.h"
#include "server/command_totals.h"
#include "server/cycle_clock.h"
#include "server/exposition.h"
#include "server/info_fields.h"
#include "server/loop_state.h"
#include "server/server.h"
#include "server/shutdown.h"
#include "server/version.h"

namespace spinel {
namespace {

constexpr std::string_view kCounter = "counter";
constexpr std::string_view kGauge = "gauge";

// A metric that is a field of INFO.
struct InfoMetric {
  std::string_view field;
  std::string_view name;
  std::string_view type;
  std::string_view help;
};

constexpr InfoMetric kInfoMetrics[] = {
    // Memory.
    {"used_memory", "spinel_memory_used_bytes", kGauge, "Allocated by the program."},
    {"used_memory_peak", "spinel_memory_peak_bytes", kGauge, "The most that was ever allocated."},
    {"used_memory_rss", "spinel_memory_resident_bytes", kGauge, "Resident, as the kernel says."},
    {"used_memory_dataset", "spinel_memory_dataset_bytes", kGauge, "Allocated for data."},
    {"used_memory_overhead", "spinel_memory_overhead_bytes", kGauge,
     "Allocated for tables, clients and timers, and at the start."},
    {"mem_clients_normal", "spinel_memory_clients_bytes", kGauge, "Clients and their buffers."},
    {"used_memory_vm_total", "spinel_memory_scripts_bytes", kGauge, "Lua's interpreters."},
    {"maxmemory", "spinel_memory_limit_bytes", kGauge, "The option maxmemory; 0: none."},
    {"mem_fragmentation_ratio", "spinel_memory_fragmentation_ratio", kGauge,
     "Resident memory as a multiple of what is allocated."},
    {"lazyfree_pending_objects", "spinel_lazyfree_pending_objects", kGauge,
     "Values that wait to be freed in the background."},
    // Clients.
    {"connected_clients", "spinel_connections", kGauge, "Clients that are connected."},
    {"maxclients", "spinel_connections_limit", kGauge, "The option maxclients."},
    {"blocked_clients", "spinel_blocked_clients", kGauge,
     "Clients that wait in a blocking command or for the end of a pause."},
    {"tracking_clients", "spinel_tracking_clients", kGauge, "Clients that keep copies of keys."},
    {"pubsub_clients", "spinel_pubsub_clients", kGauge, "Clients that have subscribed."},
    {"watching_clients", "spinel_watching_clients", kGauge, "Clients that watch keys."},
    {"total_connections_received", "spinel_connections_received_total", kCounter,
     "Connections that were accepted."},
    {"rejected_connections", "spinel_connections_rejected_total", kCounter,
     "Connections that were refused: too many, or protected mode."},
    {"client_query_buffer_limit_disconnections", "spinel_query_limit_disconnections_total",
     kCounter, "Clients that were cut because of an overlong request."},
    {"client_output_buffer_limit_disconnections", "spinel_output_limit_disconnections_total",
     kCounter, "Clients that were cut because they read too slowly."},
    // Traffic.
    {"total_commands_processed", "spinel_commands_processed_total", kCounter,
     "Commands that were executed."},
    {"total_net_input_bytes", "spinel_network_received_bytes_total", kCounter,
     "Bytes from clients."},
    {"total_net_output_bytes", "spinel_network_sent_bytes_total", kCounter, "Bytes to clients."},
    {"total_reads_processed", "spinel_socket_reads_total", kCounter, "Reads from sockets."},
    {"total_writes_processed", "spinel_socket_writes_total", kCounter, "Writes to sockets."},
    {"total_error_replies", "spinel_error_replies_total", kCounter, "Replies that were errors."},
    {"acl_access_denied_auth", "spinel_auth_failures_total", kCounter, "Wrong passwords."},
    // Keys.
    {"keyspace_hits", "spinel_keyspace_hits_total", kCounter, "Lookups that found their key."},
    {"keyspace_misses", "spinel_keyspace_misses_total", kCounter, "Lookups that found none."},
    {"expired_keys", "spinel_expired_keys_total", kCounter,
     "Keys removed because their time came."},
    {"expired_fields", "spinel_expired_fields_total", kCounter,
     "Fields of hashes removed because their time came."},
    {"evicted_keys", "spinel_evicted_keys_total", kCounter, "Keys removed to make room."},
    {"evicted_clients", "spinel_evicted_clients_total", kCounter,
     "Clients that were cut to make room."},
    {"pubsub_channels", "spinel_pubsub_channels", kGauge, "Channels with subscribers."},
    {"pubsub_patterns", "spinel_pubsub_patterns", kGauge, "Patterns with subscribers."},
    {"pubsubshard_channels", "spinel_pubsub_shard_channels", kGauge,
     "Shard channels with subscribers."},
    // Snapshots.
    {"rdb_last_bgsave_status", "spinel_snapshot_last_success", kGauge,
     "1: the last snapshot was written, or there was none yet; 0: it failed."},
    {"rdb_bgsave_in_progress", "spinel_snapshot_running", kGauge,
     "1: a snapshot is being taken in the background."},
    {"rdb_last_save_time", "spinel_snapshot_last_timestamp_seconds", kGauge,
     "Unix time of the last snapshot, or of the start."},
    {"rdb_changes_since_last_save", "spinel_snapshot_pending_changes", kGauge,
     "Changes that are in no snapshot yet."},
    {"rdb_saves", "spinel_snapshots_total", kCounter, "Snapshots that were written."},
    {"current_save_keys_processed", "spinel_snapshot_keys_processed", kGauge,
     "Keys in the snapshot that is being taken."},
    {"current_save_keys_total", "spinel_snapshot_keys", kGauge,
     "Keys that the snapshot that is being taken will have."},
};

void RenderInfoMetrics(const InfoFields& info, Exposition* out) {
  for (const InfoMetric& metric : kInfoMetrics) {
    double value = 0;
    if (!info.GetNumber(metric.field, &value)) continue;
    out->Single(metric.name, metric.type, metric.help, value);
  }
  double seconds = -1;
  if (info.GetNumber("rdb_last_bgsave_time_sec", &seconds) && seconds >= 0) {
    out->Single("spinel_snapshot_last_duration_seconds", kGauge,
                "How long the last snapshot in the background took.", seconds);
  }
}

void RenderSnapshotAge(const InfoFields& info, int64_t now_ms, Exposition* out) {
  double saved = 0;
  if (!info.GetNumber("rdb_last_save_time", &saved)) return;
  const double age = static_cast<double>(now_ms) / 1000 - saved;
  out->Single("spinel_snapshot_age_seconds", kGauge, "Since the last snapshot, or the start.",
              age > 0 ? age : 0);
}

void RenderCpu(const InfoFields& info, Exposition* out) {
  double user = 0;
  double system = 0;
  if (!info.GetNumber("used_cpu_user", &user) || !info.GetNumber("used_cpu_sys", &system)) return;
  out->Family("spinel_cpu_seconds_total", kCounter, "CPU time of the process.");
  out->Sample(user, {{"mode", "user"}});
  out->Sample(system, {{"mode", "system"}});
}

// A family with a sample per "<prefix><label>:...<part>=N..." of INFO.
void RenderLabelled(const InfoFields& info, std::string_view prefix, std::string_view label,
                    std::string_view part, Exposition* out, double scale = 1) {
  for (const auto& [field, value] : info.all()) {
    if (!field.starts_with(prefix)) continue;
    double number = 0;
    if (!ParseDouble(InfoFields::Part(value, part), &number)) continue;
    out->Sample(number * scale, {{label, field.substr(prefix.size())}});
  }
}

void RenderKeyspace(const InfoFields& info, Exposition* out) {
  out->Family("spinel_database_keys", kGauge, "Keys of each database that has any.");
  RenderLabelled(info, "db", "db", "keys", out);
  out->Family("spinel_database_expiring_keys", kGauge, "Those of them that expire.");
  RenderLabelled(info, "db", "db", "expires", out);
  out->Family("spinel_database_ttl_seconds", kGauge, "How long those have on average, sampled.");
  RenderLabelled(info, "db", "db", "avg_ttl", out, 0.001);
  out->Family("spinel_errors_total", kCounter, "Error replies by their code.");
  RenderLabelled(info, "errorstat_", "code", "count", out);
}

// -- What the loops count
// ---------------------------------------------------------------------------

// Bounds of the buckets in nanoseconds: every power of two from a microsecond (about) to 17 s.
constexpr int kFirstBound = 10;
constexpr int kLastBound = 34;

double Seconds(uint64_t ns) { return static_cast<double>(ns) / 1e9; }

void RenderHistogram(std::string_view command, const std::vector<uint64_t>& counts,
                     Exposition* out) {
  uint64_t seen = 0;
  double sum = 0;
  size_t bucket = 0;
  const auto take = [&](uint64_t below_ns) {
    for (; bucket < counts.size() && LatencyHistogram::UpperBound(bucket) < below_ns; ++bucket) {
      seen += counts[bucket];
      // A bucket spans a sixteenth of its durations: its middle is within 3% of each.
      const uint64_t low = bucket == 0 ? 0 : LatencyHistogram::UpperBound(bucket - 1) + 1;
      sum += static_cast<double>(counts[bucket]) *
             (Seconds(low) + Seconds(LatencyHistogram::UpperBound(bucket))) / 2;
    }
  };
  for (int bound = kFirstBound; bound <= kLastBound; ++bound) {
    take(uint64_t{1} << bound);
    const std::string le = fmt::format("{}", Seconds(uint64_t{1} << bound));
    out->Sample("_bucket", static_cast<double>(seen), {{"command", command}, {"le", le}});
  }
  take(UINT64_MAX);
  out->Sample("_bucket", static_cast<double>(seen), {{"command", command}, {"le", "+Inf"}});
  out->Sample("_sum", sum, {{"command", command}});
  out->Sample("_count", static_cast<double>(seen), {{"command", command}});
}

struct Called {
  const Command* command;
  CommandTotals totals;
};

std::vector<Called> CalledCommands(const Server& server) {
  std::vector<Called> called;
  for (const auto& command : server.commands().all()) {
    const CommandTotals totals = TotalsOf(server.runtime(), command->index);
    if (totals.any()) called.push_back({command.get(), totals});
  }
  return called;
}

void RenderCommands(const Server& server, Exposition* out) {
  const std::vector<Called> called = CalledCommands(server);
  out->Family("spinel_commands_total", kCounter, "Calls of each command.");
  for (const Called& row : called) {
    out->Sample(static_cast<double>(row.totals.calls), {{"command", row.command->name}});
  }
  out->Family("spinel_command_seconds_total", kCounter, "Time spent in each command.");
  for (const Called& row : called) {
    out->Sample(CycleClock::ToMicroseconds(row.totals.ticks) / 1e6,
                {{"command", row.command->name}});
  }
  out->Family("spinel_command_errors_total", kCounter,
              "Calls that were answered with an error: failed, or rejected before they ran.");
  for (const Called& row : called) {
    out->Sample(static_cast<double>(row.totals.failed),
                {{"command", row.command->name}, {"kind", "failed"}});
    out->Sample(static_cast<double>(row.totals.rejected),
                {{"command", row.command->name}, {"kind", "rejected"}});
  }
  out->Family("spinel_command_duration_seconds", "histogram",
              "How long calls took, while latency-tracking is on.");
  std::vector<uint64_t> counts;
  for (const Called& row : called) {
    counts.assign(LatencyHistogram::kBuckets, 0);
    if (AddDurations(server.runtime(), row.command->index, &counts) == 0) continue;
    RenderHistogram(row.command->name, counts, out);
  }
}

// What is known of a loop, as a number; below 0: not known.
using OfLoop = double (*)(const LoopState& loop, int64_t now_ms);

double CpuSeconds(const LoopState& loop, int64_t) {
  timespec time{};
  const int clock = loop.cpu_clock.load();
  if (clock == 0 || clock_gettime(clock, &time) != 0) return -1;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double TurnAge(const LoopState& loop, int64_t now_ms) {
  const int64_t turned = loop.turned_ms.load(std::memory_order_relaxed);
  if (turned == 0) return -1;
  return now_ms > turned ? static_cast<double>(now_ms - turned) / 1000 : 0;
}

template <Counter LoopStats::*Field>
double Count(const LoopState& loop, int64_t) {
  return static_cast<double>((loop.stats.*Field).Get());
}

double Connections(const LoopState& loop, int64_t) {
  return static_cast<double>(loop.connections.load(std::memory_order_relaxed));
}

constexpr struct {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  OfLoop value;
} kLoopMetrics[] = {
    {"spinel_loop_connections", kGauge, "Connections of each event loop.", Connections},
    {"spinel_loop_commands_total", kCounter, "Commands that each loop executed.",
     Count<&LoopStats::commands_processed>},
    {"spinel_loop_received_bytes_total", kCounter, "Bytes that each loop received.",
     Count<&LoopStats::input_bytes>},
    {"spinel_loop_sent_bytes_total", kCounter, "Bytes that each loop sent.",
     Count<&LoopStats::output_bytes>},
    {"spinel_loop_cpu_seconds_total", kCounter, "CPU time of each loop's thread.", CpuSeconds},
    {"spinel_loop_turn_age_seconds", kGauge,
     "Since each loop last came round; it does so every 16 ms unless something takes long.",
     TurnAge},
};

void RenderLoops(const Server& server, int64_t now_ms, Exposition* out) {
  const Runtime& runtime = server.runtime();
  for (const auto& metric : kLoopMetrics) {
    out->Family(metric.name, metric.type, metric.help);
    for (int i = 0; i < runtime.loops(); ++i) {
      const double value = metric.value(runtime.loop(i), now_ms);
      if (value >= 0) out->Sample(value, {{"loop", fmt::format("{}", i)}});
    }
  }
}

void RenderState(const Server& server, int64_t info_age_ms, int64_t now_ms, Exposition* out) {
  out->Family("spinel_build_info", kGauge, "Versions; the value is always 1.");
  out->Sample(1, {{"version", kSpinelVersion}, {"redis_version", kRedisVersion}});
  out->Single("spinel_start_timestamp_seconds", kGauge, "Unix time of the start.",
              static_cast<double>(server.started_ms()) / 1000);
  out->Single("spinel_uptime_seconds", kGauge, "Since the start.",
              static_cast<double>(now_ms - server.started_ms()) / 1000);
  const bool loading = server.Has(Trouble::kLoading);
  out->Single("spinel_loading", kGauge, "1: the data is not there yet.", loading ? 1 : 0);
  out->Single("spinel_ready", kGauge, "What /health/ready says: 1 for ready.",
              loading || server.shutdown().under_way() ? 0 : 1);
  out->Single("spinel_info_age_seconds", kGauge,
              "Age of what follows from INFO: it is old while the loops are busy.",
              static_cast<double>(info_age_ms) / 1000);
}

}  // namespace

std::string RenderMetrics(const Server& server, std::string_view info, int64_t info_age_ms,
                          int64_t now_ms) {
  Exposition out;
  RenderState(server, info_age_ms, now_ms, &out);
  RenderLoops(server, now_ms, &out);
  RenderCommands(server, &out);
  if (!info.empty()) {
    const InfoFields fields(info);
    RenderInfoMetrics(fields, &out);
    RenderSnapshotAge(fields, now_ms, &out);
    RenderCpu(fields, &out);
    RenderKeyspace(fields, &out);
  }
  return out.Take();
}

}  // namespace spinel
