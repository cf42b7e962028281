// HyperLogLogs: PFADD, PFCOUNT, PFMERGE, PFDEBUG, PFSELFTEST. They are strings; what their bytes
// mean is in storage/hyperloglog.h.

#include "storage/hyperloglog.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/string_args.h"
#include "server/commands/value_reply.h"

namespace spinel {
namespace {

constexpr std::string_view kCorruptError = "INVALIDOBJ Corrupted HLL object detected";

// True, and the error is written, if the key holds something else than a HyperLogLog.
template <typename Guard>
bool RefuseNoHll(const Guard& guard, ReplyWriter& reply) {
  if (!guard.exists()) return false;
  if (RefuseWrongType(guard, ValueType::kString, reply)) return true;
  IntegerText text;
  const std::string_view bytes = StringBytes(*guard, &text);
  if (!IsHll(bytes)) {
    reply.Error("WRONGTYPE Key is not a valid HyperLogLog string value.");
    return true;
  }
  if (bytes.size() <= kHllMaxBytes) return false;
  reply.Error(kCorruptError);
  return true;
}

// Expects one.
std::string_view HllBytes(const KeySlot& slot) {
  IntegerText text;  // never an integer
  return StringBytes(*slot, &text);
}

size_t MaxSparseBytes(const CommandContext& ctx) {
  return static_cast<size_t>(ctx.config().hll_sparse_max_bytes());
}

// Keeps the expiry; counts as one change. False: there is no memory, and the error is written.
bool StoreHll(KeySlot* slot, std::string_view bytes, ReplyWriter& reply) {
  if (bytes.size() < Blob::kMinBytes) {
    slot->SetString(bytes, slot->expiry());
  } else if (Blob* blob = Blob::Copy(bytes)) {
    slot->SetBlob(blob, slot->expiry());
  } else {
    reply.Error(kNoMemoryError);
    return false;
  }
  slot->mutable_entry()->set_edited(true);
  return true;
}

// -- PFADD
// ----------------------------------------------------------------------------------------

// Adds to a dense one where it is; returns how many registers have changed.
uint64_t AddToDense(KeySlot* slot, CommandArgs elements) {
  char* bytes = nullptr;
  uint64_t raised = 0;
  for (const std::string_view element : elements) {
    const HllElement hashed = HashForHll(element);
    // Nothing is touched as long as nothing changes.
    if (DenseRegister(HllBytes(*slot), hashed.index) >= hashed.rank) continue;
    if (bytes == nullptr) bytes = MutableStringUncounted(slot, kHllDenseBytes);
    if (bytes == nullptr) break;
    raised += RaiseDense(bytes, hashed) ? 1 : 0;
  }
  if (raised == 0) return 0;
  OutdateHllCount(bytes);
  slot->MarkChanged(raised);
  return raised;
}

// Adds to a sparse one or to none. No number: nothing has changed, and the error is written.
std::optional<uint64_t> AddToSparse(const CommandContext& ctx, KeySlot* slot, CommandArgs elements,
                                    ReplyWriter& reply) {
  const bool created = !slot->exists();
  std::string hll = created ? EmptyHll() : std::string(HllBytes(*slot));
  uint64_t changes = created ? 1 : 0;
  for (const std::string_view element : elements) {
    const HllChange change = RaiseRegister(&hll, HashForHll(element), MaxSparseBytes(ctx));
    if (change == HllChange::kCorrupt) {
      reply.Error(kCorruptError);
      return std::nullopt;
    }
    changes += change == HllChange::kRaised ? 1 : 0;
  }
  if (changes == 0) return 0;
  OutdateHllCount(hll.data());
  if (!StoreHll(slot, hll, reply)) return std::nullopt;
  slot->MarkChanged(changes - 1);
  return changes;
}

void PfAdd(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const CommandArgs elements = ctx.args().subspan(2);
  WriteGuard slot = ctx.Write();
  if (RefuseNoHll(slot, reply)) return;
  if (slot) slot.Touch();
  const bool dense = slot && IsDenseHll(HllBytes(slot));
  const std::optional<uint64_t> changes =
      dense ? AddToDense(&slot, elements) : AddToSparse(ctx, &slot, elements, reply);
  if (!changes.has_value()) return;
  if (*changes > 0) slot.Notify(kNotifyString, "pfadd");
  reply.Integer(*changes > 0 ? 1 : 0);
}

// -- PFCOUNT and PFMERGE
// --------------------------------------------------------------------------

// The highest of all keys' registers; `dense`: one of them is dense. False: the error is written.
bool MergeKeys(const LockedKeys& keys, HllRegisters* registers, bool* dense, ReplyWriter& reply) {
  for (size_t i = 0; i < keys.size(); ++i) {
    KeySlot slot = keys.Slot(i);
    slot.CountLookup();
    if (!slot) continue;
    if (RefuseNoHll(slot, reply)) return false;
    *dense = *dense || IsDenseHll(HllBytes(slot));
    if (MergeHll(HllBytes(slot), registers)) continue;
    reply.Error(kCorruptError);
    return false;
  }
  return true;
}

void PfCountUnion(const CommandContext& ctx, ReplyWriter& reply) {
  HllRegisters registers = {};
  {
    bool dense = false;
    const LockedKeys keys = ctx.LockKeys();
    if (!MergeKeys(keys, &registers, &dense, reply)) return;
  }
  reply.Integer(static_cast<int64_t>(CountRegisters(registers)));
}

// Keeps the estimate in the value, which is a change of it although nothing was added.
void PfCount(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (ctx.argc() > 2) return PfCountUnion(ctx, reply);
  WriteGuard slot = ctx.Write();
  slot.CountLookup();
  if (RefuseNoHll(slot, reply)) return;
  if (!slot) return reply.Integer(0);
  std::optional<uint64_t> count = KeptHllCount(HllBytes(slot));
  if (!count.has_value()) {
    count = CountHll(HllBytes(slot));
    if (!count.has_value()) return reply.Error(kCorruptError);
    if (char* const bytes = MutableString(&slot, HllBytes(slot).size()))
      KeepHllCount(bytes, *count);
  }
  reply.Integer(static_cast<int64_t>(*count));
}

void PfMerge(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  HllRegisters registers = {};
  bool dense = false;
  const LockedKeys keys = ctx.LockKeys();
  if (!MergeKeys(keys, &registers, &dense, reply)) return;
  KeySlot slot = keys.Slot(0);
  std::string merged = slot ? std::string(HllBytes(slot)) : EmptyHll();
  // All of them were read to their ends: none is corrupt.
  if (dense) MakeDense(&merged);
  for (uint32_t i = 0; i < kHllRegisters; ++i) {
    if (registers[i] > 0) RaiseRegister(&merged, {i, registers[i]}, MaxSparseBytes(ctx));
  }
  OutdateHllCount(merged.data());
  if (!StoreHll(&slot, merged, reply)) return;
  slot.Notify(kNotifyString, "pfadd");
  reply.Ok();
}

// -- PFDEBUG
// --------------------------------------------------------------------------------------

// False: the error is written.
bool StoreDense(KeySlot* slot, ReplyWriter& reply) {
  std::string hll(HllBytes(*slot));
  if (!MakeDense(&hll)) {
    reply.Error(kCorruptError);
    return false;
  }
  return StoreHll(slot, hll, reply);
}

void ReplyRegisters(KeySlot* slot, ReplyWriter& reply) {
  if (!IsDenseHll(HllBytes(*slot)) && !StoreDense(slot, reply)) return;
  reply.Array(kHllRegisters);
  for (uint32_t i = 0; i < kHllRegisters; ++i) reply.Integer(DenseRegister(HllBytes(*slot), i));
}

void ReplyRuns(const KeySlot& slot, ReplyWriter& reply) {
  if (IsDenseHll(HllBytes(slot))) return reply.Error("ERR HLL encoding is not sparse");
  reply.Bulk(DescribeRuns(HllBytes(slot)));
}

void PfDebug(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const std::string_view subcommand = ctx.arg(1);
  WriteGuard slot = ctx.Write(2);
  if (!slot) return reply.Error("ERR The specified key does not exist");
  if (RefuseNoHll(slot, reply)) return;
  const bool dense = IsDenseHll(HllBytes(slot));
  if (EqualsIgnoreCase(subcommand, "GETREG")) return ReplyRegisters(&slot, reply);
  if (EqualsIgnoreCase(subcommand, "DECODE")) return ReplyRuns(slot, reply);
  if (EqualsIgnoreCase(subcommand, "ENCODING")) return reply.Simple(dense ? "dense" : "sparse");
  if (EqualsIgnoreCase(subcommand, "TODENSE")) {
    if (dense || StoreDense(&slot, reply)) reply.Integer(dense ? 0 : 1);
    return;
  }
  reply.Error(fmt::format("ERR Unknown PFDEBUG subcommand '{}'", subcommand));
}

// -- PFSELFTEST
// -----------------------------------------------------------------------------------

// Numbers that look random, the same ones every time (SplitMix64).
class TestNumbers {
 public:
  uint64_t Next() {
    uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
  }

