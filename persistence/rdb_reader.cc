#include "persistence/rdb_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <utility>

#include "persistence/crc64.h"
#include "persistence/module_data.h"

namespace spinel {
namespace {

constexpr int64_t kMsPerSecond = 1000;

bool ReadsVersion(int version) {
  return (version >= 1 && version <= kRdbVersionLastRedis) || version == kRdbVersionValkey;
}

bool IsOpcode(uint8_t byte) { return byte >= static_cast<uint8_t>(RdbOpcode::kSlotImport); }

}  // namespace

uint32_t AccessClockOf(const RdbRecord& record, const AccessTracking& tracking, int64_t now_ms) {
  if (tracking.kind() == AccessTracking::Kind::kQueues) return 0;
  if (tracking.lfu()) {
    if (record.frequency < 0) return 0;
    return tracking.WithFrequency(static_cast<uint8_t>(record.frequency), now_ms);
  }
  if (record.idle_seconds < 0) return 0;
  return tracking.WithIdleSeconds(static_cast<uint64_t>(record.idle_seconds), now_ms);
}

RdbReader::RdbReader(ByteSource* source, const RdbReadOptions& options)
    : options_(options), input_(source) {}

Status RdbReader::status() const {
  return input_.failed() ? Status::Error(input_.message()) : Status();
}

bool RdbReader::ReadMagic() {
  const char* const magic = input_.source()->Take(kRdbMagicBytes);
  if (magic == nullptr) return input_.FailAt(0, "an RDB file: REDIS or VALKEY and a version");
  std::string_view text(magic, kRdbMagicBytes);
  const bool valkey = text.substr(0, kValkeyMagic.size()) == kValkeyMagic;
  if (!valkey && text.substr(0, kRedisMagic.size()) != kRedisMagic) {
    return input_.FailAt(0, "an RDB file: REDIS or VALKEY and a version");
  }
  text.remove_prefix(valkey ? kValkeyMagic.size() : kRedisMagic.size());
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, version_).ptr != end || version_ < 1) {
    return input_.FailAt(0, "an RDB file: REDIS or VALKEY and a version");
  }
  // Above Redis' last version that is read, the same number means different things in the two
  // lines.
  if (ReadsVersion(version_) && valkey == (version_ >= kRdbVersionValkey)) return true;
  return input_.FailWith(fmt::format(
      "offset 0: RDB version {} of {}; this server reads 1 to {} of Redis and {} of Valkey",
      version_, valkey ? "Valkey" : "Redis", kRdbVersionLastRedis, kRdbVersionValkey));
}

bool RdbReader::Next(RdbRecord* record) {
  if (over_ || input_.failed()) return false;
  record->entry.reset();
  if (version_ == 0 && !ReadMagic()) return false;
  for (;;) {
    uint8_t byte;
    if (!input_.Byte(&byte)) return false;
    const Step step = IsOpcode(byte) ? Opcode(byte, record) : ReadKey(byte, record);
    if (input_.failed() || step == Step::kEnd) return false;
    if (step == Step::kRecord) return true;
  }
}

RdbReader::Step RdbReader::Opcode(uint8_t opcode, RdbRecord* record) {
  uint64_t length;
  uint8_t byte;
  switch (static_cast<RdbOpcode>(opcode)) {
    case RdbOpcode::kExpireTimeMs:
    case RdbOpcode::kExpireTime:
      ReadExpiry(static_cast<RdbOpcode>(opcode) == RdbOpcode::kExpireTimeMs);
      return Step::kGoOn;
    case RdbOpcode::kIdle:
      if (!input_.Length(&length)) return Step::kGoOn;
      if (length > INT64_MAX) input_.Fail("an idle time");
      head_.idle_seconds = static_cast<int64_t>(length);
      return Step::kGoOn;
    case RdbOpcode::kFrequency:
      if (input_.Byte(&byte)) head_.frequency = byte;
      return Step::kGoOn;
    case RdbOpcode::kSelectDb:
      return ReadSelectDb();
    case RdbOpcode::kResizeDb:
      return ReadSizes(record);
    case RdbOpcode::kAux:
      return ReadAux(record);
    case RdbOpcode::kFunction:
      return ReadFunction(record);
    case RdbOpcode::kFunctionPreGa:
      input_.Fail("no functions of Redis 7.0's release candidates");
      return Step::kGoOn;
    case RdbOpcode::kModuleAux:
      return ReadModuleAux(record);
    case RdbOpcode::kSlotInfo:
    case RdbOpcode::kSlotImport:
      return ReadSlot(static_cast<RdbOpcode>(opcode) == RdbOpcode::kSlotImport);
    case RdbOpcode::kEnd:
      ReadEnd();
      return Step::kEnd;
  }
  return Step::kGoOn;
}

