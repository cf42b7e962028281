// The connection itself: AUTH, HELLO, PING, SELECT, CLIENT and their relatives.

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"

namespace spinel {
namespace {
void Ping(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) { reply.Simple("PONG"); }

constexpr CommandSpec kCommands[] = {
    {.name = "PING", .arity = -1, .flags = kFast, .handler = Ping},
};
}  // namespace

std::span<const CommandSpec> ConnectionCommands() { return kCommands; }

}  // namespace spinel
