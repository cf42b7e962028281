// Sorted sets: members come, go, and are asked for one by one. (Ranges are in zset_range.cc, what
// takes several sets in zset_algebra.cc, what is popped in zset_pop.cc, what is drawn by chance in
// zset_random.cc.)

#include <fmt/format.h>

#include <charconv>

#include "absl/container/inlined_vector.h"
#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/scan_args.h"
#include "server/commands/value_reply.h"
#include "server/commands/zset_add.h"
#include "server/commands/zset_reply.h"

namespace spinel {
namespace {

constexpr std::string_view kNotANumberError = "ERR resulting score is not a number (NaN)";

// -- ZADD
// -----------------------------------------------------------------------------------------

// True: the next argument was an option, and is consumed.
bool ReadAddOption(ArgReader& args, ZsetAddition* options) {
  ZsetAddRules& rules = options->rules;
  if (args.Tag("NX")) return rules.only_missing = true;
  if (args.Tag("XX")) return rules.only_existing = true;
  if (args.Tag("CH")) return options->count_changes = true;
  if (args.Tag("INCR")) return rules.increment = true;
  if (args.Tag("GT")) return rules.only_greater = true;
  if (args.Tag("LT")) return rules.only_less = true;
  return false;
}

ZsetAddition ReadAddOptions(ArgReader& args) {
  ZsetAddition options;
  while (ReadAddOption(args, &options)) {
  }
  ZsetAddRules& rules = options.rules;
  const size_t count = args.Left() / 2;
  if (count == 0 || args.Left() % 2 != 0) args.SyntaxError();
  if (rules.only_missing && rules.only_existing) {
    args.Fail("ERR XX and NX options at the same time are not compatible");
  }
  if (rules.only_missing + rules.only_greater + rules.only_less > 1) {
    args.Fail("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  if (rules.increment && count > 1) {
    args.Fail("ERR INCR option supports a single increment-element pair");
  }
  options.members.reserve(count);
  while (args.HasNext()) {
    const double score = args.Double();
    const std::string_view member = args.String();
    options.members.push_back({score, member});
    options.longest = std::max(options.longest, member.size());
  }
  return options;
}

// Adds one member and replies its score, or null if the rules did not allow it.
void AddOne(const CommandContext& ctx, const ScoredMember& member, const ZsetAddRules& rules,
            ReplyWriter& reply) {
  const ZsetLimits limits = ZsetLimitsOf(ctx.config());
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kSortedSet, reply)) return;
  if (slot) slot.Touch();
  const ZsetAddResult result = AddMember(&slot, limits, member, rules);
  switch (result.outcome) {
    case ZsetAddResult::Outcome::kRefused:
      return reply.Null();
    case ZsetAddResult::Outcome::kNotANumber:
      return reply.Error(kNotANumberError);
    case ZsetAddResult::Outcome::kSame:
      return reply.Double(result.score);
    default:
      slot.Notify(kNotifyZset, "zincr");
      return reply.Double(result.score);
  }
}

void ZAdd(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const ZsetAddition options = ReadAddOptions(args.Skip(1));
  if (!args.Done(reply)) return;
  if (options.rules.increment) return AddOne(ctx, options.members[0], options.rules, reply);
  AddMembers(ctx, options, reply);
}

void ZIncrBy(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  // Redis reads the options of ZADD here, too, for which there is no room.
  ZsetAddition none;
  if (ReadAddOption(args.Skip(1), &none)) args.SyntaxError();
  const double increment = args.Double();
  const std::string_view member = args.String();
  if (!args.Done(reply)) return;
  AddOne(ctx, {increment, member}, {.increment = true}, reply);
}

// -- The others
// -----------------------------------------------------------------------------------

void ZRem(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kSortedSet, reply)) return;
  if (slot) slot.Touch();
  int64_t removed = 0;
  for (const std::string_view member : ctx.args().subspan(2)) {
    if (!slot) break;
    removed += RemoveMember(&slot, member) ? 1 : 0;
  }
  if (removed > 0) slot.NotifyRemoval(kNotifyZset, "zrem");
  reply.Integer(removed);
}

void ZCard(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSortedSet, reply)) return;
  reply.Integer(set ? static_cast<int64_t>(ZsetView(*set).size()) : 0);
}

void ReplyScore(const ZsetView& set, std::string_view member, ReplyWriter& reply) {
  if (const std::optional<double> score = set.Score(member)) return reply.Double(*score);
  reply.Null();
}

void ZScore(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSortedSet, reply)) return;
  ReplyScore(ZsetView(set ? &*set : nullptr), ctx.arg(2), reply);
}

void ZMScore(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const CommandArgs members = ctx.args().subspan(2);
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSortedSet, reply)) return;
  const ZsetView view(set ? &*set : nullptr);
  reply.Array(static_cast<int64_t>(members.size()));
  for (const std::string_view member : members) ReplyScore(view, member, reply);
}

void ReplyRank(CommandContext& ctx, ArgReader& args, bool reverse, ReplyWriter& reply) {
  args.Skip(2);
  if (args.Left() > 1) {
    args.Fail(fmt::format("ERR wrong number of arguments for '{}' command", ctx.command().name));
  }
  const bool with_score = args.Tag("WITHSCORE");
  if (!args.Done(reply)) return;
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSortedSet, reply)) return;
  const ZsetView view(set ? &*set : nullptr);
  const std::optional<ZsetView::Place> place = view.Find(ctx.arg(2));
  if (!place.has_value()) return with_score ? reply.NullArray() : reply.Null();
  if (with_score) reply.Array(2);
  reply.Integer(static_cast<int64_t>(reverse ? view.size() - 1 - place->rank : place->rank));
  if (with_score) reply.Double(place->score);
}

