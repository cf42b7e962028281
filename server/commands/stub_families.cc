#include "server/commands/families.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
namespace spinel {
namespace {
void Ping(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) { reply.Simple("PONG"); }
constexpr CommandSpec kPing[] = {{.name="PING", .arity=-1, .flags=kFast, .handler=Ping}};
}
std::span<const CommandSpec> KeyspaceCommands() { return {}; }
std::span<const CommandSpec> ExpiryCommands() { return {}; }
std::span<const CommandSpec> ConnectionCommands() { return kPing; }
std::span<const CommandSpec> PubSubCommands() { return {}; }
std::span<const CommandSpec> ServerCommands() { return {}; }
std::span<const CommandSpec> IntrospectionCommands() { return {}; }
}
