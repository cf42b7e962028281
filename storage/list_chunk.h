// Elements of lists one after the other, readable from both ends, and the chunks that hold them.
//
//   element: length (1, 3 or 9 bytes) | bytes | the same length mirrored
//
// A length below 252 is one byte; 252 announces two bytes of length, 253 eight. Behind the bytes
// the announcement is the very last byte, so that an element can be read from its end.
//
// A chunk keeps its elements somewhere in the middle of its block: the room in front of them and
// behind them takes elements that are pushed at either end without moving any other.
//
// Owner: a ListObject; the chunks of a list are linked. Threads: the stripe's lock is held. Views
// of elements are valid until the next change.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "storage/memory.h"

namespace spinel {

// How one element is spelled.
class ListElement {
 public:
  // Bytes of a length, of which there are two, and of an element of `size` bytes.
  static constexpr size_t HeadBytes(size_t size) {
    return size < kTwoBytes ? 1 : size <= 0xffff ? 3 : 9;
  }
  static constexpr size_t Bytes(size_t size) { return size + 2 * HeadBytes(size); }

  // Writes an element; returns its end.
  static char* Write(char* to, std::string_view element) {
    const size_t size = element.size();
    if (size >= kTwoBytes) [[unlikely]]
      return WriteLong(to, element);
    *to++ = static_cast<char>(size);
    if (size > 0) std::memcpy(to, element.data(), size);
    to[size] = static_cast<char>(size);
    return to + size + 1;
  }
  // The element that begins at `at`, or that ends at `end`.
  static std::string_view Read(const char* at) {
    const auto first = static_cast<uint8_t>(*at);
    if (first < kTwoBytes) [[likely]]
      return {at + 1, first};
    return ReadLong(at);
  }
  static std::string_view ReadBack(const char* end) {
    const auto last = static_cast<uint8_t>(end[-1]);
    if (last < kTwoBytes) [[likely]]
      return {end - 1 - last, last};
    return ReadLongBack(end);
  }
  // Where an element that was read begins and ends, lengths included.
  static const char* Begin(std::string_view element) {
    return element.data() - HeadBytes(element.size());
  }
  static const char* End(std::string_view element) {
    return element.data() + element.size() + HeadBytes(element.size());
  }

 private:
  static constexpr uint8_t kTwoBytes = 252;
  static constexpr uint8_t kEightBytes = 253;

  static char* WriteLong(char* to, std::string_view element);
  static std::string_view ReadLong(const char* at);
  static std::string_view ReadLongBack(const char* end);
};

// Elements that lie one after the other: those of a chunk, or of a list in its entry.
struct ListRun {
  const char* begin = nullptr;
  const char* end = nullptr;
  size_t count = 0;

  // Where element number `index` <= count begins; counted from the nearer end.
  const char* Seek(size_t index) const;
};

// The elements to be taken out of a run.
struct ListFilter {
  std::string_view element;  // those that equal it,
  size_t skip = 0;           // but not the first so many,
  size_t remove = SIZE_MAX;  // and at most so many
};

// How often `element` is in the run.
size_t CountInRun(const ListRun& run, std::string_view element);
// Moves the elements that stay to the front of the run, whose bytes `begin` allows to change.
// Returns the new end; what was removed is subtracted from run->count.
char* FilterRun(char* begin, ListRun* run, const ListFilter& filter);

class ListChunk {
 public:
  // A chunk with room for at least `bytes` bytes of elements, all of it behind the elements, or
  // with `head_room` of it in front.
  static ListChunk* New(size_t bytes, size_t head_room = 0);
  static void Delete(ListChunk* chunk);
  // Deletes a chain, following `next`.
  static void DeleteChain(ListChunk* first);

  ListChunk* prev() const { return prev_; }
  ListChunk* next() const { return next_; }
  void set_prev(ListChunk* chunk) { prev_ = chunk; }
  void set_next(ListChunk* chunk) { next_ = chunk; }

  size_t count() const { return count_; }
  size_t bytes() const { return tail_ - head_; }
  size_t capacity() const { return capacity_; }
  size_t head_room() const { return head_; }
  size_t tail_room() const { return capacity_ - tail_; }
  size_t room() const { return capacity_ - bytes(); }
  size_t MemoryBytes() const { return sizeof(ListChunk) + capacity_; }
  const char* begin() const { return data() + head_; }
  const char* end() const { return data() + tail_; }
  ListRun run() const { return {begin(), end(), count_}; }

  // Expect that much room at that end.
  void PushFront(std::string_view element) {
    head_ -= ListElement::Bytes(element.size());
    ListElement::Write(data() + head_, element);
    ++count_;
  }
  void PushBack(std::string_view element) {
    ListElement::Write(data() + tail_, element);
    tail_ += ListElement::Bytes(element.size());
    ++count_;
  }
  // Appends the elements of a run; expects room().
  void Append(const ListRun& run);

  // Inserts in front of the element at `at`, or at the end; expects room() for it. Moves what is on
  // the cheaper side. Returns where the element begins.
  const char* Insert(const char* at, std::string_view element);
  // Removes the element at `at`. What follows it then begins where the return value says.
  const char* Erase(const char* at);
  // Puts another element in its place; expects room for the difference.
  void Replace(const char* at, std::string_view element);
  // Removes the first `count` elements, of which the rest begins at `at`; or all from `at`, the
  // last `count`.
  void DropFront(const char* at, size_t count) {
    head_ = Offset(at);
    count_ -= static_cast<uint32_t>(count);
  }
  void DropBack(const char* at, size_t count) {
    tail_ = Offset(at);
    count_ -= static_cast<uint32_t>(count);
  }
  // The picture (snapshot_hook.h) for which the chunk has been written or needs not be; any number
  // of its own.
  uint32_t picture() const { return picture_; }
  void set_picture(uint32_t picture) { picture_ = picture; }
  // Takes elements out; returns how many.
  size_t Filter(const ListFilter& filter);
  // Moves the elements so that all room is in front of them, or behind.
  void Slide(bool room_in_front);

 private:
  explicit ListChunk(size_t capacity) : capacity_(capacity) {}

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  size_t Offset(const char* at) const { return static_cast<size_t>(at - data()); }
  // Makes a gap of `bytes` bytes at an offset; returns the gap's offset.
  size_t OpenGap(size_t at, size_t bytes);
  // Removes the bytes; returns the offset of what followed them.
  size_t CloseGap(size_t at, size_t bytes);

  ListChunk* prev_ = nullptr;
  ListChunk* next_ = nullptr;
  size_t capacity_;  // bytes behind this header
  size_t head_ = 0;  // the elements lie in [head_, tail_)
  size_t tail_ = 0;
  uint32_t count_ = 0;
  uint32_t picture_ = 0;
};

static_assert(sizeof(ListChunk) == 48);

}  // namespace spinel
