// Lists: pushing, and reading.

#include <algorithm>
#include <limits>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/list_pop.h"
#include "server/commands/value_reply.h"
#include "storage/list_value.h"

namespace spinel {
namespace {

// -- Pushing
// ---------------------------------------------------------------------------------------

enum class Missing : uint8_t { kIsMade, kStays };

void Push(CommandContext& ctx, ReplyWriter& reply, ListEnd end, Missing missing) {
  constexpr size_t kFirstElement = 2;
  WriteGuard slot = ctx.Write();
  if (slot) slot.Touch();
  if (RefuseWrongType(slot, ValueType::kList, reply)) return;
  if (!slot && missing == Missing::kStays) return reply.Integer(0);
  ListValue list(&slot, ListLimitsOf(ctx));
  list.Push(end, ctx.args().subspan(kFirstElement));
  slot.Notify(kNotifyList, PushEvent(end));
  reply.Integer(static_cast<int64_t>(list.size()));
}

void LPush(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  Push(ctx, reply, ListEnd::kHead, Missing::kIsMade);
}

void RPush(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  Push(ctx, reply, ListEnd::kTail, Missing::kIsMade);
}

void LPushX(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  Push(ctx, reply, ListEnd::kHead, Missing::kStays);
}

void RPushX(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  Push(ctx, reply, ListEnd::kTail, Missing::kStays);
}

// -- Reading
// ---------------------------------------------------------------------------------------

void LLen(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard list = ctx.Lookup();
  if (RefuseWrongType(list, ValueType::kList, reply)) return;
  reply.Integer(list ? static_cast<int64_t>(ListView(*list).size()) : 0);
}

void LIndex(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const ReadGuard list = ctx.Lookup();
  if (!list) return reply.Null();
  if (RefuseWrongType(list, ValueType::kList, reply)) return;
  // Only now, as in Redis: a missing key is answered whatever the index.
  const int64_t index = args.Skip(1).Int();
  if (!args.Done(reply)) return;
  if (const auto element = ListView(*list).At(index)) {
    reply.Bulk(*element);
  } else {
    reply.Null();
  }
}

void LRange(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t first = args.Skip(1).Int();
  const int64_t last = args.Int();
  if (!args.Done(reply)) return;
  const ReadGuard guard = ctx.Lookup();
  if (!guard) return reply.Array(0);
  if (RefuseWrongType(guard, ValueType::kList, reply)) return;
  const ListView list(*guard);
  ReplyRange(list, ListRange::Of(first, last, list.size()), false, reply);
}

// -- LPOS
// ------------------------------------------------------------------------------------------

struct PositionOptions {
  int64_t rank = 1;  // of the first match that counts; negative: from the tail
  bool counted = false;
  uint64_t count = 1;                                          // matches to be answered
  uint64_t max_length = std::numeric_limits<uint64_t>::max();  // elements to be compared
};

PositionOptions ReadPositionOptions(ArgReader& args) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();
  PositionOptions options;
  while (args.HasNext()) {
    if (args.Tag("RANK")) {
      options.rank = args.IntInRange(-kMax, kMax);
      if (args.ok() && options.rank == 0) {
        args.Fail(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or "
            "use negative to start from the end of the list");
      }
    } else if (args.Tag("COUNT")) {
      const int64_t count = args.IntInRange(0, kMax, "ERR COUNT can't be negative");
      options.counted = true;
      options.count = count == 0 ? kAll : static_cast<uint64_t>(count);
    } else if (args.Tag("MAXLEN")) {
      const int64_t length = args.IntInRange(0, kMax, "ERR MAXLEN can't be negative");
      options.max_length = length == 0 ? kAll : static_cast<uint64_t>(length);
    } else {
      args.SyntaxError();
    }
  }
  return options;
}

// Calls found(index) for every match that counts.
template <typename Found>
void FindPositions(const ListView& list, std::string_view element, const PositionOptions& options,
                   Found found) {
  const bool backward = options.rank < 0;
  auto to_skip = static_cast<uint64_t>(backward ? -options.rank : options.rank) - 1;
  uint64_t left = options.count;
  const size_t size = list.size();
  size_t passed = 0;
  const size_t length = std::min<uint64_t>(size, options.max_length);
  list.ForEach(backward ? size - 1 : 0, length, backward, [&](std::string_view candidate) {
    const size_t index = backward ? size - 1 - passed : passed;
    ++passed;
    if (candidate != element) return true;
    if (to_skip > 0) {
      --to_skip;
      return true;
    }
    found(index);
    return --left > 0;
  });
}

void LPos(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const std::string_view element = args.Skip(1).String();
  const PositionOptions options = ReadPositionOptions(args);
  if (!args.Done(reply)) return;

  const ReadGuard list = ctx.Lookup();
  if (!list) return options.counted ? reply.Array(0) : reply.Null();
  if (RefuseWrongType(list, ValueType::kList, reply)) return;
  const auto begin = reply.Begin();
  int64_t matches = 0;
  FindPositions(ListView(*list), element, options, [&](size_t index) {
    reply.Integer(static_cast<int64_t>(index));
    ++matches;
  });
  if (options.counted) {
    reply.EndArray(begin, matches);
  } else if (matches == 0) {
    reply.Null();
  }
}

constexpr CommandSpec kListCommands[] = {
    {.name = "LPUSH",
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclList,
     .keys = OneKey(kKeyRW | kKeyInsert),
     .handler = LPush,
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(1) per element",
     .summary = "Puts elements in front of a list, one after the other; makes the list if it is "
                "missing.",
     .syntax = "key element [element ...]"},
    {.name = "RPUSH",
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclList,
     .keys = OneKey(kKeyRW | kKeyInsert),
     .handler = RPush,
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(1) per element",
     .summary = "Appends elements to a list; makes the list if it is missing.",
     .syntax = "key element [element ...]"},
    {.name = "LPUSHX",
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclList,
     .keys = OneKey(kKeyRW | kKeyInsert),
     .handler = LPushX,
     .group = "list",
     .since = "2.2.0",
     .complexity = "O(1) per element",
     .summary = "Puts elements in front of a list that exists.",
     .syntax = "key element [element ...]"},
    {.name = "RPUSHX",
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclList,
     .keys = OneKey(kKeyRW | kKeyInsert),
     .handler = RPushX,
     .group = "list",
     .since = "2.2.0",
     .complexity = "O(1) per element",
     .summary = "Appends elements to a list that exists.",
     .syntax = "key element [element ...]"},
    {.name = "LLEN",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .acl = kAclList,
     .keys = OneKey(kKeyRO),
     .handler = LLen,
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers the number of elements of a list.",
     .syntax = "key"},
    {.name = "LINDEX",
     .arity = 3,
     .flags = kReadOnly,
     .acl = kAclList,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = LIndex,
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(N) in the elements up to the nearer end; O(1) at the ends",
     .summary = "Answers the element of an index.",
     .syntax = "key index"},
    {.name = "LRANGE",
     .arity = 4,
     .flags = kReadOnly,
     .acl = kAclList,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = LRange,
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(S+N): S elements up to the nearer end, N answered",
     .summary = "Answers a range of elements.",
     .syntax = "key start stop"},
    {.name = "LPOS",
     .arity = -3,
     .flags = kReadOnly,
     .acl = kAclList,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = LPos,
     .group = "list",
     .since = "6.0.6",
     .complexity = "O(N) in the elements compared",
     .summary = "Answers the indexes at which an element is found.",
     .syntax = "key element [RANK rank] [COUNT num-matches] [MAXLEN len]"},
};

}  // namespace

std::span<const CommandSpec> ListCommands() { return kListCommands; }

}  // namespace spinel
