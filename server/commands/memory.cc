// MEMORY: where the memory goes.

#include "server/commands/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/allocator_stats.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/memory_advice.h"
#include "server/memory_report.h"
#include "server/scripts.h"

namespace spinel {

void ReplyAllocatorStats(CommandContext&, ArgReader&, ReplyWriter& reply) {
  const std::string text = AllocatorStatistics();
  if (text.empty()) return reply.Bulk("Stats not supported for the current allocator");
  reply.Verbatim("txt", text);
}

namespace {

uint64_t KeyCount(Store& store) {
  uint64_t keys = 0;
  for (int database = 0; database < store.databases(); ++database) keys += store.Size(database);
  return keys;
}

void MemoryUsage(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(2);
  while (args.HasNext()) {
    if (args.Left() < 2 || !args.Tag("SAMPLES")) {
      args.SyntaxError();
      break;
    }
    // Entries know their size: there is nothing to be estimated from samples.
    if (args.Int() < 0) args.SyntaxError();
  }
  if (!args.Done(reply)) return;
  const ReadGuard value = ctx.Lookup(2, LookupMode::kPeek);
  if (!value) return reply.Null();
  reply.Integer(static_cast<int64_t>(Store::MemoryOf(*value)));
}

// The reply of MEMORY STATS while it is being written.
class StatsReply {
 public:
  explicit StatsReply(ReplyWriter* reply) : reply_(reply), begin_(reply->Begin()) {}
  ~StatsReply() { reply_->EndMap(begin_, fields_); }

  void Field(std::string_view name, int64_t value) {
    Name(name);
    reply_->Integer(value);
  }
  void Field(std::string_view name, uint64_t value) { Field(name, static_cast<int64_t>(value)); }
  void Field(std::string_view name, double value) {
    Name(name);
    reply_->Double(value);
  }
  // The field's value is the caller's to write.
  void Name(std::string_view name) {
    ++fields_;
    reply_->Bulk(name);
  }

 private:
  ReplyWriter* reply_;
  const OutputBuffer::Mark begin_;
  int64_t fields_ = 0;
};

void WriteAllocator(const MemoryReport& report, StatsReply* stats) {
  const ProcessMemory& memory = report.process;
  stats->Field("allocator.allocated", memory.allocated);
  stats->Field("allocator.active", memory.active);
  stats->Field("allocator.resident", memory.allocator_resident);
  stats->Field("allocator.muzzy", report.muzzy);
  stats->Field("allocator-fragmentation.ratio", Ratio(memory.active, memory.allocated));
  stats->Field("allocator-fragmentation.bytes", Excess(memory.active, memory.allocated));
  stats->Field("allocator-rss.ratio", Ratio(memory.allocator_resident, memory.active));
  stats->Field("allocator-rss.bytes", Excess(memory.allocator_resident, memory.active));
  stats->Field("rss-overhead.ratio", Ratio(memory.resident, memory.allocator_resident));
  stats->Field("rss-overhead.bytes", Excess(memory.resident, memory.allocator_resident));
  stats->Field("fragmentation", Ratio(memory.resident, memory.allocated));
  stats->Field("fragmentation.bytes", Excess(memory.resident, memory.allocated));
}

void MemoryStats(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  constexpr uint64_t kNone = 0;  // of what this server does not have
  const MemoryReport report = MeasureMemory(ctx.server());
  const uint64_t allocated = report.process.allocated;
  const uint64_t keys = KeyCount(ctx.store());
  StatsReply stats(&reply);
  stats.Field("peak.allocated", report.peak);
  stats.Field("total.allocated", allocated);
  stats.Field("startup.allocated", report.startup);
  stats.Field("replication.backlog", kNone);
  stats.Field("clients.slaves", kNone);
  stats.Field("clients.normal", report.clients);
  stats.Field("cluster.links", kNone);
  stats.Field("aof.buffer", kNone);
  stats.Field("lua.caches", report.scripts);
  stats.Field("functions.caches", report.libraries);
  stats.Field("scripts.interpreters", report.interpreters);
  for (const auto& [database, bytes] : report.tables) {
    stats.Name(fmt::format("db.{}", database));
    reply.Map(3);
    reply.Bulk("overhead.hashtable.main");
    reply.Integer(static_cast<int64_t>(bytes));
    reply.Bulk("overhead.hashtable.expires");  // expiry times lie in the entries
    reply.Integer(0);
    reply.Bulk("overhead.hashtable.slot-to-keys");
    reply.Integer(0);
  }
  stats.Field("expiry.timers", report.timers);
  stats.Field("eviction.queues", report.queues);
  stats.Field("overhead.db.hashtable.lut", report.table_bytes);
  stats.Field("overhead.db.hashtable.rehashing", kNone);
  stats.Field("overhead.total", report.overhead);
  stats.Field("db.dict.rehashing.count", kNone);
  stats.Field("keys.count", keys);
  stats.Field("keys.bytes-per-key",
              keys == 0 ? kNone : (allocated - std::min(allocated, report.startup)) / keys);
  stats.Field("dataset.bytes", report.dataset);
  stats.Field("dataset.percentage", report.dataset_percent);
  stats.Field("peak.percentage", 100 * Ratio(allocated, report.peak));
  WriteAllocator(report, &stats);
}

void MemoryDoctor(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const MemoryReport report = MeasureMemory(ctx.server());
  reply.Verbatim("txt", MemoryAdvice({.process = report.process,
                                      .peak = report.peak,
                                      .limit = static_cast<uint64_t>(ctx.config().maxmemory()),
                                      .clients = ctx.server().clients().count(),
                                      .client_bytes = report.clients,
                                      .scripts = ctx.server().scripts().count()}));
}

void MemoryPurge(CommandContext&, ArgReader&, ReplyWriter& reply) {
  PurgeMemory();
  reply.Ok();
}

constexpr CommandSpec PlainRow(std::string_view name, Handler handler, uint32_t flags,
                               std::string_view summary) {
  return {.name = name,
          .arity = 2,
          .flags = flags,
          .handler = handler,
          .group = "server",
          .since = "4.0.0",
          .complexity = "O(1)",
          .summary = summary};
}

constexpr CommandSpec kMemorySubcommands[] = {
    PlainRow("DOCTOR", MemoryDoctor, 0, "Tells what is wrong with the use of memory, if anything."),
    PlainRow("MALLOC-STATS", ReplyAllocatorStats, 0, "Answers the allocator's own statistics."),
    PlainRow("PURGE", MemoryPurge, 0, "Asks the allocator to give free pages back."),
    PlainRow("STATS", MemoryStats, 0, "Answers what the memory is used for."),
    {.name = "USAGE",
     .arity = -3,
     .flags = kReadOnly,
     .keys = Keys(2, 2, 1, kKeyRO),
     .handler = MemoryUsage,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Answers how many bytes a key and its value take, with its share of the table.",
     .syntax = "key [SAMPLES count]"},
    PlainRow("HELP", ReplyHelp, kLoading | kStale, "Print this help."),
};

constexpr CommandSpec kMemoryCommands[] = {
    {.name = "MEMORY",
     .arity = -2,
     .subcommands = kMemorySubcommands,
     .group = "server",
     .since = "4.0.0",
     .complexity = "That of its subcommand",
     .summary = "Commands about where the memory goes."},
};

}  // namespace

std::span<const CommandSpec> MemoryCommands() { return kMemoryCommands; }

}  // namespace spinel
