// COMMAND: what commands there are, told from their rows.

#include <fmt/format.h>

#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/glob.h"
#include "protocol/reply_writer.h"
#include "server/acl_categories.h"
#include "server/command_context.h"
#include "server/commands/command_reply.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/key_flags.h"

namespace spinel {
namespace {

// Commands that rename-command has not removed.
std::vector<const Command*> Callable(const CommandTable& table) {
  std::vector<const Command*> commands;
  for (const Command* command : table.top_level()) {
    if (!command->removed) commands.push_back(command);
  }
  return commands;
}

void ReplyAll(CommandContext& ctx, ReplyWriter& reply) {
  const std::vector<const Command*> commands = Callable(ctx.server().commands());
  reply.Array(static_cast<int64_t>(commands.size()));
  for (const Command* command : commands) ReplyCommandInfo(*command, reply);
}

// COMMAND alone; what follows it is no subcommand that is known.
void AllCommands(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (ctx.argc() == 1) return ReplyAll(ctx, reply);
  reply.Error(fmt::format("ERR unknown subcommand '{}'. Try COMMAND HELP.",
                          UntilNul(ctx.arg(1).substr(0, 128))));
}

void CommandCount(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Integer(static_cast<int64_t>(Callable(ctx.server().commands()).size()));
}

void CommandInfo(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (ctx.argc() == 2) return ReplyAll(ctx, reply);
  reply.Array(static_cast<int64_t>(ctx.argc() - 2));
  for (const std::string_view name : ctx.args().subspan(2)) {
    if (const Command* command = ctx.server().commands().FindFullName(name)) {
      ReplyCommandInfo(*command, reply);
    } else {
      reply.NullArray();
    }
  }
}

void CommandDocs(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const CommandTable& table = ctx.server().commands();
  std::vector<const Command*> commands;
  if (ctx.argc() == 2) {
    commands = Callable(table);
  } else {
    for (const std::string_view name : ctx.args().subspan(2)) {
      if (const Command* command = table.FindFullName(name)) commands.push_back(command);
    }
  }
  reply.Map(static_cast<int64_t>(commands.size()));
  for (const Command* command : commands) {
    reply.Bulk(command->name);
    ReplyCommandDocs(*command, reply);
  }
}

// COMMAND LIST's condition.
struct CommandListFilter {
  enum class Kind : uint8_t { kNone, kModule, kAclCategory, kPattern };
  Kind kind = Kind::kNone;
  uint32_t category = 0;
  std::string_view pattern;

