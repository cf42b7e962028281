// SLOWLOG and COMMANDLOG: commands that took long, or were large. They are written down by
// server/observation.h.

#include <limits>
#include <optional>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/observation.h"

namespace spinel {
namespace {

void ReplyLatest(const CommandLog& log, int64_t count, ReplyWriter& reply) {
  const size_t most = count < 0 ? std::numeric_limits<size_t>::max() : static_cast<size_t>(count);
  const auto entries = log.Latest(most);
  reply.Array(static_cast<int64_t>(entries.size()));
  for (const auto& entry : entries) {
    reply.Array(6);
    reply.Integer(static_cast<int64_t>(entry->id));
    reply.Integer(entry->unix_seconds);
    reply.Integer(entry->value);
    reply.Array(static_cast<int64_t>(entry->args.size()));
    for (const std::string& arg : entry->args) reply.Bulk(arg);
    reply.Bulk(entry->client_address);
    reply.Bulk(entry->client_name);
  }
}

// -1: all.
int64_t ReadCount(ArgReader& args) {
  return args.IntInRange(-1, std::numeric_limits<int64_t>::max(),
                         "ERR count should be greater than or equal to -1");
}

CommandLog& SlowLog(CommandContext& ctx) {
  return ctx.server().observation().log(CommandLogKind::kSlow);
}

void SlowLogGet(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  if (ctx.argc() > 3) {
    return reply.Error(
        "ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.");
  }
  args.Skip(1);
  const int64_t count = args.HasNext() ? ReadCount(args) : 10;
  if (!args.Done(reply)) return;
  ReplyLatest(SlowLog(ctx), count, reply);
}

void SlowLogLen(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Integer(static_cast<int64_t>(SlowLog(ctx).size()));
}

void SlowLogReset(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  SlowLog(ctx).Clear();
  reply.Ok();
}

CommandLog* ReadLog(CommandContext& ctx, ArgReader& args) {
  Observation& observation = ctx.server().observation();
  if (args.Tag("slow")) return &observation.log(CommandLogKind::kSlow);
  if (args.Tag("large-request")) return &observation.log(CommandLogKind::kLargeRequest);
  if (args.Tag("large-reply")) return &observation.log(CommandLogKind::kLargeReply);
  args.Fail("ERR type should be one of the following: slow, large-request, large-reply");
  return nullptr;
}

void CommandLogGet(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t count = ReadCount(args.Skip(1));
  const CommandLog* const log = ReadLog(ctx, args);
  if (!args.Done(reply)) return;
  ReplyLatest(*log, count, reply);
}

void CommandLogLen(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const CommandLog* const log = ReadLog(ctx, args.Skip(1));
  if (!args.Done(reply)) return;
  reply.Integer(static_cast<int64_t>(log->size()));
}

void CommandLogReset(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  CommandLog* const log = ReadLog(ctx, args.Skip(1));
  if (!args.Done(reply)) return;
  log->Clear();
  reply.Ok();
}

constexpr CommandSpec kSlowLogSubcommands[] = {
    {.name = "GET",
     .arity = -2,
     .flags = kAdmin | kLoading | kStale,
     .handler = SlowLogGet,
     .group = "server",
     .since = "2.2.12",
     .complexity = "O(N) in the entries answered",
     .summary =
         "Answers the latest commands that took long: 10, or as many as asked for (-1: all).",
     .syntax = "[count]"},
    {.name = "HELP",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .group = "server",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Print this help.",
     .syntax = ""},
    {.name = "LEN",
     .arity = 2,
     .flags = kAdmin | kLoading | kStale,
     .handler = SlowLogLen,
     .group = "server",
     .since = "2.2.12",
     .complexity = "O(1)",
     .summary = "Answers how many commands the slow log holds.",
     .syntax = ""},
    {.name = "RESET",
     .arity = 2,
     .flags = kAdmin | kLoading | kStale,
     .handler = SlowLogReset,
     .group = "server",
     .since = "2.2.12",
     .complexity = "O(N) in the entries",
     .summary = "Empties the slow log.",
     .syntax = ""},
};

#define SPINEL_LOG_TYPES "<SLOW | LARGE-REQUEST | LARGE-REPLY>"

constexpr CommandSpec kCommandLogSubcommands[] = {
    {.name = "GET",
     .arity = -4,
     .flags = kAdmin | kLoading | kStale,
     .handler = CommandLogGet,
     .group = "server",
     .since = "8.1.0",
     .complexity = "O(N) in the entries answered",
     .summary = "Answers the latest entries of a log (-1: all).",
     .syntax = "count " SPINEL_LOG_TYPES},
    {.name = "HELP",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .group = "server",
     .since = "8.1.0",
     .complexity = "O(1)",
     .summary = "Print this help.",
     .syntax = ""},
    {.name = "LEN",
     .arity = 3,
     .flags = kAdmin | kLoading | kStale,
     .handler = CommandLogLen,
     .group = "server",
     .since = "8.1.0",
     .complexity = "O(1)",
     .summary = "Answers how many entries a log holds.",
     .syntax = SPINEL_LOG_TYPES},
    {.name = "RESET",
     .arity = 3,
     .flags = kAdmin | kLoading | kStale,
     .handler = CommandLogReset,
     .group = "server",
     .since = "8.1.0",
     .complexity = "O(N) in the entries",
     .summary = "Empties a log.",
     .syntax = SPINEL_LOG_TYPES},
};

#undef SPINEL_LOG_TYPES

constexpr CommandSpec kSlowLogCommands[] = {
    {.name = "SLOWLOG",
     .arity = -2,
     .subcommands = kSlowLogSubcommands,
     .group = "server",
     .since = "2.2.12",
     .complexity = "Depends on the subcommand",
     .summary = "Commands about the log of commands that took long.",
     .syntax = ""},
    {.name = "COMMANDLOG",
     .arity = -2,
     .subcommands = kCommandLogSubcommands,
     .group = "server",
     .since = "8.1.0",
     .complexity = "Depends on the subcommand",
     .summary = "Commands about the logs of slow commands, large requests and large replies.",
     .syntax = ""},
};

}  // namespace

std::span<const CommandSpec> SlowLogCommands() { return kSlowLogCommands; }

}  // namespace spinel