void ZRank(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ReplyRank(ctx, args, false, reply);
}

void ZRevRank(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ReplyRank(ctx, args, true, reply);
}

// Scores are bulk strings in either protocol, as in Redis; and as there, those of a big set have 17
// digits while those of a packed one are as short as they can be.
void ReplyScannedScore(double score, bool packed, ReplyWriter& reply) {
  char text[kMaxDoubleChars];
  if (packed) return reply.Bulk({text, FormatDouble(score, text)});
  const auto [end, error] =
      std::to_chars(text, text + sizeof(text), score, std::chars_format::general, 17);
  reply.Bulk({text, static_cast<size_t>(end - text)});
}

void ZScan(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  uint64_t cursor = ReadCursor(args.Skip(1));
  if (!args.Check(reply)) return;
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSortedSet, reply)) return;
  // As in Redis, a missing key is answered whatever the options are.
  if (!set) {
    ReplyCursor(0, reply);
    return reply.Array(0);
  }
  const ScanOptions options = ReadScanOptions(args, ScanCommand::kZScan);
  if (!args.Done(reply)) return;

  const ZsetView view(*set);
  const auto begin = reply.Begin();
  int64_t elements = 0;
  cursor = view.Scan(cursor, options.count, [&](const ScoredMember& scored) {
    if (!options.pattern.Matches(scored.member)) return;
    reply.Bulk(scored.member);
    ++elements;
    if (options.names_only) return;
    ReplyScannedScore(scored.score, view.is_packed(), reply);
    ++elements;
  });
  EndScan(begin, cursor, elements, reply);
}

// -- Rows
// -----------------------------------------------------------------------------------------

constexpr CommandSpec kZsetCommands[] = {
    {.name = "ZADD",
     .arity = -4,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRW | kKeyUpdate),
     .handler = ZAdd,
     .element = 3,
     .group = "sorted_set",
     .since = "1.2.0",
     .complexity = "O(log(N)) per member added, for N in the set",
     .summary = "Adds members with scores to a sorted set, or gives old ones other scores; makes "
                "the set if it is missing.",
     .syntax = "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]"},
    {.name = "ZINCRBY",
     .arity = 4,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyUpdate),
     .handler = ZIncrBy,
     .element = 3,
     .group = "sorted_set",
     .since = "1.2.0",
     .complexity = "O(log(N)) for N members",
     .summary = "Adds to the score of a member, which is made if it is missing.",
     .syntax = "key increment member"},
    {.name = "ZREM",
     .arity = -3,
     .flags = kWrite | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRW | kKeyDelete),
     .handler = ZRem,
     .element = 2,
     .group = "sorted_set",
     .since = "1.2.0",
     .complexity = "O(M*log(N)) for M members removed from N",
     .summary = "Removes members of a sorted set, and the key with the last one.",
     .syntax = "key member [member ...]"},
    {.name = "ZCARD",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO),
     .handler = ZCard,
     .group = "sorted_set",
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Counts the members of a sorted set.",
     .syntax = "key"},
    {.name = "ZSCORE",
     .arity = 3,
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = ZScore,
     .element = 2,
     .group = "sorted_set",
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Answers the score of a member.",
     .syntax = "key member"},
    {.name = "ZMSCORE",
     .arity = -3,
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = ZMScore,
     .element = 2,
     .group = "sorted_set",
     .since = "6.2.0",
     .complexity = "O(N) for N members asked for",
     .summary = "Answers the scores of several members.",
     .syntax = "key member [member ...]"},
    {.name = "ZRANK",
     .arity = -3,
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = ZRank,
     .element = 2,
     .group = "sorted_set",
     .since = "2.0.0",
     .complexity = "O(log(N)) for N members",
     .summary = "Answers how many members are before one, from the lowest score.",
     .syntax = "key member [WITHSCORE]"},
    {.name = "ZREVRANK",
     .arity = -3,
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = ZRevRank,
     .element = 2,
     .group = "sorted_set",
     .since = "2.0.0",
     .complexity = "O(log(N)) for N members",
     .summary = "Answers how many members are before one, from the highest score.",
     .syntax = "key member [WITHSCORE]"},
    {.name = "ZSCAN",
     .arity = -3,
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = ZScan,
     .group = "sorted_set",
     .since = "2.8.0",
     .complexity = "O(1) per call, O(N) for a whole walk over N members",
     .summary =
         "Walks over a sorted set, a few members with each call. A member that stays is seen.",
     .syntax = "key cursor [MATCH pattern] [COUNT count] [NOSCORES]"},
};

}  // namespace

std::span<const CommandSpec> ZsetCommands() { return kZsetCommands; }

void AddMembers(const CommandContext& ctx, const ZsetAddition& addition, ReplyWriter& reply) {
  const ZsetLimits limits = ZsetLimitsOf(ctx.config());
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kSortedSet, reply)) return;
  if (slot) slot.Touch();
  if (!slot && addition.rules.only_existing) return reply.Integer(0);
  ExpectMembers(&slot, limits, addition.members.size(), addition.longest);
  int64_t added = 0;
  int64_t updated = 0;
  for (const ScoredMember& member : addition.members) {
    const auto outcome = AddMember(&slot, limits, member, addition.rules).outcome;
    added += outcome == ZsetAddResult::Outcome::kAdded ? 1 : 0;
    updated += outcome == ZsetAddResult::Outcome::kUpdated ? 1 : 0;
  }
  if (added + updated > 0) slot.Notify(kNotifyZset, "zadd");
  reply.Integer(addition.count_changes ? added + updated : added);
}

}  // namespace spinel
