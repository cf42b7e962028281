// LATENCY: events that took long, and the histograms of all commands' execution times.

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <string>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/observation.h"

namespace spinel {
namespace {

LatencyEvents& Events(CommandContext& ctx) { return ctx.server().observation().latency(); }

void Latest(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const auto all = Events(ctx).All();
  reply.Array(static_cast<int64_t>(all.size()));
  for (const auto& [event, series] : all) {
    reply.Array(4);
    reply.Bulk(event);
    reply.Integer(series.samples.back().unix_seconds);
    reply.Integer(series.samples.back().ms);
    reply.Integer(series.longest_ms);
  }
}

void History(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const LatencyEvents::Series series = Events(ctx).Get(ctx.arg(2));
  reply.Array(static_cast<int64_t>(series.samples.size()));
  for (const LatencyEvents::Sample& sample : series.samples) {
    reply.Array(2);
    reply.Integer(sample.unix_seconds);
    reply.Integer(sample.ms);
  }
}

void ResetLatency(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  LatencyEvents& events = Events(ctx);
  if (ctx.argc() == 2) return reply.Integer(static_cast<int64_t>(events.ResetAll()));
  int64_t reset = 0;
  for (const std::string_view event : ctx.args().subspan(2)) reset += events.Reset(event) ? 1 : 0;
  reply.Integer(reset);
}

void Graph(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const LatencyEvents::Series series = Events(ctx).Get(ctx.arg(2));
  if (series.samples.empty()) {
    return reply.Error(fmt::format("ERR No samples available for event '{}'", ctx.arg(2)));
  }
  reply.Verbatim("txt", DrawLatency(ctx.arg(2), series, std::time(nullptr)));
}

void Doctor(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Verbatim("txt", ExplainLatency(Events(ctx), std::time(nullptr),
                                       ctx.config().latency_monitor_threshold()));
}

// -- HISTOGRAM
// -------------------------------------------------------------------------------------

// One command's times, of all loops together.
struct Times {
  std::array<uint64_t, LatencyHistogram::kBuckets> buckets{};
  uint64_t total = 0;
};

Times TimesOf(CommandContext& ctx, const Command& command) {
  Times times;
  const Runtime& runtime = ctx.server().runtime();
  for (int i = 0; i < runtime.loops(); ++i) {
    const LatencyHistogram* const histogram =
        runtime.loop(i).stats.command[command.index].histogram.load(std::memory_order_acquire);
    if (histogram == nullptr) continue;
    for (size_t bucket = 0; bucket < times.buckets.size(); ++bucket) {
      const uint64_t count = histogram->Count(bucket);
      times.buckets[bucket] += count;
      times.total += count;
    }
  }
  return times;
}

// Counts of calls up to 1, 2, 4 ... times 1,024 ns, where there are more than in the step before.
// The steps have the names that Redis gives them: microseconds, and the 1/128 that its histograms
// round up to.
void ReplyTimes(const Times& times, ReplyWriter& reply) {
  reply.Map(2);
  reply.Bulk("calls");
  reply.Integer(static_cast<int64_t>(times.total));
  reply.Bulk("histogram_usec");
  const auto begin = reply.Begin();
  int64_t steps = 0;
  uint64_t counted = 0;
  size_t bucket = 0;
  for (uint64_t ns = 1024; counted < times.total; ns *= 2) {
    const uint64_t before = counted;
    for (; bucket < times.buckets.size() && LatencyHistogram::UpperBound(bucket) <= ns; ++bucket) {
      counted += times.buckets[bucket];
    }
    if (counted == before) continue;
    reply.Integer(static_cast<int64_t>((ns + ns / 128 - 1) / 1000));
    reply.Integer(static_cast<int64_t>(counted));
    ++steps;
  }
  reply.EndMap(begin, steps);
}

// The commands named, containers by their subcommands; without names all of them.
std::vector<const Command*> NamedCommands(CommandContext& ctx) {
  std::vector<const Command*> commands;
  const CommandTable& table = ctx.server().commands();
  if (ctx.argc() == 2) {
    for (const auto& command : table.all()) commands.push_back(command.get());
    return commands;
  }
  for (const std::string_view name : ctx.args().subspan(2)) {
    const Command* const command = table.FindFullName(name);
    if (command == nullptr) continue;
    commands.push_back(command);
    for (const Command* sub : command->subcommands) commands.push_back(sub);
  }
  return commands;
}

void Histogram(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const auto begin = reply.Begin();
  int64_t count = 0;
  for (const Command* command : NamedCommands(ctx)) {
    const Times times = TimesOf(ctx, *command);
    if (times.total == 0) continue;
    reply.Bulk(command->name);
    ReplyTimes(times, reply);
    ++count;
  }
  reply.EndMap(begin, count);
}

constexpr uint32_t kLatencyFlags = kAdmin | kNoScript | kLoading | kStale;

constexpr CommandSpec kLatencySubcommands[] = {
    {.name = "DOCTOR",
     .arity = 2,
     .flags = kLatencyFlags,
     .handler = Doctor,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Explains what the recorded events tell.",
     .syntax = ""},
    {.name = "GRAPH",
     .arity = 3,
     .flags = kLatencyFlags,
     .handler = Graph,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Draws the latest events of a kind.",
     .syntax = "event"},
    {.name = "HELP",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Print this help.",
     .syntax = ""},
    {.name = "HISTOGRAM",
     .arity = -2,
     .flags = kLatencyFlags,
     .handler = Histogram,
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N) in the commands that have been called",
     .summary = "Answers how long the calls of commands took: of those named, or of all.",
     .syntax = "[command [command ...]]"},
    {.name = "HISTORY",
     .arity = 3,
     .flags = kLatencyFlags,
     .handler = History,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Answers the latest events of a kind: when, and how many milliseconds.",
     .syntax = "event"},
    {.name = "LATEST",
     .arity = 2,
     .flags = kLatencyFlags,
     .handler = Latest,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Answers the last event of each kind, and how long the longest took.",
     .syntax = ""},
    {.name = "RESET",
     .arity = -2,
     .flags = kLatencyFlags,
     .handler = ResetLatency,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Forgets the events of the kinds named, or all events.",
     .syntax = "[event [event ...]]"},
};

constexpr CommandSpec kLatencyCommands[] = {
    {.name = "LATENCY",
     .arity = -2,
     .subcommands = kLatencySubcommands,
     .group = "server",
     .since = "2.8.13",
     .complexity = "Depends on the subcommand",
     .summary = "Commands about what takes long.",
     .syntax = ""},
};

}  // namespace

std::span<const CommandSpec> LatencyCommands() { return kLatencyCommands; }

}  // namespace spinel