bool RdbReader::ReadExpiry(bool milliseconds) {
  if (milliseconds) return input_.Number("an expiry", &head_.expiry);
  int32_t seconds;
  if (!input_.Number("an expiry", &seconds)) return false;
  head_.expiry = seconds * kMsPerSecond;
  return true;
}

RdbReader::Step RdbReader::ReadSelectDb() {
  if (input_.Length(&database_) && database_ >= options_.databases) {
    input_.FailWith(
        fmt::format("offset {}: database {}, but there are {} (see the setting 'databases')",
                    input_.item_offset(), database_, options_.databases));
  }
  return Step::kGoOn;
}

RdbReader::Step RdbReader::ReadSizes(RdbRecord* record) {
  if (!input_.Length(&record->keys) || !input_.Length(&record->expiring)) return Step::kGoOn;
  record->kind = RdbRecord::Kind::kSizes;
  record->database = database_;
  return Step::kRecord;
}

RdbReader::Step RdbReader::ReadAux(RdbRecord* record) {
  if (!input_.String(&string_)) return Step::kGoOn;
  record->name = string_.bytes();
  if (!input_.String(&string_)) return Step::kGoOn;
  record->text = string_.bytes();
  record->kind = RdbRecord::Kind::kAux;
  return Step::kRecord;
}

RdbReader::Step RdbReader::ReadFunction(RdbRecord* record) {
  if (!input_.String(&string_)) return Step::kGoOn;
  record->text = string_.bytes();
  record->kind = RdbRecord::Kind::kFunction;
  return Step::kRecord;
}

RdbReader::Step RdbReader::ReadModuleAux(RdbRecord* record) {
  const uint64_t offset = input_.item_offset();
  std::string module;
  if (!SkipModuleAux(&input_, &module)) return Step::kGoOn;
  record->text = fmt::format("offset {}: data of the module type {}", offset, module);
  record->kind = RdbRecord::Kind::kSkipped;
  return Step::kRecord;
}

// What clusters keep about slots is of no use to a single server.
RdbReader::Step RdbReader::ReadSlot(bool import) {
  uint64_t numbers = 3;
  if (import) {
    if (!input_.String(&string_) || !input_.Count(2, &numbers)) return Step::kGoOn;
    numbers *= 2;
  }
  for (uint64_t ignored; numbers > 0 && input_.Length(&ignored); --numbers) {
  }
  return Step::kGoOn;
}

void RdbReader::ReadEnd() {
  over_ = true;
  if (version_ < kRdbVersionChecksum) return;
  const uint64_t computed = input_.source()->Checksum();
  uint64_t stored;
  if (!input_.Number("a checksum", &stored)) return;
  has_checksum_ = stored != 0;
  // Whoever reads without checksum is not told about wrong ones.
  if (stored == 0 || computed == 0 || stored == computed) return;
  input_.FailWith(fmt::format(
      "offset {}: the checksum is {:016x}, but what is in front of it has {:016x}: the file is "
      "damaged",
      input_.item_offset(), stored, computed));
}

