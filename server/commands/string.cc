// SET, GET and their close relatives.

#include <optional>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/string_args.h"
#include "server/commands/value_reply.h"

namespace spinel {
namespace {

void Get(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const ReadGuard string = ctx.Lookup();
  if (RefuseWrongType(string, ValueType::kString, reply)) return;
  if (!string) return reply.Null();
  ReplyString(*string, reply);
}

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
  const auto set_condition = [&](Condition condition) {
    if (options.condition != Condition::kNone) args.SyntaxError();
    options.condition = condition;
  };
  const auto set_expiry = [&](TimeUnit unit, bool relative) {
    if (options.expiry != Entry::kNoExpiry || options.keep_ttl) return args.SyntaxError();
    options.expiry = ReadExpiry(ctx, args, unit, relative);
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
    } else if (args.Tag("KEEPTTL")) {
      if (options.expiry != Entry::kNoExpiry) args.SyntaxError();
      options.keep_ttl = true;
    } else if (args.Tag("EX")) {
      set_expiry(TimeUnit::kSeconds, true);
    } else if (args.Tag("PX")) {
      set_expiry(TimeUnit::kMilliseconds, true);
    } else if (args.Tag("EXAT")) {
      set_expiry(TimeUnit::kSeconds, false);
    } else if (args.Tag("PXAT")) {
      set_expiry(TimeUnit::kMilliseconds, false);
    } else {
      args.SyntaxError();
    }
  }
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
    case SetOptions::Condition::kEquals: {
      IntegerText text;
      return slot.exists() && StringBytes(*slot, &text) == options.comparison;
    }
  }
  return false;
}

void Set(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(1);
  const std::string_view bytes = args.String();
  const SetOptions options = args.HasNext() ? ReadSetOptions(ctx, args) : SetOptions();
  if (!args.Done(reply)) return;
  StringValueArg value(bytes);
  if (!value.ok()) return reply.Error(kNoMemoryError);

  WriteGuard slot = ctx.Write();
  const bool needs_string =
      options.get || options.condition == SetOptions::Condition::kEquals;
  if (needs_string && RefuseWrongType(slot, ValueType::kString, reply)) return;
  if (options.get) {
    slot.CountLookup();
    if (slot) {
      ReplyString(*slot, reply);
    } else {
      reply.Null();
    }
  }
  const bool stored = ConditionHolds(options, slot);
  if (stored) value.Store(&slot, options.keep_ttl ? slot.expiry() : options.expiry);
  if (options.get) return;
  if (stored) {
    reply.Ok();
  } else {
    reply.Null();
  }
}

constexpr CommandSpec kCommands[] = {
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
     .summary = "Stores a string at a key, replacing whatever it held; makes the key if it is missing.",
     .syntax = "key value [NX | XX | IFEQ comparison-value] [GET] [EX seconds | PX milliseconds | "
               "EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]"},
};

}  // namespace

std::span<const CommandSpec> StringCommands() { return kCommands; }

}  // namespace spinel
