// Strings at several keys in one step: MGET, MSET, MSETNX, MSETEX. All stripes are locked before
// the first key is touched, so nobody sees half of it.

#include <fmt/format.h>

#include <limits>
#include <optional>

#include "absl/container/inlined_vector.h"
#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/string_args.h"
#include "server/commands/value_reply.h"

namespace spinel {
namespace {

void MGet(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const LockedKeys keys = ctx.LockKeys();
  reply.Array(static_cast<int64_t>(keys.size()));
  for (size_t i = 0; i < keys.size(); ++i) {
    KeySlot slot = keys.Slot(i);
    slot.CountLookup();
    if (slot.Is(ValueType::kString)) {
      ReplyString(*slot, reply);
    } else {
      reply.Null();
    }
  }
}

using Values = absl::InlinedVector<StringValueArg, 16>;

// Every second argument from `first` on, `count` of them. Empty, and the error is written, when
// there is no memory for one.
Values ReadValues(const CommandContext& ctx, size_t first, size_t count, ReplyWriter& reply) {
  Values values;
  values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    values.emplace_back(ctx.arg(first + 2 * i), ctx.input());
    if (values.back().ok()) continue;
    reply.Error(kNoMemoryError);
    return {};
  }
  return values;
}

// A key that is given twice ends with its last value.
void StoreAll(const LockedKeys& keys, Values* values, int64_t expiry = Entry::kNoExpiry,
              bool keep_ttl = false) {
  for (size_t i = 0; i < keys.size(); ++i) {
    KeySlot slot = keys.Slot(i);
    if (keep_ttl) {
      (*values)[i].SetKeepingExpiry(&slot);
    } else {
      (*values)[i].Set(&slot, expiry);
    }
  }
}

size_t CountExisting(const LockedKeys& keys) {
  size_t existing = 0;
  for (size_t i = 0; i < keys.size(); ++i) existing += keys.Slot(i).exists() ? 1 : 0;
  return existing;
}

bool RefuseOddPairs(const CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  if (ctx.argc() % 2 == 1) return false;
  args.Fail(fmt::format("ERR wrong number of arguments for '{}' command", ctx.command().name));
  return !args.Check(reply);
}

void MSet(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  if (RefuseOddPairs(ctx, args, reply)) return;
  Values values = ReadValues(ctx, 2, ctx.argc() / 2, reply);
  if (values.empty()) return;
  const LockedKeys keys = ctx.LockKeys();
  StoreAll(keys, &values);
  reply.Ok();
}

void MSetNx(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  if (RefuseOddPairs(ctx, args, reply)) return;
  Values values = ReadValues(ctx, 2, ctx.argc() / 2, reply);
  if (values.empty()) return;
  const LockedKeys keys = ctx.LockKeys();
  if (CountExisting(keys) > 0) return reply.Integer(0);
  StoreAll(keys, &values);
  reply.Integer(1);
}

// -- MSETEX
// ----------------------------------------------------------------------------------------

// How many keys an MSETEX names; none: its arguments do not hold so many pairs.
std::optional<size_t> PairsOfMSetEx(CommandArgs args) {
  int64_t count = 0;
  if (args.size() < 4 || !ParseInt64(args[1], &count) || count <= 0) return std::nullopt;
  if (static_cast<uint64_t>(count) > (args.size() - 2) / 2) return std::nullopt;
  return static_cast<size_t>(count);
}

bool KeysOfMSetEx(CommandArgs args, std::vector<int>* indexes) {
  const std::optional<size_t> pairs = PairsOfMSetEx(args);
  if (!pairs.has_value()) return false;
  for (size_t i = 0; i < *pairs; ++i) indexes->push_back(static_cast<int>(2 + 2 * i));
  return true;
}

void MSetEx(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  enum class Condition : uint8_t { kNone, kNoneExists, kAllExist };
  args.IntInRange(1, std::numeric_limits<int32_t>::max(), "ERR invalid numkeys value");
  const size_t pairs = PairsOfMSetEx(ctx.args()).value_or(0);
  if (pairs == 0) args.Fail("ERR wrong number of key-value pairs");
  args.Skip(2 * pairs);
  Condition condition = Condition::kNone;
  ExpiryOption option("KEEPTTL");
  while (args.HasNext()) {
    Condition read = Condition::kNone;
    if (args.Tag("NX")) {
      read = Condition::kNoneExists;
    } else if (args.Tag("XX")) {
      read = Condition::kAllExist;
    } else {
      if (!option.Read(args)) args.SyntaxError();
      continue;
    }
    if (condition != Condition::kNone && condition != read) args.SyntaxError();
    condition = read;
  }
  const int64_t expiry = option.Finish(ctx, args);
  if (!args.Done(reply)) return;
  Values values = ReadValues(ctx, 3, pairs, reply);
  if (values.empty()) return;

  const LockedKeys keys = ctx.LockKeys();
  if (condition != Condition::kNone) {
    const size_t wanted = condition == Condition::kAllExist ? keys.size() : 0;
    if (CountExisting(keys) != wanted) return reply.Integer(0);
  }
  StoreAll(keys, &values, expiry, option.has_word());
  reply.Integer(1);
}

// -- Rows
// ------------------------------------------------------------------------------------------

constexpr CommandSpec kStringManyCommands[] = {
    {.name = "MGET",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .acl = kAclString,
     .keys = Keys(1, -1, 1, kKeyRO | kKeyAccess),
     .handler = MGet,
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(N) for N keys",
     .summary = "Answers the strings at several keys; null for a key without one.",
     .syntax = "key [key ...]"},
    {.name = "MSET",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .keys = Keys(1, -1, 2, kKeyOW | kKeyUpdate),
     .handler = MSet,
     .group = "string",
     .since = "1.0.1",
     .complexity = "O(N) for N keys",
     .summary = "Stores strings at several keys in one step.",
     .syntax = "key value [key value ...]"},
    {.name = "MSETNX",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .keys = Keys(1, -1, 2, kKeyOW | kKeyInsert),
     .handler = MSetNx,
     .group = "string",
     .since = "1.0.1",
     .complexity = "O(N) for N keys",
     .summary = "Stores strings at several keys in one step, if none of the keys exists.",
     .syntax = "key value [key value ...]"},
    {.name = "MSETEX",
     .arity = -4,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclString,
     .keys = {.first = 0, .last = 0, .step = 0, .flags = kKeyOW | kKeyUpdate},
     .handler = MSetEx,
     .extractor = KeysOfMSetEx,
     .group = "string",
     .since = "9.1.0",
     .complexity = "O(N) for N keys",
     .summary = "Stores strings at several keys in one step, with one expiry and on a condition.",
     .syntax = "numkeys key value [key value ...] [NX | XX] [EX seconds | PX milliseconds | "
               "EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]"},
};

}  // namespace

std::span<const CommandSpec> StringManyCommands() { return kStringManyCommands; }

}  // namespace spinel
