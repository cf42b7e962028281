// The server as a whole: INFO, TIME, ROLE, SHUTDOWN, MODULE.

#include <ctime>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/info.h"
#include "server/log.h"
#include "server/shutdown.h"

namespace spinel {
namespace {

void Info(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Verbatim("txt", MakeInfo(ctx.server(), ctx.now_ms(), ctx.args().subspan(1)));
}

// In a script or transaction time stands still.
void Time(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (ctx.locking() == Locking::kHeld) {
    now.tv_sec = ctx.now_ms() / 1000;
    now.tv_nsec = ctx.now_ms() % 1000 * 1'000'000;
  }
  reply.Array(2);
  reply.BulkInteger(now.tv_sec);
  reply.BulkInteger(now.tv_nsec / 1000);
}

// A master with no replicas whose log of changes is at its start.
void Role(CommandContext&, ArgReader&, ReplyWriter& reply) {
  reply.Array(3);
  reply.Bulk("master");
  reply.Integer(0);
  reply.Array(0);
}

// `*abort`: the one word that is about another SHUTDOWN.
ShutdownRequest ReadShutdownRequest(ArgReader& args, bool* abort) {
  ShutdownRequest request;
  while (args.HasNext()) {
    if (args.Tag("NOSAVE")) {
      request.nosave = true;
    } else if (args.Tag("SAVE")) {
      request.save = true;
    } else if (args.Tag("NOW")) {
      request.now = true;
    } else if (args.Tag("FORCE")) {
      request.force = true;
    } else if (args.Tag("ABORT")) {
      *abort = true;
    } else {
      args.SyntaxError();
    }
  }
  const bool any = request.save || request.nosave || request.now || request.force;
  if ((*abort && any) || (request.save && request.nosave)) args.SyntaxError();
  return request;
}

// There are no replicas to wait for, so NOW changes nothing.
void Shutdown(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  bool abort = false;
  const ShutdownRequest request = ReadShutdownRequest(args, &abort);
  if (!args.Done(reply)) return;
  ShutdownSequence& shutdown = ctx.server().shutdown();
  if (abort) {
    if (!shutdown.Abort()) return reply.Error("ERR No shutdown in progress.");
    return reply.Ok();
  }
  LogWarning("User requested shutdown...");
  if (!shutdown.Run(request, ctx.loop().index, ctx.now_ms())) {
    return reply.Error("ERR Errors trying to SHUTDOWN. Check logs.");
  }
  // As with Redis there is no reply: the connection's end says it.
  ctx.session().close_after_reply = true;
}

void ModuleList(CommandContext&, ArgReader&, ReplyWriter& reply) { reply.Array(0); }

constexpr CommandSpec kModuleSubcommands[] = {
    {.name = "LIST",
     .arity = 2,
     .flags = kAdmin | kNoScript,
     .handler = ModuleList,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Answers the modules that are loaded: none, this server loads no modules."},
    {.name = "HELP",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .group = "server",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Print this help."},
};

constexpr CommandSpec kAdminCommands[] = {
    {.name = "INFO",
     .arity = -1,
     .flags = kLoading | kStale,
     .acl = kAclDangerous,
     .handler = Info,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Reports the server's state and statistics, in sections.",
     .syntax = "[section [section ...]]"},
    {.name = "TIME",
     .arity = 1,
     .flags = kLoading | kStale | kFast | kNoData,
     .handler = Time,
     .group = "server",
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Answers the server's clock: Unix seconds, and microseconds of the second."},
    {.name = "ROLE",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast,
     .acl = kAclAdmin | kAclDangerous,
     .handler = Role,
     .group = "server",
     .since = "2.8.12",
     .complexity = "O(1)",
     .summary = "Answers the server's part in replication."},
    {.name = "SHUTDOWN",
     .arity = -1,
     .flags = kAdmin | kNoScript | kLoading | kStale | kNoMulti | kAllowBusy,
     .handler = Shutdown,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N) with N the keys, when they are saved",
     .summary = "Stops the server.",
     .syntax = "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]"},
    {.name = "MODULE",
     .arity = -2,
     .subcommands = kModuleSubcommands,
     .group = "server",
     .since = "4.0.0",
     .complexity = "Depends on the subcommand.",
     .summary = "Container of the commands about modules."},
};

}  // namespace

std::span<const CommandSpec> AdminCommands() { return kAdminCommands; }

}  // namespace spinel
