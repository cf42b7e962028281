// The subcommands of CLIENT that are about client-side caching; their rows are in client.cc.
#pragma once

namespace spinel {

class ArgReader;
class CommandContext;
class ReplyWriter;

void ClientCaching(CommandContext& ctx, ArgReader& args, ReplyWriter& reply);
void ClientGetRedir(CommandContext& ctx, ArgReader& args, ReplyWriter& reply);
void ClientTracking(CommandContext& ctx, ArgReader& args, ReplyWriter& reply);
void ClientTrackingInfo(CommandContext& ctx, ArgReader& args, ReplyWriter& reply);

}  // namespace spinel
