// What the tests of persistence/ share: values made in one line, and compared as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "persistence/rdb_reader.h"
#include "persistence/rdb_writer.h"
#include "storage/entry_builder.h"

namespace spinel::rdb_test {

// "52 45 'DIS'": bytes in hexadecimal and, between quotes, as text.
std::string Hex(std::string_view spelled);

using Strings = std::vector<std::string>;
struct Field {
  std::string name;
  std::string value;
  int64_t expiry = Entry::kNoExpiry;
};
using Scored = std::pair<double, std::string>;

EntryPtr MakeString(std::string_view key, std::string_view value,
                    int64_t expiry = Entry::kNoExpiry);
EntryPtr MakeList(std::string_view key, const Strings& elements);
EntryPtr MakeSet(std::string_view key, const Strings& members);
EntryPtr MakeHash(std::string_view key, const std::vector<Field>& fields);
EntryPtr MakeZset(std::string_view key, const std::vector<Scored>& members);

// "prefix0", "prefix1" ...
Strings Numbered(size_t count, const std::string& prefix);

// Key, type, expiry and elements, in an order of their own: equal for equal values, whatever their
// encoding.
std::string Describe(const Entry& entry);
// What OBJECT ENCODING says.
std::string EncodingOf(const Entry& entry);

// One entry of each type and encoding, with `rdb version` 10 enough for all but the last, a hash
// with expiring fields.
std::vector<EntryPtr> Samples(bool with_expiring_fields);

// A file with these entries in database 0.
std::string FileOf(const std::vector<EntryPtr>& entries, const RdbWriteOptions& options = {});

struct Loaded {
  Strings keys;  // "database: Describe()" and what else the file says of a key
  Strings others;
  std::string error;
  RdbReader::Counts counts;
};
Loaded Load(std::string_view file, const RdbReadOptions& options = {});

// A file of one database with this body: "52454449533030..", the body, the end without a checksum.
std::string FileWith(std::string_view body, std::string_view version = "REDIS0010");

// One value, type byte in front, as a DUMP payload of that version.
std::string PayloadOf(std::string_view value, uint16_t version = 10);
// The value of such a payload for the key "k", described; or what is wrong.
std::string Restored(std::string_view value, uint16_t version = 10, int64_t now_ms = 0);

}  // namespace spinel::rdb_test
