#include "server/commands/help.h"

#include <fmt/format.h>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"

namespace spinel {

void ReplyHelp(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const CommandSpec& container = *ctx.command().parent->spec;
  const auto begin = reply.Begin();
  int64_t lines = 1;
  reply.Simple(
      fmt::format("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", container.name));
  const auto line = [&](const CommandSpec& spec) {
    const std::string_view space = spec.syntax.empty() ? "" : " ";
    reply.Simple(fmt::format("{}{}{}", spec.name, space, spec.syntax));
    reply.Simple(fmt::format("    {}", spec.summary));
    lines += 2;
  };
  const CommandSpec* help = nullptr;
  for (const CommandSpec& spec : container.subcommands) {
    if (spec.handler == ReplyHelp) {
      help = &spec;
    } else {
      line(spec);
    }
  }
  line(*help);
  reply.EndArray(begin, lines);
}

}  // namespace spinel
