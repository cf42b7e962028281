// Taking elements off lists: LPOP, RPOP, LMPOP, and moving them: LMOVE, RPOPLPUSH.

#include "server/commands/list_pop.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "server/commands/counted_keys.h"
#include "server/commands/families.h"
#include "server/commands/value_reply.h"

namespace spinel {

ListLimits ListLimitsOf(const CommandContext& ctx) {
  return ListLimits(ctx.config().list_max_listpack_size(),
                    ctx.server().list_own_chunk_bytes.load(std::memory_order_relaxed));
}

ListEnd ReadListEnd(ArgReader& args) {
  if (args.Tag("LEFT")) return ListEnd::kHead;
  if (!args.Tag("RIGHT")) args.SyntaxError();
  return ListEnd::kTail;
}

PopManyArgs ReadPopManyArgs(ArgReader& args) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  PopManyArgs read;
  const int64_t keys = args.IntInRange(1, kMax, "ERR numkeys should be greater than 0");
  args.Skip(static_cast<size_t>(keys));
  read.end = ReadListEnd(args);
  if (args.Tag("COUNT")) {
    read.count =
        static_cast<size_t>(args.IntInRange(1, kMax, "ERR count should be greater than 0"));
  }
  return read;
}

void ReplyRange(const ListView& list, const ListRange& range, bool backward, ReplyWriter& reply) {
  reply.Array(static_cast<int64_t>(range.count));
  if (range.count == 0) return;
  const size_t start = backward ? range.first + range.count - 1 : range.first;
  list.ForEach(start, range.count, backward, [&reply](std::string_view element) {
    reply.Bulk(element);
    return true;
  });
}

void PopOne(KeySlot* slot, ListEnd end, const ListLimits& limits, ReplyWriter& reply) {
  reply.Bulk(*ListView(**slot).At(end == ListEnd::kHead ? 0 : -1));
  ListValue(slot, limits).Remove(end, 1);
  slot->NotifyRemoval(kNotifyList, PopEvent(end));
}

void PopOneWithKey(KeySlot* slot, ListEnd end, const ListLimits& limits, ReplyWriter& reply) {
  reply.Array(2);
  reply.Bulk(slot->key().name);
  PopOne(slot, end, limits, reply);
}

void PopMany(KeySlot* slot, ListEnd end, size_t count, const ListLimits& limits,
             ReplyWriter& reply) {
  const ListView list(**slot);
  const bool from_tail = end == ListEnd::kTail;
  const size_t popped = std::min(count, list.size());
  ReplyRange(list, {from_tail ? list.size() - popped : 0, popped}, from_tail, reply);
  ListValue(slot, limits).Remove(end, popped);
  if (popped > 0) slot->NotifyRemoval(kNotifyList, PopEvent(end));
}

void PopManyWithKey(KeySlot* slot, ListEnd end, size_t count, const ListLimits& limits,
                    ReplyWriter& reply) {
  reply.Array(2);
  reply.Bulk(slot->key().name);
  PopMany(slot, end, count, limits, reply);
}

void MoveElement(KeySlot* from, ListEnd from_end, KeySlot* to, ListEnd to_end,
                 const ListLimits& limits, ReplyWriter& reply) {
  const std::string_view element = *ListView(**from).At(from_end == ListEnd::kHead ? 0 : -1);
  reply.Bulk(element);
  if (to != nullptr) {
    // Into the other list first: the view holds until this one changes. One move is one change.
    const std::string_view moved[] = {element};
    ListValue(to, limits).PushUncounted(to_end, moved);
    to->Notify(kNotifyList, PushEvent(to_end));
    ListValue(from, limits).Remove(from_end, 1);
    return from->NotifyRemoval(kNotifyList, PopEvent(from_end));
  }
  if (from_end != to_end) {
    ListValue(from, limits).Rotate(from_end);
  } else {
    from->MarkChanged();
  }
  from->Notify(kNotifyList, PushEvent(to_end));
  from->Notify(kNotifyList, PopEvent(from_end));
}

