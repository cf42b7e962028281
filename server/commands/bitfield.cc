// BITFIELD and BITFIELD_RO: integers of any width among the bits of a string.

#include <algorithm>
#include <optional>

#include "absl/container/inlined_vector.h"
#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/bit_offset.h"
#include "server/commands/families.h"
#include "server/commands/string_args.h"
#include "server/commands/value_reply.h"
#include "storage/bitops.h"

namespace spinel {
namespace {

struct FieldOperation {
  enum class Kind : uint8_t { kGet, kSet, kIncrement };
  Kind kind = Kind::kGet;
  Overflow overflow = Overflow::kWrap;
  IntegerType type;
  uint64_t offset = 0;
  int64_t operand = 0;

  uint64_t end() const { return offset + type.bits; }
};

struct FieldRequest {
  absl::InlinedVector<FieldOperation, 4> operations;
  uint64_t written_bytes = 0;  // how long the string has to be for what is written
  bool writes = false;
};

Overflow ReadOverflow(ArgReader& args) {
  if (args.Tag("WRAP")) return Overflow::kWrap;
  if (args.Tag("SAT")) return Overflow::kSaturate;
  if (args.Tag("FAIL")) return Overflow::kFail;
  args.Fail("ERR Invalid OVERFLOW type specified");
  return Overflow::kWrap;
}

IntegerType ReadType(ArgReader& args) {
  const std::string_view text = args.String();
  IntegerType type;
  int64_t bits = 0;
  type.is_signed = text.starts_with('i');
  const bool valid = (type.is_signed || text.starts_with('u')) &&
                     ParseInt64(text.substr(1), &bits) && bits >= 1 &&
                     bits <= (type.is_signed ? 64 : 63);
  if (!valid) {
    args.Fail(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
        "i64 is.");
    return {};
  }
  type.bits = static_cast<unsigned>(bits);
  return type;
}

FieldRequest ReadRequest(const CommandContext& ctx, ArgReader& args) {
  using Kind = FieldOperation::Kind;
  FieldRequest request;
  Overflow overflow = Overflow::kWrap;
  while (args.HasNext()) {
    const size_t left = args.Left() - 1;  // behind the operation's name
    FieldOperation operation;
    if (left >= 1 && args.Tag("OVERFLOW")) {
      overflow = ReadOverflow(args);
      continue;
    }
    if (left >= 2 && args.Tag("GET")) {
      operation.kind = Kind::kGet;
    } else if (left >= 3 && args.Tag("SET")) {
      operation.kind = Kind::kSet;
    } else if (left >= 3 && args.Tag("INCRBY")) {
      operation.kind = Kind::kIncrement;
    } else {
      args.SyntaxError();
      break;
    }
    operation.overflow = overflow;
    operation.type = ReadType(args);
    operation.offset = ReadBitOffset(ctx, args, operation.type.bits);
    if (operation.kind != Kind::kGet) {
      operation.operand = args.Int();
      request.writes = true;
      request.written_bytes = std::max(request.written_bytes, (operation.end() + 7) / 8);
    }
    request.operations.push_back(operation);
  }
  return request;
}

void ReplyOptional(std::optional<int64_t> value, ReplyWriter& reply) {
  value.has_value() ? reply.Integer(*value) : reply.Null();
}

// Replies to the operation; returns whether that is a change. In a string that has `grown`,
// whatever is written is one.
bool Apply(const FieldOperation& operation, char* bytes, size_t size, bool grown,
           ReplyWriter& reply) {
  using Kind = FieldOperation::Kind;
  const int64_t old = IntegerAt({bytes, size}, operation.offset, operation.type);
  if (operation.kind == Kind::kGet) {
    reply.Integer(old);
    return false;
  }
  const bool sets = operation.kind == Kind::kSet;
  const std::optional<int64_t> fresh =
      sets ? FitInteger(operation.type, operation.operand, operation.overflow)
           : AddInteger(operation.type, old, operation.operand, operation.overflow);
  ReplyOptional(sets && fresh.has_value() ? old : fresh, reply);
  if (!fresh.has_value()) return false;
  StoreIntegerAt(bytes, operation.offset, operation.type, *fresh);
  return grown || *fresh != old;
}

void ReadFields(const CommandContext& ctx, const FieldRequest& request, ReplyWriter& reply) {
  const ReadGuard string = ctx.Lookup();
  if (RefuseWrongType(string, ValueType::kString, reply)) return;
  IntegerText text;
  const std::string_view bytes = string ? StringBytes(*string, &text) : std::string_view();
  reply.Array(static_cast<int64_t>(request.operations.size()));
  for (const FieldOperation& operation : request.operations) {
    reply.Integer(IntegerAt(bytes, operation.offset, operation.type));
  }
}

void WriteFields(const CommandContext& ctx, const FieldRequest& request, ReplyWriter& reply) {
  SpareBlob spare;
  do {
    WriteGuard slot = ctx.Write();
    if (RefuseWrongType(slot, ValueType::kString, reply)) return;
    const bool created = !slot;
    const size_t old_size = created ? 0 : StringLength(*slot);
    const size_t size = std::max<size_t>(request.written_bytes, old_size);
    if (!spare.Suffices(slot, size)) continue;
    if (slot) slot.Touch();
    char* const bytes = MutableStringUncounted(&slot, size, &spare);
    if (bytes == nullptr) return reply.Error(kNoMemoryError);
    reply.Array(static_cast<int64_t>(request.operations.size()));
    uint64_t changes = 0;
    for (const FieldOperation& operation : request.operations) {
      changes += Apply(operation, bytes, size, size != old_size, reply) ? 1 : 0;
    }
    if (changes == 0) return;
    if (!created) slot.MarkChanged(changes);
    slot.Notify(kNotifyString, "setbit");
    return;
  } while (spare.Prepare());
  reply.Error(kNoMemoryError);
}

void BitField(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const FieldRequest request = ReadRequest(ctx, args.Skip(1));
  if (!args.Done(reply)) return;
  request.writes ? WriteFields(ctx, request, reply) : ReadFields(ctx, request, reply);
}

void BitFieldRo(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const FieldRequest request = ReadRequest(ctx, args.Skip(1));
  if (request.writes) args.Fail("ERR BITFIELD_RO only supports the GET subcommand");
  if (!args.Done(reply)) return;
  ReadFields(ctx, request, reply);
}

// -- Rows
// -----------------------------------------------------------------------------------------

constexpr CommandSpec kBitFieldCommands[] = {
    {.name = "BITFIELD",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .acl = kAclBitmap,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags),
     .handler = BitField,
     .group = "bitmap",
     .since = "3.2.0",
     .complexity = "O(1) for each operation",
     .summary = "Reads, sets and increments integers of any width among the bits of a string.",
     .syntax = "key [<GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset "
               "value | INCRBY encoding offset increment>> ...]"},
    {.name = "BITFIELD_RO",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .acl = kAclBitmap,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = BitFieldRo,
     .group = "bitmap",
     .since = "6.0.0",
     .complexity = "O(1) for each operation",
     .summary = "Reads integers of any width among the bits of a string.",
     .syntax = "key [GET encoding offset [GET encoding offset ...]]"},
};

}  // namespace

std::span<const CommandSpec> BitFieldCommands() { return kBitFieldCommands; }

}  // namespace spinel
