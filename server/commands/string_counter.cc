// Strings as numbers: INCR and its family.

#include <cmath>
#include <limits>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/long_double.h"
#include "server/commands/value_reply.h"

namespace spinel {
namespace {

constexpr std::string_view kNotAnInteger = "ERR value is not an integer or out of range";
constexpr std::string_view kNotAFloat = "ERR value is not a valid float";

// -- Integers
// --------------------------------------------------------------------------------------

void Add(CommandContext& ctx, int64_t increment, ReplyWriter& reply) {
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kString, reply)) return;
  int64_t value = 0;
  const bool in_place = slot && slot->string_encoding() == StringEncoding::kInteger;
  if (in_place) {
    value = slot->integer();
  } else if (slot) {
    IntegerText text;
    if (!ParseInt64(StringBytes(*slot, &text), &value)) return reply.Error(kNotAnInteger);
  }
  if (__builtin_add_overflow(value, increment, &value)) {
    return reply.Error("ERR increment or decrement would overflow");
  }
  if (in_place) {
    slot.Touch();
    slot.ChangeInteger(value);
  } else {
    slot.SetInteger(value, slot.expiry());
  }
  slot.Notify(kNotifyString, "incrby");
  reply.Integer(value);
}

void Incr(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) { Add(ctx, 1, reply); }

void Decr(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) { Add(ctx, -1, reply); }

void IncrBy(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t increment = args.Skip(1).Int();
  if (args.Done(reply)) Add(ctx, increment, reply);
}

void DecrBy(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t decrement = args.Skip(1).Int();
  if (decrement == std::numeric_limits<int64_t>::min()) {
    args.Fail("ERR decrement would overflow");
  }
  if (args.Done(reply)) Add(ctx, -decrement, reply);
}

// -- Floating point
// --------------------------------------------------------------------------------

static_assert(sizeof(LongDoubleText) < Blob::kMinBytes, "the result is stored in place");

void IncrByFloat(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  long double increment = 0;
  if (!ParseLongDouble(args.Skip(1).String(), &increment)) args.Fail(kNotAFloat);
  const bool valid = args.ok();

  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kString, reply)) return;
  long double value = 0;
  if (slot) {
    IntegerText text;
    if (!ParseLongDouble(StringBytes(*slot, &text), &value)) return reply.Error(kNotAFloat);
  }
  if (!valid) return reply.Error(kNotAFloat);
  value += increment;
  if (std::isnan(value) || std::isinf(value)) {
    return reply.Error("ERR increment would produce NaN or Infinity");
  }
  const LongDoubleText text(value);
  slot.SetString(text.view(), slot.expiry());
  slot.Notify(kNotifyString, "incrbyfloat");
  reply.Bulk(text.view());
}

// -- Rows
// ------------------------------------------------------------------------------------------

constexpr KeySpec kCounterKey = OneKey(kKeyRW | kKeyAccess | kKeyUpdate);

constexpr CommandSpec kStringCounterCommands[] = {
    {.name = "INCR",
     .arity = 2,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclString,
     .keys = kCounterKey,
     .handler = Incr,
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Adds one to the integer at a key; a missing key counts as 0.",
     .syntax = "key"},
    {.name = "DECR",
     .arity = 2,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclString,
     .keys = kCounterKey,
     .handler = Decr,
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Takes one from the integer at a key; a missing key counts as 0.",
     .syntax = "key"},
    {.name = "INCRBY",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclString,
     .keys = kCounterKey,
     .handler = IncrBy,
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Adds to the integer at a key; a missing key counts as 0.",
     .syntax = "key increment"},
    {.name = "DECRBY",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclString,
     .keys = kCounterKey,
     .handler = DecrBy,
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Subtracts from the integer at a key; a missing key counts as 0.",
     .syntax = "key decrement"},
    {.name = "INCRBYFLOAT",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclString,
     .keys = kCounterKey,
     .handler = IncrByFloat,
     .group = "string",
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Adds to the floating point number at a key; a missing key counts as 0.",
     .syntax = "key increment"},
};

}  // namespace

std::span<const CommandSpec> StringCounterCommands() { return kStringCounterCommands; }

}  // namespace spinel