  bool Admits(const Command& command) const {
    switch (kind) {
      case Kind::kNone:
        return true;
      case Kind::kModule:
        return false;  // no command comes from a module
      case Kind::kAclCategory:
        return (command.acl & category) != 0;
      case Kind::kPattern:
        return GlobMatch(pattern, command.name, true);
    }
    return false;
  }
};

CommandListFilter ReadListFilter(ArgReader& args) {
  CommandListFilter filter;
  if (!args.HasNext()) return filter;
  if (!args.Tag("FILTERBY") || args.Left() != 2) args.SyntaxError();
  if (args.Tag("MODULE")) {
    filter.kind = CommandListFilter::Kind::kModule;
    args.Skip(1);
  } else if (args.Tag("ACLCAT")) {
    filter.kind = CommandListFilter::Kind::kAclCategory;
    filter.category = FindAclCategory(args.String());
  } else if (args.Tag("PATTERN")) {
    filter.kind = CommandListFilter::Kind::kPattern;
    filter.pattern = args.String();
  } else {
    args.SyntaxError();
  }
  return filter;
}

void CommandList(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(1);
  const CommandListFilter filter = ReadListFilter(args);
  if (!args.Done(reply)) return;
  const auto begin = reply.Begin();
  int64_t count = 0;
  const auto add = [&](const Command& command) {
    if (!filter.Admits(command)) return;
    reply.Bulk(command.name);
    ++count;
  };
  for (const Command* command : Callable(ctx.server().commands())) {
    add(*command);
    for (const Command* sub : command->subcommands) add(*sub);
  }
  reply.EndArray(begin, count);
}

// GETKEYS and GETKEYSANDFLAGS: the request to look at begins behind their own name.
void ReplyKeys(CommandContext& ctx, bool with_flags, ReplyWriter& reply) {
  const CommandArgs request = ctx.args().subspan(2);
  const Command* command = ctx.server().commands().Find(request[0]);
  if (command != nullptr && !command->subcommands.empty() && request.size() > 1) {
    const Command* sub = CommandTable::FindSubcommand(*command, request[1]);
    if (sub != nullptr || command->spec->handler == nullptr) command = sub;
  }
  if (command == nullptr) return reply.Error("ERR Invalid command specified");
  const CommandSpec& spec = *command->spec;
  const bool no_keys = spec.keys.first == 0 || (spec.keys.flags & kKeyNotKey) != 0;
  if (no_keys && spec.extractor == nullptr) {
    return reply.Error("ERR The command has no key arguments");
  }
  if (!command->ArityFits(request.size())) {
    return reply.Error("ERR Invalid number of arguments specified for command");
  }
  std::vector<int> indexes;
  if (!ExtractKeys(spec, request, &indexes)) {
    if (command->Has(kNoMandatoryKeys)) return reply.Array(0);
    return reply.Error("ERR Invalid arguments specified for command");
  }
  reply.Array(static_cast<int64_t>(indexes.size()));
  for (size_t i = 0; i < indexes.size(); ++i) {
    if (with_flags) reply.Array(2);
    reply.Bulk(request[static_cast<size_t>(indexes[i])]);
    if (with_flags) ReplyKeyFlags(KeyFlagsOf(spec, request, i), reply);
  }
}

void CommandGetKeys(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyKeys(ctx, false, reply);
}

void CommandGetKeysAndFlags(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyKeys(ctx, true, reply);
}

constexpr CommandSpec kCommandSubcommands[] = {
    {.name = "COUNT",
     .arity = 2,
     .flags = kLoading | kStale,
     .acl = kAclConnection,
     .handler = CommandCount,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Counts the commands of this server."},
    {.name = "LIST",
     .arity = -2,
     .flags = kLoading | kStale,
     .acl = kAclConnection,
     .handler = CommandList,
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N) with N the commands there are",
     .summary = "Names commands and subcommands: all, or those that a filter admits.",
     .syntax = "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]"},
    {.name = "INFO",
     .arity = -2,
     .flags = kLoading | kStale,
     .acl = kAclConnection,
     .handler = CommandInfo,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N) with N the commands that are described",
     .summary = "Describes commands: arity, flags, keys, ACL categories. All, if none are named.",
     .syntax = "[command-name [command-name ...]]"},
    {.name = "DOCS",
     .arity = -2,
     .flags = kLoading | kStale,
     .acl = kAclConnection,
     .handler = CommandDocs,
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N) with N the commands that are documented",
     .summary = "Answers the documentation of commands, for people and for completion.",
     .syntax = "[command-name [command-name ...]]"},
    {.name = "GETKEYS",
     .arity = -3,
     .flags = kLoading | kStale,
     .acl = kAclConnection,
     .handler = CommandGetKeys,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N) with N the arguments of the command",
     .summary = "Answers which arguments of a command are keys.",
     .syntax = "command [arg [arg ...]]"},
    {.name = "GETKEYSANDFLAGS",
     .arity = -3,
     .flags = kLoading | kStale,
     .acl = kAclConnection,
     .handler = CommandGetKeysAndFlags,
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N) with N the arguments of the command",
     .summary = "Answers which arguments of a command are keys, and what it does with them.",
     .syntax = "command [arg [arg ...]]"},
    {.name = "HELP",
     .arity = 2,
     .flags = kLoading | kStale,
     .acl = kAclConnection,
     .handler = ReplyHelp,
     .group = "server",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Print this help."},
};

constexpr CommandSpec kCommandCommands[] = {
    {.name = "COMMAND",
     .arity = -1,
     .flags = kLoading | kStale,
     .acl = kAclConnection,
     .handler = AllCommands,
     .subcommands = kCommandSubcommands,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N) with N the commands there are",
     .summary = "Describes every command of this server."},
};

}  // namespace

std::span<const CommandSpec> CommandCommands() { return kCommandCommands; }

}  // namespace spinel
