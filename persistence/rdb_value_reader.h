// Reads one value of an RDB file, or of a DUMP payload, whatever its form, and makes an entry of it
// in the form that Spinel keeps it in.
//
// Owner: an RdbReader, or who serves RESTORE. Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "persistence/rdb_format.h"
#include "persistence/rdb_input.h"
#include "storage/entry_builder.h"

namespace spinel {

class RdbValueReader {
 public:
  struct Options {
    ValueLimits limits;
    int version = kRdbVersion;  // of the file or payload: the same number names different forms
    int64_t now_ms = 0;         // fields that are over by then are left out; 0: none is
  };

  // The input outlives the reader.
  RdbValueReader(RdbInput* input, const Options& options) : input_(input), options_(options) {}

  enum class Outcome : uint8_t {
    kValue,    // *entry is one
    kEmpty,    // a collection without elements, which Redis cannot have either
    kExpired,  // a hash whose fields are all over
    kFailed,   // the input says why
  };
  // Reads a value of form `type` (RdbType) for this key, which lies elsewhere.
  Outcome Read(uint8_t type, std::string_view key, int64_t expiry, EntryPtr* entry);

 private:
  bool ReadForm(uint8_t type);
  bool Refuse(uint8_t type);

  // rdb_value_reader.cc: a string, or elements that are strings of their own.
  bool ReadString();
  bool ReadList();
  bool ReadSet();
  bool ReadZset(bool text_scores);
  bool ReadScore(bool text, double* score);
  bool ReadHash(bool with_expiries);
  bool ReadHashMetadata(bool with_base);
  // rdb_packed_reader.cc: elements packed in strings.
  bool ReadPackedList();
  bool ReadQuicklist();
  bool ReadQuicklist2();
  bool ReadIntset();
  bool ReadPackedSet();
  bool ReadPackedZset(bool ziplist);
  bool ReadPackedHash(uint8_t type);
  bool ReadExpiringListpack(bool with_base);
  template <typename Cursor>
  bool AddToList(ListBuilder* list);
  template <typename Cursor>
  bool AddToSet();
  template <typename Cursor>
  bool AddToZset();
  template <typename Cursor>
  bool AddToHash();
  bool PackedScoreOf(const PackedItem& item, double* score);

  // Finish a value: *entry_ or emptiness.
  bool FinishList(ListBuilder* list);
  bool FinishSet(SetBuilder* set);
  bool FinishZset(ZsetBuilder* zset);
  bool FinishHash(HashBuilder* hash);
  bool AddField(HashBuilder* hash, std::string_view name, const HashField::Value& value,
                int64_t expiry);
  bool FailBuild(BuildError error);

  RdbInput* const input_;
  const Options options_;
  RdbString string_;
  std::string name_;  // of the field whose value is read next
  // Of the value that is being read:
  std::string_view key_;
  int64_t expiry_ = Entry::kNoExpiry;
  EntryPtr entry_;
  bool left_out_ = false;  // some field was over
};

// The name that messages have for a type.
std::string_view RdbTypeName(uint8_t type);

}  // namespace spinel
