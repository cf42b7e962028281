// Strings as rows of bits: SETBIT, GETBIT, BITCOUNT, BITPOS, BITOP. (BITFIELD is in bitfield.cc.)

#include <algorithm>
#include <cstring>
#include <memory>

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

struct BlobReleaser {
  void operator()(Blob* blob) const { blob->Release(); }
};
using BlobPointer = std::unique_ptr<Blob, BlobReleaser>;

// -- One bit
// --------------------------------------------------------------------------------------

void SetBit(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const uint64_t offset = ReadBitOffset(ctx, args.Skip(1));
  const bool bit = args.IntInRange(0, 1, "ERR bit is not an integer or out of range") != 0;
  if (!args.Done(reply)) return;
  SpareBlob spare;
  do {
    WriteGuard slot = ctx.Write();
    if (RefuseWrongType(slot, ValueType::kString, reply)) return;
    const bool created = !slot;
    const size_t old_size = created ? 0 : StringLength(*slot);
    const size_t size = std::max<size_t>(offset / 8 + 1, old_size);
    if (!spare.Suffices(slot, size)) continue;
    if (slot) slot.Touch();
    char* const bytes = MutableStringUncounted(&slot, size, &spare);
    if (bytes == nullptr) return reply.Error(kNoMemoryError);
    const bool old = ExchangeBit(bytes, offset, bit);
    if (old != bit || size != old_size) {
      if (!created) slot.MarkChanged();
      slot.Notify(kNotifyString, "setbit");
    }
    return reply.Integer(old ? 1 : 0);
  } while (spare.Prepare());
  reply.Error(kNoMemoryError);
}

void GetBit(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const uint64_t offset = ReadBitOffset(ctx, args.Skip(1));
  if (!args.Done(reply)) return;
  const ReadGuard string = ctx.Lookup();
  if (RefuseWrongType(string, ValueType::kString, reply)) return;
  if (!string) return reply.Integer(0);
  IntegerText text;
  reply.Integer(BitAt(StringBytes(*string, &text), offset) ? 1 : 0);
}

// -- Ranges
// ---------------------------------------------------------------------------------------

struct RangeArgs {
  int64_t begin = 0;  // negative: counted from the end
  int64_t end = -1;   // included
  bool end_given = false;
  bool in_bits = false;
};

// Reads [start [end [BYTE | BIT]]].
RangeArgs ReadRange(ArgReader& args) {
  RangeArgs range;
  if (args.Left() > 3) args.SyntaxError();
  if (!args.HasNext()) return range;
  range.begin = args.Int();
  if (args.Left() == 2) {
    // Redis looks at the unit before it looks at the end.
    const std::string_view unit = args.Rest()[1];
    range.in_bits = EqualsIgnoreCase(unit, "BIT");
    if (!range.in_bits && !EqualsIgnoreCase(unit, "BYTE")) args.SyntaxError();
  }
  if (!args.HasNext()) return range;
  range.end = args.Int();
  range.end_given = true;
  if (args.HasNext()) args.Skip(1);
  return range;
}

BitRange BitsWithin(const RangeArgs& range, size_t bytes) {
  const int64_t size = static_cast<int64_t>(bytes) * (range.in_bits ? 8 : 1);
  const int64_t begin = std::max<int64_t>(range.begin < 0 ? range.begin + size : range.begin, 0);
  int64_t end = std::max<int64_t>(range.end < 0 ? range.end + size : range.end, 0);
  end = std::min(end, size - 1);
  if (begin > end) return {};
  const uint64_t scale = range.in_bits ? 1 : 8;
  return {static_cast<uint64_t>(begin) * scale, (static_cast<uint64_t>(end) + 1) * scale};
}

// Answers what `look(bytes)` finds in the string at the key. Nobody waits while a big one is looked
// at: it is pinned.
template <typename Look>
void ReplyLook(const CommandContext& ctx, int64_t missing, ReplyWriter& reply, Look&& look) {
  BlobPointer pinned;
  {
    const ReadGuard string = ctx.Lookup();
    if (RefuseWrongType(string, ValueType::kString, reply)) return;
    if (!string) return reply.Integer(missing);
    IntegerText text;
    const std::string_view bytes = StringBytes(*string, &text);
    if (bytes.size() < Blob::kBigBytes) return reply.Integer(look(bytes));
    string->blob()->AddRef();
    pinned.reset(string->blob());
  }
  reply.Integer(look(pinned->view()));
}

void BitCount(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const RangeArgs range = ReadRange(args.Skip(1));
  if (!args.Done(reply)) return;
  ReplyLook(ctx, 0, reply, [&](std::string_view bytes) -> int64_t {
    if (range.begin < 0 && range.end < 0 && range.begin > range.end) return 0;
    return static_cast<int64_t>(CountBits(bytes, BitsWithin(range, bytes.size())));
  });
}

void BitPos(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t value = args.Skip(1).Int();
  if (value != 0 && value != 1) args.Fail("ERR The bit argument must be 1 or 0.");
  const RangeArgs range = ReadRange(args);
  if (!args.Done(reply)) return;
  const bool bit = value == 1;
  // A missing string is zeros without end.
  ReplyLook(ctx, bit ? -1 : 0, reply, [&](std::string_view bytes) -> int64_t {
    const BitRange bits = BitsWithin(range, bytes.size());
    if (const auto found = FindBit(bytes, bit, bits)) return static_cast<int64_t>(*found);
    // Behind the string are zeros as well, unless the request says where to stop.
    const bool goes_on = !bit && !range.end_given && bits.begin < bits.end;
    return goes_on ? static_cast<int64_t>(bytes.size()) * 8 : -1;
  });
}

