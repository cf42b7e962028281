// Times to live of a hash's fields: HEXPIRE, HTTL, HPERSIST and their relatives. (Values that are
// set or read together with a time are in hash_expiry_set.cc.)

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/expire_conditions.h"
#include "server/commands/families.h"
#include "server/commands/hash_fields_arg.h"
#include "server/commands/hash_reply.h"
#include "server/commands/string_args.h"

namespace spinel {
namespace {

// What is answered for a field.
constexpr int64_t kNoSuchField = -2;
constexpr int64_t kHasNoExpiry = -1;
constexpr int64_t kConditionFailed = 0;
constexpr int64_t kDone = 1;
constexpr int64_t kOverAlready = 2;

// -- HEXPIRE
// ---------------------------------------------------------------------------------------

int64_t ExpireField(KeySlot* slot, HashEditor* hash, std::string_view name, int64_t expiry,
                    const ExpireConditions& conditions) {
  HashItem item;
  if (!hash->Find(name, &item)) return kNoSuchField;
  if (!conditions.Hold(item.expiry, expiry)) return kConditionFailed;
  if (expiry > slot->now_ms()) {
    hash->SetExpiry(name, expiry);
    return kDone;
  }
  hash->Delete(name);
  slot->CountExpiredElements(1);
  return kOverAlready;
}

void ExpireFields(CommandContext& ctx, ArgReader& args, ReplyWriter& reply, TimeUnit unit,
                  Relation relation) {
  const size_t word = FindFieldsWord(ctx, 3);
  ExpireConditions conditions;
  if (word < ctx.argc()) {
    ArgReader options(ctx.args().first(word), 3);
    conditions = ReadExpireConditions(options);
    if (!options.Done(reply)) return;
  }
  const auto fields = ReadHashFields(ctx, args, word);
  const int64_t expiry = ReadExpiry(ctx, args.Skip(1), unit, relation, /*least=*/0);
  if (!args.Check(reply)) return;

  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kHash, reply)) return;
  bool changed = false;
  {
    HashEditor hash(&slot, HashLimitsOf(ctx));
    reply.Array(static_cast<int64_t>(fields.size()));
    for (const std::string_view name : fields) {
      const int64_t result = ExpireField(&slot, &hash, name, expiry, conditions);
      changed = changed || result == kDone || result == kOverAlready;
      reply.Integer(result);
    }
  }
  if (!changed) return;
  slot.NotifyRemoval(kNotifyHash, expiry > ctx.now_ms() ? "hexpire" : "hexpired");
}

void HExpire(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ExpireFields(ctx, args, reply, TimeUnit::kSeconds, Relation::kToNow);
}

void HPExpire(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ExpireFields(ctx, args, reply, TimeUnit::kMilliseconds, Relation::kToNow);
}

void HExpireAt(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ExpireFields(ctx, args, reply, TimeUnit::kSeconds, Relation::kAbsolute);
}

void HPExpireAt(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ExpireFields(ctx, args, reply, TimeUnit::kMilliseconds, Relation::kAbsolute);
}

// -- HTTL
// ------------------------------------------------------------------------------------------

void ReplyExpiries(CommandContext& ctx, ArgReader& args, ReplyWriter& reply, TimeUnit unit,
                   Relation relation) {
  const auto fields = ReadHashFields(ctx, args, 2, 1, "ERR syntax error");
  if (!args.Check(reply)) return;
  const ReadGuard value = ctx.Lookup();
  if (RefuseWrongType(value, ValueType::kHash, reply)) return;
  const int64_t base = relation == Relation::kToNow ? ctx.now_ms() : 0;
  reply.Array(static_cast<int64_t>(fields.size()));
  for (const std::string_view name : fields) {
    HashItem item;
    if (!value || !HashView(*value, ctx.now_ms()).Find(name, &item)) {
      reply.Integer(kNoSuchField);
    } else if (item.expiry == Entry::kNoExpiry) {
      reply.Integer(kHasNoExpiry);
    } else {
      reply.Integer(InUnit(item.expiry - base, unit));
    }
  }
}

void HTtl(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ReplyExpiries(ctx, args, reply, TimeUnit::kSeconds, Relation::kToNow);
}

