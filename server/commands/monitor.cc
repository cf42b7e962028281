// MONITOR. What it shows, and how, is in server/monitors.h.

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/monitors.h"

namespace spinel {
namespace {

void Monitor(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (!ctx.may_block()) {
    return reply.Error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  // Who monitors already gets no second confirmation.
  if (ctx.session().monitoring.load(std::memory_order_relaxed)) return;
  ctx.server().monitors().Add(&ctx.loop(), &ctx.session());
  reply.Ok();
}

constexpr CommandSpec kMonitorCommands[] = {
    {.name = "MONITOR",
     .arity = 1,
     .flags = kAdmin | kNoScript | kLoading | kStale | kNoData,
     .handler = Monitor,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1); every command of every client costs more meanwhile",
     .summary = "Shows every command that the server executes, until the connection ends.",
     .syntax = ""},
};

}  // namespace

std::span<const CommandSpec> MonitorCommands() { return kMonitorCommands; }

}  // namespace spinel
