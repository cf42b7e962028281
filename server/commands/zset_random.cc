// Members of sorted sets by chance: ZRANDMEMBER.

#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/value_reply.h"
#include "server/commands/zset_reply.h"
#include "storage/random.h"

namespace spinel {
namespace {

// Of so many members at least, a part is drawn by ranks that are remembered; a bigger part by going
// over all members.
constexpr uint64_t kScarce = 3;

// Calls `visit(const ScoredMember&)` `count` times with any member.
template <typename Visit>
void DrawRepeatedly(const ZsetView& set, uint64_t count, Visit&& visit) {
  const uint64_t size = set.size();
  if (!set.is_packed() || count == 1) {
    for (; count > 0; --count) set.ForEach({FastRandom() % size, 1}, false, visit);
    return;
  }
  absl::InlinedVector<ScoredMember, 128> members;
  members.reserve(size);
  set.ForEach([&members](const ScoredMember& scored) { members.push_back(scored); });
  for (; count > 0; --count) visit(members[FastRandom() % size]);
}

// The same for `count` <= size different members, each selection with the same chance.
template <typename Visit>
void DrawDifferent(const ZsetView& set, uint64_t count, Visit&& visit) {
  uint64_t left = set.size();
  if (!set.is_packed() && count * kScarce < left) {
    absl::flat_hash_set<uint64_t> drawn;
    drawn.reserve(count);
    while (drawn.size() < count) {
      const uint64_t rank = FastRandom() % left;
      if (drawn.insert(rank).second) set.ForEach({rank, 1}, false, visit);
    }
    return;
  }
  // Each member is taken with the chance that it has of being among those still wanted.
  set.ForEach([&](const ScoredMember& scored) {
    if (FastRandom() % left-- >= count) return;
    --count;
    visit(scored);
  });
}

void ZRandMember(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(1);
  const bool counted = args.HasNext();
  const int64_t count = counted ? args.IntInRange(-ArgReader::kMaxInt, ArgReader::kMaxInt) : 1;
  const bool with_scores = args.Tag("WITHSCORES");
  if (args.HasNext()) args.SyntaxError();
  if (with_scores && (count < -(ArgReader::kMaxInt / 2) || count > ArgReader::kMaxInt / 2)) {
    args.Fail("ERR value is out of range");
  }
  if (!args.Done(reply)) return;

  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSortedSet, reply)) return;
  if (!set) return counted ? reply.Array(0) : reply.Null();
  const ZsetView view(*set);
  const auto answer = [&](const ScoredMember& scored) { ReplyMember(scored, with_scores, reply); };
  if (!counted) return DrawRepeatedly(view, 1, answer);
  if (count < 0) {
    const auto drawn = static_cast<uint64_t>(-count);
    ReplyMemberCount(drawn, with_scores, reply);
    return DrawRepeatedly(view, drawn, answer);
  }
  const uint64_t drawn = std::min(static_cast<uint64_t>(count), view.size());
  ReplyMemberCount(drawn, with_scores, reply);
  if (drawn > 0) DrawDifferent(view, drawn, answer);
}

constexpr CommandSpec kZsetRandomCommands[] = {
    {.name = "ZRANDMEMBER",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = ZRandMember,
     .group = "sorted_set",
     .since = "6.2.0",
     .complexity = "O(M*log(N)) for M members answered of N",
     .summary = "Answers members of a sorted set at random; below zero, so many of them and "
                "perhaps some repeatedly.",
     .syntax = "key [count [WITHSCORES]]"},
};

}  // namespace

std::span<const CommandSpec> ZsetRandomCommands() { return kZsetRandomCommands; }

}  // namespace spinel
