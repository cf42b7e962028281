// Whole databases: DBSIZE, FLUSHDB, FLUSHALL, SWAPDB.

#include <limits>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/saver.h"

namespace spinel {
namespace {

constexpr int kAllDatabases = -1;

void DbSize(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Integer(static_cast<int64_t>(ctx.store().Size(ctx.session().db())));
}

void Flush(CommandContext& ctx, ArgReader& args, ReplyWriter& reply, int database) {
  bool background = ctx.config().lazyfree_lazy_user_flush();
  if (args.Tag("ASYNC")) {
    background = true;
  } else if (args.Tag("SYNC")) {
    background = false;
  }
  if (!args.Done(reply)) return;
  ctx.store().Flush(ctx.op(), database, background);
  if (database == kAllDatabases) {
    ctx.server().saver().DataFlushed(ctx.now_ms(), ctx.locking() == Locking::kHeld);
  }
  reply.Ok();
}

void FlushDb(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  Flush(ctx, args, reply, ctx.session().db());
}

void FlushAll(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  Flush(ctx, args, reply, kAllDatabases);
}

void SwapDb(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  constexpr int kLow = std::numeric_limits<int>::min();
  constexpr int kHigh = std::numeric_limits<int>::max();
  const int64_t first = args.IntInRange(kLow, kHigh, "ERR invalid first DB index");
  const int64_t second = args.IntInRange(kLow, kHigh, "ERR invalid second DB index");
  const auto exists = [&](int64_t db) { return db >= 0 && db < ctx.store().databases(); };
  if (args.ok() && (!exists(first) || !exists(second))) args.Fail("ERR DB index is out of range");
  if (!args.Done(reply)) return;
  ctx.store().SwapDatabases(ctx.op(), static_cast<int>(first), static_cast<int>(second));
  reply.Ok();
}

constexpr CommandSpec kDatabaseCommands[] = {
    {.name = "DBSIZE",
     .arity = 1,
     .flags = kReadOnly | kFast,
     .acl = kAclKeyspace,
     .handler = DbSize,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers how many keys the database holds."},
    {.name = "FLUSHDB",
     .arity = -1,
     .flags = kWrite,
     .acl = kAclKeyspace | kAclDangerous,
     .handler = FlushDb,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N) for the N keys of the database; O(1) with ASYNC",
     .summary = "Removes all keys of the database, freeing them in the background if asked to.",
     .syntax = "[ASYNC | SYNC]"},
    {.name = "FLUSHALL",
     .arity = -1,
     .flags = kWrite,
     .acl = kAclKeyspace | kAclDangerous,
     .handler = FlushAll,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N) for the N keys of all databases; O(1) with ASYNC",
     .summary = "Removes all keys of all databases, freeing them in the background if asked to.",
     .syntax = "[ASYNC | SYNC]"},
    {.name = "SWAPDB",
     .arity = 3,
     .flags = kWrite | kFast,
     .acl = kAclKeyspace | kAclDangerous,
     .handler = SwapDb,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Swaps two databases: clients of one see the other's keys from then on.",
     .syntax = "index1 index2"},
};

}  // namespace

std::span<const CommandSpec> DatabaseCommands() { return kDatabaseCommands; }

}  // namespace spinel
