// A collection too big to lie in its entry: what hashes, sets, sorted sets and lists become once
// they outgrow the packed form. Each type derives its own.
//
// Owner: its Entry. Threads: under the stripe's lock, except the destructor and, once the entry has
// been taken out of the keyspace, everything else: the Reclaimer destroys big ones on its thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spinel {

class ValuePicture;

// What of an element is brought into the cache: the bucket that it is in, then the element itself,
// and at last those that turned out to be in an overflow bucket.
enum class ElementHint : uint8_t { kPlace, kElement, kFarElement };

class BigValue {
 public:
  // With more elements the destructor takes long enough to belong on the Reclaimer.
  static constexpr size_t kSlowToFree = 64;

  BigValue() = default;
  virtual ~BigValue() = default;
  BigValue(const BigValue&) = delete;
  BigValue& operator=(const BigValue&) = delete;

  // Elements: fields, members, items.
  virtual size_t size() const = 0;
  // Heap bytes with everything that belongs to the value; constant time.
  virtual size_t MemoryBytes() const = 0;
  // A copy that shares nothing that changes.
  virtual BigValue* Clone() const = 0;
  // For an element that will be looked up soon, by its hash (kKeyHasher); does nothing where
  // elements are not found by hash.
  virtual void Prefetch(uint64_t hash, ElementHint hint) const {}

  // -- Values whose elements expire one by one (the fields of a hash)
  // ------------------------------- The keyspace's timing wheel removes those elements: one handle
  // is out for the value's earliest.
  static constexpr int64_t kNeverExpires = -1;
  static constexpr int64_t kNotArmed = -1;
  // When the first element will be over, Unix ms, or kNeverExpires: none has an expiry.
  virtual int64_t NextExpiry() const { return kNeverExpires; }
  bool HasExpiringElements() const { return NextExpiry() != kNeverExpires; }
  // Whether every element is over.
  virtual bool AllExpired(int64_t now_ms) const { return false; }
  // Removes at most `max` elements that are over, the earliest first; returns how many.
  virtual size_t RemoveExpired(int64_t now_ms, size_t max) { return 0; }
  // The tick for which that handle is out, or kNotArmed; the keyspace's to set.
  int64_t armed_tick() const { return armed_tick_; }
  void set_armed_tick(int64_t tick) { armed_tick_ = tick; }

  // While a snapshot is writing the value, or is going to: whom the value tells of its changes
  // (snapshot_hook.h). Null otherwise; the snapshot's to set.
  ValuePicture* picture() const { return picture_; }
  void set_picture(ValuePicture* picture) { picture_ = picture; }

 private:
  int64_t armed_tick_ = kNotArmed;
  ValuePicture* picture_ = nullptr;
};

}  // namespace spinel
