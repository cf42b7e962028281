// Makes entries outside of the keyspace, from values that come element by element: what loading a
// file and RESTORE do. SetBuilder (set_value.h) is the one for sets.
//
// Each builder is used once: elements, then Finish(), which gives the entry to the caller. It has
// the smallest form that the limits allow. Expiries are Unix ms, or Entry::kNoExpiry; access clocks
// are left at 0, "not known". Threads: none is shared; any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/entry.h"
#include "storage/hash_value.h"
#include "storage/list_value.h"
#include "storage/set_value.h"
#include "storage/zset_value.h"

namespace spinel {

// Up to which size values are kept in their entries.
struct ValueLimits {
  HashLimits hash{512, 64};
  SetLimits set;
  ZsetLimits zset;
  ListLimits list{-2};
};

// Why there is no entry.
enum class BuildError : uint8_t { kNone, kRepeated, kNoMemory };

// A string; one that is an integer in canonical form becomes one. nullptr: no memory.
EntryPtr BuildString(std::string_view key, std::string_view bytes, int64_t expiry);
EntryPtr BuildInteger(std::string_view key, int64_t value, int64_t expiry);
// Takes over the reference.
EntryPtr BuildBlob(std::string_view key, Blob* blob, int64_t expiry);

// Takes over the object.
EntryPtr BuildObject(std::string_view key, ValueType type, BigValue* object, int64_t expiry);

class ListBuilder {
 public:
  explicit ListBuilder(const ListLimits& limits) : limits_(limits) {}

  // Copies the element to the end.
  void Add(std::string_view element);
  size_t size() const { return size_; }
  // Expects elements.
  EntryPtr Finish(std::string_view key, int64_t expiry);

 private:
  const ListLimits limits_;
  size_t size_ = 0;
  std::string packed_;  // ListElements, until there is an object
  std::unique_ptr<ListObject> object_;
};

class HashBuilder {
 public:
  // `expected` fields: with more than a packed hash may have, it is an object from the beginning.
  HashBuilder(const HashLimits& limits, size_t expected);

  // Copies name and value, or takes over the value's reference to its blob, in any case. False:
  // see error(); nothing is added from then on.
  bool Add(std::string_view name, const HashField::Value& value, int64_t expiry = Entry::kNoExpiry);
  size_t size() const { return size_; }
  BuildError error() const { return error_; }
  // nullptr: see error(). Expects fields.
  EntryPtr Finish(std::string_view key, int64_t expiry);

 private:
  bool Fits(std::string_view name, std::string_view value) const;
  bool AddToObject(std::string_view name, HashField::Value value, int64_t expiry);
  bool LeavePacked();

  const HashLimits limits_;
  size_t size_ = 0;
  BuildError error_ = BuildError::kNone;
  std::string packed_;  // PackedElements, until there is an object
  std::unique_ptr<HashObject> object_;
};

// Members may come in any order; that of the set, or its reverse, is quickest.
class ZsetBuilder {
 public:
  explicit ZsetBuilder(const ZsetLimits& limits) : limits_(limits) {}
  ~ZsetBuilder();
  ZsetBuilder(const ZsetBuilder&) = delete;
  ZsetBuilder& operator=(const ZsetBuilder&) = delete;

  // Copies the member. Expects a score that is a number.
  void Add(double score, std::string_view member);
  size_t size() const { return size_; }
  BuildError error() const { return error_; }
  // nullptr: see error(). Expects members.
  EntryPtr Finish(std::string_view key, int64_t expiry);

 private:
  bool Fits(size_t count, size_t bytes, std::string_view member) const;
  void AppendPacked(double score, std::string_view member);
  void LeavePacked();
  // Puts the nodes into a packed form, if they fit; they stay.
  bool PackNodes();
  void Sort();

  const ZsetLimits limits_;
  size_t size_ = 0;
  BuildError error_ = BuildError::kNone;
  bool is_packed_ = true;
  std::string packed_;  // pairs in order, as PackedZset has them
  double last_score_ = 0;
  size_t last_member_ = 0;  // where the last member begins in packed_
  std::vector<ZsetNode*> nodes_;
};

}  // namespace spinel
