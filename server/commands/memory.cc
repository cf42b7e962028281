// MEMORY: where the memory goes.

#include "server/commands/memory.h"

#include <fmt/format.h>

#include <limits>
#include <string>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/allocator_stats.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/memory_report.h"

namespace spinel {

void ReplyAllocatorStats(CommandContext&, ArgReader&, ReplyWriter& reply) {
  const std::string text = AllocatorStatistics();
  if (text.empty()) return reply.Bulk("Stats not supported for the current allocator");
  reply.Verbatim("txt", text);
}

namespace {

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

int64_t Difference(uint64_t a, uint64_t b) {
  return static_cast<int64_t>(a) - static_cast<int64_t>(b);
}

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

void WriteAllocator(const ProcessMemory& memory, StatsReply* stats) {
  stats->Field("allocator.allocated", memory.allocated);
  stats->Field("allocator.active", memory.active);
  stats->Field("allocator.resident", memory.allocator_resident);
  stats->Field("allocator-fragmentation.ratio", Ratio(memory.active, memory.allocated));
  stats->Field("allocator-fragmentation.bytes", Difference(memory.active, memory.allocated));
  stats->Field("allocator-rss.ratio", Ratio(memory.allocator_resident, memory.active));
  stats->Field("allocator-rss.bytes", Difference(memory.allocator_resident, memory.active));
  stats->Field("rss-overhead.ratio", Ratio(memory.resident, memory.allocator_resident));
  stats->Field("rss-overhead.bytes", Difference(memory.resident, memory.allocator_resident));
  stats->Field("fragmentation", Ratio(memory.resident, memory.allocated));
  stats->Field("fragmentation.bytes", Difference(memory.resident, memory.allocated));
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
  stats.Field("lua.caches", kNone);
  stats.Field("functions.caches", kNone);
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
  stats.Field("overhead.total", report.overhead);
  stats.Field("keys.count", keys);
  stats.Field("keys.bytes-per-key",
              keys == 0 ? kNone : (allocated - std::min(allocated, report.startup)) / keys);
  stats.Field("dataset.bytes", report.dataset);
  stats.Field("dataset.percentage", report.dataset_percent);
  stats.Field("peak.percentage", 100 * Ratio(allocated, report.peak));
  WriteAllocator(report.process, &stats);
}

// What is wrong, one remark each.
std::vector<std::string> Diagnose(const CommandContext& ctx, const MemoryReport& report) {
  constexpr uint64_t kNotable = 10 * 1024 * 1024;  // bytes; less is no trouble, whatever the ratio
  const ProcessMemory& memory = report.process;
  std::vector<std::string> remarks;
  const auto wasted = [](uint64_t more, uint64_t less, double ratio) {
    return more > less + kNotable && Ratio(more, less) > ratio;
  };
  if (wasted(report.peak, memory.allocated, 1.5)) {
    remarks.push_back(
        fmt::format("Peak: {:.1f} times today's memory was in use at some time. Pages of that time "
                    "may still be "
                    "resident; MEMORY PURGE gives them back.",
                    Ratio(report.peak, memory.allocated)));
  }
  if (wasted(memory.active, memory.allocated, 1.1)) {
    remarks.push_back(fmt::format(
        "Fragmentation: the allocator's pages hold {:.2f} bytes for each that is in use. Values "
        "that "
        "came and went in many sizes leave such holes; they are filled again as data comes in.",
        Ratio(memory.active, memory.allocated)));
  }
  if (wasted(memory.allocator_resident, memory.active, 1.1)) {
    remarks.push_back(fmt::format(
        "Allocator: it keeps {} bytes of free pages. MEMORY PURGE gives them back to the system.",
        memory.allocator_resident - memory.active));
  }
  if (wasted(memory.resident, memory.allocator_resident, 1.1)) {
    remarks.push_back(fmt::format(
        "Process: {} resident bytes are not the allocator's: threads' stacks, code, libraries.",
        memory.resident - memory.allocator_resident));
  }
  const uint64_t clients = ctx.server().clients().count();
  constexpr uint64_t kMuchPerClient = 200 * 1024;
  if (clients > 0 && report.clients / clients > kMuchPerClient) {
    remarks.push_back(
        fmt::format("Clients: {} bytes each, on average. Some send requests that never end or do "
                    "not read their "
                    "replies; CLIENT LIST shows which, client-output-buffer-limit cuts them off.",
                    report.clients / clients));
  }
  const auto limit = static_cast<uint64_t>(ctx.config().maxmemory());
  if (limit > 0 && memory.resident > limit) {
    remarks.push_back(
        fmt::format("Limit: {} bytes are resident, maxmemory is {}.", memory.resident, limit));
  }
  return remarks;
}

void MemoryDoctor(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  constexpr uint64_t kTooLittle = 5 * 1024 * 1024;  // bytes
  const MemoryReport report = MeasureMemory(ctx.server());
  if (report.process.allocated < kTooLittle) {
    return reply.Verbatim("txt", "There is too little data yet to tell anything from.\n");
  }
  const std::vector<std::string> remarks = Diagnose(ctx, report);
  if (remarks.empty()) return reply.Verbatim("txt", "No trouble with memory was found.\n");
  std::string text = "What was found:\n\n";
  for (const std::string& remark : remarks) text += " * " + remark + "\n";
  reply.Verbatim("txt", text);
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

constexpr CommandSpec kSubcommands[] = {
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
     .complexity = "O(1) for strings, O(N) for collections of N elements",
     .summary = "Answers how many bytes a key and its value take, with its share of the table.",
     .syntax = "key [SAMPLES count]"},
    PlainRow("HELP", ReplyHelp, kLoading | kStale, "Print this help."),
};

constexpr CommandSpec kCommands[] = {
    {.name = "MEMORY",
     .arity = -2,
     .subcommands = kSubcommands,
     .group = "server",
     .since = "4.0.0",
     .complexity = "That of its subcommand",
     .summary = "Commands about where the memory goes."},
};

}  // namespace

std::span<const CommandSpec> MemoryCommands() { return kCommands; }

}  // namespace spinel
