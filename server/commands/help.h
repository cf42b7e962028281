// HELP of a container command (CLIENT HELP, CONFIG HELP ...), made from its subcommands' rows.
//
// Every container has a HELP row with ReplyHelp as its handler:
//
//   {.name = "HELP", .arity = 2, .flags = kLoading | kStale, .handler = ReplyHelp, ...}
#pragma once

namespace spinel {

class ArgReader;
class CommandContext;
class ReplyWriter;

// Answers one line of status per subcommand and one for its summary, in the order of the rows, with
// HELP itself last. Expects to run as a subcommand.
void ReplyHelp(CommandContext& ctx, ArgReader& args, ReplyWriter& reply);

}  // namespace spinel
