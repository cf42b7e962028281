// Parts of strings: APPEND, SETRANGE, GETRANGE, STRLEN.

#include <algorithm>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/string_args.h"
#include "server/commands/value_reply.h"

namespace spinel {
namespace {

// True, and the error is written, if a string of `size` + `added` bytes is longer than allowed.
bool RefuseTooLong(const CommandContext& ctx, uint64_t size, uint64_t added, ReplyWriter& reply) {
  const auto limit = static_cast<uint64_t>(ctx.config().proto_max_bulk_len());
  uint64_t total = 0;
  if (!__builtin_add_overflow(size, added, &total) && total <= limit) return false;
  reply.Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return true;
}

void Append(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const std::string_view bytes = ctx.arg(2);
  SpareBlob spare;
  do {
    WriteGuard slot = ctx.Write();
    if (RefuseWrongType(slot, ValueType::kString, reply)) return;
    const size_t size = slot ? StringLength(*slot) : 0;
    if (RefuseTooLong(ctx, size, bytes.size(), reply)) return;
    if (!spare.Suffices(slot, size + bytes.size())) continue;
    if (slot) {
      slot.Touch();
    } else if (bytes.size() < Blob::kMinBytes) {
      // The first part is stored as SET would.
      StringValueArg(bytes).Store(&slot, Entry::kNoExpiry);
      slot.Notify(kNotifyString, "append");
      return reply.Integer(static_cast<int64_t>(bytes.size()));
    }
    const size_t total = AppendString(&slot, bytes, &spare);
    if (total < size + bytes.size()) return reply.Error(kNoMemoryError);
    slot.Notify(kNotifyString, "append");
    return reply.Integer(static_cast<int64_t>(total));
  } while (spare.Prepare());
  reply.Error(kNoMemoryError);
}

void SetRange(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t offset = args.Skip(1).Int();
  const std::string_view bytes = args.String();
  if (offset < 0) args.Fail("ERR offset is out of range");
  if (!args.Done(reply)) return;
  SpareBlob spare;
  do {
    WriteGuard slot = ctx.Write();
    if (RefuseWrongType(slot, ValueType::kString, reply)) return;
    if (bytes.empty()) {
      return reply.Integer(slot ? static_cast<int64_t>(StringLength(*slot)) : 0);
    }
    if (RefuseTooLong(ctx, static_cast<uint64_t>(offset), bytes.size(), reply)) return;
    const size_t begin = static_cast<size_t>(offset);
    if (!spare.Suffices(slot, begin + bytes.size())) continue;
    if (slot) slot.Touch();
    const size_t total = OverwriteString(&slot, begin, bytes, &spare);
    if (total == 0) return reply.Error(kNoMemoryError);
    slot.Notify(kNotifyString, "setrange");
    return reply.Integer(static_cast<int64_t>(total));
  } while (spare.Prepare());
  reply.Error(kNoMemoryError);
}

// Positions count from 0, negative ones from the end; `end` is included.
void GetRange(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  int64_t begin = args.Skip(1).Int();
  int64_t end = args.Int();
  if (!args.Done(reply)) return;
  const ReadGuard string = ctx.Lookup();
  if (RefuseWrongType(string, ValueType::kString, reply)) return;
  if (!string) return reply.Bulk({});
  IntegerText text;
  const std::string_view bytes = StringBytes(*string, &text);
  const auto size = static_cast<int64_t>(bytes.size());
  if (begin < 0 && end < 0 && begin > end) return reply.Bulk({});
  if (begin < 0) begin = std::max<int64_t>(begin + size, 0);
  if (end < 0) end = std::max<int64_t>(end + size, 0);
  end = std::min(end, size - 1);
  if (begin > end) return reply.Bulk({});
  const auto first = static_cast<size_t>(begin);
  const auto count = static_cast<size_t>(end - begin + 1);
  if (count >= Blob::kMinBytes && string->string_encoding() == StringEncoding::kBlob) {
    reply.BulkPinned(PinOf(string->blob(), first, count));
  } else {
    reply.Bulk(bytes.substr(first, count));
  }
}

void StrLen(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const ReadGuard string = ctx.Lookup();
  if (RefuseWrongType(string, ValueType::kString, reply)) return;
  reply.Integer(string ? static_cast<int64_t>(StringLength(*string)) : 0);
}

// -- Rows
// ------------------------------------------------------------------------------------------

constexpr CommandSpec kStringRangeCommands[] = {
    {.name = "APPEND",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclString,
     .keys = OneKey(kKeyRW | kKeyInsert),
     .handler = Append,
     .group = "string",
     .since = "2.0.0",
     .complexity = "O(1), amortised, for short pieces",
     .summary = "Adds bytes to the end of a string; makes the key if it is missing.",
     .syntax = "key value"},
    {.name = "SETRANGE",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .keys = OneKey(kKeyRW | kKeyUpdate),
     .handler = SetRange,
     .group = "string",
     .since = "2.2.0",
     .complexity = "O(N) for N bytes written, zeros in front included",
     .summary = "Overwrites part of a string; zero bytes fill a gap before it.",
     .syntax = "key offset value"},
    {.name = "GETRANGE",
     .arity = 4,
     .flags = kReadOnly,
     .acl = kAclString,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = GetRange,
     .group = "string",
     .since = "2.4.0",
     .complexity = "O(N) for N bytes answered",
     .summary = "Answers part of a string.",
     .syntax = "key start end"},
    {.name = "SUBSTR",
     .arity = 4,
     .flags = kReadOnly,
     .acl = kAclString,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = GetRange,
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(N) for N bytes answered",
     .summary = "The old name of GETRANGE.",
     .syntax = "key start end"},
    {.name = "STRLEN",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .acl = kAclString,
     .keys = OneKey(kKeyRO),
     .handler = StrLen,
     .group = "string",
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Answers how many bytes a string has.",
     .syntax = "key"},
};

}  // namespace

std::span<const CommandSpec> StringRangeCommands() { return kStringRangeCommands; }

}  // namespace spinel
