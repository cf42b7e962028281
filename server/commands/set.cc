// Sets: members come, go and are asked for. (What is drawn by chance is in set_random.cc, what
// takes several sets in set_algebra.cc.)

#include "absl/container/inlined_vector.h"
#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/scan_args.h"
#include "server/commands/set_reply.h"
#include "server/commands/value_reply.h"

namespace spinel {
namespace {

void SAdd(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const CommandArgs members = ctx.args().subspan(2);
  const SetLimits limits = SetLimitsOf(ctx.config());
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kSet, reply)) return;
  if (slot) slot.Touch();
  const size_t added = AddMembers(&slot, members, limits);
  if (added > 0) slot.Notify(kNotifySet, "sadd");
  reply.Integer(static_cast<int64_t>(added));
}

void SRem(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kSet, reply)) return;
  if (!slot) return reply.Integer(0);
  slot.Touch();
  const size_t removed = RemoveMembers(&slot, ctx.args().subspan(2));
  if (removed > 0) slot.NotifyRemoval(kNotifySet, "srem");
  reply.Integer(static_cast<int64_t>(removed));
}

void SMove(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const CommandArgs member = ctx.args().subspan(3, 1);
  const SetLimits limits = SetLimitsOf(ctx.config());
  const LockedKeys keys = ctx.LockKeys();
  KeySlot source = keys.Slot(0);
  KeySlot target = keys.Slot(1);
  if (!source) return reply.Integer(0);
  if (RefuseWrongType(source, ValueType::kSet, reply)) return;
  if (RefuseWrongType(target, ValueType::kSet, reply)) return;
  source.Touch();
  if (target) target.Touch();
  if (source.entry() == target.entry()) {
    return reply.Integer(SetView(source.entry()).Contains(member.front()) ? 1 : 0);
  }
  if (RemoveMembers(&source, member) == 0) return reply.Integer(0);
  source.NotifyRemoval(kNotifySet, "srem");
  if (AddMembers(&target, member, limits) > 0) target.Notify(kNotifySet, "sadd");
  reply.Integer(1);
}

void SIsMember(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSet, reply)) return;
  reply.Integer(set && SetView(*set).Contains(ctx.arg(2)) ? 1 : 0);
}

void SMIsMember(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const CommandArgs members = ctx.args().subspan(2);
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSet, reply)) return;
  reply.Array(static_cast<int64_t>(members.size()));
  for (const std::string_view member : members) {
    reply.Integer(set && SetView(*set).Contains(member) ? 1 : 0);
  }
}

void SCard(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSet, reply)) return;
  reply.Integer(set ? static_cast<int64_t>(SetView(*set).size()) : 0);
}

void SMembers(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSet, reply)) return;
  if (!set) return reply.Set(0);
  const SetView view(*set);
  reply.Set(static_cast<int64_t>(view.size()));
  view.ForEachElement(MemberReplier(reply));
}

void SScan(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  uint64_t cursor = ReadCursor(args.Skip(1));
  if (!args.Check(reply)) return;
  // As in Redis, a missing key is answered whatever the options are.
  const ReadGuard set = ctx.Lookup();
  if (!set) {
    ReplyCursor(0, reply);
    return reply.Array(0);
  }
  if (RefuseWrongType(set, ValueType::kSet, reply)) return;
  const ScanOptions options = ReadScanOptions(args, ScanCommand::kSScan);
  if (!args.Done(reply)) return;

  absl::InlinedVector<SetElement, 16> found;
  cursor = SetView(*set).Scan(cursor, options.count, [&](const SetElement& element) {
    char room[kIntegerChars];
    if (options.pattern.Matches(element.Bytes(room))) found.push_back(element);
  });
  ReplyCursor(cursor, reply);
  reply.Array(static_cast<int64_t>(found.size()));
  for (const SetElement& element : found) ReplyMember(element, reply);
}

constexpr CommandSpec kSetCommands[] = {
    {.name = "SADD",
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclSet,
     .keys = OneKey(kKeyRW | kKeyInsert),
     .handler = SAdd,
     .element = 2,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) for N members",
     .summary = "Adds members to a set; makes the set if it is missing.",
     .syntax = "key member [member ...]"},
    {.name = "SREM",
     .arity = -3,
     .flags = kWrite | kFast,
     .acl = kAclSet,
     .keys = OneKey(kKeyRW | kKeyDelete),
     .handler = SRem,
     .element = 2,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) for N members",
     .summary = "Removes members from a set; an empty set is removed.",
     .syntax = "key member [member ...]"},
    {.name = "SMOVE",
     .arity = 4,
     .flags = kWrite | kFast,
     .acl = kAclSet,
     .keys = Keys(1, 2, 1, kKeyRW | kKeyAccess | kKeyDelete),
     .handler = SMove,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Moves a member from one set to another.",
     .syntax = "source destination member"},
    {.name = "SISMEMBER",
     .arity = 3,
     .flags = kReadOnly | kFast,
     .acl = kAclSet,
     .keys = OneKey(kKeyRO),
     .handler = SIsMember,
     .element = 2,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Tells whether something is a member of a set.",
     .syntax = "key member"},
    {.name = "SMISMEMBER",
     .arity = -3,
     .flags = kReadOnly | kFast,
     .acl = kAclSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = SMIsMember,
     .element = 2,
     .group = "set",
     .since = "6.2.0",
     .complexity = "O(N) for N members",
     .summary = "Tells of several things whether they are members of a set.",
     .syntax = "key member [member ...]"},
    {.name = "SCARD",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .acl = kAclSet,
     .keys = OneKey(kKeyRO),
     .handler = SCard,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers how many members a set has.",
     .syntax = "key"},
    {.name = "SMEMBERS",
     .arity = 2,
     .flags = kReadOnly,
     .acl = kAclSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = SMembers,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) for a set of N members",
     .summary = "Answers all members of a set.",
     .syntax = "key"},
    {.name = "SSCAN",
     .arity = -3,
     .flags = kReadOnly,
     .acl = kAclSet,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = SScan,
     .group = "set",
     .since = "2.8.0",
     .complexity = "O(1) per call, O(N) for a whole walk over N members",
     .summary = "Walks over a set, a few members with each call. A member that stays is seen.",
     .syntax = "key cursor [MATCH pattern] [COUNT count]"},
};

}  // namespace

std::span<const CommandSpec> SetCommands() { return kSetCommands; }

}  // namespace spinel
