// Intersection, union and difference of sets, answered, counted or stored.

#include "storage/set_algebra.h"

#include <limits>
#include <vector>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/counted_keys.h"
#include "server/commands/families.h"
#include "server/commands/key_events.h"
#include "server/commands/set_reply.h"
#include "server/commands/value_reply.h"

namespace spinel {
namespace {

using SetOperation = void (*)(std::vector<SetView> sets, SetResultVisitor visit);

// The sets at the locked keys from number `first` on; a missing key is an empty set. False, and the
// error is written, when one of them holds something else.
bool CollectSets(const LockedKeys& keys, size_t first, std::vector<SetView>* sets,
                 ReplyWriter& reply) {
  sets->reserve(keys.size() - first);
  for (size_t i = first; i < keys.size(); ++i) {
    KeySlot slot = keys.Slot(i);
    slot.CountLookup();
    if (RefuseWrongType(slot, ValueType::kSet, reply)) return false;
    sets->emplace_back(slot.entry());
  }
  return true;
}

template <SetOperation kOperation>
void AnswerSets(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const LockedKeys keys = ctx.LockKeys();
  std::vector<SetView> sets;
  if (!CollectSets(keys, 0, &sets, reply)) return;
  const auto begin = reply.Begin();
  int64_t count = 0;
  kOperation(std::move(sets), [&](const SetElement& element) {
    ReplyMember(element, reply);
    ++count;
    return true;
  });
  reply.EndSet(begin, count);
}

template <SetOperation kOperation>
void StoreSets(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  // No constant: GCC's sanitizer takes the address of no function for one.
  const std::string_view event = kOperation == IntersectSets ? "sinterstore"
                                 : kOperation == UniteSets   ? "sunionstore"
                                                             : "sdiffstore";
  SetBuilder result(SetLimitsOf(ctx.config()));
  const LockedKeys keys = ctx.LockKeys();
  std::vector<SetView> sets;
  if (!CollectSets(keys, 1, &sets, reply)) return;
  kOperation(std::move(sets), [&](const SetElement& element) {
    result.Add(element);
    return true;
  });
  KeySlot target = keys.Slot(0);
  const bool existed = target.exists();
  result.Store(&target);
  NotifyStored(target, kNotifySet, event, existed);
  reply.Integer(static_cast<int64_t>(result.size()));
}

void SInterCard(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const int64_t key_count = args.IntInRange(1, kMax, "ERR numkeys should be greater than 0");
  if (args.ok() && static_cast<uint64_t>(key_count) > args.Left()) {
    args.Fail("ERR Number of keys can't be greater than number of args");
  }
  args.Skip(args.ok() ? static_cast<size_t>(key_count) : 0);
  int64_t limit = 0;  // none
  while (args.HasNext()) {
    if (args.Left() > 1 && args.Tag("LIMIT")) {
      limit = args.IntInRange(0, kMax, "ERR LIMIT can't be negative");
    } else {
      args.SyntaxError();
    }
  }
  if (!args.Done(reply)) return;

  const LockedKeys keys = ctx.LockKeys();
  std::vector<SetView> sets;
  if (!CollectSets(keys, 0, &sets, reply)) return;
  int64_t count = 0;
  IntersectSets(std::move(sets), [&](const SetElement&) { return ++count != limit; });
  reply.Integer(count);
}

constexpr CommandSpec kSetAlgebraCommands[] = {
    {.name = "SINTER",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kAclSet,
     .keys = Keys(1, -1, 1, kKeyRO | kKeyAccess),
     .handler = AnswerSets<IntersectSets>,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N*M) for M sets, the smallest of N members",
     .summary = "Answers what is in all of several sets.",
     .syntax = "key [key ...]"},
    {.name = "SINTERSTORE",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .acl = kAclSet,
     .keys = Keys(1, -1, 1, kKeyOW | kKeyUpdate),
     .handler = StoreSets<IntersectSets>,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N*M) for M sets, the smallest of N members",
     .summary = "Stores what is in all of several sets, as a set.",
     .syntax = "destination key [key ...]"},
    {.name = "SINTERCARD",
     .arity = -3,
     .flags = kReadOnly | kMovableKeys,
     .acl = kAclSet,
     .keys = {.first = 0, .last = 0, .step = 0, .flags = kKeyRO | kKeyAccess},
     .handler = SInterCard,
     .extractor = CountedKeys<1>,
     .group = "set",
     .since = "7.0.0",
     .complexity = "O(N*M) for M sets, the smallest of N members",
     .summary = "Counts what is in all of several sets, up to a limit.",
     .syntax = "numkeys key [key ...] [LIMIT limit]"},
    {.name = "SUNION",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kAclSet,
     .keys = Keys(1, -1, 1, kKeyRO | kKeyAccess),
     .handler = AnswerSets<UniteSets>,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) for N members in all sets",
     .summary = "Answers what is in any of several sets.",
     .syntax = "key [key ...]"},
    {.name = "SUNIONSTORE",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .acl = kAclSet,
     .keys = Keys(1, -1, 1, kKeyOW | kKeyUpdate),
     .handler = StoreSets<UniteSets>,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) for N members in all sets",
     .summary = "Stores what is in any of several sets, as a set.",
     .syntax = "destination key [key ...]"},
    {.name = "SDIFF",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kAclSet,
     .keys = Keys(1, -1, 1, kKeyRO | kKeyAccess),
     .handler = AnswerSets<SubtractSets>,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) for N members in all sets",
     .summary = "Answers what is in the first of several sets and in no other.",
     .syntax = "key [key ...]"},
    {.name = "SDIFFSTORE",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .acl = kAclSet,
     .keys = Keys(1, -1, 1, kKeyOW | kKeyUpdate),
     .handler = StoreSets<SubtractSets>,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) for N members in all sets",
     .summary = "Stores what is in the first of several sets and in no other, as a set.",
     .syntax = "destination key [key ...]"},
};

}  // namespace

std::span<const CommandSpec> SetAlgebraCommands() { return kSetAlgebraCommands; }

}  // namespace spinel
