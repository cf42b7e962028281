// DEBUG: what test suites and people who look for a fault need. Refused unless enable-debug-command
// allows it.

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <thread>

#include "protocol/arg_reader.h"
#include "protocol/glob.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/debug_protocol.h"
#include "server/commands/families.h"
#include "server/commands/memory.h"
#include "server/commands/string_args.h"
#include "server/config_value.h"
#include "server/dataset_digest.h"
#include "server/library_restore.h"
#include "server/loading.h"
#include "server/log.h"
#include "server/saver.h"
#include "storage/big_value.h"
#include "storage/list_value.h"
#include "storage/string_value.h"
#include "storage/value_info.h"

namespace spinel {
namespace {

bool Allowed(const CommandContext& ctx) {
  switch (ctx.config().enable_debug_command()) {
    case ProtectedAction::kNo:
      return false;
    case ProtectedAction::kLocal:
      return ctx.session().origin.loopback;
    case ProtectedAction::kYes:
      return true;
  }
  return false;
}

// -- Time
// ------------------------------------------------------------------------------------------

// Stops every loop, not only this one: as seen by clients the server hangs.
void Sleep(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  constexpr double kMaxSeconds = 1e6;
  const double seconds = args.Double();
  if (args.ok() && (seconds < 0 || seconds > kMaxSeconds)) {
    args.Fail("ERR value is out of range, must be positive");
  }
  if (!args.Done(reply)) return;
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                               std::chrono::duration<double>(seconds));
  Runtime& runtime = ctx.server().runtime();
  for (int i = 0; i < runtime.loops(); ++i) {
    if (i != ctx.loop().index) runtime.Post(i, [end] { std::this_thread::sleep_until(end); });
  }
  std::this_thread::sleep_until(end);
  // What follows in the same pipeline must not live in the past.
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  ctx.loop().op.SetNow(ctx.now_ms() + passed.count());
  reply.Ok();
}

void SetActiveExpire(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t on = args.IntInRange(0, 1);
  if (!args.Done(reply)) return;
  ctx.server().active_expire.store(on == 1, std::memory_order_relaxed);
  reply.Ok();
}

void PauseCron(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t on = args.IntInRange(0, 1);
  if (!args.Done(reply)) return;
  ctx.server().cron_paused.store(on == 1, std::memory_order_relaxed);
  reply.Ok();
}

void SetDisableDenyScripts(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ctx.server().deny_scripts.store(ctx.arg(2) != "1");
  reply.Ok();
}

// -- Values
// ----------------------------------------------------------------------------------------

// Bytes of a length in an RDB file.
size_t RdbLengthBytes(size_t length) {
  if (length < (1u << 6)) return 1;
  if (length < (1u << 14)) return 2;
  return length <= UINT32_MAX ? 5 : 9;
}

// Bytes of the value in an RDB file, not compressed; of a collection those that it takes in memory.
size_t SerializedLength(const Entry& entry) {
  if (entry.type() != ValueType::kString) {
    return entry.is_object() ? entry.object()->MemoryBytes() : entry.inline_value().size();
  }
  if (entry.string_encoding() == StringEncoding::kInteger) {
    const int64_t value = entry.integer();
    if (value >= INT8_MIN && value <= INT8_MAX) return 2;
    if (value >= INT16_MIN && value <= INT16_MAX) return 3;
    if (value >= INT32_MIN && value <= INT32_MAX) return 5;
  }
  const size_t length = StringLength(entry);
  return RdbLengthBytes(length) + length;
}

// What else DEBUG OBJECT tells of a list of several chunks; "compressed" is whether
// list-compress-depth asks for it, as Redis tells it.
std::string ChunkDetails(const CommandContext& ctx, const Entry& entry) {
  if (entry.type() != ValueType::kList) return {};
  const ListView list(entry);
  if (list.chunks() == 0) return {};
  return fmt::format(
      " ql_nodes:{} ql_avg_node:{:.2f} ql_listpack_max:{} ql_compressed:{} ql_uncompressed_size:{}",
      list.chunks(), static_cast<double>(list.size()) / static_cast<double>(list.chunks()),
      ctx.config().list_max_listpack_size(), ctx.config().list_compress_depth() == 0 ? 0 : 1,
      list.bytes());
}

void Object(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const size_t key = args.position();
  const ReadGuard value = ctx.Lookup(key, LookupMode::kPeek);
  if (!value) return reply.Error("ERR no such key");
  const uint32_t clock = value->access_clock();
  reply.Simple(fmt::format(
      "Value at:{} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}{}",
      fmt::ptr(&*value), EncodingName(*value), SerializedLength(*value), clock,
      ctx.store().access_tracking().IdleSeconds(clock, ctx.now_ms()), ChunkDetails(ctx, *value)));
}

void DigestAll(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Simple(DatasetDigest(&ctx.store(), ctx.op()));
}

void DigestValue(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  reply.Array(static_cast<int64_t>(args.Left()));
  for (size_t i = args.position(); i < ctx.argc(); ++i) {
    const ReadGuard value = ctx.Lookup(i, LookupMode::kPeek);
    reply.Simple(value ? ValueDigest(*value, ctx.now_ms()) : EmptyDigest());
  }
}

void Populate(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  constexpr std::string_view kNotPositive = "ERR value is out of range, must be positive";
  const int64_t count = args.IntInRange(0, std::numeric_limits<int64_t>::max(), kNotPositive);
  const std::string_view prefix = args.HasNext() ? args.String() : "key";
  const int64_t size =
      args.HasNext() ? args.IntInRange(0, ctx.config().proto_max_bulk_len(), kNotPositive) : 0;
  if (!args.Done(reply)) return;
  for (int64_t i = 0; i < count; ++i) {
    std::string bytes = fmt::format("value:{}", i);
    if (size > 0) bytes.resize(static_cast<size_t>(size));
    StringValueArg value(bytes);
    if (!value.ok()) return reply.Error(kNoMemoryError);
    const std::string name = fmt::format("{}:{}", prefix, i);
    WriteGuard slot =
        ctx.store().Write(ctx.op(), ctx.session().db(), Store::MakeKey(name), ctx.locking());
    if (!slot) value.Store(&slot, Entry::kNoExpiry);
  }
  reply.Ok();
}

// Writes everything to the snapshot and reads it again. Other clients are told to wait: they would
// see the data half loaded.
Status ReloadData(CommandContext& ctx, bool merge, bool flush, bool save) {
  Saver& saver = ctx.server().saver();
  if (save) {
    saver.CancelAndWait();
    std::string error;
    const Saver::Begun begun = saver.Save(ctx.now_ms(), &error);
    if (begun == Saver::Begun::kBusy) return Status::Error("a snapshot is being taken");
    if (begun == Saver::Begun::kFailed) return Status::Error(error);
  }
  if (flush) {
    ctx.store().Flush(ctx.op(), /*database=*/-1, /*background=*/false);
    RestoreLibraries(&ctx.server().scripts(), {}, LibraryPolicy::kFlush);
  }
  Status status = ctx.server().loading().LoadHere(
      &ctx.loop(), merge ? Loading::Repeated::kReplace : Loading::Repeated::kRefuse);
  saver.ForgetChanges();
  return status;
}

void Reload(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  bool merge = false;
  bool flush = true;
  bool save = true;
  while (args.HasNext()) {
    if (args.Tag("MERGE")) {
      merge = true;
    } else if (args.Tag("NOFLUSH")) {
      flush = false;
    } else if (args.Tag("NOSAVE")) {
      save = false;
    } else {
      args.Fail("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    }
  }
  if (!args.Done(reply)) return;
  if (ctx.locking() == Locking::kHeld) {
    return reply.Error("ERR DEBUG RELOAD is not possible inside of a transaction or script");
  }
  Server& server = ctx.server();
  if (!server.Set(Trouble::kLoading, true)) {
    return reply.Error("LOADING Redis is loading the dataset in memory");
  }
  Status status = Status::Error("somebody else stops the server, or reloads");
  if (server.WaitForLoops(ctx.loop().index)) status = ReloadData(ctx, merge, flush, save);
  server.Set(Trouble::kLoading, false);
  if (status.ok()) return reply.Ok();
  LogWarning("DEBUG RELOAD: {}", status.message());
  reply.Error("ERR Error trying to load the RDB dump, check server logs.");
}

// -- The rest
// --------------------------------------------------------------------------------------

void Protocol(CommandContext&, ArgReader& args, ReplyWriter& reply) {
  ReplySample(args.String(), reply);
}

void SetListOwnChunkBytes(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  constexpr int64_t kMax = (int64_t{1} << 32) - (1 << 20);
  const std::optional<int64_t> bytes = ParseMemory(args.String());
  if (!bytes || *bytes < 0 || *bytes > kMax) {
    return reply.Error("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  }
  ctx.server().list_own_chunk_bytes.store(static_cast<size_t>(*bytes), std::memory_order_relaxed);
  reply.Ok();
}

void ErrorReply(CommandContext&, ArgReader& args, ReplyWriter& reply) {
  reply.Error(args.String());
}

void WriteToLog(CommandContext&, ArgReader& args, ReplyWriter& reply) {
  LogWarning("DEBUG LOG: {}", args.String());
  reply.Ok();
}

// -- Crashes
// ---------------------------------------------------------------------------------------

void Segfault(CommandContext&, ArgReader&, ReplyWriter&) {
  // Behind the compiler's back: it would rather not.
  volatile uintptr_t nowhere = 0x10;
  *reinterpret_cast<volatile int*>(nowhere) = 1;
}

[[noreturn]] void GiveUp(CommandContext&, ArgReader&, ReplyWriter&) {
  LogWarning("DEBUG PANIC: the server gives up because a client asked it to");
  std::abort();
}

// How long a pattern takes: against a text of that many letters.
void StringMatch(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t length = args.IntInRange(0, ctx.config().proto_max_bulk_len());
  const std::string_view pattern = args.String();
  if (!args.Done(reply)) return;
  const std::string text(static_cast<size_t>(length), 'a');
  reply.Integer(GlobMatch(pattern, text, /*nocase=*/false) ? 1 : 0);
}

void ChangeReplicationId(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ctx.server().ChangeReplicationId();
  reply.Ok();
}

void RewriteWholeConfig(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ConfigStatus status = ctx.server().mutable_config().Rewrite(/*force_all=*/true);
  if (!status.ok()) return reply.Error(status.error());
  reply.Ok();
}

void Help(CommandContext& ctx, ArgReader& args, ReplyWriter& reply);

constexpr CommandSpec Row(std::string_view name, int arity, Handler handler,
                          std::string_view syntax, std::string_view summary) {
  return {.name = name, .arity = arity, .handler = handler, .summary = summary, .syntax = syntax};
}

// DEBUG's own subcommands: COMMAND does not know them.
constexpr CommandSpec kDebugSubcommands[] = {
    Row("CHANGE-REPL-ID", 2, ChangeReplicationId, "", "Gives the data set a new replication ID."),
    Row("CONFIG-REWRITE-FORCE-ALL", 2, RewriteWholeConfig, "",
        "Does as CONFIG REWRITE, and writes options with their default value too."),
    Row("DIGEST", 2, DigestAll, "", "Answers a digest of the whole data set."),
    Row("DIGEST-VALUE", -2, DigestValue, "[key ...]", "Answers a digest of each key's value."),
    Row("ERROR", 3, ErrorReply, "<text>", "Answers the text as an error."),
    Row("JMAP", 2, ReplyAllocatorStats, "", "Answers the allocator's own account of its memory."),
    Row("LOG", 3, WriteToLog, "<text>", "Writes the text to the server's log."),
    Row("OBJECT", 3, Object, "<key>", "Shows how the value at a key is kept."),
    Row("PANIC", 2, GiveUp, "", "Ends the server as after a failed assertion."),
    Row("PAUSE-CRON", 3, PauseCron, "<0|1>",
        "Stops what the server does by itself from time to time, or lets it go on."),
    Row("POPULATE", -3, Populate, "<count> [<prefix>] [<size>]",
        "Makes that many strings named <prefix>:<number>, 'key' if there is no prefix, where there "
        "is no such key yet."),
    Row("PROTOCOL", 3, Protocol, "<type>",
        "Answers a sample of a type: string, integer, double, bignum, null, array, set, map, "
        "attrib, "
        "push, verbatim, true or false."),
    Row("QUICKLIST-PACKED-THRESHOLD", 3, SetListOwnChunkBytes, "<size>",
        "Sets the size from which on an element of a long list gets a chunk of its own. 0: as "
        "large "
        "as a chunk may be, the default."),
    Row("RELOAD", -2, Reload, "[option ...]",
        "Saves everything and loads it again. MERGE: keys that are there are replaced; NOFLUSH: "
        "nothing is removed before; NOSAVE: the snapshot that is there is loaded."),
    Row("SEGFAULT", 2, Segfault, "", "Crashes the server by a bad memory access."),
    Row("SET-DISABLE-DENY-SCRIPTS", 3, SetDisableDenyScripts, "<0|1>",
        "Lets scripts call commands that are refused to them, or not any more."),
    Row("SET-ACTIVE-EXPIRE", 3, SetActiveExpire, "<0|1>",
        "Turns the removal of expired keys that nobody reads off and on."),
    Row("SLEEP", 3, Sleep, "<seconds>", "Stops the server for that long. Decimals are allowed."),
    Row("STRINGMATCH-LEN", 4, StringMatch, "<length> <pattern>",
        "Matches a pattern with a text of that length, made of the letter a."),
    Row("HELP", 2, Help, "", "Print this help."),
};

void Help(CommandContext&, ArgReader&, ReplyWriter& reply) {
  reply.Array(1 + 2 * static_cast<int64_t>(std::size(kDebugSubcommands)));
  reply.Simple("DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const CommandSpec& row : kDebugSubcommands) {
    reply.Simple(fmt::format("{}{}{}", row.name, row.syntax.empty() ? "" : " ", row.syntax));
    reply.Simple(fmt::format("    {}", row.summary));
  }
}

void Debug(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  constexpr size_t kMaxText = 128;
  if (!Allowed(ctx)) {
    return reply.Error(
        "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", "
        "you "
        "can run it from a local connection, otherwise you need to set this option in the "
        "configuration file, and then restart the server.");
  }
  const std::string_view name = args.String();
  for (const CommandSpec& row : kDebugSubcommands) {
    const bool fits = row.arity > 0 ? ctx.argc() == static_cast<size_t>(row.arity)
                                    : ctx.argc() >= static_cast<size_t>(-row.arity);
    if (fits && EqualsIgnoreCase(row.name, name)) return row.handler(ctx, args, reply);
  }
  reply.Error(
      fmt::format("ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.",
                  name.substr(0, kMaxText)));
}

constexpr CommandSpec kDebugCommands[] = {
    {.name = "DEBUG",
     .arity = -2,
     .flags = kAdmin | kNoScript | kLoading | kStale | kProtected,
     .handler = Debug,
     .group = "server",
     .since = "1.0.0",
     .complexity = "That of its subcommand",
     .summary = "Commands for tests and for finding faults.",
     .syntax = "subcommand [arg ...]"},
};

}  // namespace

std::span<const CommandSpec> DebugCommands() { return kDebugCommands; }

}  // namespace spinel
