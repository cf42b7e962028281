// One key with its value: a single allocation.
//
//   header (8) | expiry word (8, if any) | key length (4, if the key is long) | key | value
//
// A value of up to 64 KB-1 lies in place (strings below 16 KB, integers, small collections);
// everything else is a pointer in place. Fields behind the header are unaligned and read with
// memcpy.
//
// Owner: the keyspace table; reachable only under the stripe's lock. An operation that returns an
// Entry* may have moved the entry: the caller puts the new pointer into the table.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "storage/memory.h"

namespace spinel {

class BigValue;
class Blob;

// What TYPE answers.
enum class ValueType : uint8_t { kString, kList, kSet, kSortedSet, kHash, kStream };

// How a string lies in memory.
enum class StringEncoding : uint8_t { kInline, kInteger, kBlob };

// How any other value does: a packed list in place (packed_list.h), sorted integers in place (small
// sets of integers), or an object of the type's own, pointed to.
enum class CollectionEncoding : uint8_t { kPacked, kIntegers, kObject };

class Entry {
 public:
  // Expiry times are Unix milliseconds; none is kNoExpiry.
  static constexpr int64_t kNoExpiry = -1;
  // Beyond this (the year 10889) a key is never put on the timing wheel.
  static constexpr int64_t kMaxWheelExpiry = (int64_t{1} << 48) - 1;
  static constexpr size_t kMaxInlineValue = 65535;

  // A string entry holding a copy of `value` (less than Blob::kMinBytes long).
  static Entry* NewString(std::string_view key, std::string_view value, bool with_expiry);
  static Entry* NewInteger(std::string_view key, int64_t value, bool with_expiry);
  // Takes over the caller's reference.
  static Entry* NewBlob(std::string_view key, Blob* blob, bool with_expiry);
  // A collection of `bytes` bytes in place, to be filled by the caller through inline_value_data().
  static Entry* NewPacked(std::string_view key, ValueType type, CollectionEncoding encoding,
                          size_t bytes, bool with_expiry);
  // Takes over the object.
  static Entry* NewObject(std::string_view key, ValueType type, BigValue* object, bool with_expiry);
  // Frees the entry and drops its value. Big values belong on the Reclaimer instead.
  static void Delete(Entry* entry);

  // The same entry with the room for an expiry added or removed, or with another key (RENAME, COPY
  // keep the value): the old block is gone, the value is moved.
  static Entry* WithExpiryField(Entry* entry, bool with_expiry);
  static Entry* WithKey(Entry* entry, std::string_view key);
  // A copy of the entry under another key. nullptr: no memory for the value.
  static Entry* Clone(const Entry& entry, std::string_view key);
  // Replaces the value by an in-place value of `size` bytes, to be filled by the caller through
  // inline_value(). May move the entry. The old value must not be a blob; an object is the
  // caller's from then on.
  static Entry* ResizeInline(Entry* entry, size_t size);

  ValueType type() const { return static_cast<ValueType>(type_encoding_ & 0x0f); }
  StringEncoding string_encoding() const {
    return static_cast<StringEncoding>(type_encoding_ >> 4);
  }

  // Of anything but strings.
  CollectionEncoding collection_encoding() const {
    assert(type() != ValueType::kString);
    return static_cast<CollectionEncoding>(type_encoding_ >> 4);
  }
  bool is_object() const {
    return type() != ValueType::kString && collection_encoding() == CollectionEncoding::kObject;
  }

  std::string_view key() const {
    size_t offset = key_offset();
    if (key_size_ == kLongKey) {
      uint32_t size;
      std::memcpy(&size, base() + offset, sizeof(size));
      return {base() + offset + sizeof(size), size};
    }
    return {base() + offset, key_size_};
  }

  bool has_expiry_field() const { return (flags_ & kHasExpiry) != 0; }
  // Unix ms, or kNoExpiry.
  int64_t expiry() const {
    if (!has_expiry_field()) return kNoExpiry;
    uint64_t word;
    std::memcpy(&word, base() + kHeaderBytes, sizeof(word));
    if ((flags_ & kFarExpiry) != 0) return static_cast<int64_t>(word);
    return static_cast<int64_t>(word >> 16);
  }
  // Expects the field. Keeps the armed tick.
  void set_expiry(int64_t unix_ms);
  // The low 16 bits of the tick for which a wheel handle of this entry is out; meaningful if armed.
  bool armed() const { return (flags_ & kArmed) != 0; }
  uint16_t armed_tick() const {
    uint16_t tick;
    std::memcpy(&tick, base() + kHeaderBytes, sizeof(tick));
    return tick;
  }
  void Arm(uint16_t tick) {
    flags_ |= kArmed;
    std::memcpy(base() + kHeaderBytes, &tick, sizeof(tick));
  }
  bool ExpiredAt(int64_t now_ms) const { return has_expiry_field() && expiry() < now_ms; }

