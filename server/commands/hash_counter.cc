// Fields of a hash as numbers: HINCRBY, HINCRBYFLOAT.

#include <cmath>

#include "protocol/arg_reader.h"
#include "protocol/numbers.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/hash_reply.h"
#include "server/commands/long_double.h"

namespace spinel {
namespace {

void HIncrBy(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const std::string_view name = args.Skip(1).String();
  const int64_t increment = args.Int();
  if (!args.Done(reply)) return;
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kHash, reply)) return;
  HashEditor hash(&slot, HashLimitsOf(ctx));
  int64_t value = 0;
  HashItem item;
  if (hash.Find(name, &item) && !ParseInt64(item.value.bytes, &value)) {
    return reply.Error("ERR hash value is not an integer");
  }
  if (__builtin_add_overflow(value, increment, &value)) {
    return reply.Error("ERR increment or decrement would overflow");
  }
  char digits[kMaxInt64Chars];
  const auto size = static_cast<size_t>(WriteInt64(digits, value) - digits);
  hash.Set(name, {{digits, size}}, HashEditor::kKeepExpiry);
  slot.Notify(kNotifyHash, "hincrby");
  reply.Integer(value);
}

void HIncrByFloat(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const std::string_view name = args.Skip(1).String();
  long double increment = 0;
  if (!ParseLongDouble(args.String(), &increment)) args.Fail("ERR value is not a valid float");
  if (args.ok() && std::isinf(increment)) args.Fail("ERR value is NaN or Infinity");
  if (!args.Done(reply)) return;
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kHash, reply)) return;
  HashEditor hash(&slot, HashLimitsOf(ctx));
  long double value = 0;
  HashItem item;
  if (hash.Find(name, &item) && !ParseLongDouble(item.value.bytes, &value)) {
    return reply.Error("ERR hash value is not a float");
  }
  value += increment;
  if (std::isnan(value) || std::isinf(value)) {
    return reply.Error("ERR increment would produce NaN or Infinity");
  }
  const LongDoubleText text(value);
  hash.Set(name, {text.view()}, HashEditor::kKeepExpiry);
  slot.Notify(kNotifyHash, "hincrbyfloat");
  reply.Bulk(text.view());
}

constexpr KeySpec kCounterHash = OneKey(kKeyRW | kKeyAccess | kKeyUpdate);

constexpr CommandSpec kHashCounterCommands[] = {
    {.name = "HINCRBY",
     .arity = 4,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclHash,
     .keys = kCounterHash,
     .handler = HIncrBy,
     .element = 2,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Adds to the integer in a field; a missing field counts as 0.",
     .syntax = "key field increment"},
    {.name = "HINCRBYFLOAT",
     .arity = 4,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclHash,
     .keys = kCounterHash,
     .handler = HIncrByFloat,
     .element = 2,
     .group = "hash",
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Adds to the floating point number in a field; a missing field counts as 0.",
     .syntax = "key field increment"},
};

}  // namespace

std::span<const CommandSpec> HashCounterCommands() { return kHashCounterCommands; }

}  // namespace spinel
