// Popping from sorted sets: ZPOPMIN, ZPOPMAX, ZMPOP.

#include "server/commands/zset_pop.h"

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/counted_keys.h"
#include "server/commands/families.h"
#include "server/commands/value_reply.h"
#include "server/commands/zset_reply.h"

namespace spinel {

namespace {}  // namespace

ZsetPopArgs ReadZsetPopArgs(ArgReader& args) {
  ZsetPopArgs read;
  const int64_t keys =
      args.IntInRange(1, ArgReader::kMaxInt, "ERR numkeys should be greater than 0");
  args.Skip(static_cast<size_t>(keys));
  if (args.Tag("MAX")) {
    read.end = ZsetEnd::kHighest;
  } else if (!args.Tag("MIN")) {
    args.SyntaxError();
  }
  if (args.Left() > 1 && args.Tag("COUNT")) {
    read.count = static_cast<uint64_t>(
        args.IntInRange(1, ArgReader::kMaxInt, "ERR count should be greater than 0"));
  }
  return read;
}

void PopAndReply(KeySlot* slot, ZsetEnd end, uint64_t count, PopShape shape, ReplyWriter& reply) {
  count = std::min(count, ZsetView(*slot->entry()).size());
  const auto size = static_cast<int64_t>(count);
  const bool pairs = shape == PopShape::kPairs || shape == PopShape::kKeyPairs;
  switch (shape) {
    case PopShape::kFlat:
      reply.Array(2 * size);
      break;
    case PopShape::kPairs:
      reply.Array(size);
      break;
    case PopShape::kKeyFlat:
      reply.Array(2 * size + 1);
      reply.Bulk(slot->key().name);
      break;
    case PopShape::kKeyPairs:
      reply.Array(2);
      reply.Bulk(slot->key().name);
      reply.Array(size);
      break;
  }
  PopMembers(slot, count, end == ZsetEnd::kHighest, [&](const ScoredMember& scored) {
    if (pairs) reply.Array(2);
    reply.Bulk(scored.member);
    reply.Double(scored.score);
  });
  slot->NotifyRemoval(kNotifyZset, end == ZsetEnd::kHighest ? "zpopmax" : "zpopmin");
}

namespace {

template <ZsetEnd end>
void Pop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(1);
  if (args.Left() > 1) args.SyntaxError();
  const bool counted = args.HasNext();
  const int64_t count = counted ? args.IntInRange(0, ArgReader::kMaxInt,
                                                  "ERR value is out of range, must be positive")
                                : 1;
  if (!args.Done(reply)) return;
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kSortedSet, reply)) return;
  if (!slot || count == 0) return reply.Array(0);
  slot.Touch();
  PopAndReply(&slot, end, static_cast<uint64_t>(count),
              counted && reply.resp3() ? PopShape::kPairs : PopShape::kFlat, reply);
}

void ZMPop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const ZsetPopArgs pop = ReadZsetPopArgs(args);
  if (!args.Done(reply)) return;
  const LockedKeys keys = ctx.LockKeys();
  for (size_t i = 0; i < keys.size(); ++i) {
    KeySlot slot = keys.Slot(i);
    if (!slot) continue;
    if (RefuseWrongType(slot, ValueType::kSortedSet, reply)) return;
    slot.Touch();
    return PopAndReply(&slot, pop.end, pop.count, PopShape::kKeyPairs, reply);
  }
  reply.NullArray();
}

constexpr CommandSpec kZsetPopCommands[] = {
    {.name = "ZPOPMIN",
     .arity = -2,
     .flags = kWrite | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyDelete),
     .handler = Pop<ZsetEnd::kLowest>,
     .group = "sorted_set",
     .since = "5.0.0",
     .complexity = "O(M*log(N)) for M members popped of N",
     .summary = "Removes the members with the lowest scores and answers them.",
     .syntax = "key [count]"},
    {.name = "ZPOPMAX",
     .arity = -2,
     .flags = kWrite | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyDelete),
     .handler = Pop<ZsetEnd::kHighest>,
     .group = "sorted_set",
     .since = "5.0.0",
     .complexity = "O(M*log(N)) for M members popped of N",
     .summary = "Removes the members with the highest scores and answers them.",
     .syntax = "key [count]"},
    {.name = "ZMPOP",
     .arity = -4,
     .flags = kWrite | kMovableKeys,
     .acl = kAclSortedSet,
     .keys = {.first = 0, .last = 0, .step = 0, .flags = kKeyRW | kKeyAccess | kKeyDelete},
     .handler = ZMPop,
     .extractor = CountedKeys<1>,
     .group = "sorted_set",
     .since = "7.0.0",
     .complexity = "O(K)+O(M*log(N)) for K keys and M members popped of N",
     .summary = "Pops members of the first of several sorted sets that exists.",
     .syntax = "numkeys key [key ...] <MIN | MAX> [COUNT count]"},
};

}  // namespace

std::span<const CommandSpec> ZsetPopCommands() { return kZsetPopCommands; }

}  // namespace spinel
