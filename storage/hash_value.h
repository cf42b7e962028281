// Hashes: what commands do with one, whatever its form.
//
// Forms: packed in the entry (name, value, name, value ...) while small, a HashObject beyond the
// limits or once a field has an expiry; it never goes back.
//
// A field that is over is invisible to all functions here but the sizes: it counts until the timing
// wheel, or a writer that comes upon it, removes it.
//
// Both classes expect the stripe to be locked, and a hash; views die with the guard or with the
// next change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "storage/hash_object.h"
#include "storage/key_slot.h"
#include "storage/packed_list.h"

namespace spinel {

// Beyond these a hash is an object.
struct HashLimits {
  size_t max_packed_fields;
  size_t max_packed_bytes;  // of one name or value
};

struct HashItem {
  std::string_view name;
  HashField::Value value;
  int64_t expiry = Entry::kNoExpiry;  // Unix ms
};

class HashView {
 public:
  using Visitor = absl::FunctionRef<void(const HashItem&)>;

  HashView(const Entry& entry, int64_t now_ms)
      : object_(entry.is_object() ? static_cast<const HashObject*>(entry.object()) : nullptr),
        packed_(object_ == nullptr ? entry.inline_value() : std::string_view(kNothing, 2)),
        now_ms_(now_ms) {}

  // Fields, with those that are over and not yet removed.
  size_t size() const { return object_ != nullptr ? object_->size() : packed_.count() / 2; }
  // Whether ForEach visits exactly size() fields.
  bool exact() const { return object_ == nullptr || !object_->HasExpiringElements(); }

  bool Find(std::string_view name, HashItem* item) const;
  // Calls `visit(const HashItem&)` for every field.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    if (object_ != nullptr) {
      object_->table().ForEach([&](const HashField* field) { VisitField(*field, visit); });
      return;
    }
    for (auto it = packed_.begin(); it != packed_.end();) {
      HashItem item;
      item.name = *it;
      item.value.bytes = *++it;
      ++it;
      visit(static_cast<const HashItem&>(item));
    }
  }
  // One step of HSCAN: visits fields until `count` were seen or 10 * count buckets passed. Returns
  // the next cursor; 0 begins and ends. A field that stays for the whole scan is visited.
  uint64_t Scan(uint64_t cursor, uint64_t count, Visitor visit) const;

  // Some field. False: all are over.
  bool Random(HashItem* item) const;
  // `count` times some field, or none at all if all are over. Returns how many were visited.
  uint64_t RandomRepeated(uint64_t count, Visitor visit) const;
  // At most `count` different fields. Returns how many were visited.
  uint64_t RandomDistinct(uint64_t count, Visitor visit) const;

 private:
  static constexpr char kNothing[2] = {0, 0};

  template <typename Visit>
  void VisitField(const HashField& field, Visit&& visit) const {
    if (field.ExpiredAt(now_ms_)) [[unlikely]]
      return;
    visit(static_cast<const HashItem&>(HashItem{field.name(), field.value(), field.expiry()}));
  }
  std::vector<const HashField*> LiveFields() const;

  const HashObject* object_;
  PackedList packed_;
  int64_t now_ms_;
};

// The pairs of a request, name, value, name, value ...: values that are to be blobs become such
// here, before any lock is taken; by a copy, unless `source` has them.
class HashPairs {
 public:
  explicit HashPairs(std::span<const std::string_view> pairs, BlobSource* source = nullptr);
  ~HashPairs();
  HashPairs(const HashPairs&) = delete;
  HashPairs& operator=(const HashPairs&) = delete;

  // False: there was no memory for a value.
  bool ok() const { return ok_; }
  size_t size() const { return elements_.size() / 2; }
  std::string_view name(size_t i) const { return elements_[2 * i]; }
  // The blob's reference stays here.
  HashField::Value value(size_t i) const {
    return {elements_[2 * i + 1], blobs_.empty() ? nullptr : blobs_[i]};
  }
  std::span<const std::string_view> elements() const { return elements_; }

 private:
  std::span<const std::string_view> elements_;
  std::vector<Blob*> blobs_;  // empty while there is no big value
  bool ok_ = true;
};

// Changes a hash, or makes one of a missing key. The destructor counts the changes, sees to the
// timing wheel, and removes a hash that has become empty.
class HashEditor {
 public:
  // For Set: the field keeps the expiry that it has.
  static constexpr int64_t kKeepExpiry = -2;

  HashEditor(KeySlot* slot, const HashLimits& limits);
  ~HashEditor();
  HashEditor(const HashEditor&) = delete;
  HashEditor& operator=(const HashEditor&) = delete;

  // As HashView's.
  bool Find(std::string_view name, HashItem* item) const {
    return slot_->exists() && HashView(*slot_->entry(), slot_->now_ms()).Find(name, item);
  }

  // Sets a field; the value must not lie in the hash, and a blob's reference stays the caller's.
  // `expiry` in Unix ms, kKeepExpiry or Entry::kNoExpiry. True: there was no such field.
  bool Set(std::string_view name, const HashField::Value& value, int64_t expiry = Entry::kNoExpiry);
  // Sets all of them; returns how many there were not.
  size_t SetAll(const HashPairs& pairs, int64_t expiry = Entry::kNoExpiry);
  // False: there was no such field. Delete leaves fields that are over alone, Discard does not.
  bool Delete(std::string_view name) { return Remove(name, /*also_over=*/false); }
  bool Discard(std::string_view name) { return Remove(name, /*also_over=*/true); }
  // Gives a field another expiry (Unix ms) or, with Entry::kNoExpiry, none. False: there was no
  // such field.
  bool SetExpiry(std::string_view name, int64_t expiry);

 private:
  HashObject* object() const {
    return slot_->exists() && slot_->entry()->is_object() ? slot_->object<HashObject>() : nullptr;
  }
  bool Packable(std::string_view element) const {
    return element.size() <= limits_.max_packed_bytes;
  }
  bool CreateAll(const HashPairs& pairs);
  enum class Packed : uint8_t { kAdded, kReplaced, kDoesNotFit };
  Packed SetPacked(std::string_view name, std::string_view bytes);
  bool SetInObject(std::string_view name, const HashField::Value& value, int64_t expiry);
  bool Remove(std::string_view name, bool also_over);
  void BecomeObject();

  KeySlot* const slot_;
  const HashLimits limits_;
  const bool had_expiring_;
  uint64_t changes_ = 0;
};

}  // namespace spinel
