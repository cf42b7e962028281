// Sorted sets that are waited for: BZPOPMIN, BZPOPMAX, BZMPOP. With a member at hand they are what
// their names without the B are; otherwise the client blocks (server/blocking.h).

#include <utility>

#include "protocol/arg_reader.h"
#include "server/blocking.h"
#include "server/command_context.h"
#include "server/commands/counted_keys.h"
#include "server/commands/families.h"
#include "server/commands/zset_pop.h"

namespace spinel {
namespace {

void PopOrBlock(CommandContext& ctx, ReplyWriter& reply, int64_t deadline_ms, ZsetEnd end,
                uint64_t count, PopShape shape) {
  BlockRequest request;
  request.type = ValueType::kSortedSet;
  request.deadline_ms = deadline_ms;
  request.take = [end, count, shape](KeySlot* zset, KeySlot*, ReplyWriter& out) {
    PopAndReply(zset, end, count, shape, out);
  };
  TakeOrBlock(ctx, reply, std::move(request));
}

template <ZsetEnd end>
void BlockingPop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(ctx.argc() - 2);
  const int64_t deadline_ms = ReadTimeout(ctx, args);
  if (!args.Done(reply)) return;
  PopOrBlock(ctx, reply, deadline_ms, end, 1, PopShape::kKeyFlat);
}

void BZMPop(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t deadline_ms = ReadTimeout(ctx, args);
  const ZsetPopArgs pop = ReadZsetPopArgs(args);
  if (!args.Done(reply)) return;
  PopOrBlock(ctx, reply, deadline_ms, pop.end, pop.count, PopShape::kKeyPairs);
}

constexpr CommandSpec ZSetPopRow(std::string_view name, Handler handler, std::string_view summary) {
  return {.name = name,
          .arity = -3,
          .flags = kWrite | kBlocking | kFast,
          .acl = kAclSortedSet,
          .keys = Keys(1, -2, 1, kKeyRW | kKeyAccess | kKeyDelete),
          .handler = handler,
          .group = "sorted_set",
          .since = "5.0.0",
          .complexity = "O(K + log(N)) for K keys and N members",
          .summary = summary,
          .syntax = "key [key ...] timeout"};
}

constexpr CommandSpec kZsetBlockingCommands[] = {
    ZSetPopRow("BZPOPMIN", BlockingPop<ZsetEnd::kLowest>,
               "Pops the lowest member of the first sorted set that exists, or waits for one."),
    ZSetPopRow("BZPOPMAX", BlockingPop<ZsetEnd::kHighest>,
               "Pops the highest member of the first sorted set that exists, or waits for one."),
    {.name = "BZMPOP",
     .arity = -5,
     .flags = kWrite | kBlocking | kMovableKeys,
     .acl = kAclSortedSet,
     .keys = Keys(0, 0, 0, kKeyRW | kKeyAccess | kKeyDelete),
     .handler = BZMPop,
     .extractor = CountedKeys<2>,
     .group = "sorted_set",
     .since = "7.0.0",
     .complexity = "O(K)+O(M*log(N)) for K keys and M members popped of N",
     .summary = "Pops members of the first sorted set that exists, or waits for one.",
     .syntax = "timeout numkeys key [key ...] <MIN | MAX> [COUNT count]"},
};

}  // namespace

std::span<const CommandSpec> ZsetBlockingCommands() { return kZsetBlockingCommands; }

}  // namespace spinel