namespace {

// -- Popping
// ---------------------------------------------------------------------------------------

void Pop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply, ListEnd end) {
  constexpr size_t kMaxArgs = 3;
  if (ctx.argc() > kMaxArgs) {
    return reply.Error(
        fmt::format("ERR wrong number of arguments for '{}' command", ctx.command().name));
  }
  const bool counted = args.Skip(1).HasNext();
  const int64_t count = counted ? args.IntInRange(0, std::numeric_limits<int64_t>::max(),
                                                  "ERR value is out of range, must be positive")
                                : int64_t{1};
  if (!args.Done(reply)) return;

  WriteGuard slot = ctx.Write();
  if (!slot) return counted ? reply.NullArray() : reply.Null();
  slot.Touch();
  if (RefuseWrongType(slot, ValueType::kList, reply)) return;
  if (!counted) return PopOne(&slot, end, ListLimitsOf(ctx), reply);
  PopMany(&slot, end, static_cast<size_t>(count), ListLimitsOf(ctx), reply);
}

void LPop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  Pop(ctx, args, reply, ListEnd::kHead);
}

void RPop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  Pop(ctx, args, reply, ListEnd::kTail);
}

void LMPop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const PopManyArgs pop = ReadPopManyArgs(args);
  if (!args.Done(reply)) return;

  const LockedKeys locked = ctx.LockKeys();
  for (size_t i = 0; i < locked.size(); ++i) {
    KeySlot slot = locked.Slot(i);
    if (!slot) continue;
    slot.Touch();
    if (RefuseWrongType(slot, ValueType::kList, reply)) return;
    return PopManyWithKey(&slot, pop.end, pop.count, ListLimitsOf(ctx), reply);
  }
  reply.NullArray();
}

// -- Moving
// ----------------------------------------------------------------------------------------

void Move(CommandContext& ctx, ReplyWriter& reply, ListEnd from_end, ListEnd to_end) {
  const LockedKeys keys = ctx.LockKeys();
  KeySlot from = keys.Slot(0);
  if (!from) return reply.Null();
  from.Touch();
  if (RefuseWrongType(from, ValueType::kList, reply)) return;
  if (keys.key(0).name == keys.key(1).name) {
    return MoveElement(&from, from_end, nullptr, to_end, ListLimitsOf(ctx), reply);
  }
  KeySlot to = keys.Slot(1);
  if (to) to.Touch();
  if (RefuseWrongType(to, ValueType::kList, reply)) return;
  MoveElement(&from, from_end, &to, to_end, ListLimitsOf(ctx), reply);
}

void LMove(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(2);
  const ListEnd from_end = ReadListEnd(args);
  const ListEnd to_end = ReadListEnd(args);
  if (!args.Done(reply)) return;
  Move(ctx, reply, from_end, to_end);
}

void RPopLPush(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  Move(ctx, reply, ListEnd::kTail, ListEnd::kHead);
}

constexpr CommandSpec kListPopCommands[] = {
    {.name = "LPOP",
     .arity = -2,
     .flags = kWrite | kFast,
     .acl = kAclList,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyDelete),
     .handler = LPop,
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(N) in the elements taken",
     .summary = "Takes elements off the head of a list and answers them.",
     .syntax = "key [count]"},
    {.name = "RPOP",
     .arity = -2,
     .flags = kWrite | kFast,
     .acl = kAclList,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyDelete),
     .handler = RPop,
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(N) in the elements taken",
     .summary = "Takes elements off the tail of a list and answers them.",
     .syntax = "key [count]"},
    {.name = "LMPOP",
     .arity = -4,
     .flags = kWrite | kMovableKeys,
     .acl = kAclList,
     .keys = Keys(0, 0, 0, kKeyRW | kKeyAccess | kKeyDelete),
     .handler = LMPop,
     .extractor = CountedKeys<1>,
     .group = "list",
     .since = "7.0.0",
     .complexity = "O(N+M): N keys, M elements taken",
     .summary = "Takes elements off an end of the first of several lists that exists.",
     .syntax = "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]"},
    {.name = "LMOVE",
     .arity = 5,
     .flags = kWrite | kDenyOom,
     .acl = kAclList,
     .keys = Keys(1, 2, 1, kKeyRW | kKeyAccess | kKeyDelete),
     .handler = LMove,
     .group = "list",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Takes an element off an end of one list and puts it at an end of another; makes "
                "that one if it is missing.",
     .syntax = "source destination <LEFT | RIGHT> <LEFT | RIGHT>"},
    {.name = "RPOPLPUSH",
     .arity = 3,
     .flags = kWrite | kDenyOom,
     .acl = kAclList,
     .keys = Keys(1, 2, 1, kKeyRW | kKeyAccess | kKeyDelete),
     .handler = RPopLPush,
     .group = "list",
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Takes the last element off a list and puts it in front of another.",
     .syntax = "source destination"},
};

}  // namespace

std::span<const CommandSpec> ListPopCommands() { return kListPopCommands; }

}  // namespace spinel
