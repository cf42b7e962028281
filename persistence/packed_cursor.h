// Walking over a small collection that lies packed in one string of a file. The bytes are hostile:
// a cursor checks everything that it follows, and stops at the first thing that is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "storage/integer_set.h"

namespace spinel {

// An element: text that lies in the block, or an integer.
struct PackedItem {
  std::string_view text;
  int64_t integer = 0;
  bool is_integer = false;

  // As bytes in any case; an integer is rendered into `room`.
  std::string_view Bytes(char (&room)[kIntegerChars]) const {
    return is_integer ? WriteInteger(integer, room) : text;
  }
  void Set(std::string_view bytes) {
    text = bytes;
    is_integer = false;
  }
  void Set(int64_t value) {
    integer = value;
    is_integer = true;
  }
};

// What cursors have in common. Each has `bool Next(PackedItem*)`: false is the end, or something
// wrong. The block outlives cursor and items.
class PackedCursor {
 public:
  // What should have been where, in the block; nullptr: nothing is wrong so far.
  const char* expected() const { return expected_; }
  size_t error_offset() const { return at_; }

 protected:
  explicit PackedCursor(std::string_view block) : block_(block) {}

  bool Fail(const char* expected) {
    expected_ = expected;
    return false;
  }
  // Whether that many bytes follow at `at_`, in front of `reserved` bytes at the block's end.
  bool Has(size_t bytes, size_t reserved = 1) const {
    return block_.size() - at_ >= reserved && block_.size() - at_ - reserved >= bytes;
  }
  uint8_t ByteAt(size_t offset) const { return static_cast<uint8_t>(block_[offset]); }
  template <typename Number>
  Number Load(size_t offset) const {
    Number number;
    std::memcpy(&number, block_.data() + offset, sizeof(number));
    return number;
  }
  // Three bytes, with a sign.
  int64_t Load24(size_t offset) const {
    const uint32_t high = static_cast<uint32_t>(ByteAt(offset)) << 8 |
                          static_cast<uint32_t>(ByteAt(offset + 1)) << 16 |
                          static_cast<uint32_t>(ByteAt(offset + 2)) << 24;
    return static_cast<int32_t>(high) >> 8;
  }
  // The number at `offset`, highest byte first.
  uint32_t LoadBigEndian32(size_t offset) const {
    return __builtin_bswap32(Load<uint32_t>(offset));
  }

  std::string_view block_;
  size_t at_ = 0;  // of the next element, or of what is wrong
  const char* expected_ = nullptr;
};

}  // namespace spinel