void HPTtl(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ReplyExpiries(ctx, args, reply, TimeUnit::kMilliseconds, Relation::kToNow);
}

void HExpireTime(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ReplyExpiries(ctx, args, reply, TimeUnit::kSeconds, Relation::kAbsolute);
}

void HPExpireTime(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ReplyExpiries(ctx, args, reply, TimeUnit::kMilliseconds, Relation::kAbsolute);
}

// -- HPERSIST
// --------------------------------------------------------------------------------------

void HPersist(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const auto fields = ReadHashFields(ctx, args, 2);
  if (!args.Check(reply)) return;
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kHash, reply)) return;
  HashEditor hash(&slot, HashLimitsOf(ctx));
  bool changed = false;
  reply.Array(static_cast<int64_t>(fields.size()));
  for (const std::string_view name : fields) {
    HashItem item;
    if (!hash.Find(name, &item)) {
      reply.Integer(kNoSuchField);
    } else if (item.expiry == Entry::kNoExpiry) {
      reply.Integer(kHasNoExpiry);
    } else {
      hash.SetExpiry(name, Entry::kNoExpiry);
      changed = true;
      reply.Integer(kDone);
    }
  }
  if (changed) slot.Notify(kNotifyHash, "hpersist");
}

// -- Rows
// ------------------------------------------------------------------------------------------

constexpr CommandSpec Row(std::string_view name, int arity, uint32_t flags, int key_flags,
                          Handler handler, std::string_view summary, std::string_view syntax) {
  return {.name = name,
          .arity = arity,
          .flags = flags | kFast,
          .acl = kAclHash,
          .keys = OneKey(key_flags),
          .handler = handler,
          .group = "hash",
          .since = "9.0.0",
          .complexity = "O(N) for N fields that are named",
          .summary = summary,
          .syntax = syntax};
}

constexpr CommandSpec kHashExpiryCommands[] = {
    Row("HEXPIRE", -6, kWrite, kKeyRW | kKeyUpdate, HExpire,
        "Gives fields of a hash a time to live in seconds.",
        "key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]"),
    Row("HPEXPIRE", -6, kWrite, kKeyRW | kKeyUpdate, HPExpire,
        "Gives fields of a hash a time to live in milliseconds.",
        "key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]"),
    Row("HEXPIREAT", -6, kWrite, kKeyRW | kKeyUpdate, HExpireAt,
        "Lets fields of a hash expire at a Unix time in seconds.",
        "key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]"),
    Row("HPEXPIREAT", -6, kWrite, kKeyRW | kKeyUpdate, HPExpireAt,
        "Lets fields of a hash expire at a Unix time in milliseconds.",
        "key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]"),
    Row("HTTL", -5, kReadOnly, kKeyRO | kKeyAccess, HTtl,
        "Answers the seconds that fields still have to live; -1 without an expiry, -2 where there "
        "is no such field.",
        "key FIELDS numfields field [field ...]"),
    Row("HPTTL", -5, kReadOnly, kKeyRO | kKeyAccess, HPTtl,
        "Answers the milliseconds that fields still have to live; -1 without an expiry, -2 where "
        "there is no such field.",
        "key FIELDS numfields field [field ...]"),
    Row("HEXPIRETIME", -5, kReadOnly, kKeyRO | kKeyAccess, HExpireTime,
        "Answers the Unix times in seconds at which fields expire; -1 without an expiry, -2 where "
        "there is no such field.",
        "key FIELDS numfields field [field ...]"),
    Row("HPEXPIRETIME", -5, kReadOnly, kKeyRO | kKeyAccess, HPExpireTime,
        "Answers the Unix times in milliseconds at which fields expire; -1 without an expiry, -2 "
        "where there is no such field.",
        "key FIELDS numfields field [field ...]"),
    Row("HPERSIST", -5, kWrite, kKeyRW | kKeyUpdate, HPersist,
        "Takes the expiry from fields of a hash.", "key FIELDS numfields field [field ...]"),
};

}  // namespace

std::span<const CommandSpec> HashExpiryCommands() { return kHashExpiryCommands; }

}  // namespace spinel
