// Values of an RDB file that are left as they lie there, so that other threads than the one that
// reads the file can build them: that is most of the work of loading.
//
// Threads: any; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/rdb_value_reader.h"
#include "storage/entry_builder.h"

namespace spinel {

// A key with the bytes of its value, which belong to whoever gives it.
struct RdbRawValue {
  std::string_view key;
  std::string_view bytes;
  uint64_t key_offset = 0;  // in the file, for messages
  uint64_t offset = 0;      // of the bytes
  int64_t expiry = Entry::kNoExpiry;
  uint8_t type = 0;  // RdbType
};

// How many bytes at the beginning of `bytes` a value of this type takes. None: they do not hold all
// of it, it is damaged, or its type is one of the rare ones that are built where they are read.
std::optional<size_t> RdbValueSize(uint8_t type, std::string_view bytes);

// Builds the value. kFailed: `*message` says why.
RdbValueReader::Outcome BuildRawValue(const RdbRawValue& raw,
                                      const RdbValueReader::Options& options, EntryPtr* entry,
                                      std::string* message);

// What messages about a key's value begin with.
std::string RdbKeyContext(std::string_view key, uint8_t type, uint64_t offset);

}  // namespace spinel
