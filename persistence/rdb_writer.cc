#include "persistence/rdb_writer.h"

#include <fmt/format.h>

#include "persistence/rdb_string.h"

namespace spinel {

void RdbWriter::Begin() {
  const bool valkey = options_.version >= kRdbVersionValkey;
  sink_->Write(valkey ? fmt::format("{}{:03}", kValkeyMagic, options_.version)
                      : fmt::format("{}{:04}", kRedisMagic, options_.version));
}

void RdbWriter::Aux(std::string_view name, std::string_view value) {
  sink_->Byte(static_cast<uint8_t>(RdbOpcode::kAux));
  WriteRdbString(sink_, name, options_.compress);
  WriteRdbString(sink_, value, options_.compress);
}

void RdbWriter::Aux(std::string_view name, int64_t value) {
  sink_->Byte(static_cast<uint8_t>(RdbOpcode::kAux));
  WriteRdbString(sink_, name, options_.compress);
  WriteRdbInteger(sink_, value);
}

void RdbWriter::Function(std::string_view code) {
  sink_->Byte(static_cast<uint8_t>(RdbOpcode::kFunction));
  WriteRdbString(sink_, code, options_.compress);
}

void RdbWriter::SelectDatabase(uint64_t database, uint64_t keys, uint64_t expiring) {
  sink_->Byte(static_cast<uint8_t>(RdbOpcode::kSelectDb));
  WriteRdbLength(sink_, database);
  sink_->Byte(static_cast<uint8_t>(RdbOpcode::kResizeDb));
  WriteRdbLength(sink_, keys);
  WriteRdbLength(sink_, expiring);
}

void RdbWriter::ReturnToDatabase(uint64_t database) {
  sink_->Byte(static_cast<uint8_t>(RdbOpcode::kSelectDb));
  WriteRdbLength(sink_, database);
}

void RdbWriter::Head(const Entry& entry, int64_t now_ms) {
  if (entry.has_expiry_field()) {
    sink_->Byte(static_cast<uint8_t>(RdbOpcode::kExpireTimeMs));
    sink_->Raw(entry.expiry());
  }
  if (const AccessTracking* const use = options_.use) {
    if (use->lfu()) {
      sink_->Byte(static_cast<uint8_t>(RdbOpcode::kFrequency));
      sink_->Byte(use->Frequency(entry.access_clock(), now_ms));
    } else {
      sink_->Byte(static_cast<uint8_t>(RdbOpcode::kIdle));
      WriteRdbLength(sink_, static_cast<uint64_t>(use->IdleSeconds(entry.access_clock(), now_ms)));
    }
  }
  sink_->Byte(static_cast<uint8_t>(RdbValueWriter(entry, options_).type()));
  WriteRdbString(sink_, entry.key(), options_.compress);
}

void RdbWriter::Record(const Entry& entry, int64_t now_ms) {
  Head(entry, now_ms);
  RdbValueWriter(entry, options_).Finish(sink_);
}

void RdbWriter::End() {
  sink_->Byte(static_cast<uint8_t>(RdbOpcode::kEnd));
  sink_->Raw(sink_->Checksum());
}

std::string DumpValue(const Entry& entry) {
  RdbWriteOptions options;
  options.version = RdbVersionFor(entry);
  MemorySink sink;
  RdbValueWriter writer(entry, options);
  sink.Byte(static_cast<uint8_t>(writer.type()));
  writer.Finish(&sink);
  sink.Raw(static_cast<uint16_t>(options.version));
  sink.Raw(sink.Checksum());
  return std::string(sink.bytes());
}

}  // namespace spinel
