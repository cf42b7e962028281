// EVAL, EVALSHA, their read-only forms, and SCRIPT.

#include <fmt/format.h>

#include "protocol/arg_reader.h"
#include "protocol/ascii.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/counted_keys.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/script_engine.h"

namespace spinel {
namespace {

template <bool kBySha, bool kReadOnlyForm>
void Eval(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ScriptEngine::Of(ctx).Eval(ctx, reply, kBySha, kReadOnlyForm);
}

void ScriptLoad(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  std::string error;
  const auto script = ScriptEngine::Of(ctx).Load(ctx.arg(2), &error);
  if (script == nullptr) return reply.Error(error);
  reply.Bulk(script->sha);
}

void ScriptExists(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Array(static_cast<int64_t>(ctx.argc()) - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    reply.Integer(ctx.server().scripts().Find(AsciiLower(ctx.arg(i))) != nullptr ? 1 : 0);
  }
}

// Each loop frees its own the next time it runs a script: nobody waits for anything either way.
void ScriptFlush(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (ctx.argc() > 3 || (ctx.argc() == 3 && !EqualsIgnoreCase(ctx.arg(2), "SYNC") &&
                         !EqualsIgnoreCase(ctx.arg(2), "ASYNC"))) {
    return reply.Error("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  }
  ctx.server().scripts().Flush();
  reply.Ok();
}

void ScriptKill(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const std::string error = ctx.server().scripts().Kill(/*eval=*/true);
  error.empty() ? reply.Ok() : reply.Error(error);
}

void ScriptShow(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const auto script = ctx.server().scripts().Find(AsciiLower(ctx.arg(2)));
  if (script == nullptr) {
    return reply.Error("NOSCRIPT No matching script. Please use EVAL.");
  }
  reply.Bulk(script->body);
}

// There is no debugger: NO is what is in force anyway.
void ScriptDebug(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const std::string_view mode = ctx.arg(2);
  if (EqualsIgnoreCase(mode, "NO")) return reply.Ok();
  if (EqualsIgnoreCase(mode, "YES") || EqualsIgnoreCase(mode, "SYNC")) {
    return reply.Error("ERR The script debugger is not available");
  }
  reply.Error("ERR Use SCRIPT DEBUG YES/SYNC/NO");
}

constexpr CommandSpec ScriptRow(std::string_view name, int arity, uint32_t flags, Handler handler,
                                std::string_view since, std::string_view complexity,
                                std::string_view summary, std::string_view syntax) {
  return {.name = name,
          .arity = arity,
          .flags = flags | kNoData,
          .acl = kAclScripting,
          .handler = handler,
          .group = "scripting",
          .since = since,
          .complexity = complexity,
          .summary = summary,
          .syntax = syntax};
}

constexpr CommandSpec kScriptSubcommands[] = {
    ScriptRow("DEBUG", 3, kNoScript, ScriptDebug, "3.2.0", "O(1)",
              "Sets the mode of the script debugger.", "<YES | SYNC | NO>"),
    ScriptRow("EXISTS", -3, kNoScript, ScriptExists, "2.6.0", "O(N) for N hashes",
              "Answers which scripts are in the cache.", "sha1 [sha1 ...]"),
    ScriptRow("FLUSH", -2, kNoScript, ScriptFlush, "2.6.0", "O(N) for N scripts",
              "Empties the cache of scripts.", "[ASYNC | SYNC]"),
    ScriptRow("KILL", 2, kNoScript | kAllowBusy, ScriptKill, "2.6.0", "O(1)",
              "Stops a script that takes too long and has written nothing.", ""),
    ScriptRow("LOAD", 3, kNoScript | kStale, ScriptLoad, "2.6.0", "O(N) for N bytes",
              "Puts a script into the cache without running it.", "script"),
    ScriptRow("SHOW", 3, kNoScript, ScriptShow, "8.0.0", "O(1)",
              "Answers the text of a script in the cache.", "sha1"),
    ScriptRow("HELP", 2, kLoading | kStale, ReplyHelp, "5.0.0", "O(1)", "Print this help.", ""),
};

constexpr uint32_t kEvalFlags = kNoScript | kStale | kSkipMonitor | kMayReplicate;
constexpr int kChangedKeys = kKeyRW | kKeyAccess | kKeyUpdate;
constexpr int kReadKeys = kKeyRO | kKeyAccess;
constexpr uint32_t kEvalRoFlags = kNoScript | kStale | kSkipMonitor | kReadOnly;

constexpr CommandSpec Row(std::string_view name, uint32_t flags, Handler handler,
                          std::string_view since, std::string_view summary,
                          std::string_view syntax) {
  return {.name = name,
          .arity = -3,
          .flags = flags | kNoMandatoryKeys | kMovableKeys | kAnyData,
          .acl = kAclScripting,
          .keys = Keys(0, 0, 0, (flags & kReadOnly) != 0 ? kReadKeys : kChangedKeys),
          .handler = handler,
          .extractor = CountedKeys<2>,
          .group = "scripting",
          .since = since,
          .complexity = "That of the script",
          .summary = summary,
          .syntax = syntax};
}

constexpr CommandSpec kScriptCommands[] = {
    Row("EVAL", kEvalFlags, Eval<false, false>, "2.6.0", "Runs a Lua script.",
        "script numkeys [key [key ...]] [arg [arg ...]]"),
    Row("EVALSHA", kEvalFlags, Eval<true, false>, "2.6.0",
        "Runs a Lua script of the cache by its SHA-1.",
        "sha1 numkeys [key [key ...]] [arg [arg ...]]"),
    Row("EVAL_RO", kEvalRoFlags, Eval<false, true>, "7.0.0",
        "Runs a Lua script that may not write.", "script numkeys [key [key ...]] [arg [arg ...]]"),
    Row("EVALSHA_RO", kEvalRoFlags, Eval<true, true>, "7.0.0",
        "Runs a Lua script of the cache that may not write.",
        "sha1 numkeys [key [key ...]] [arg [arg ...]]"),
    {.name = "SCRIPT",
     .arity = -2,
     .subcommands = kScriptSubcommands,
     .group = "scripting",
     .since = "2.6.0",
     .complexity = "Depends on the subcommand.",
     .summary = "Commands about scripts."},
};

}  // namespace

std::span<const CommandSpec> ScriptCommands() { return kScriptCommands; }

}  // namespace spinel
