// INFO's sections that count: stats, commandstats, errorstats, latencystats.

#include <algorithm>
#include <cmath>
#include <vector>

#include "protocol/numbers.h"
#include "server/acl.h"
#include "server/command_totals.h"
#include "server/cycle_clock.h"
#include "server/info.h"
#include "server/memory_keeper.h"
#include "server/scripts.h"
#include "server/tracking.h"

namespace spinel {
namespace {

// The duration in nanoseconds that `percentile` percent of the calls stayed within.
uint64_t DurationAt(const std::vector<uint64_t>& counts, uint64_t total, double percentile) {
  const auto wanted =
      static_cast<uint64_t>(std::ceil(static_cast<double>(total) * percentile / 100));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < counts.size(); ++bucket) {
    seen += counts[bucket];
    if (seen >= wanted && seen > 0) return LatencyHistogram::UpperBound(bucket);
  }
  return 0;
}

double KilobytesPerSecond(Server& server, RateSampler::Metric metric) {
  return static_cast<double>(server.rates().PerSecond(metric)) / 1024;
}

void WriteTraffic(const InfoSource& source, InfoText* text) {
  Server& server = source.server;
  text->Field("total_connections_received", source.Sum(&LoopStats::connections_received));
  text->Field("total_commands_processed", source.Sum(&LoopStats::commands_processed));
  text->Field("instantaneous_ops_per_sec", server.rates().PerSecond(RateSampler::kCommands));
  text->Field("total_net_input_bytes", source.Sum(&LoopStats::input_bytes));
  text->Field("total_net_output_bytes", source.Sum(&LoopStats::output_bytes));
  text->Field("total_net_repl_input_bytes", 0);
  text->Field("total_net_repl_output_bytes", 0);
  text->Formatted("instantaneous_input_kbps", "{:.2f}",
                  KilobytesPerSecond(server, RateSampler::kInputBytes));
  text->Formatted("instantaneous_output_kbps", "{:.2f}",
                  KilobytesPerSecond(server, RateSampler::kOutputBytes));
  text->Field("instantaneous_input_repl_kbps", "0.00");
  text->Field("instantaneous_output_repl_kbps", "0.00");
  text->Field("rejected_connections", source.Sum(&LoopStats::connections_rejected));
  text->Field("sync_full", 0);
  text->Field("sync_partial_ok", 0);
  text->Field("sync_partial_err", 0);
}

void WriteKeyCounts(const InfoSource& source, InfoText* text) {
  text->Field("expired_keys", source.Sum(&StoreStats::expired_keys));
  text->Field("expired_fields", source.Sum(&StoreStats::expired_fields));
  text->Field("expired_stale_perc", "0.00");
  text->Field("expired_time_cap_reached_count", 0);
  text->Field("expire_cycle_cpu_milliseconds", 0);
  text->Field("evicted_keys", source.Sum(&StoreStats::evicted_keys));
  text->Field("evicted_clients", source.Sum(&LoopStats::evicted_clients));
  text->Field("evicted_scripts", source.server.scripts().evicted());
  text->Field("total_eviction_exceeded_time", source.server.memory().exceeded_ms(source.now_ms));
  text->Field("current_eviction_exceeded_time",
              source.server.memory().exceeded_now_ms(source.now_ms));
  text->Field("keyspace_hits", source.Sum(&StoreStats::keyspace_hits));
  text->Field("keyspace_misses", source.Sum(&StoreStats::keyspace_misses));
  const ChannelRegistry& channels = source.server.channels();
  text->Field("pubsub_channels", channels.Count(SubscriptionKind::kChannel));
  text->Field("pubsub_patterns", channels.Count(SubscriptionKind::kPattern));
  text->Field("pubsubshard_channels", channels.Count(SubscriptionKind::kShard));
  const TrackingTotals& tracked = source.server.store().tracking_totals();
  text->Field("tracking_total_keys", tracked.keys.load(std::memory_order_relaxed));
  text->Field("tracking_total_items", tracked.items.load(std::memory_order_relaxed));
  text->Field("tracking_total_prefixes", source.server.tracking().totals().prefixes);
}

uint64_t WholeMicroseconds(uint64_t ticks) {
  return static_cast<uint64_t>(CycleClock::ToMicroseconds(ticks));
}

// The sum over all loops: how many turns they made, and how long they were awake.
void WriteTurns(const InfoSource& source, InfoText* text) {
  uint64_t command_ticks = 0;
  for (const auto& command : source.server.commands().all()) {
    command_ticks += TotalsOf(source.server.runtime(), command->index).ticks;
  }
  command_ticks -= std::min(command_ticks, source.Sum(&TurnStats::nested_ticks));
  const RateSampler& rates = source.server.rates();
  const uint64_t turns = rates.PerSecond(RateSampler::kTurns);
  const uint64_t ticks = rates.PerSecond(RateSampler::kTurnTicks);
  text->Field("eventloop_cycles", source.Sum(&TurnStats::turns));
  text->Field("eventloop_duration_sum", WholeMicroseconds(source.Sum(&TurnStats::ticks)));
  text->Field("eventloop_duration_cmd_sum", WholeMicroseconds(command_ticks));
  text->Field("instantaneous_eventloop_cycles_per_sec", turns);
  text->Field("instantaneous_eventloop_duration_usec",
              turns == 0 ? 0 : WholeMicroseconds(ticks / turns));
}

// Defragmentation and what else Redis counts that does not exist here.
void WriteAbsent(InfoText* text) {
  for (const std::string_view name :
       {"latest_fork_usec", "total_forks", "migrate_cached_sockets", "slave_expires_tracked_keys",
        "active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits",
        "active_defrag_key_misses", "total_active_defrag_time", "current_active_defrag_time",
        "unexpected_error_replies"}) {
    text->Field(name, 0);
  }
}

}  // namespace