 private:
  uint64_t state_ = 1;
};

std::string EmptyDense() {
  std::string hll = EmptyHll();
  MakeDense(&hll);
  return hll;
}

// Registers that are written in any order are read as they were written. Empty: they are.
std::string TestRegisters(TestNumbers* numbers) {
  HllRegisters expected = {};
  std::string hll = EmptyDense();
  for (uint32_t step = 0; step < 4 * kHllRegisters; ++step) {
    const uint64_t number = numbers->Next();
    const HllElement element = {static_cast<uint32_t>(number % kHllRegisters),
                                static_cast<uint8_t>(number >> 32 & 63)};
    RaiseDense(hll.data(), element);
    expected[element.index] = std::max(expected[element.index], element.rank);
  }
  for (uint32_t i = 0; i < kHllRegisters; ++i) {
    const uint8_t found = DenseRegister(hll, i);
    if (found == expected[i]) continue;
    return fmt::format("TESTFAILED Register {} should be {} but is {}", i, expected[i], found);
  }
  return {};
}

// Both encodings agree, and estimate well. Empty: they do.
std::string TestEstimates(TestNumbers* numbers, size_t max_sparse_bytes) {
  constexpr uint64_t kElements = 1'000'000;
  const double deviation = 1.04 / std::sqrt(static_cast<double>(kHllRegisters));
  std::string dense = EmptyDense();
  std::string sparse = EmptyHll();
  uint64_t checkpoint = 1;
  for (uint64_t added = 1; added <= kElements; ++added) {
    const uint64_t number = numbers->Next();
    const std::string_view bytes(reinterpret_cast<const char*>(&number), sizeof(number));
    RaiseDense(dense.data(), HashForHll(bytes));
    RaiseRegister(&sparse, HashForHll(bytes), max_sparse_bytes);
    if (added != checkpoint) continue;
    checkpoint *= 10;
    if (added < max_sparse_bytes / 2 && IsDenseHll(sparse)) {
      return "TESTFAILED sparse encoding not used";
    }
    const uint64_t count = CountHll(dense).value_or(0);
    if (CountHll(sparse) != count) return "TESTFAILED dense/sparse disagree";
    const uint64_t error = count > added ? count - added : added - count;
    // Six deviations; among very few elements, two that share a register are one too few.
    const double allowed = std::ceil(deviation * 6 * static_cast<double>(added));
    if (static_cast<double>(error) <= std::max(allowed, 1.0)) continue;
    return fmt::format("TESTFAILED Too big error. card:{} abserr:{}", added, error);
  }
  return {};
}

void PfSelfTest(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  TestNumbers numbers;
  std::string failure = TestRegisters(&numbers);
  if (failure.empty()) failure = TestEstimates(&numbers, MaxSparseBytes(ctx));
  failure.empty() ? reply.Ok() : reply.Error(failure);
}

// -- Rows
// -----------------------------------------------------------------------------------------

constexpr CommandSpec kHyperLogLogCommands[] = {
    {.name = "PFADD",
     .arity = -2,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclHyperLogLog,
     .keys = OneKey(kKeyRW | kKeyInsert),
     .handler = PfAdd,
     .group = "hyperloglog",
     .since = "2.8.9",
     .complexity = "O(1) for each element",
     .summary = "Adds elements to a HyperLogLog; makes it if it is missing.",
     .syntax = "key [element ...]"},
    {.name = "PFCOUNT",
     .arity = -2,
     .flags = kReadOnly | kMayReplicate,
     .acl = kAclHyperLogLog,
     .keys = Keys(1, -1, 1, kKeyRW | kKeyAccess),
     .handler = PfCount,
     .group = "hyperloglog",
     .since = "2.8.9",
     .complexity = "O(1) for one key whose estimate is kept; O(N) for N keys, each a larger step",
     .summary = "Estimates how many different elements were added to HyperLogLogs.",
     .syntax = "key [key ...]"},
    {.name = "PFMERGE",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .acl = kAclHyperLogLog,
     .keys = Keys(1, -1, 1, kKeyRW | kKeyAccess | kKeyInsert),
     .handler = PfMerge,
     .group = "hyperloglog",
     .since = "2.8.9",
     .complexity = "O(N) for N keys, each a larger step",
     .summary = "Adds what was added to HyperLogLogs to another one.",
     .syntax = "destkey [sourcekey ...]"},
    {.name = "PFDEBUG",
     .arity = 3,
     .flags = kWrite | kDenyOom | kAdmin,
     .acl = kAclHyperLogLog,
     .keys = Keys(2, 2, 1, kKeyRW | kKeyAccess),
     .handler = PfDebug,
     .group = "hyperloglog",
     .since = "2.8.9",
     .complexity = "O(1)",
     .summary = "Shows how a HyperLogLog is made: GETREG, DECODE, ENCODING; TODENSE changes it.",
     .syntax = "subcommand key"},
    {.name = "PFSELFTEST",
     .arity = 1,
     .flags = kAdmin,
     .acl = kAclHyperLogLog,
     .handler = PfSelfTest,
     .group = "hyperloglog",
     .since = "2.8.9",
     .complexity = "O(1), but slow",
     .summary = "Tests the HyperLogLogs of this server.",
     .syntax = ""},
};

}  // namespace

std::span<const CommandSpec> HyperLogLogCommands() { return kHyperLogLogCommands; }

}  // namespace spinel
