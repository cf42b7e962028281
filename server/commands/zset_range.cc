// Parts of sorted sets: by rank, by score, by member; answered, stored, counted, removed.

#include "server/commands/zset_range.h"

#include <vector>

#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/key_events.h"
#include "server/commands/value_reply.h"
#include "server/commands/zset_reply.h"

namespace spinel {
namespace {

enum class Direction : uint8_t { kAny, kForwards, kBackwards };

struct RangeRequest {
  RangeArg range;
  bool backwards = false;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t limit = -1;  // below 0: none

  RankRange In(const ZsetView& set) const;
};

// What LIMIT leaves of the range.
RankRange RangeRequest::In(const ZsetView& set) const {
  RankRange ranks = range.In(set, backwards);
  if (offset < 0 || static_cast<uint64_t>(offset) >= ranks.count) return {};
  const uint64_t left = ranks.count - static_cast<uint64_t>(offset);
  const uint64_t count = limit < 0 ? left : std::min(left, static_cast<uint64_t>(limit));
  ranks.begin += backwards ? left - count : static_cast<uint64_t>(offset);
  ranks.count = count;
  return ranks;
}

// Reads the ends of a range and all options behind them. What `by` and `direction` leave open,
// options may say.
RangeRequest ReadRange(ArgReader& args, RangeBy by, Direction direction, bool store) {
  RangeRequest request;
  std::string_view low = args.String();
  std::string_view high = args.String();
  while (args.HasNext()) {
    if (!store && args.Tag("WITHSCORES")) {
      request.with_scores = true;
    } else if (args.Left() > 2 && args.Tag("LIMIT")) {
      request.offset = args.Int();
      request.limit = args.Int();
    } else if (direction == Direction::kAny && args.Tag("REV")) {
      direction = Direction::kBackwards;
    } else if (by == RangeBy::kAny && args.Tag("BYLEX")) {
      by = RangeBy::kMember;
    } else if (by == RangeBy::kAny && args.Tag("BYSCORE")) {
      by = RangeBy::kScore;
    } else {
      args.SyntaxError();
    }
  }
  if (by == RangeBy::kAny) by = RangeBy::kRank;
  request.backwards = direction == Direction::kBackwards;
  if (request.limit != -1 && by == RangeBy::kRank) {
    args.Fail(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  }
  if (by == RangeBy::kRank) request.offset = 0;
  if (request.with_scores && by == RangeBy::kMember) {
    args.Fail("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  }
  if (request.backwards && by != RangeBy::kRank) std::swap(low, high);
  request.range.Read(by, low, high, args);
  return request;
}

template <RangeBy by, Direction direction>
void Range(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const RangeRequest request = ReadRange(args.Skip(1), by, direction, /*store=*/false);
  if (!args.Done(reply)) return;
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSortedSet, reply)) return;
  const ZsetView view(set ? &*set : nullptr);
  const RankRange ranks = request.In(view);
  ReplyMemberCount(ranks.count, request.with_scores, reply);
  view.ForEach(ranks, request.backwards, [&](const ScoredMember& scored) {
    ReplyMember(scored, request.with_scores, reply);
  });
}

void ZRangeStore(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const RangeRequest request =
      ReadRange(args.Skip(2), RangeBy::kAny, Direction::kAny, /*store=*/true);
  if (!args.Done(reply)) return;
  std::vector<ScoredMember> members;  // outlives the locks: it is freed without them
  const LockedKeys keys = ctx.LockKeys();
  KeySlot source = keys.Slot(1);
  source.CountLookup();
  if (RefuseWrongType(source, ValueType::kSortedSet, reply)) return;
  const ZsetView view(source.entry());
  const RankRange ranks = request.In(view);
  members.reserve(ranks.count);
  view.ForEach(ranks, false, [&](const ScoredMember& scored) { members.push_back(scored); });
  KeySlot target = keys.Slot(0);
  const bool existed = target.exists();
  StoreMembers(&target, ZsetLimitsOf(ctx.config()), members);
  NotifyStored(target, kNotifyZset, "zrangestore", existed);
  reply.Integer(static_cast<int64_t>(members.size()));
}

template <RangeBy by>
void Count(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  RangeArg range;
  range.Read(by, ctx.arg(2), ctx.arg(3), args);
  if (!args.Check(reply)) return;
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSortedSet, reply)) return;
  const ZsetView view(set ? &*set : nullptr);
  reply.Integer(static_cast<int64_t>(range.In(view, false).count));
}

constexpr std::string_view RemovalEvent(RangeBy by) {
  switch (by) {
    case RangeBy::kScore:
      return "zremrangebyscore";
    case RangeBy::kMember:
      return "zremrangebylex";
    default:
      return "zremrangebyrank";
  }
}

template <RangeBy by>
void Remove(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  RangeArg range;
  range.Read(by, ctx.arg(2), ctx.arg(3), args);
  if (!args.Check(reply)) return;
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kSortedSet, reply)) return;
  if (!slot) return reply.Integer(0);
  slot.Touch();
  const RankRange ranks = range.In(ZsetView(*slot), false);
  RemoveRange(&slot, ranks);
  if (ranks.count > 0) slot.NotifyRemoval(kNotifyZset, RemovalEvent(by));
  reply.Integer(static_cast<int64_t>(ranks.count));
}

