// FCALL, FCALL_RO and FUNCTION.

#include <fmt/format.h>

#include <algorithm>

#include "protocol/arg_reader.h"
#include "protocol/ascii.h"
#include "protocol/glob.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/counted_keys.h"
#include "server/commands/families.h"
#include "server/commands/function_dump.h"
#include "server/commands/help.h"
#include "server/library_restore.h"
#include "server/script_engine.h"

namespace spinel {
namespace {

template <bool kReadOnlyForm>
void Call(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ScriptEngine::Of(ctx).CallFunction(ctx, reply, kReadOnlyForm);
}

void LoadLibrary(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  bool replace = false;
  for (size_t i = 2; i + 1 < ctx.argc(); ++i) {
    if (!EqualsIgnoreCase(ctx.arg(i), "REPLACE")) {
      return reply.Error(fmt::format("ERR Unknown option given: {}", ctx.arg(i)));
    }
    replace = true;
  }
  Scripts& scripts = ctx.server().scripts();
  std::shared_ptr<FunctionLibrary> library;
  std::string error = ScriptEngine::Of(ctx).LoadLibrary(ctx.arg(ctx.argc() - 1), &library);
  if (error.empty()) {
    error = ChangeLibraries(
        &scripts, [&](FunctionLibraries* libraries) { return libraries->Add(library, replace); });
  }
  if (!error.empty()) return reply.Error(error);
  ctx.op().stats->changes.Add();
  reply.Bulk(library->name);
}

void Delete(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const std::string error =
      ChangeLibraries(&ctx.server().scripts(), [&](FunctionLibraries* libraries) -> std::string {
        if (!libraries->by_name.contains(ctx.arg(2))) return "ERR Library not found";
        libraries->Remove(ctx.arg(2));
        return {};
      });
  if (!error.empty()) return reply.Error(error);
  ctx.op().stats->changes.Add();
  reply.Ok();
}

void Flush(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (ctx.argc() > 3) {
    return reply.Error(
        "ERR unknown subcommand or wrong number of arguments for 'flush'. Try FUNCTION HELP.");
  }
  if ((ctx.argc() == 3 && !EqualsIgnoreCase(ctx.arg(2), "SYNC") &&
       !EqualsIgnoreCase(ctx.arg(2), "ASYNC"))) {
    return reply.Error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  }
  RestoreLibraries(&ctx.server().scripts(), {}, LibraryPolicy::kFlush);
  ctx.op().stats->changes.Add();
  reply.Ok();
}

void ReplyFunction(const ScriptFunction& function, ReplyWriter& reply) {
  reply.Map(3);
  reply.Bulk("name");
  reply.Bulk(function.name);
  reply.Bulk("description");
  function.has_description ? reply.Bulk(function.description) : reply.Null();
  reply.Bulk("flags");
  const auto begin = reply.Begin();
  int64_t flags = 0;
  for (uint32_t i = 0; i < kScriptFlags; ++i) {
    if ((function.flags & 1u << i) == 0) continue;
    reply.Simple(ScriptFlagName(1u << i));
    ++flags;
  }
  reply.EndSet(begin, flags);
}

void ListLibraries(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  bool with_code = false;
  bool has_pattern = false;
  std::string_view pattern;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (!with_code && EqualsIgnoreCase(ctx.arg(i), "WITHCODE")) {
      with_code = true;
    } else if (!has_pattern && EqualsIgnoreCase(ctx.arg(i), "LIBRARYNAME")) {
      if (i + 1 >= ctx.argc()) return reply.Error("ERR library name argument was not given");
      pattern = ctx.arg(++i);
      has_pattern = true;
    } else {
      return reply.Error(fmt::format("ERR Unknown argument {}", ctx.arg(i)));
    }
  }
  const auto libraries = ctx.server().scripts().libraries();
  const auto begin = reply.Begin();
  int64_t count = 0;
  for (const auto& [name, library] : libraries->by_name) {
    if (has_pattern && !GlobMatch(pattern, name, /*nocase=*/true)) continue;
    ++count;
    reply.Map(with_code ? 4 : 3);
    reply.Bulk("library_name");
    reply.Bulk(name);
    reply.Bulk("engine");
    reply.Bulk("LUA");
    reply.Bulk("functions");
    reply.Array(static_cast<int64_t>(library->functions.size()));
    for (const auto& function : library->functions) ReplyFunction(*function, reply);
    if (with_code) {
      reply.Bulk("library_code");
      reply.Bulk(library->code);
    }
  }
  reply.EndArray(begin, count);
}

void Stats(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  Scripts& scripts = ctx.server().scripts();
  const auto running = scripts.busy_script();
  if (running != nullptr && running->eval) return reply.Error(scripts.BusyText());
  reply.Map(2);
  reply.Bulk("running_script");
  if (running == nullptr) {
    reply.Null();
  } else {
    reply.Map(3);
    reply.Bulk("name");
    reply.Bulk(running->name);
    reply.Bulk("command");
    reply.Array(static_cast<int64_t>(running->command.size()));
    for (const std::string& arg : running->command) reply.Bulk(arg);
    reply.Bulk("duration_ms");
    reply.Integer(SteadyMilliseconds() - running->since_ms);
  }
  const auto libraries = scripts.libraries();
  reply.Bulk("engines");
  reply.Map(1);
  reply.Bulk("LUA");
  reply.Map(2);
  reply.Bulk("libraries_count");
  reply.Integer(static_cast<int64_t>(libraries->by_name.size()));
  reply.Bulk("functions_count");
  reply.Integer(static_cast<int64_t>(libraries->functions.size()));
}

void KillFunction(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const std::string error = ctx.server().scripts().Kill(/*eval=*/false);
  error.empty() ? reply.Ok() : reply.Error(error);
}

void FunctionDump(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Bulk(DumpLibraries(ctx.server().scripts().LibraryCodes()));
}

void FunctionRestore(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const std::string_view policy = ctx.argc() == 4 ? ctx.arg(3) : "APPEND";
  const bool flush = EqualsIgnoreCase(policy, "FLUSH");
  const bool replace = EqualsIgnoreCase(policy, "REPLACE");
  if (ctx.argc() > 4 || (!flush && !replace && !EqualsIgnoreCase(policy, "APPEND"))) {
    return reply.Error(
        ctx.argc() > 4
            ? "ERR unknown subcommand or wrong number of arguments for 'restore'. Try FUNCTION "
              "HELP."
            : "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
  }
  std::vector<std::string> codes;
  std::string error = ReadLibraryDump(ctx.arg(2), &codes);
  if (error.empty()) {
    const LibraryPolicy what = flush     ? LibraryPolicy::kFlush
                               : replace ? LibraryPolicy::kReplace
                                         : LibraryPolicy::kAppend;
    error = RestoreLibraries(&ctx.server().scripts(), codes, what);
  }
  if (!error.empty()) return reply.Error(error);
  ctx.op().stats->changes.Add();
  reply.Ok();
}

constexpr CommandSpec FunctionRow(std::string_view name, int arity, uint32_t flags, Handler handler,
                                  std::string_view complexity, std::string_view summary,
                                  std::string_view syntax) {
  return {.name = name,
          .arity = arity,
          .flags = flags | kNoData,
          .acl = kAclScripting,
          .handler = handler,
          .group = "scripting",
          .since = "7.0.0",
          .complexity = complexity,
          .summary = summary,
          .syntax = syntax};
}

constexpr CommandSpec kFunctionSubcommands[] = {
    FunctionRow("DELETE", 3, kWrite | kNoScript, Delete, "O(1)", "Removes a library.",
                "library-name"),
    FunctionRow("DUMP", 2, kNoScript, FunctionDump, "O(N) for N functions",
                "Answers all libraries in one payload for RESTORE.", ""),
    FunctionRow("FLUSH", -2, kWrite | kNoScript, Flush, "O(N) for N functions",
                "Removes every library.", "[ASYNC | SYNC]"),
    FunctionRow("KILL", 2, kNoScript | kAllowBusy, KillFunction, "O(1)",
                "Stops a function that takes too long and has written nothing.", ""),
    FunctionRow("LIST", -2, kNoScript, ListLibraries, "O(N) for N functions",
                "Answers what libraries there are, and their functions.",
                "[LIBRARYNAME pattern] [WITHCODE]"),
    FunctionRow("LOAD", -3, kWrite | kDenyOom | kNoScript, LoadLibrary,
                "That of the library's top level", "Adds a library.", "[REPLACE] function-code"),
    FunctionRow("RESTORE", -3, kWrite | kDenyOom | kNoScript, FunctionRestore,
                "O(N) for N functions", "Adds the libraries of a payload.",
                "serialized-value [FLUSH | APPEND | REPLACE]"),
    FunctionRow("STATS", 2, kNoScript | kAllowBusy, Stats, "O(1)",
                "Answers what function runs, and how many there are.", ""),
    FunctionRow("HELP", 2, kLoading | kStale, ReplyHelp, "O(1)", "Print this help.", ""),
};

constexpr int kFcallKeys = kKeyRW | kKeyAccess | kKeyUpdate;
constexpr int kFcallReadKeys = kKeyRO | kKeyAccess;

constexpr CommandSpec Row(std::string_view name, uint32_t flags, Handler handler,
                          std::string_view summary) {
  return {.name = name,
          .arity = -3,
          .flags = flags | kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys | kMovableKeys |
                   kAnyData,
          .acl = kAclScripting,
          .keys = Keys(0, 0, 0, (flags & kReadOnly) != 0 ? kFcallReadKeys : kFcallKeys),
          .handler = handler,
          .extractor = CountedKeys<2>,
          .group = "scripting",
          .since = "7.0.0",
          .complexity = "That of the function",
          .summary = summary,
          .syntax = "function numkeys [key [key ...]] [arg [arg ...]]"};
}

constexpr CommandSpec kFunctionCommands[] = {
    Row("FCALL", kMayReplicate, Call<false>, "Calls a function."),
    Row("FCALL_RO", kReadOnly, Call<true>, "Calls a function that may not write."),
    {.name = "FUNCTION",
     .arity = -2,
     .subcommands = kFunctionSubcommands,
     .group = "scripting",
     .since = "7.0.0",
     .complexity = "Depends on the subcommand.",
     .summary = "Commands about functions and their libraries."},
};

}  // namespace

std::span<const CommandSpec> FunctionCommands() { return kFunctionCommands; }

}  // namespace spinel
