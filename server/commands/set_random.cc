// Sets by chance: SPOP and SRANDMEMBER.

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/set_reply.h"
#include "server/commands/value_reply.h"

namespace spinel {
namespace {

// False, and the error is written, unless the command is "name key [count]" with a count of at
// least `lowest`. Without a count leaves `*count` alone. `error` is what is said of a bad count, as
// in ArgReader::IntInRange.
bool ReadCount(ArgReader& args, int64_t lowest, std::string_view error, int64_t* count,
               ReplyWriter& reply) {
  args.Skip(1);
  if (args.Left() > 1) {
    args.SyntaxError();
  } else if (args.HasNext()) {
    *count = args.IntInRange(lowest, ArgReader::kMaxInt, error);
  }
  return args.Done(reply);
}

void SPop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  int64_t count = 1;
  constexpr std::string_view kNotPositive = "ERR value is out of range, must be positive";
  if (!ReadCount(args, 0, kNotPositive, &count, reply)) return;
  const bool counted = ctx.argc() > 2;
  const SetLimits limits = SetLimitsOf(ctx.config());

  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kSet, reply)) return;
  if (!slot) return counted ? reply.Set(0) : reply.Null();
  slot.Touch();
  const size_t size = SetView(slot.entry()).size();
  const size_t popped = std::min(size, static_cast<size_t>(count));
  if (counted) reply.Set(static_cast<int64_t>(popped));
  if (popped == 0) return;
  PopMembers(&slot, popped, limits, MemberReplier(reply));
  slot.NotifyRemoval(kNotifySet, "spop");
}

void SRandMember(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  int64_t count = 1;
  if (!ReadCount(args, -ArgReader::kMaxInt, {}, &count, reply)) return;
  const bool counted = ctx.argc() > 2;

  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSet, reply)) return;
  if (!set) return counted ? reply.Array(0) : reply.Null();
  const SetView view(*set);
  if (!counted) return ReplyMember(view.Sample(), reply);
  if (count < 0) {  // with repetitions
    reply.Array(-count);
    for (; count < 0; ++count) ReplyMember(view.Sample(), reply);
    return;
  }
  const size_t drawn = std::min(view.size(), static_cast<size_t>(count));
  reply.Array(static_cast<int64_t>(drawn));
  if (drawn > 0) view.SampleMany(drawn, MemberReplier(reply));
}

constexpr CommandSpec kSetRandomCommands[] = {
    {.name = "SPOP",
     .arity = -2,
     .flags = kWrite | kFast,
     .acl = kAclSet,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyDelete),
     .handler = SPop,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) for N members",
     .summary = "Removes members of a set at random and answers them.",
     .syntax = "key [count]"},
    {.name = "SRANDMEMBER",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kAclSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = SRandMember,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) for N members",
     .summary = "Answers members of a set at random; below zero, so many of them and perhaps some "
                "repeatedly.",
     .syntax = "key [count]"},
};

}  // namespace

std::span<const CommandSpec> SetRandomCommands() { return kSetRandomCommands; }

}  // namespace spinel
