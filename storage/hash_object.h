// The big form of a hash: a table of fields, and an index of those that expire, by time.
//
// Owner: its Entry. Threads: under the stripe's lock (see BigValue). Fields that are over stay
// until the timing wheel or a writer removes them: readers look at HashField::ExpiredAt.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/container/btree_set.h"
#include "storage/big_value.h"
#include "storage/hash_field.h"
#include "storage/hash_table.h"
#include "storage/key_hash.h"
#include "storage/value_picture.h"

namespace spinel {

struct HashFieldHash {
  static uint64_t Hash(const HashField& field) { return kKeyHasher(field.name()); }
};

class HashObject final : public BigValue {
 public:
  using Table = HashTable<HashField, HashFieldHash>;

  HashObject() = default;
  ~HashObject() override;

  size_t size() const override { return table_.size(); }
  size_t MemoryBytes() const override;
  BigValue* Clone() const override;
  void Prefetch(uint64_t hash, ElementHint hint) const override {
    if (hint == ElementHint::kPlace) {
      table_.PrefetchBucket(hash);
    } else {
      table_.PrefetchNode(hash, hint == ElementHint::kElement ? 0 : 1);
    }
  }
  int64_t NextExpiry() const override {
    return expiring_ == nullptr ? kNeverExpires : expiring_->begin()->first;
  }
  bool AllExpired(int64_t now_ms) const override;
  size_t RemoveExpired(int64_t now_ms, size_t max) override;

  const Table& table() const { return table_; }
  // Fields with an expiry.
  size_t expiring() const { return expiring_ == nullptr ? 0 : expiring_->size(); }

  // A field, over or not; its hash is kKeyHasher(name).
  Table::Position Find(uint64_t hash, std::string_view name) const {
    return table_.Find(hash, [name](const HashField& field) { return field.name() == name; });
  }
  // Adds a field that is not there. Takes over the value's reference.
  void Insert(uint64_t hash, std::string_view name, const HashField::Value& value, int64_t expiry);
  // Gives a field another value (as HashField::WithValue) or expiry.
  void SetValue(Table::Position position, const HashField::Value& value);
  void SetExpiry(Table::Position position, int64_t expiry);
  void Erase(uint64_t hash, Table::Position position);

  // For a snapshot.
  static PictureElement ElementOf(const HashField& field);

 private:
  // Called before a field changes or goes.
  void KeepForPicture(const HashField& field);
  // By expiry; the pointer makes the order total. Never empty.
  using ExpiryIndex = absl::btree_set<std::pair<int64_t, HashField*>>;

  void AddToIndex(HashField* field);
  void RemoveFromIndex(HashField* field);

  Table table_;
  size_t field_bytes_ = 0;  // HashField::MemoryBytes of all of them
  std::unique_ptr<ExpiryIndex> expiring_;
};

}  // namespace spinel
