// Many fields of a hash, not by their names: HGETALL, HKEYS, HVALS, HSCAN, HRANDFIELD.

#include <limits>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/hash_reply.h"
#include "server/commands/scan_args.h"

namespace spinel {
namespace {

enum class Parts : uint8_t { kNames, kValues, kBoth };

void ReplyItem(const HashItem& item, Parts parts, ReplyWriter& reply) {
  if (parts != Parts::kValues) reply.Bulk(item.name);
  if (parts != Parts::kNames) ReplyHashValue(item.value, reply);
}

void ReplyAll(CommandContext& ctx, ReplyWriter& reply, Parts parts) {
  const ReadGuard value = ctx.Lookup();
  if (RefuseWrongType(value, ValueType::kHash, reply)) return;
  if (!value) return parts == Parts::kBoth ? reply.Map(0) : reply.Array(0);
  const HashView hash(*value, ctx.now_ms());
  if (hash.exact()) {
    const auto size = static_cast<int64_t>(hash.size());
    parts == Parts::kBoth ? reply.Map(size) : reply.Array(size);
    hash.ForEach([&](const HashItem& item) { ReplyItem(item, parts, reply); });
    return;
  }
  const auto begin = reply.Begin();
  int64_t count = 0;
  hash.ForEach([&](const HashItem& item) {
    ++count;
    ReplyItem(item, parts, reply);
  });
  parts == Parts::kBoth ? reply.EndMap(begin, count) : reply.EndArray(begin, count);
}

void HGetAll(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyAll(ctx, reply, Parts::kBoth);
}

void HKeys(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyAll(ctx, reply, Parts::kNames);
}

void HVals(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyAll(ctx, reply, Parts::kValues);
}

void HScan(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  uint64_t cursor = ReadCursor(args.Skip(1));
  if (!args.Check(reply)) return;
  const ScanOptions options = ReadScanOptions(args, ScanCommand::kHScan);
  const ReadGuard value = ctx.Lookup();
  if (RefuseWrongType(value, ValueType::kHash, reply)) return;
  if (!value) {  // whatever the options are
    ReplyCursor(0, reply);
    return reply.Array(0);
  }
  if (!args.Done(reply)) return;
  const Parts parts = options.names_only ? Parts::kNames : Parts::kBoth;
  // The cursor stands in front of the elements, but is known after them.
  const auto begin = reply.Begin();
  int64_t count = 0;
  cursor = HashView(*value, ctx.now_ms()).Scan(cursor, options.count, [&](const HashItem& item) {
    if (!options.pattern.Matches(item.name)) return;
    count += parts == Parts::kBoth ? 2 : 1;
    ReplyItem(item, parts, reply);
  });
  EndScan(begin, cursor, count, reply);
}

// -- HRANDFIELD
// ------------------------------------------------------------------------------------

void ReplyRandomFields(const HashView& hash, int64_t count, bool with_values, ReplyWriter& reply) {
  const bool pairs = with_values && reply.resp3();
  const Parts parts = with_values ? Parts::kBoth : Parts::kNames;
  const auto write = [&](const HashItem& item) {
    if (pairs) reply.Array(2);
    ReplyItem(item, parts, reply);
  };
  const auto begin = reply.Begin();
  const uint64_t written = count >= 0 ? hash.RandomDistinct(static_cast<uint64_t>(count), write)
                                      : hash.RandomRepeated(static_cast<uint64_t>(-count), write);
  reply.EndArray(begin, static_cast<int64_t>(with_values && !pairs ? 2 * written : written));
}

void HRandField(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  // Fields that come again and again: what is beyond this could not be sent anyway.
  constexpr int64_t kMaxRepeated = int64_t{1} << 26;
  args.Skip(1);
  const bool one = !args.HasNext();
  int64_t count = 0;
  bool with_values = false;
  if (!one) {
    count = args.IntInRange(-kMax, kMax);
    with_values = args.Tag("WITHVALUES");
    if (args.HasNext()) args.SyntaxError();
    const bool too_many = count < -kMaxRepeated || (with_values && count > kMax / 2);
    if (too_many) args.Fail("ERR value is out of range");
  }
  if (!args.Done(reply)) return;

  const ReadGuard value = ctx.Lookup();
  if (RefuseWrongType(value, ValueType::kHash, reply)) return;
  if (!value) return one ? reply.Null() : reply.Array(0);
  const HashView hash(*value, ctx.now_ms());
  if (!one) return ReplyRandomFields(hash, count, with_values, reply);
  HashItem item;
  hash.Random(&item) ? reply.Bulk(item.name) : reply.Null();
}

constexpr KeySpec kWalkHash = OneKey(kKeyRO | kKeyAccess);

constexpr CommandSpec kHashWalkCommands[] = {
    {.name = "HGETALL",
     .arity = 2,
     .flags = kReadOnly,
     .acl = kAclHash,
     .keys = kWalkHash,
     .handler = HGetAll,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Answers all fields of a hash with their values.",
     .syntax = "key"},
    {.name = "HKEYS",
     .arity = 2,
     .flags = kReadOnly,
     .acl = kAclHash,
     .keys = kWalkHash,
     .handler = HKeys,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Answers the names of all fields of a hash.",
     .syntax = "key"},
    {.name = "HVALS",
     .arity = 2,
     .flags = kReadOnly,
     .acl = kAclHash,
     .keys = kWalkHash,
     .handler = HVals,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Answers the values of all fields of a hash.",
     .syntax = "key"},
    {.name = "HSCAN",
     .arity = -3,
     .flags = kReadOnly,
     .acl = kAclHash,
     .keys = kWalkHash,
     .handler = HScan,
     .group = "hash",
     .since = "2.8.0",
     .complexity = "O(1) per call, O(N) for a whole walk over N fields",
     .summary =
         "Walks over the fields of a hash, a few with each call. A field that stays is seen.",
     .syntax = "key cursor [MATCH pattern] [COUNT count] [NOVALUES]"},
    {.name = "HRANDFIELD",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kAclHash,
     .keys = kWalkHash,
     .handler = HRandField,
     .group = "hash",
     .since = "6.2.0",
     .complexity = "O(N) for N fields that are answered; O(M) for M fields of the hash when N is "
                   "more than a quarter of them",
     .summary = "Answers random fields: one, or count different ones, or -count that may repeat.",
     .syntax = "key [count [WITHVALUES]]"},
};

}  // namespace

std::span<const CommandSpec> HashWalkCommands() { return kHashWalkCommands; }

}  // namespace spinel
