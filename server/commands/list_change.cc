// Lists: changes in the middle.

#include <limits>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/list_pop.h"
#include "server/commands/value_reply.h"
#include "storage/list_value.h"

namespace spinel {
namespace {

void LSet(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  WriteGuard slot = ctx.Write();
  if (!slot) return reply.Error("ERR no such key");
  slot.Touch();
  if (RefuseWrongType(slot, ValueType::kList, reply)) return;
  // Only now, as in Redis: a missing key is told whatever the index.
  const int64_t index = args.Skip(1).Int();
  const std::string_view element = args.String();
  if (!args.Done(reply)) return;
  if (ListValue(&slot, ListLimitsOf(ctx)).Set(index, element)) {
    slot.Notify(kNotifyList, "lset");
    reply.Ok();
  } else {
    reply.Error("ERR index out of range");
  }
}

void LInsert(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const bool before = args.Skip(1).Tag("BEFORE");
  if (!before && !args.Tag("AFTER")) args.SyntaxError();
  const std::string_view pivot = args.String();
  const std::string_view element = args.String();
  if (!args.Done(reply)) return;

  WriteGuard slot = ctx.Write();
  if (!slot) return reply.Integer(0);
  slot.Touch();
  if (RefuseWrongType(slot, ValueType::kList, reply)) return;
  ListValue list(&slot, ListLimitsOf(ctx));
  const bool found = list.Insert(before, pivot, element);
  if (found) slot.Notify(kNotifyList, "linsert");
  reply.Integer(found ? static_cast<int64_t>(list.size()) : -1);
}

void LRem(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const int64_t count = args.Skip(1).IntInRange(-kMax, kMax);
  const std::string_view element = args.String();
  if (!args.Done(reply)) return;

  WriteGuard slot = ctx.Write();
  if (!slot) return reply.Integer(0);
  slot.Touch();
  if (RefuseWrongType(slot, ValueType::kList, reply)) return;
  const auto limit = static_cast<size_t>(count < 0 ? -count : count);
  const size_t removed =
      ListValue(&slot, ListLimitsOf(ctx))
          .RemoveMatches(count < 0 ? ListEnd::kTail : ListEnd::kHead, element,
                         limit == 0 ? std::numeric_limits<size_t>::max() : limit);
  if (removed > 0) slot.NotifyRemoval(kNotifyList, "lrem");
  reply.Integer(static_cast<int64_t>(removed));
}

void LTrim(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t first = args.Skip(1).Int();
  const int64_t last = args.Int();
  if (!args.Done(reply)) return;

  WriteGuard slot = ctx.Write();
  if (!slot) return reply.Ok();
  slot.Touch();
  if (RefuseWrongType(slot, ValueType::kList, reply)) return;
  ListValue list(&slot, ListLimitsOf(ctx));
  list.Trim(ListRange::Of(first, last, list.size()));
  slot.NotifyRemoval(kNotifyList, "ltrim");
  reply.Ok();
}

constexpr CommandSpec kListChangeCommands[] = {
    {.name = "LSET",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .acl = kAclList,
     .keys = OneKey(kKeyRW | kKeyUpdate),
     .handler = LSet,
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(N) in the elements up to the nearer end; O(1) at the ends",
     .summary = "Replaces the element of an index.",
     .syntax = "key index element"},
    {.name = "LINSERT",
     .arity = 5,
     .flags = kWrite | kDenyOom,
     .acl = kAclList,
     .keys = OneKey(kKeyRW | kKeyInsert),
     .handler = LInsert,
     .group = "list",
     .since = "2.2.0",
     .complexity = "O(N) in the elements in front of the one that is found",
     .summary = "Inserts an element before or after the first one that equals another.",
     .syntax = "key <BEFORE | AFTER> pivot element"},
    {.name = "LREM",
     .arity = 4,
     .flags = kWrite,
     .acl = kAclList,
     .keys = OneKey(kKeyRW | kKeyDelete),
     .handler = LRem,
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(N) in the elements compared",
     .summary = "Removes elements that equal the given one: the first, the last, or all.",
     .syntax = "key count element"},
    {.name = "LTRIM",
     .arity = 4,
     .flags = kWrite,
     .acl = kAclList,
     .keys = OneKey(kKeyRW | kKeyDelete),
     .handler = LTrim,
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(S): S elements from the bounds to their nearer ends",
     .summary = "Removes what is outside of a range of elements.",
     .syntax = "key start stop"},
};

}  // namespace

std::span<const CommandSpec> ListChangeCommands() { return kListChangeCommands; }

}  // namespace spinel