  // LRU seconds or LFU counter, 24 bits; meaning is the eviction policy's.
  uint32_t access_clock() const {
    return access_[0] | static_cast<uint32_t>(access_[1]) << 8 |
           static_cast<uint32_t>(access_[2]) << 16;
  }
  void set_access_clock(uint32_t clock) {
    access_[0] = static_cast<uint8_t>(clock);
    access_[1] = static_cast<uint8_t>(clock >> 8);
    access_[2] = static_cast<uint8_t>(clock >> 16);
  }

  // In-place bytes of a kInline string.
  std::string_view inline_value() const { return {base() + value_offset(), value_size_}; }
  char* inline_value_data() { return base() + value_offset(); }
  int64_t integer() const {
    int64_t value;
    std::memcpy(&value, base() + value_offset(), sizeof(value));
    return value;
  }
  void set_integer(int64_t value) { std::memcpy(base() + value_offset(), &value, sizeof(value)); }
  Blob* blob() const {
    Blob* blob;
    std::memcpy(&blob, base() + value_offset(), sizeof(blob));
    return blob;
  }
  void set_blob(Blob* blob) { std::memcpy(base() + value_offset(), &blob, sizeof(blob)); }
  void set_string_encoding(StringEncoding encoding) { SetEncoding(static_cast<uint8_t>(encoding)); }
  BigValue* object() const {
    assert(is_object());
    BigValue* object;
    std::memcpy(&object, base() + value_offset(), sizeof(object));
    return object;
  }
  void set_object(BigValue* object) {
    std::memcpy(base() + value_offset(), &object, sizeof(object));
  }
  void set_collection_encoding(CollectionEncoding encoding) {
    SetEncoding(static_cast<uint8_t>(encoding));
  }

  // True once APPEND or SETRANGE changed the string: OBJECT ENCODING then answers "raw".
  bool edited() const { return (flags_ & kEdited) != 0; }
  void set_edited(bool edited) {
    flags_ = static_cast<uint8_t>(edited ? flags_ | kEdited : flags_ & ~kEdited);
  }

  // Which of two kinds of snapshots has the entry in its picture: see Stripe.
  bool epoch() const { return (flags_ & kEpoch) != 0; }
  void set_epoch(bool epoch) {
    flags_ = static_cast<uint8_t>(epoch ? flags_ | kEpoch : flags_ & ~kEpoch);
  }

  // Heap bytes of the entry and its value.
  size_t MemoryBytes() const;
  // Whether freeing the value may take long, so that it belongs on the Reclaimer.
  bool IsBig() const;
  // Whether elements of the value expire by themselves: a hash with field expiries.
  bool HasExpiringElements() const { return is_object() && ObjectExpires(); }

 private:
  static constexpr size_t kHeaderBytes = 8;
  static constexpr uint8_t kLongKey = 255;
  static constexpr uint8_t kHasExpiry = 1;
  static constexpr uint8_t kFarExpiry = 2;
  static constexpr uint8_t kArmed = 4;
  static constexpr uint8_t kEdited = 8;
  static constexpr uint8_t kEpoch = 16;

  Entry() = default;
  static Entry* Allocate(std::string_view key, ValueType type, uint8_t encoding, size_t value_size,
                         bool with_expiry);
  static Entry* AllocateString(std::string_view key, StringEncoding encoding, size_t value_size,
                               bool with_expiry);
  static size_t TotalBytes(size_t key_size, size_t value_size, bool with_expiry) {
    return kHeaderBytes + (with_expiry ? 8 : 0) + (key_size >= kLongKey ? 4 : 0) + key_size +
           value_size;
  }

  char* base() { return reinterpret_cast<char*>(this); }
  const char* base() const { return reinterpret_cast<const char*>(this); }
  size_t key_offset() const { return kHeaderBytes + (has_expiry_field() ? 8 : 0); }
  size_t value_offset() const {
    if (key_size_ != kLongKey) return key_offset() + key_size_;
    const std::string_view k = key();
    return static_cast<size_t>(k.data() - base()) + k.size();
  }
  size_t total_bytes() const { return value_offset() + value_size_; }
  void CopyMetadata(const Entry& from);
  bool ObjectExpires() const;
  uint8_t encoding() const { return type_encoding_ >> 4; }
  void SetEncoding(uint8_t encoding) {
    type_encoding_ = static_cast<uint8_t>((type_encoding_ & 0x0f) | encoding << 4);
  }
  bool is_blob() const {
    return type() == ValueType::kString && string_encoding() == StringEncoding::kBlob;
  }

  uint8_t type_encoding_;
  uint8_t flags_;
  uint8_t key_size_;
  uint8_t access_[3];
  uint16_t value_size_;  // bytes in place
};

static_assert(sizeof(Entry) == 8);

// An entry that no keyspace has.
struct EntryDeleter {
  void operator()(Entry* entry) const { Entry::Delete(entry); }
};
using EntryPtr = std::unique_ptr<Entry, EntryDeleter>;

}  // namespace spinel
