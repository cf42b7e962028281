// Whole strings at one key: GET, SET and their close relatives.

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/string_args.h"
#include "server/commands/value_reply.h"

namespace spinel {
namespace {

// The string or, if there is none, a null.
void ReplyOldValue(const KeySlot& slot, ReplyWriter& reply) {
  if (slot) {
    ReplyString(*slot, reply);
  } else {
    reply.Null();
  }
}

bool Equals(const KeySlot& slot, std::string_view bytes) {
  IntegerText text;
  return slot.exists() && StringBytes(*slot, &text) == bytes;
}

void Get(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const ReadGuard string = ctx.Lookup();
  if (RefuseWrongType(string, ValueType::kString, reply)) return;
  if (!string) return reply.Null();
  ReplyString(*string, reply);
}

// -- SET
// -------------------------------------------------------------------------------------------

struct SetOptions {
  enum class Condition : uint8_t { kNone, kMissing, kExists, kEquals };
  Condition condition = Condition::kNone;
  std::string_view comparison;  // for kEquals
  bool get = false;
  bool keep_ttl = false;
  int64_t expiry = Entry::kNoExpiry;
};

// Expects that the key and the value have been read.
SetOptions ReadSetOptions(const CommandContext& ctx, ArgReader& args) {
  using Condition = SetOptions::Condition;
  SetOptions options;
  ExpiryOption expiry("KEEPTTL");
  const auto set_condition = [&](Condition condition) {
    const bool repeated = options.condition == condition && options.condition != Condition::kEquals;
    if (options.condition != Condition::kNone && !repeated) args.SyntaxError();
    options.condition = condition;
  };
  while (args.HasNext()) {
    if (args.Tag("NX")) {
      set_condition(Condition::kMissing);
    } else if (args.Tag("XX")) {
      set_condition(Condition::kExists);
    } else if (args.Tag("IFEQ")) {
      set_condition(Condition::kEquals);
      options.comparison = args.String();
    } else if (args.Tag("GET")) {
      options.get = true;
    } else if (!expiry.Read(args)) {
      args.SyntaxError();
    }
  }
  options.keep_ttl = expiry.has_word();
  options.expiry = expiry.Finish(ctx, args);
  return options;
}

bool ConditionHolds(const SetOptions& options, const KeySlot& slot) {
  switch (options.condition) {
    case SetOptions::Condition::kNone:
      return true;
    case SetOptions::Condition::kMissing:
      return !slot.exists();
    case SetOptions::Condition::kExists:
      return slot.exists();
    case SetOptions::Condition::kEquals:
      return Equals(slot, options.comparison);
  }
  return false;
}

void Set(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(1);
  const std::string_view bytes = args.String();
  const SetOptions options = args.HasNext() ? ReadSetOptions(ctx, args) : SetOptions();
  if (!args.Done(reply)) return;
  StringValueArg value(bytes, ctx.input());
  if (!value.ok()) return reply.Error(kNoMemoryError);

  WriteGuard slot = ctx.Write();
  const bool needs_string = options.get || options.condition == SetOptions::Condition::kEquals;
  if (needs_string && RefuseWrongType(slot, ValueType::kString, reply)) return;
  const bool stored = ConditionHolds(options, slot);
  if (options.get) {
    slot.CountLookup();
    ReplyOldValue(slot, reply);
  } else if (stored) {
    reply.Ok();
  } else {
    reply.Null();
  }
  if (!stored) return;
  if (options.keep_ttl) {
    value.SetKeepingExpiry(&slot);
  } else {
    value.Set(&slot, options.expiry);
  }
}

// -- SET under other names
// -------------------------------------------------------------------------

void SetNx(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  StringValueArg value(ctx.arg(2), ctx.input());
  if (!value.ok()) return reply.Error(kNoMemoryError);
  WriteGuard slot = ctx.Write();
  if (slot) return reply.Integer(0);
  value.Set(&slot, Entry::kNoExpiry);
  reply.Integer(1);
}

void SetWithTtl(CommandContext& ctx, ArgReader& args, ReplyWriter& reply, TimeUnit unit) {
  const int64_t expiry = ReadExpiry(ctx, args.Skip(1), unit, Relation::kToNow);
  const std::string_view bytes = args.String();
  if (!args.Done(reply)) return;
  StringValueArg value(bytes, ctx.input());
  if (!value.ok()) return reply.Error(kNoMemoryError);
  WriteGuard slot = ctx.Write();
  value.Set(&slot, expiry);
  reply.Ok();
}

void SetEx(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  SetWithTtl(ctx, args, reply, TimeUnit::kSeconds);
}

void PSetEx(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  SetWithTtl(ctx, args, reply, TimeUnit::kMilliseconds);
}

// -- Reading and changing at once
// ------------------------------------------------------------------

void GetSet(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  StringValueArg value(ctx.arg(2), ctx.input());
  if (!value.ok()) return reply.Error(kNoMemoryError);
  WriteGuard slot = ctx.Write();
  slot.CountLookup();
  if (RefuseWrongType(slot, ValueType::kString, reply)) return;
  ReplyOldValue(slot, reply);
  value.Set(&slot, Entry::kNoExpiry);
}

void GetDel(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  WriteGuard slot = ctx.Write();
  slot.CountLookup();
  if (RefuseWrongType(slot, ValueType::kString, reply)) return;
  ReplyOldValue(slot, reply);
  if (slot.Delete()) slot.Notify(kNotifyGeneric, "del");
}

void GetEx(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(1);
  ExpiryOption option("PERSIST");
  while (args.HasNext()) {
    if (!option.Read(args)) args.SyntaxError();
  }
  if (!args.Done(reply)) return;

  WriteGuard slot = ctx.Write();
  slot.CountLookup();
  if (RefuseWrongType(slot, ValueType::kString, reply)) return;
  if (!slot) return reply.Null();
  // Only now, as in Redis: a missing key is answered whatever the time.
  const int64_t expiry = option.Finish(ctx, args);
  if (!args.Check(reply)) return;
  ReplyString(*slot, reply);
  if (option.has_word()) {
    if (slot.Persist()) slot.Notify(kNotifyGeneric, "persist");
  } else if (expiry != Entry::kNoExpiry) {
    if (expiry <= ctx.now_ms()) {
      slot.Delete();
      slot.Notify(kNotifyGeneric, "del");
    } else {
      slot.SetExpiry(expiry);
      slot.Notify(kNotifyGeneric, "expire");
    }
  }
}

void DelIfEq(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kString, reply)) return;
  if (!Equals(slot, ctx.arg(2))) return reply.Integer(0);
  slot.Delete();
  slot.Notify(kNotifyGeneric, "del");
  reply.Integer(1);
}

