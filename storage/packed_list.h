// Byte strings one after the other in one block: the form of every small collection.
//
//   count (2 bytes) | element | element | ...          element: length (1, 3 or 5 bytes) | bytes
//
// A length below 252 is one byte; 252 announces two bytes of length, 253 four. The block is the
// in-place value of an Entry, so it has at most Entry::kMaxInlineValue bytes.
//
// Reading takes a view (PackedList); it is valid until the next change. Changes go through
// functions that take the KeySlot, because the entry may move. Threads: the stripe's lock is held.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "storage/entry.h"

namespace spinel {

class KeySlot;

// Writes the count that a block begins with.
inline void StorePackedCount(char* block, size_t count) {
  const auto stored = static_cast<uint16_t>(count);
  std::memcpy(block, &stored, sizeof(stored));
}

// How one element is spelled. Also used by what keeps elements elsewhere.
class PackedElement {
 public:
  // Bytes of the length alone, and of an element of `size` bytes.
  static constexpr size_t HeadBytes(size_t size) {
    return size < kTwoBytes ? 1 : size <= 0xffff ? 3 : 5;
  }
  static constexpr size_t Bytes(size_t size) { return HeadBytes(size) + size; }

  // Writes an element; returns its end.
  static char* Write(char* to, std::string_view element) {
    const size_t size = element.size();
    if (size < kTwoBytes) [[likely]] {
      *to++ = static_cast<char>(size);
    } else {
      to = WriteLongHead(to, size);
    }
    if (size > 0) std::memcpy(to, element.data(), size);
    return to + size;
  }
  // The element at `at`; its end is where the next one begins.
  static std::string_view Read(const char* at) {
    const auto first = static_cast<uint8_t>(*at);
    if (first < kTwoBytes) [[likely]]
      return {at + 1, first};
    return ReadLong(at);
  }

 private:
  static constexpr uint8_t kTwoBytes = 252;
  static constexpr uint8_t kFourBytes = 253;

  static char* WriteLongHead(char* to, size_t size) {
    if (size <= 0xffff) {
      *to++ = static_cast<char>(kTwoBytes);
      const auto length = static_cast<uint16_t>(size);
      std::memcpy(to, &length, sizeof(length));
      return to + sizeof(length);
    }
    *to++ = static_cast<char>(kFourBytes);
    const auto length = static_cast<uint32_t>(size);
    std::memcpy(to, &length, sizeof(length));
    return to + sizeof(length);
  }
  static std::string_view ReadLong(const char* at) {
    if (static_cast<uint8_t>(*at) == kTwoBytes) {
      uint16_t length;
      std::memcpy(&length, at + 1, sizeof(length));
      return {at + 1 + sizeof(length), length};
    }
    uint32_t length;
    std::memcpy(&length, at + 1, sizeof(length));
    return {at + 1 + sizeof(length), length};
  }
};

class PackedList {
 public:
  static constexpr size_t kHeaderBytes = 2;
  static constexpr size_t kMaxBytes = Entry::kMaxInlineValue;

  explicit PackedList(std::string_view block) : block_(block) {
    assert(block.size() >= kHeaderBytes);
  }
  // Expects a collection in packed form.
  explicit PackedList(const Entry& entry) : PackedList(entry.inline_value()) {}

  size_t count() const {
    uint16_t count;
    std::memcpy(&count, block_.data(), sizeof(count));
    return count;
  }
  size_t bytes() const { return block_.size(); }

  class Iterator {
   public:
    explicit Iterator(const char* at) : at_(at) {}
    std::string_view operator*() const { return PackedElement::Read(at_); }
    Iterator& operator++() {
      const std::string_view element = **this;
      at_ = element.data() + element.size();
      return *this;
    }
    bool operator==(const Iterator& other) const = default;
    const char* at() const { return at_; }

   private:
    const char* at_;
  };
  Iterator begin() const { return Iterator(block_.data() + kHeaderBytes); }
  Iterator end() const { return Iterator(block_.data() + block_.size()); }

  // Where in the block an iterator stands: survives a move of the entry, and names a place to
  // SplicePacked.
  size_t OffsetOf(Iterator it) const { return static_cast<size_t>(it.at() - block_.data()); }
  Iterator AtOffset(size_t offset) const { return Iterator(block_.data() + offset); }

  // The element number `index` < count(); linear.
  Iterator At(size_t index) const {
    Iterator it = begin();
    while (index-- > 0) ++it;
    return it;
  }

  // The first of every `stride` elements (1: of all; 2: of pairs) that equals `element`; or end().
  Iterator Find(std::string_view element, size_t stride) const {
    // Names in one collection often differ at their ends only: the last byte spares most memcmp.
    const size_t size = element.size();
    const char last = size == 0 ? '\0' : element.back();
    for (Iterator it = begin(); it != end();) {
      const std::string_view here = *it;
      if (here.size() == size &&
          (size == 0 ||
           (here[size - 1] == last && std::memcmp(here.data(), element.data(), size - 1) == 0))) {
        return it;
      }
      for (size_t i = 0; i < stride; ++i) ++it;
    }
    return end();
  }

  // Bytes of a block with these elements.
  static size_t BytesFor(std::span<const std::string_view> elements) {
    size_t bytes = kHeaderBytes;
    for (const std::string_view element : elements) bytes += PackedElement::Bytes(element.size());
    return bytes;
  }

 private:
  std::string_view block_;
};

// Makes the slot's key, whatever it was, a packed collection of these elements (none is fine: the
// caller adds some before the guard is gone). Expects them to fit in PackedList::kMaxBytes. Counts
// as no change: the caller knows how many there were.
void CreatePacked(KeySlot* slot, ValueType type, std::span<const std::string_view> elements,
                  int64_t expiry = Entry::kNoExpiry);

// An entry outside of the keyspace: a collection of so many elements in packed form, which lie one
// after the other in `elements` as the type spells them. Expects them to fit in
// PackedList::kMaxBytes.
EntryPtr BuildPacked(std::string_view key, ValueType type, size_t count, std::string_view elements,
                     int64_t expiry);

// Whether one of the PackedElements in `elements`, `count` in all, equals another one; of every
// `stride` only the first is looked at.
bool HasRepeats(std::string_view elements, size_t count, size_t stride);

// Replaces `removed` whole elements, `removed_bytes` long, at `offset` by `added`, which must not
// lie in the block itself. Expects the result to fit in PackedList::kMaxBytes.
void SplicePacked(KeySlot* slot, size_t offset, size_t removed, size_t removed_bytes,
                  std::span<const std::string_view> added);

// Appends.
void AppendPacked(KeySlot* slot, std::span<const std::string_view> added);

}  // namespace spinel
