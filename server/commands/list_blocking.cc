// Lists that are waited for: BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH. With an element at hand they
// are what their names without the B are; otherwise the client blocks (server/blocking.h).

#include <utility>

#include "protocol/arg_reader.h"
#include "server/blocking.h"
#include "server/command_context.h"
#include "server/commands/counted_keys.h"
#include "server/commands/families.h"
#include "server/commands/list_pop.h"
#include "server/commands/value_reply.h"

namespace spinel {
namespace {

void BlockingPop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply, ListEnd end) {
  args.Skip(ctx.argc() - 2);
  BlockRequest request;
  request.deadline_ms = ReadTimeout(ctx, args);
  if (!args.Done(reply)) return;
  request.take = [end, limits = ListLimitsOf(ctx)](KeySlot* list, KeySlot*, ReplyWriter& out) {
    PopOneWithKey(list, end, limits, out);
  };
  TakeOrBlock(ctx, reply, std::move(request));
}

void BLPop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  BlockingPop(ctx, args, reply, ListEnd::kHead);
}

void BRPop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  BlockingPop(ctx, args, reply, ListEnd::kTail);
}

void BLMPop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  BlockRequest request;
  request.deadline_ms = ReadTimeout(ctx, args);
  const PopManyArgs pop = ReadPopManyArgs(args);
  if (!args.Done(reply)) return;
  request.take = [pop, limits = ListLimitsOf(ctx)](KeySlot* list, KeySlot*, ReplyWriter& out) {
    PopManyWithKey(list, pop.end, pop.count, limits, out);
  };
  TakeOrBlock(ctx, reply, std::move(request));
}

// -- Moving
// ----------------------------------------------------------------------------------------

void MoveOrBlock(CommandContext& ctx, ReplyWriter& reply, int64_t deadline_ms, ListEnd from_end,
                 ListEnd to_end) {
  BlockRequest request;
  request.deadline_ms = deadline_ms;
  request.take = [from_end, to_end, limits = ListLimitsOf(ctx)](KeySlot* from, KeySlot* to,
                                                                ReplyWriter& out) {
    if (from->key().name == to->key().name) {
      return MoveElement(from, from_end, nullptr, to_end, limits, out);
    }
    if (RefuseWrongType(*to, ValueType::kList, out)) return;
    MoveElement(from, from_end, to, to_end, limits, out);
  };
  const LockedKeys keys = ctx.LockKeys();
  KeySlot from = keys.Slot(0);
  if (from) {
    from.Touch();
    if (RefuseWrongType(from, ValueType::kList, reply)) return;
    KeySlot to = keys.Slot(1);
    if (to) to.Touch();
    return request.take(&from, &to, reply);
  }
  if (!ctx.may_block()) return reply.Null();
  request.keys.push_back(0);
  request.destination = std::string(keys.key(1).name);
  Block(ctx, keys, std::move(request));
}

void BLMove(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(2);
  const ListEnd from_end = ReadListEnd(args);
  const ListEnd to_end = ReadListEnd(args);
  const int64_t deadline_ms = ReadTimeout(ctx, args);
  if (!args.Done(reply)) return;
  MoveOrBlock(ctx, reply, deadline_ms, from_end, to_end);
}

void BRPopLPush(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(2);
  const int64_t deadline_ms = ReadTimeout(ctx, args);
  if (!args.Done(reply)) return;
  MoveOrBlock(ctx, reply, deadline_ms, ListEnd::kTail, ListEnd::kHead);
}

constexpr CommandSpec ListPopRow(std::string_view name, Handler handler, std::string_view summary) {
  return {.name = name,
          .arity = -3,
          .flags = kWrite | kBlocking,
          .acl = kAclList,
          .keys = Keys(1, -2, 1, kKeyRW | kKeyAccess | kKeyDelete),
          .handler = handler,
          .group = "list",
          .since = "2.0.0",
          .complexity = "O(N) for N keys",
          .summary = summary,
          .syntax = "key [key ...] timeout"};
}

constexpr CommandSpec kListBlockingCommands[] = {
    ListPopRow("BLPOP", BLPop,
               "Takes the first element of the first list that has one, or waits for one."),
    ListPopRow("BRPOP", BRPop,
               "Takes the last element of the first list that has one, or waits for one."),
    {.name = "BLMPOP",
     .arity = -5,
     .flags = kWrite | kBlocking | kMovableKeys,
     .acl = kAclList,
     .keys = Keys(0, 0, 0, kKeyRW | kKeyAccess | kKeyDelete),
     .handler = BLMPop,
     .extractor = CountedKeys<2>,
     .group = "list",
     .since = "7.0.0",
     .complexity = "O(N+M): N keys, M elements taken",
     .summary = "Takes elements off an end of the first list that has some, or waits for some.",
     .syntax = "timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]"},
    {.name = "BLMOVE",
     .arity = 6,
     .flags = kWrite | kDenyOom | kBlocking,
     .acl = kAclList,
     .keys = Keys(1, 2, 1, kKeyRW | kKeyAccess | kKeyDelete),
     .handler = BLMove,
     .group = "list",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Moves an element from one list to another, or waits for one.",
     .syntax = "source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout"},
    {.name = "BRPOPLPUSH",
     .arity = 4,
     .flags = kWrite | kDenyOom | kBlocking,
     .acl = kAclList,
     .keys = Keys(1, 2, 1, kKeyRW | kKeyAccess | kKeyDelete),
     .handler = BRPopLPush,
     .group = "list",
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Moves the last element of a list to the head of another, or waits for one.",
     .syntax = "source destination timeout"},
};

}  // namespace

std::span<const CommandSpec> ListBlockingCommands() { return kListBlockingCommands; }

}  // namespace spinel
