// Sorted integers in one block: the form of a small set that holds nothing else.
//
//   width (1 byte: 2, 4 or 8) | integer | integer | ...        each of that width, ascending
//
// The block is the in-place value of an Entry, so it has at most Entry::kMaxInlineValue bytes. The
// width is that of the widest integer that was ever in it; removing does not narrow it.
//
// Reading takes a view; it is valid until the next change. Changes take the KeySlot, because the
// entry may move. Threads: the stripe's lock is held.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/entry.h"

namespace spinel {

class KeySlot;

// Reads a decimal integer in its only canonical form: no sign but '-', no leading zeros, no "-0".
// What this reads, a set of integers may hold, for it is printed again as the same bytes.
bool ReadCanonicalInteger(std::string_view text, int64_t* value);

// Room for the decimal form of an int64, and the writing of it.
inline constexpr size_t kIntegerChars = 20;
std::string_view WriteInteger(int64_t value, char (&room)[kIntegerChars]);

class IntegerSetView {
 public:
  static constexpr size_t kHeaderBytes = 1;

  explicit IntegerSetView(std::string_view block) : block_(block) {
    assert(block.size() >= kHeaderBytes);
  }
  // Expects a set of integers.
  explicit IntegerSetView(const Entry& entry) : IntegerSetView(entry.inline_value()) {}

  size_t width() const { return static_cast<uint8_t>(block_[0]); }
  size_t count() const { return (block_.size() - kHeaderBytes) / width(); }
  int64_t at(size_t index) const;

  // Where `value` is or, if it is not there, where it belongs.
  struct Place {
    size_t index;
    bool found;
  };
  Place Find(int64_t value) const;
  bool Contains(int64_t value) const { return Find(value).found; }

  // Whether a block can hold `value` as well.
  bool HasRoomFor(int64_t value) const;

  static size_t WidthOf(int64_t value) {
    if (value >= INT16_MIN && value <= INT16_MAX) return 2;
    return value >= INT32_MIN && value <= INT32_MAX ? 4 : 8;
  }
  // Of a block with these integers, in ascending order.
  static size_t BytesFor(std::span<const int64_t> sorted);

 private:
  template <typename Integer>
  Integer Load(size_t index) const {
    Integer value;
    std::memcpy(&value, block_.data() + kHeaderBytes + index * sizeof(Integer), sizeof(value));
    return value;
  }
  template <typename Integer>
  Place FindAs(int64_t value) const;

  std::string_view block_;
};

// An entry, the caller's, that is a set of these integers, which are in ascending order. Expects
// BytesFor() to be at most Entry::kMaxInlineValue.
Entry* NewIntegerSet(std::string_view key, std::span<const int64_t> sorted, bool with_expiry);

// Makes the slot's key, whatever it was, a set of these integers, which are in ascending order.
// Expects BytesFor() to be at most Entry::kMaxInlineValue. None of these functions counts as a
// change.
void CreateIntegerSet(KeySlot* slot, std::span<const int64_t> sorted,
                      int64_t expiry = Entry::kNoExpiry);

// False: it is there. Expects HasRoomFor(value).
bool InsertInteger(KeySlot* slot, int64_t value);
// False: it is not there. The key stays when nothing is left in it.
bool EraseInteger(KeySlot* slot, int64_t value);
void EraseIntegerAt(KeySlot* slot, size_t index);

// Calls `keep(int64_t)` for each integer, in order, and erases those it answers false for.
void FilterIntegers(KeySlot* slot, absl::FunctionRef<bool(int64_t)> keep);

}  // namespace spinel
