// A field of a big hash with its value and, if it has one, its expiry: one allocation.
//
//   [254 | expiry (8)] | field | value         each an element as PackedElement spells it
//
// A value that is a Blob is spelled 254 and the pointer instead: it can be sent without a copy.
// Nothing is aligned; a field without an expiry pays for none. A changed value or expiry stays in
// the block if the size class is the same.
//
// Owner: a HashObject. An operation that returns a HashField* may have moved it: the old pointer is
// dead then.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "storage/blob.h"
#include "storage/entry.h"
#include "storage/packed_list.h"

namespace spinel {

class HashField {
 public:
  // What a field is set to: bytes, or a blob, then `bytes` is its content.
  struct Value {
    std::string_view bytes;
    Blob* blob = nullptr;
  };

  // `expiry` in Unix ms, or Entry::kNoExpiry. Takes over the reference to the blob.
  static HashField* New(std::string_view field, const Value& value, int64_t expiry);
  // Drops the reference to the blob as well.
  static void Delete(HashField* field);
  // Another value; takes over its reference, and leaves that of the old value to the caller. The
  // bytes must not lie in the field itself.
  static HashField* WithValue(HashField* field, const Value& value);
  // Another expiry, or none.
  static HashField* WithExpiry(HashField* field, int64_t expiry);

  std::string_view name() const { return PackedElement::Read(body()); }
  Value value() const {
    const char* const at = value_at();
    if (static_cast<uint8_t>(*at) != kMark) [[likely]]
      return {PackedElement::Read(at)};
    Blob* blob;
    std::memcpy(&blob, at + 1, sizeof(blob));
    return {blob->view(), blob};
  }
  bool has_expiry() const { return static_cast<uint8_t>(*base()) == kMark; }
  // Unix ms, or Entry::kNoExpiry.
  int64_t expiry() const {
    if (!has_expiry()) return Entry::kNoExpiry;
    int64_t expiry;
    std::memcpy(&expiry, base() + 1, sizeof(expiry));
    return expiry;
  }
  bool ExpiredAt(int64_t now_ms) const { return has_expiry() && expiry() < now_ms; }

  // Heap bytes, the blob's included.
  size_t MemoryBytes() const;

 private:
  static constexpr uint8_t kMark = 254;  // no element begins with it
  static constexpr size_t kExpiryBytes = 1 + sizeof(int64_t);

  static size_t ValueBytes(const Value& value) {
    return value.blob != nullptr ? 1 + sizeof(Blob*) : PackedElement::Bytes(value.bytes.size());
  }
  static void WriteValue(char* to, const Value& value);
  static char* WriteExpiry(char* to, int64_t expiry);

  char* base() { return reinterpret_cast<char*>(this); }
  const char* base() const { return reinterpret_cast<const char*>(this); }
  size_t body_offset() const { return has_expiry() ? kExpiryBytes : 0; }
  const char* body() const { return base() + body_offset(); }
  const char* value_at() const {
    const std::string_view field = name();
    return field.data() + field.size();
  }
  size_t value_offset() const { return static_cast<size_t>(value_at() - base()); }
  size_t total_bytes() const { return value_offset() + ValueBytes(value()); }
};

}  // namespace spinel