// -- BITOP
// ----------------------------------------------------------------------------------------

BitOperation ReadOperation(ArgReader& args) {
  if (args.Tag("AND")) return BitOperation::kAnd;
  if (args.Tag("OR")) return BitOperation::kOr;
  if (args.Tag("XOR")) return BitOperation::kXor;
  if (args.Tag("NOT")) return BitOperation::kNot;
  args.SyntaxError();
  return BitOperation::kAnd;
}

// The strings that are combined: all keys but the first.
class BitSources {
 public:
  // False: one is no string, and the error is written.
  bool Find(const LockedKeys& keys, ReplyWriter& reply) {
    texts_.resize(keys.size());
    for (size_t i = 1; i < keys.size(); ++i) {
      KeySlot slot = keys.Slot(i);
      slot.CountLookup();
      if (RefuseWrongType(slot, ValueType::kString, reply)) return false;
      strings_.push_back(slot ? StringBytes(*slot, &texts_[i]) : std::string_view());
      longest_ = std::max(longest_, strings_.back().size());
    }
    return true;
  }
  std::span<const std::string_view> strings() const { return strings_; }
  size_t longest() const { return longest_; }

 private:
  absl::InlinedVector<IntegerText, 4> texts_;
  absl::InlinedVector<std::string_view, 4> strings_;
  size_t longest_ = 0;
};

void StoreCombined(KeySlot* slot, BitOperation operation, const BitSources& sources,
                   BlobPointer blob) {
  const size_t size = sources.longest();
  if (size == 0) {
    if (slot->Delete()) slot->Notify(kNotifyGeneric, "del");
    return;
  }
  if (blob != nullptr) {
    blob->set_size(size);
    CombineBits(operation, sources.strings(), blob->data(), size);
    slot->SetBlob(blob.release(), Entry::kNoExpiry);
  } else {
    char bytes[Blob::kMinBytes];
    CombineBits(operation, sources.strings(), bytes, size);
    slot->SetString({bytes, size}, Entry::kNoExpiry);
  }
  slot->mutable_entry()->set_edited(true);
  slot->Notify(kNotifyString, "set");
}

// Room for a big result, got while nothing is locked, with its pages. nullptr: no memory.
BlobPointer RoomFor(size_t size) {
  BlobPointer blob(Blob::Create(0, size));
  if (blob != nullptr) std::memset(blob->data(), 0, size);
  return blob;
}

void BitOp(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const BitOperation operation = ReadOperation(args);
  if (operation == BitOperation::kNot && ctx.argc() != 4) {
    args.Fail("ERR BITOP NOT must be called with a single source key.");
  }
  if (!args.Check(reply)) return;
  BlobPointer blob;
  size_t wanted = 0;
  do {
    const LockedKeys keys = ctx.LockKeys();
    BitSources sources;
    if (!sources.Find(keys, reply)) return;
    const size_t size = sources.longest();
    if (size < Blob::kMinBytes) {
      blob.reset();
    } else if (blob == nullptr || blob->capacity() < size) {
      wanted = size;
      continue;
    }
    KeySlot slot = keys.Slot(0);
    StoreCombined(&slot, operation, sources, std::move(blob));
    return reply.Integer(static_cast<int64_t>(size));
  } while ((blob = RoomFor(wanted)) != nullptr);
  reply.Error(kNoMemoryError);
}

// -- Rows
// -----------------------------------------------------------------------------------------

constexpr CommandSpec kBitmapCommands[] = {
    {.name = "SETBIT",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .acl = kAclBitmap,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyUpdate),
     .handler = SetBit,
     .group = "bitmap",
     .since = "2.2.0",
     .complexity = "O(1), or O(N) for N zero bytes that are added",
     .summary = "Sets or clears a bit of a string; zero bytes fill a gap before it.",
     .syntax = "key offset value"},
    {.name = "GETBIT",
     .arity = 3,
     .flags = kReadOnly | kFast,
     .acl = kAclBitmap,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = GetBit,
     .group = "bitmap",
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Answers a bit of a string.",
     .syntax = "key offset"},
    {.name = "BITCOUNT",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kAclBitmap,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = BitCount,
     .group = "bitmap",
     .since = "2.6.0",
     .complexity = "O(N) for N bytes looked at",
     .summary = "Counts the bits that are set in a string or in a part of it.",
     .syntax = "key [start [end [BYTE | BIT]]]"},
    {.name = "BITPOS",
     .arity = -3,
     .flags = kReadOnly,
     .acl = kAclBitmap,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = BitPos,
     .group = "bitmap",
     .since = "2.8.7",
     .complexity = "O(N) for N bytes looked at",
     .summary = "Finds the first bit that is set or clear in a string or in a part of it.",
     .syntax = "key bit [start [end [BYTE | BIT]]]"},
    {.name = "BITOP",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .acl = kAclBitmap,
     .keys = Keys(2, -1, 1, kKeyOW | kKeyUpdate),
     .handler = BitOp,
     .group = "bitmap",
     .since = "2.6.0",
     .complexity = "O(N) for N bytes read",
     .summary = "Combines strings bit by bit and stores the result.",
     .syntax = "<AND | OR | XOR | NOT> destkey key [key ...]"},
};

}  // namespace

std::span<const CommandSpec> BitmapCommands() { return kBitmapCommands; }

}  // namespace spinel