// -- Rows
// -----------------------------------------------------------------------------------------

constexpr CommandSpec kZsetRangeCommands[] = {
    {.name = "ZRANGE",
     .arity = -4,
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = Range<RangeBy::kAny, Direction::kAny>,
     .group = "sorted_set",
     .since = "1.2.0",
     .complexity = "O(log(N)+M) for M members answered of N",
     .summary =
         "Answers a part of a sorted set: by rank, by score or by member, in either direction.",
     .syntax = "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]"},
    {.name = "ZREVRANGE",
     .arity = -4,
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = Range<RangeBy::kRank, Direction::kBackwards>,
     .group = "sorted_set",
     .since = "1.2.0",
     .complexity = "O(log(N)+M) for M members answered of N",
     .summary = "Answers the members between two ranks, from the highest score down.",
     .syntax = "key start stop [WITHSCORES]"},
    {.name = "ZRANGEBYSCORE",
     .arity = -4,
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = Range<RangeBy::kScore, Direction::kForwards>,
     .group = "sorted_set",
     .since = "1.0.5",
     .complexity = "O(log(N)+M) for M members answered of N",
     .summary = "Answers the members between two scores.",
     .syntax = "key min max [WITHSCORES] [LIMIT offset count]"},
    {.name = "ZREVRANGEBYSCORE",
     .arity = -4,
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = Range<RangeBy::kScore, Direction::kBackwards>,
     .group = "sorted_set",
     .since = "2.2.0",
     .complexity = "O(log(N)+M) for M members answered of N",
     .summary = "Answers the members between two scores, from the highest down.",
     .syntax = "key max min [WITHSCORES] [LIMIT offset count]"},
    {.name = "ZRANGEBYLEX",
     .arity = -4,
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = Range<RangeBy::kMember, Direction::kForwards>,
     .group = "sorted_set",
     .since = "2.8.9",
     .complexity = "O(log(N)+M) for M members answered of N",
     .summary = "Answers the members between two others, where all scores are equal.",
     .syntax = "key min max [LIMIT offset count]"},
    {.name = "ZREVRANGEBYLEX",
     .arity = -4,
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = Range<RangeBy::kMember, Direction::kBackwards>,
     .group = "sorted_set",
     .since = "2.8.9",
     .complexity = "O(log(N)+M) for M members answered of N",
     .summary = "Answers the members between two others from the last to the first, where all "
                "scores are equal.",
     .syntax = "key max min [LIMIT offset count]"},
    {.name = "ZRANGESTORE",
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .acl = kAclSortedSet,
     .keys = Keys(1, 2, 1, kKeyOW | kKeyUpdate),
     .handler = ZRangeStore,
     .group = "sorted_set",
     .since = "6.2.0",
     .complexity = "O(log(N)+M) for M members stored of N",
     .summary = "Stores a part of a sorted set in another key.",
     .syntax = "dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]"},
    {.name = "ZCOUNT",
     .arity = 4,
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = Count<RangeBy::kScore>,
     .group = "sorted_set",
     .since = "2.0.0",
     .complexity = "O(log(N)) for N members",
     .summary = "Counts the members between two scores.",
     .syntax = "key min max"},
    {.name = "ZLEXCOUNT",
     .arity = 4,
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = Count<RangeBy::kMember>,
     .group = "sorted_set",
     .since = "2.8.9",
     .complexity = "O(log(N)) for N members",
     .summary = "Counts the members between two others, where all scores are equal.",
     .syntax = "key min max"},
    {.name = "ZREMRANGEBYRANK",
     .arity = 4,
     .flags = kWrite,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRW | kKeyDelete),
     .handler = Remove<RangeBy::kRank>,
     .group = "sorted_set",
     .since = "2.0.0",
     .complexity = "O(log(N)+M*log(N)) for M members removed of N",
     .summary = "Removes the members between two ranks.",
     .syntax = "key start stop"},
    {.name = "ZREMRANGEBYSCORE",
     .arity = 4,
     .flags = kWrite,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRW | kKeyDelete),
     .handler = Remove<RangeBy::kScore>,
     .group = "sorted_set",
     .since = "1.2.0",
     .complexity = "O(log(N)+M*log(N)) for M members removed of N",
     .summary = "Removes the members between two scores.",
     .syntax = "key min max"},
    {.name = "ZREMRANGEBYLEX",
     .arity = 4,
     .flags = kWrite,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRW | kKeyDelete),
     .handler = Remove<RangeBy::kMember>,
     .group = "sorted_set",
     .since = "2.8.9",
     .complexity = "O(log(N)+M*log(N)) for M members removed of N",
     .summary = "Removes the members between two others, where all scores are equal.",
     .syntax = "key min max"},
};

}  // namespace

std::span<const CommandSpec> ZsetRangeCommands() { return kZsetRangeCommands; }

}  // namespace spinel
