// Reads RDB files of versions 1 to 12 and 80, record by record, and DUMP payloads. The file is
// hostile: what is wrong with it becomes a message that names the offset, and never more memory
// than the file can hold is asked for. See docs/rdb.md.
//
//   FdSource source(fd, size);
//   RdbReader reader(&source, options);
//   for (RdbRecord record; reader.Next(&record);) ... put record.entry into record.database ...
//   if (!reader.status().ok()) ...
//
// Threads: one at a time. Entries belong to the caller, and nothing of them to the reader.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "persistence/byte_source.h"
#include "persistence/rdb_input.h"
#include "persistence/rdb_raw_value.h"
#include "persistence/rdb_value_reader.h"
#include "persistence/status.h"
#include "storage/access_clock.h"
#include "storage/entry_builder.h"

namespace spinel {

struct RdbReadOptions {
  ValueLimits limits;
  uint64_t databases = 16;  // a file that uses more is refused
  // Keys and fields that are over by then are left out; 0: none is.
  int64_t now_ms = 0;
  // Values of up to kMaxRawBytes may be given as they lie, for another thread to build.
  bool leaves_raw = false;
};

struct RdbRecord {
  enum class Kind : uint8_t {
    kKey,       // entry, database, idle_seconds, frequency
    kRaw,       // raw, valid until the next call, in place of an entry
    kSizes,     // database, keys, expiring: what the database will have, to make room for
    kAux,       // name, text: a field about the file
    kFunction,  // text: the code of a library
    kSkipped,   // text: what the file holds and this server does not
  };

  Kind kind = Kind::kKey;
  EntryPtr entry;
  RdbRawValue raw;
  uint64_t database = 0;
  int64_t idle_seconds = -1;  // -1: the file says nothing
  int frequency = -1;
  uint64_t keys = 0;
  uint64_t expiring = 0;
  std::string name;
  std::string text;
};

// The access clock of an entry for which the file says something; 0, "not known", otherwise.
uint32_t AccessClockOf(const RdbRecord& record, const AccessTracking& tracking, int64_t now_ms);

class RdbReader {
 public:
  RdbReader(ByteSource* source, const RdbReadOptions& options);

  // The next record. False: the file is over, or status() is not fine.
  bool Next(RdbRecord* record);
  // Once Next has answered false: whether the file was read to its end and is whole.
  Status status() const;

  int version() const { return version_; }
  // For values that are built elsewhere.
  RdbValueReader::Options value_options() const {
    return {options_.limits, version_, options_.now_ms};
  }
  // Whether the file has a checksum, known at its end.
  bool has_checksum() const { return has_checksum_; }
  static constexpr size_t kMaxRawBytes = 64 * 1024;

  struct Counts {
    uint64_t keys = 0;          // raw ones included, whatever becomes of them
    uint64_t expired_keys = 0;  // left out
    uint64_t empty_keys = 0;    // left out: collections without elements
  };
  const Counts& counts() const { return counts_; }
  uint64_t offset() const { return input_.source()->offset(); }

 private:
  // What stands in front of a key.
  struct KeyHead {
    int64_t expiry = Entry::kNoExpiry;
    int64_t idle_seconds = -1;
    int frequency = -1;
  };
  // What became of an opcode.
  enum class Step : uint8_t { kGoOn, kRecord, kEnd };

  bool ReadMagic();
  Step Opcode(uint8_t opcode, RdbRecord* record);
  bool ReadExpiry(bool milliseconds);
  Step ReadSelectDb();
  Step ReadSizes(RdbRecord* record);
  Step ReadAux(RdbRecord* record);
  Step ReadFunction(RdbRecord* record);
  Step ReadModuleAux(RdbRecord* record);
  Step ReadSlot(bool import);
  void ReadEnd();
  Step ReadKey(uint8_t type, RdbRecord* record);
  bool LeaveRaw(uint8_t type, uint64_t key_offset, const KeyHead& head, RdbRecord* record);

  const RdbReadOptions options_;
  RdbInput input_;
  RdbString string_;
  int version_ = 0;
  bool over_ = false;
  bool has_checksum_ = false;
  uint64_t database_ = 0;
  KeyHead head_;
  std::string key_;
  Counts counts_;
};

// What is wrong with a DUMP payload.
enum class RestoreError : uint8_t {
  kNone,
  kVersionOrChecksum,  // "DUMP payload version or checksum are wrong"
  kBadData,            // "Bad data format"
};

struct RestoreResult {
  RestoreError error = RestoreError::kNone;
  std::string message;  // for the log: what is wrong, and where in the payload
  // Without an error: nullptr when every field of a hash is over.
  EntryPtr entry;
};

// Makes an entry of what DUMP gave. `expiry`: the key's. `now_ms`: as in RdbReadOptions.
RestoreResult RestoreValue(std::string_view payload, std::string_view key, int64_t expiry,
                           const ValueLimits& limits, int64_t now_ms);

}  // namespace spinel
