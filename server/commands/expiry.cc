// Times to live: EXPIRE, TTL, PERSIST and their relatives.

#include <limits>

#include "protocol/arg_reader.h"
#include "protocol/ascii.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/expire_conditions.h"
#include "server/commands/families.h"
#include "server/commands/string_args.h"

namespace spinel {
namespace {

void ExpireKey(CommandContext& ctx, ArgReader& args, ReplyWriter& reply, TimeUnit unit,
               Relation relation) {
  // The options are looked at before the time.
  ArgReader options(ctx.args(), 3);
  const ExpireConditions conditions = ReadExpireConditions(options);
  if (!options.Done(reply)) return;
  // Unlike for SET and its like the time may be in the past.
  constexpr int64_t kLeastTime = std::numeric_limits<int64_t>::min();
  const int64_t expiry = ReadExpiry(ctx, args.Skip(1), unit, relation, kLeastTime);
  if (!args.Check(reply)) return;

  WriteGuard slot = ctx.Write();
  if (!slot) return reply.Integer(0);
  slot.Touch();
  if (!conditions.Hold(slot.expiry(), expiry)) return reply.Integer(0);
  if (expiry > ctx.now_ms()) {
    slot.SetExpiry(expiry);
  } else if (ctx.config().lazyfree_lazy_expire()) {
    slot.Unlink();
  } else {
    slot.Delete();
  }
  slot.Notify(kNotifyGeneric, slot ? "expire" : "del");
  reply.Integer(1);
}

void Expire(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ExpireKey(ctx, args, reply, TimeUnit::kSeconds, Relation::kToNow);
}
void PExpire(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ExpireKey(ctx, args, reply, TimeUnit::kMilliseconds, Relation::kToNow);
}
void ExpireAt(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ExpireKey(ctx, args, reply, TimeUnit::kSeconds, Relation::kAbsolute);
}
void PExpireAt(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ExpireKey(ctx, args, reply, TimeUnit::kMilliseconds, Relation::kAbsolute);
}

void ReplyExpiry(CommandContext& ctx, ReplyWriter& reply, TimeUnit unit, Relation relation) {
  constexpr int64_t kNoKey = -2;
  constexpr int64_t kNoTtl = -1;
  const ReadGuard value = ctx.Lookup(1, LookupMode::kCountNoTouch);
  if (!value) return reply.Integer(kNoKey);
  const int64_t expiry = value->expiry();
  if (expiry == Entry::kNoExpiry) return reply.Integer(kNoTtl);
  reply.Integer(InUnit(relation == Relation::kToNow ? expiry - ctx.now_ms() : expiry, unit));
}

void Ttl(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyExpiry(ctx, reply, TimeUnit::kSeconds, Relation::kToNow);
}
void PTtl(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyExpiry(ctx, reply, TimeUnit::kMilliseconds, Relation::kToNow);
}
void ExpireTime(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyExpiry(ctx, reply, TimeUnit::kSeconds, Relation::kAbsolute);
}
void PExpireTime(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyExpiry(ctx, reply, TimeUnit::kMilliseconds, Relation::kAbsolute);
}

void Persist(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  WriteGuard slot = ctx.Write();
  if (slot) slot.Touch();
  if (!slot.Persist()) return reply.Integer(0);
  slot.Notify(kNotifyGeneric, "persist");
  reply.Integer(1);
}

// The rows of EXPIRE and its three relatives differ in little, and so do those of TTL.
constexpr CommandSpec ExpireRow(std::string_view name, std::string_view since, Handler handler,
                                std::string_view summary, std::string_view syntax) {
  return {.name = name,
          .arity = -3,
          .flags = kWrite | kFast,
          .acl = kAclKeyspace,
          .keys = OneKey(kKeyRW | kKeyUpdate),
          .handler = handler,
          .group = "generic",
          .since = since,
          .complexity = "O(1)",
          .summary = summary,
          .syntax = syntax};
}

constexpr CommandSpec TtlRow(std::string_view name, std::string_view since, Handler handler,
                             std::string_view summary) {
  return {.name = name,
          .arity = 2,
          .flags = kReadOnly | kFast,
          .acl = kAclKeyspace,
          .keys = OneKey(kKeyRO | kKeyAccess),
          .handler = handler,
          .group = "generic",
          .since = since,
          .complexity = "O(1)",
          .summary = summary,
          .syntax = "key"};
}

constexpr CommandSpec kExpiryCommands[] = {
    ExpireRow("EXPIRE", "1.0.0", Expire, "Sets the time to live of a key, in seconds.",
              "key seconds [NX | XX | GT | LT]"),
    ExpireRow("PEXPIRE", "2.6.0", PExpire, "Sets the time to live of a key, in milliseconds.",
              "key milliseconds [NX | XX | GT | LT]"),
    ExpireRow("EXPIREAT", "1.2.0", ExpireAt, "Sets when a key expires, as a Unix time in seconds.",
              "key unix-time-seconds [NX | XX | GT | LT]"),
    ExpireRow("PEXPIREAT", "2.6.0", PExpireAt,
              "Sets when a key expires, as a Unix time in milliseconds.",
              "key unix-time-milliseconds [NX | XX | GT | LT]"),
    TtlRow("TTL", "1.0.0", Ttl, "Answers the time to live of a key, in seconds."),
    TtlRow("PTTL", "2.6.0", PTtl, "Answers the time to live of a key, in milliseconds."),
    TtlRow("EXPIRETIME", "7.0.0", ExpireTime,
           "Answers when a key expires, as a Unix time in seconds."),
    TtlRow("PEXPIRETIME", "7.0.0", PExpireTime,
           "Answers when a key expires, as a Unix time in milliseconds."),
    {.name = "PERSIST",
     .arity = 2,
     .flags = kWrite | kFast,
     .acl = kAclKeyspace,
     .keys = OneKey(kKeyRW | kKeyUpdate),
     .handler = Persist,
     .group = "generic",
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Takes the time to live off a key.",
     .syntax = "key"},
};

}  // namespace

std::span<const CommandSpec> ExpiryCommands() { return kExpiryCommands; }

}  // namespace spinel