void WriteStatsInfo(const InfoSource& source, InfoText* text) {
  text->Section("Stats");
  WriteTraffic(source, text);
  WriteKeyCounts(source, text);
  WriteAbsent(text);
  text->Field("total_error_replies", source.Sum(&LoopStats::error_replies));
  text->Field("dump_payload_sanitizations", 0);
  text->Field("total_reads_processed", source.Sum(&LoopStats::reads));
  text->Field("total_writes_processed", source.Sum(&LoopStats::writes));
  // Threads that only read and write sockets: there are none, every loop executes too.
  text->Field("io_threaded_reads_processed", 0);
  text->Field("io_threaded_writes_processed", 0);
  text->Field("client_query_buffer_limit_disconnections",
              source.Sum(&LoopStats::query_limit_disconnections));
  text->Field("client_output_buffer_limit_disconnections",
              source.Sum(&LoopStats::output_limit_disconnections));
  text->Field("reply_buffer_shrinks", 0);
  text->Field("reply_buffer_expands", 0);
  const Acl& acl = source.server.acl();
  text->Field("acl_access_denied_auth", acl.denied(AclDenial::kAuth));
  text->Field("acl_access_denied_cmd", acl.denied(AclDenial::kCommand));
  text->Field("acl_access_denied_key", acl.denied(AclDenial::kKey));
  text->Field("acl_access_denied_channel", acl.denied(AclDenial::kChannel));
  WriteTurns(source, text);
}

// Details of what WriteTurns tells.
void WriteDebugInfo(const InfoSource& source, InfoText* text) {
  uint64_t longest = 0;
  uint64_t most_commands = 0;
  const Runtime& runtime = source.server.runtime();
  for (int i = 0; i < runtime.loops(); ++i) {
    const TurnStats& turn = runtime.loop(i).stats.turn;
    longest = std::max(longest, turn.longest_ticks.Get());
    most_commands = std::max(most_commands, turn.most_commands.Get());
  }
  text->Section("Debug");
  text->Field("eventloop_duration_aof_sum", 0);
  text->Field("eventloop_duration_cron_sum", WholeMicroseconds(source.Sum(&TurnStats::cron_ticks)));
  text->Field("eventloop_duration_max", WholeMicroseconds(longest));
  text->Field("eventloop_cmd_per_cycle_max", most_commands);
}

void WriteCommandStatsInfo(const InfoSource& source, InfoText* text) {
  text->Section("Commandstats");
  for (const auto& command : source.server.commands().all()) {
    const CommandTotals totals = TotalsOf(source.server.runtime(), command->index);
    if (!totals.any()) continue;
    const double us = CycleClock::ToMicroseconds(totals.ticks);
    const double per_call = totals.calls == 0 ? 0 : us / static_cast<double>(totals.calls);
    text->Formatted(fmt::format("cmdstat_{}", command->name),
                    "calls={},usec={:.0f},usec_per_call={:.2f},rejected_calls={},failed_calls={}",
                    totals.calls, us, per_call, totals.rejected, totals.failed);
  }
}

void WriteErrorStatsInfo(const InfoSource& source, InfoText* text) {
  text->Section("Errorstats");
  for (const auto& [code, count] : source.server.ErrorCounts()) {
    text->Formatted(fmt::format("errorstat_{}", code), "count={}", count);
  }
}

void WriteLatencyStatsInfo(const InfoSource& source, InfoText* text) {
  text->Section("Latencystats");
  if (!source.config().latency_tracking()) return;
  const std::vector<double> percentiles = source.config().latency_percentiles();
  std::vector<uint64_t> counts;
  for (const auto& command : source.server.commands().all()) {
    counts.assign(LatencyHistogram::kBuckets, 0);
    const uint64_t total = AddDurations(source.server.runtime(), command->index, &counts);
    if (total == 0) continue;
    std::string line;
    for (const double percentile : percentiles) {
      char digits[kMaxDoubleChars];
      const std::string_view number(digits, FormatDouble(percentile, digits));
      if (!line.empty()) line += ',';
      line += fmt::format("p{}={:.3f}", number,
                          static_cast<double>(DurationAt(counts, total, percentile)) / 1000);
    }
    text->Field(fmt::format("latency_percentiles_usec_{}", command->name), line);
  }
}

}  // namespace spinel
