// MULTI, EXEC, DISCARD, WATCH, UNWATCH. What they do is in server/transaction.h; queueing is the
// Dispatcher's.

#include "server/transaction.h"

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"

namespace spinel {
namespace {

void Multi(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  Transaction::Of(ctx).Begin();
  reply.Ok();
}

void Exec(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (!ctx.session().in_multi()) return reply.Error("ERR EXEC without MULTI");
  ctx.session().transaction->Exec(ctx, reply);
}

void Discard(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (!ctx.session().in_multi()) return reply.Error("ERR DISCARD without MULTI");
  ctx.session().transaction->Discard();
  reply.Ok();
}

void Watch(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  Transaction::Of(ctx).Watch(ctx);
  reply.Ok();
}

void Unwatch(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  // Inside EXEC there is nothing left to unwatch.
  if (ctx.session().transaction != nullptr) ctx.session().transaction->Unwatch(ctx.locking());
  reply.Ok();
}

constexpr CommandSpec kTransactionCommands[] = {
    {.name = "MULTI",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kNoMulti | kAllowBusy,
     .acl = kAclTransaction,
     .handler = Multi,
     .group = "transactions",
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Begins a transaction: commands are queued until EXEC.",
     .syntax = ""},
    {.name = "EXEC",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kSkipSlowlog | kImmediate,
     .acl = kAclTransaction,
     .handler = Exec,
     .group = "transactions",
     .since = "1.2.0",
     .complexity = "that of the queued commands together",
     .summary = "Runs all queued commands with nothing in between, unless a watched key has "
                "changed.",
     .syntax = ""},
    {.name = "DISCARD",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy | kImmediate,
     .acl = kAclTransaction,
     .handler = Discard,
     .group = "transactions",
     .since = "2.0.0",
     .complexity = "O(N) for N queued commands",
     .summary = "Drops the transaction: what is queued, and what is watched.",
     .syntax = ""},
    {.name = "WATCH",
     .arity = -2,
     .flags = kNoScript | kLoading | kStale | kFast | kNoMulti | kAllowBusy,
     .acl = kAclTransaction,
     .keys = Keys(1, -1, 1, kKeyRO),
     .handler = Watch,
     .group = "transactions",
     .since = "2.2.0",
     .complexity = "O(N) for N keys",
     .summary = "Has the next EXEC do nothing if one of the keys changes before it.",
     .syntax = "key [key ...]"},
    {.name = "UNWATCH",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy | kNoData,
     .acl = kAclTransaction,
     .handler = Unwatch,
     .group = "transactions",
     .since = "2.2.0",
     .complexity = "O(N) for N watched keys",
     .summary = "Watches no key any more.",
     .syntax = ""},
};

}  // namespace

std::span<const CommandSpec> TransactionCommands() { return kTransactionCommands; }

}  // namespace spinel
