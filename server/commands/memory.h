// What other families share with MEMORY.
#pragma once

namespace spinel {

class ArgReader;
class CommandContext;
class ReplyWriter;

// Answers the allocator's own statistics as text for people.
void ReplyAllocatorStats(CommandContext& ctx, ArgReader& args, ReplyWriter& reply);

}  // namespace spinel
