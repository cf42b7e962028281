// CONFIG: the running configuration over the wire.

#include <string>
#include <utility>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/help.h"

namespace spinel {
namespace {

void ReplyStatus(const ConfigStatus& status, ReplyWriter& reply) {
  if (status.ok()) {
    reply.Ok();
  } else {
    reply.Error(status.error());
  }
}

void ConfigGet(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const std::vector<std::pair<std::string, std::string>> found =
      ctx.config().Get(ctx.args().subspan(2));
  reply.Map(static_cast<int64_t>(found.size()));
  for (const auto& [name, value] : found) {
    reply.Bulk(name);
    reply.Bulk(value);
  }
}

void ConfigSet(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ConfigSetContext context;
  context.local_client = ctx.session().origin.loopback;
  context.loading = ctx.server().Has(Trouble::kLoading);
  ReplyStatus(ctx.server().mutable_config().Set(ctx.args().subspan(2), context), reply);
}

void ConfigRewrite(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyStatus(ctx.server().mutable_config().Rewrite(), reply);
}

void ConfigResetStat(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ctx.server().ResetStatistics();
  reply.Ok();
}

constexpr uint32_t kAdministrative = kAdmin | kNoScript | kLoading | kStale;

constexpr CommandSpec kConfigSubcommands[] = {
    {.name = "GET",
     .arity = -3,
     .flags = kAdministrative,
     .handler = ConfigGet,
     .group = "server",
     .since = "2.0.0",
     .complexity = "O(N) with N the options there are times the patterns given",
     .summary = "Answers the options that match glob patterns, and their values.",
     .syntax = "parameter [parameter ...]"},
    {.name = "SET",
     .arity = -4,
     .flags = kAdministrative,
     .handler = ConfigSet,
     .group = "server",
     .since = "2.0.0",
     .complexity = "O(N) with N the options given",
     .summary = "Changes options of the running server: all of them, or none if one is refused.",
     .syntax = "parameter value [parameter value ...]"},
    {.name = "RESETSTAT",
     .arity = 2,
     .flags = kAdministrative,
     .handler = ConfigResetStat,
     .group = "server",
     .since = "2.0.0",
     .complexity = "O(N) with N the commands and error codes that are counted",
     .summary = "Sets the statistics that INFO reports back to zero."},
    {.name = "REWRITE",
     .arity = 2,
     .flags = kAdministrative,
     .handler = ConfigRewrite,
     .group = "server",
     .since = "2.8.0",
     .complexity = "O(N) with N the options there are",
     .summary = "Writes the present values into the configuration file."},
    {.name = "HELP",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .group = "server",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Print this help."},
};

constexpr CommandSpec kConfigCommands[] = {
    {.name = "CONFIG",
     .arity = -2,
     .subcommands = kConfigSubcommands,
     .group = "server",
     .since = "2.0.0",
     .complexity = "Depends on the subcommand.",
     .summary = "Container of the commands about the server's configuration."},
};

}  // namespace

std::span<const CommandSpec> ConfigCommands() { return kConfigCommands; }

}  // namespace spinel