// -- Rows
// ------------------------------------------------------------------------------------------

constexpr CommandSpec kStringCommands[] = {
    {.name = "GET",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .acl = kAclString,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = Get,
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers the string at a key.",
     .syntax = "key"},
    {.name = "SET",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags),
     .handler = Set,
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary =
         "Stores a string at a key, replacing whatever it held; makes the key if it is missing.",
     .syntax = "key value [NX | XX | IFEQ comparison-value] [GET] [EX seconds | PX milliseconds | "
               "EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]"},
    {.name = "SETNX",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclString,
     .keys = OneKey(kKeyOW | kKeyInsert),
     .handler = SetNx,
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Stores a string only if the key is missing.",
     .syntax = "key value"},
    {.name = "SETEX",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .keys = OneKey(kKeyOW | kKeyUpdate),
     .handler = SetEx,
     .group = "string",
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Stores a string that lives for a number of seconds.",
     .syntax = "key seconds value"},
    {.name = "PSETEX",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .keys = OneKey(kKeyOW | kKeyUpdate),
     .handler = PSetEx,
     .group = "string",
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Stores a string that lives for a number of milliseconds.",
     .syntax = "key milliseconds value"},
    {.name = "GETSET",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclString,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyUpdate),
     .handler = GetSet,
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Stores a string and answers the one that was there.",
     .syntax = "key value"},
    {.name = "GETDEL",
     .arity = 2,
     .flags = kWrite | kFast,
     .acl = kAclString,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyDelete),
     .handler = GetDel,
     .group = "string",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Answers the string at a key and removes the key.",
     .syntax = "key"},
    {.name = "GETEX",
     .arity = -2,
     .flags = kWrite | kFast,
     .acl = kAclString,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyUpdate),
     .handler = GetEx,
     .group = "string",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Answers the string at a key and sets or removes its expiry.",
     .syntax = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
               "PXAT unix-time-milliseconds | PERSIST]"},
    {.name = "DELIFEQ",
     .arity = 3,
     .flags = kWrite,
     .acl = kAclString,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyDelete),
     .handler = DelIfEq,
     .group = "string",
     .since = "9.0.0",
     .complexity = "O(1)",
     .summary = "Removes a key if it holds the given string.",
     .syntax = "key value"},
};

}  // namespace

std::span<const CommandSpec> StringCommands() { return kStringCommands; }

}  // namespace spinel