RdbReader::Step RdbReader::ReadKey(uint8_t type, RdbRecord* record) {
  const uint64_t offset = input_.item_offset();
  if (!input_.String(&string_)) return Step::kGoOn;
  key_ = string_.bytes();
  const KeyHead head = std::exchange(head_, KeyHead());
  record->database = database_;
  record->idle_seconds = head.idle_seconds;
  record->frequency = head.frequency;
  if (options_.leaves_raw && LeaveRaw(type, offset, head, record)) {
    if (options_.now_ms > 0 && head.expiry != Entry::kNoExpiry && head.expiry < options_.now_ms) {
      ++counts_.expired_keys;
      return Step::kGoOn;
    }
    ++counts_.keys;
    return Step::kRecord;
  }
  RdbValueReader reader(&input_, value_options());
  switch (reader.Read(type, key_, head.expiry, &record->entry)) {
    case RdbValueReader::Outcome::kFailed:
      input_.AddContext(RdbKeyContext(key_, type, offset));
      return Step::kGoOn;
    case RdbValueReader::Outcome::kEmpty:
      ++counts_.empty_keys;
      return Step::kGoOn;
    case RdbValueReader::Outcome::kExpired:
      ++counts_.expired_keys;
      return Step::kGoOn;
    case RdbValueReader::Outcome::kValue:
      break;
  }
  if (options_.now_ms > 0 && record->entry->ExpiredAt(options_.now_ms)) {
    record->entry.reset();
    ++counts_.expired_keys;
    return Step::kGoOn;
  }
  ++counts_.keys;
  record->kind = RdbRecord::Kind::kKey;
  return Step::kRecord;
}

// False: nothing was read.
bool RdbReader::LeaveRaw(uint8_t type, uint64_t key_offset, const KeyHead& head,
                         RdbRecord* record) {
  ByteSource& source = *input_.source();
  const std::optional<size_t> size = RdbValueSize(type, source.window().substr(0, kMaxRawBytes));
  if (!size) return false;
  record->kind = RdbRecord::Kind::kRaw;
  record->raw = {.key = key_,
                 .bytes = {},
                 .key_offset = key_offset,
                 .offset = source.offset(),
                 .expiry = head.expiry,
                 .type = type};
  record->raw.bytes = {source.Take(*size), *size};
  return true;
}

// -- DUMP payloads
// ---------------------------------------------------------------------------------

RestoreResult RestoreValue(std::string_view payload, std::string_view key, int64_t expiry,
                           const ValueLimits& limits, int64_t now_ms) {
  RestoreResult result;
  const auto fail = [&result](RestoreError error, std::string message) {
    result.error = error;
    result.message = std::move(message);
    return std::move(result);
  };
  if (payload.size() <= kDumpFooterBytes) {
    return fail(RestoreError::kVersionOrChecksum, "a payload of more than 10 bytes is expected");
  }
  uint16_t version;
  uint64_t stored;
  const size_t checked = payload.size() - sizeof(stored);
  std::memcpy(&version, payload.data() + payload.size() - kDumpFooterBytes, sizeof(version));
  std::memcpy(&stored, payload.data() + checked, sizeof(stored));
  if (!ReadsVersion(version)) {
    return fail(RestoreError::kVersionOrChecksum, fmt::format("RDB version {}", version));
  }
  if (Crc64(0, payload.substr(0, checked)) != stored) {
    return fail(RestoreError::kVersionOrChecksum, "the checksum is wrong");
  }
  MemorySource source(payload.substr(0, payload.size() - kDumpFooterBytes), /*checksum=*/false);
  RdbInput input(&source);
  uint8_t type;
  if (!input.Byte(&type)) return fail(RestoreError::kBadData, input.message());
  RdbValueReader reader(&input, {limits, version, now_ms});
  const RdbValueReader::Outcome outcome = reader.Read(type, key, expiry, &result.entry);
  if (outcome != RdbValueReader::Outcome::kFailed && source.remaining() > 0) {
    input.FailAt(source.offset(), "the end of the value");
  }
  if (outcome == RdbValueReader::Outcome::kEmpty) {
    input.FailAt(0, "a collection that has elements");
  }
  if (!input.failed()) return result;
  result.entry.reset();
  return fail(RestoreError::kBadData, input.message());
}

}  // namespace spinel
