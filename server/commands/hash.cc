// Fields of a hash by their names: HSET, HGET, HDEL and their relatives.

#include <fmt/format.h>

#include <optional>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/hash_reply.h"
#include "server/commands/string_args.h"

namespace spinel {
namespace {

// Sets the fields and writes errors; otherwise returns how many there were not.
std::optional<size_t> SetFields(CommandContext& ctx, ReplyWriter& reply) {
  if (ctx.argc() % 2 != 0) {
    reply.Error(fmt::format("ERR wrong number of arguments for '{}' command", ctx.command().name));
    return std::nullopt;
  }
  const HashPairs pairs(ctx.args().subspan(2), ctx.input());
  if (!pairs.ok()) {
    reply.Error(kNoMemoryError);
    return std::nullopt;
  }
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kHash, reply)) return std::nullopt;
  const size_t added = HashEditor(&slot, HashLimitsOf(ctx)).SetAll(pairs);
  slot.Notify(kNotifyHash, "hset");
  return added;
}

void HSet(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (const auto added = SetFields(ctx, reply)) reply.Integer(static_cast<int64_t>(*added));
}

void HMSet(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (SetFields(ctx, reply)) reply.Ok();
}

void HSetNx(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const HashPairs pairs(ctx.args().subspan(2), ctx.input());
  if (!pairs.ok()) return reply.Error(kNoMemoryError);
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kHash, reply)) return;
  HashEditor hash(&slot, HashLimitsOf(ctx));
  HashItem item;
  if (hash.Find(ctx.arg(2), &item)) return reply.Integer(0);
  hash.SetAll(pairs);
  slot.Notify(kNotifyHash, "hset");
  reply.Integer(1);
}

// Answers the field's value, or null.
void ReplyField(const HashView& hash, std::string_view name, ReplyWriter& reply) {
  HashItem item;
  hash.Find(name, &item) ? ReplyHashValue(item.value, reply) : reply.Null();
}

void HGet(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard value = ctx.Lookup();
  if (RefuseWrongType(value, ValueType::kHash, reply)) return;
  if (!value) return reply.Null();
  ReplyField(HashView(*value, ctx.now_ms()), ctx.arg(2), reply);
}

void HMGet(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard value = ctx.Lookup();
  if (RefuseWrongType(value, ValueType::kHash, reply)) return;
  reply.Array(static_cast<int64_t>(ctx.argc()) - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (value) {
      ReplyField(HashView(*value, ctx.now_ms()), ctx.arg(i), reply);
    } else {
      reply.Null();
    }
  }
}

void HLen(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard value = ctx.Lookup();
  if (RefuseWrongType(value, ValueType::kHash, reply)) return;
  reply.Integer(value ? static_cast<int64_t>(HashView(*value, ctx.now_ms()).size()) : 0);
}

void HStrLen(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard value = ctx.Lookup();
  if (RefuseWrongType(value, ValueType::kHash, reply)) return;
  HashItem item;
  const bool found = value && HashView(*value, ctx.now_ms()).Find(ctx.arg(2), &item);
  reply.Integer(found ? static_cast<int64_t>(item.value.bytes.size()) : 0);
}

void HExists(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard value = ctx.Lookup();
  if (RefuseWrongType(value, ValueType::kHash, reply)) return;
  HashItem item;
  reply.Integer(value && HashView(*value, ctx.now_ms()).Find(ctx.arg(2), &item) ? 1 : 0);
}

void HDel(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kHash, reply)) return;
  int64_t deleted = 0;
  {
    HashEditor hash(&slot, HashLimitsOf(ctx));
    for (size_t i = 2; i < ctx.argc(); ++i) {
      if (hash.Delete(ctx.arg(i))) ++deleted;
    }
  }
  if (deleted > 0) slot.NotifyRemoval(kNotifyHash, "hdel");
  reply.Integer(deleted);
}

constexpr KeySpec kChangedHash = OneKey(kKeyRW | kKeyUpdate);
constexpr KeySpec kReadHash = OneKey(kKeyRO | kKeyAccess);

constexpr CommandSpec kHashCommands[] = {
    {.name = "HSET",
     .arity = -4,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclHash,
     .keys = kChangedHash,
     .handler = HSet,
     .element = 2,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(N) for N fields that are set",
     .summary = "Sets fields of a hash; answers how many of them are new.",
     .syntax = "key field value [field value ...]"},
    {.name = "HMSET",
     .arity = -4,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclHash,
     .keys = kChangedHash,
     .handler = HMSet,
     .element = 2,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(N) for N fields that are set",
     .summary = "Sets fields of a hash. The same as HSET, which also tells how many are new.",
     .syntax = "key field value [field value ...]"},
    {.name = "HSETNX",
     .arity = 4,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclHash,
     .keys = OneKey(kKeyRW | kKeyInsert),
     .handler = HSetNx,
     .element = 2,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Sets a field of a hash unless it is there already.",
     .syntax = "key field value"},
    {.name = "HGET",
     .arity = 3,
     .flags = kReadOnly | kFast,
     .acl = kAclHash,
     .keys = kReadHash,
     .handler = HGet,
     .element = 2,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Answers the value of a field, or null.",
     .syntax = "key field"},
    {.name = "HMGET",
     .arity = -3,
     .flags = kReadOnly | kFast,
     .acl = kAclHash,
     .keys = kReadHash,
     .handler = HMGet,
     .element = 2,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(N) for N fields that are asked for",
     .summary = "Answers the values of fields, null for those that are not there.",
     .syntax = "key field [field ...]"},
    {.name = "HLEN",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .acl = kAclHash,
     .keys = OneKey(kKeyRO),
     .handler = HLen,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Answers how many fields a hash has.",
     .syntax = "key"},
    {.name = "HSTRLEN",
     .arity = 3,
     .flags = kReadOnly | kFast,
     .acl = kAclHash,
     .keys = OneKey(kKeyRO),
     .handler = HStrLen,
     .element = 2,
     .group = "hash",
     .since = "3.2.0",
     .complexity = "O(1)",
     .summary = "Answers the length in bytes of a field's value.",
     .syntax = "key field"},
    {.name = "HEXISTS",
     .arity = 3,
     .flags = kReadOnly | kFast,
     .acl = kAclHash,
     .keys = OneKey(kKeyRO),
     .handler = HExists,
     .element = 2,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Answers whether a hash has a field.",
     .syntax = "key field"},
    {.name = "HDEL",
     .arity = -3,
     .flags = kWrite | kFast,
     .acl = kAclHash,
     .keys = OneKey(kKeyRW | kKeyDelete),
     .handler = HDel,
     .element = 2,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(N) for N fields that are named",
     .summary = "Removes fields, and with its last field the hash; answers how many there were.",
     .syntax = "key field [field ...]"},
};

}  // namespace

std::span<const CommandSpec> HashCommands() { return kHashCommands; }

}  // namespace spinel
