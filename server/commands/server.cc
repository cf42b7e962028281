// The server as a whole: CONFIG, INFO, FLUSHALL, SHUTDOWN and their relatives.

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"

namespace spinel {


std::span<const CommandSpec> ServerCommands() { return {}; }

}  // namespace spinel
