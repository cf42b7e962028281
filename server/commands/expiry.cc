// Times to live: EXPIRE, TTL, PERSIST and their relatives.

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"

namespace spinel {


std::span<const CommandSpec> ExpiryCommands() { return {}; }

}  // namespace spinel
