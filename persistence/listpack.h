// Listpacks: what Redis keeps small collections in, and writes them as, since 7.0. See docs/rdb.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "persistence/packed_cursor.h"
#include "persistence/rdb_format.h"

namespace spinel {

class ListpackCursor : public PackedCursor {
 public:
  explicit ListpackCursor(std::string_view block);
  bool Next(PackedItem* item);

 private:
  bool ReadElement(uint8_t form, PackedItem* item, size_t* bytes);
  bool ReadText(size_t head, size_t size, PackedItem* item, size_t* bytes);
  bool AtEnd();

  size_t seen_ = 0;
};

// Writes a listpack into memory that has room for it: MaxBytes() of what is added.
class ListpackWriter {
 public:
  static constexpr size_t kMaxOverhead = kListpackHeaderBytes + 1;
  // Of one element at the most.
  static constexpr size_t MaxBytes(size_t element_bytes) { return element_bytes + 10; }

  explicit ListpackWriter(char* begin) : begin_(begin), at_(begin + kListpackHeaderBytes) {}

  // Text that is an integer in canonical form is written as one.
  void Add(std::string_view element) {
    int64_t value;
    if (MayBeInteger(element) && ReadCanonicalInteger(element, &value)) {
      AddInteger(value);
    } else {
      AddText(element);
    }
  }
  void AddInteger(int64_t value);
  void AddText(std::string_view text) {
    ++count_;
    const size_t size = text.size();
    if (size >= 64) [[unlikely]]
      return AddLongText(text);
    *at_ = static_cast<char>(kListpackText6 | size);
    if (size > 0) std::memcpy(at_ + 1, text.data(), size);
    at_[1 + size] = static_cast<char>(1 + size);
    at_ += size + 2;
  }
  // Writes header and end; returns where the listpack ends.
  char* Finish();

 private:
  static bool MayBeInteger(std::string_view text) {
    if (text.empty() || text.size() > kIntegerChars) return false;
    return (text[0] >= '0' && text[0] <= '9') || text[0] == '-';
  }
  void AddLongText(std::string_view text);
  // The form and the value's `bytes` lowest bytes.
  void AddNumber(uint8_t form, int64_t value, size_t bytes);

  char* const begin_;
  char* at_;
  size_t count_ = 0;
};

// The length of an element of so many bytes, spelled to be read backwards: as many bytes as this
// says, written to `to`.
size_t WriteListpackBackLength(size_t bytes, char* to);

}  // namespace spinel
