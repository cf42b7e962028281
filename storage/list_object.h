// A list too big for its entry: a chain of chunks, with both ends in constant time and any position
// by passing over whole chunks from the nearer end.
//
// Owner: its Entry. Threads: as BigValue says. Positions and views are valid until the next change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/big_value.h"
#include "storage/list_chunk.h"
#include "storage/value_picture.h"

namespace spinel {

enum class ListEnd : uint8_t { kHead, kTail };

// How much one block of a list holds, be it the entry or a chunk.
struct ListLimits {
  // `fill` is list-max-listpack-size: elements, or with a negative sign a size. Elements of
  // `own_chunk_bytes` or more get a chunk of their own; 0: only those that fit into no other.
  explicit ListLimits(int64_t fill, size_t own_chunk_bytes = 0);

  bool NeedsOwnChunk(size_t element_size) const { return element_size >= own_chunk_bytes; }
  // Bytes of elements that an ordinary chunk has room for.
  size_t chunk_bytes() const { return max_bytes - sizeof(ListChunk); }

  size_t max_bytes;
  size_t max_count;
  size_t own_chunk_bytes;
};

// Where an element is: `at` is its beginning, or the chunk's end.
struct ListPosition {
  ListChunk* chunk = nullptr;
  const char* at = nullptr;

  explicit operator bool() const { return chunk != nullptr; }
  std::string_view element() const { return ListElement::Read(at); }
};

class ListObject final : public BigValue {
 public:
  ListObject();
  // Begins with the elements of a run.
  explicit ListObject(const ListRun& run);
  ~ListObject() override;

  size_t size() const override { return size_; }
  size_t MemoryBytes() const override { return SizeClass(sizeof(ListObject)) + memory_; }
  BigValue* Clone() const override;

  void Push(ListEnd end, std::string_view element, const ListLimits& limits) {
    end == ListEnd::kHead ? PushFront(element, limits) : PushBack(element, limits);
  }
  void PushFront(std::string_view element, const ListLimits& limits) {
    const size_t need = ListElement::Bytes(element.size());
    if (head_ != nullptr && head_->head_room() >= need && Accepts(*head_, element.size(), limits))
        [[likely]] {
      KeepForPicture(head_);
      head_->PushFront(element);
      ++size_;
    } else {
      PushSlowly(ListEnd::kHead, element, limits);
    }
  }
  void PushBack(std::string_view element, const ListLimits& limits) {
    const size_t need = ListElement::Bytes(element.size());
    if (tail_ != nullptr && tail_->tail_room() >= need && Accepts(*tail_, element.size(), limits))
        [[likely]] {
      KeepForPicture(tail_);
      tail_->PushBack(element);
      ++size_;
    } else {
      PushSlowly(ListEnd::kTail, element, limits);
    }
  }

  // The first and the last chunk; a list that is not empty has them.
  const ListChunk* head() const { return head_; }
  const ListChunk* tail() const { return tail_; }
  size_t chunks() const { return chunks_; }

  // Element number `index` < size().
  ListPosition Seek(size_t index) const;
  // The first element that equals this one; or none.
  ListPosition Find(std::string_view element) const;

  // Inserts in front of a position, or behind the element there.
  void InsertBefore(ListPosition position, std::string_view element, const ListLimits& limits) {
    Insert(position, element, limits);
  }
  void InsertAfter(ListPosition position, std::string_view element, const ListLimits& limits) {
    Insert({position.chunk, ListElement::End(position.element())}, element, limits);
  }
  void Replace(ListPosition position, std::string_view element, const ListLimits& limits);

  // Chunks taken out of a list, to be deleted by whoever asked.
  struct Removed {
    ListChunk* chain = nullptr;
    size_t chunks = 0;
    size_t memory = 0;  // their bytes
  };
  // Removes `count` < size() elements from an end.
  Removed RemoveFromEnd(ListEnd end, size_t count);

  // Removes elements that equal this one, at most `limit`, beginning at an end. Returns how many.
  size_t RemoveMatches(ListEnd from, std::string_view element, size_t limit,
                       const ListLimits& limits);

  // Bytes of all elements; linear in the chunks.
  size_t ElementBytes() const;
  // Writes all elements one after the other, ElementBytes() in all.
  void CopyElements(char* to) const;

 private:
  struct Seeked;

  // Whether an element of that size may go into the chunk, there being room or not.
  static bool Accepts(const ListChunk& chunk, size_t element_size, const ListLimits& limits) {
    return !limits.NeedsOwnChunk(element_size) && chunk.count() < limits.max_count &&
           chunk.bytes() + ListElement::Bytes(element_size) <= limits.chunk_bytes();
  }

  void PushSlowly(ListEnd end, std::string_view element, const ListLimits& limits);
  ListPosition Insert(ListPosition position, std::string_view element, const ListLimits& limits);
  ListPosition InsertInto(ListPosition position, std::string_view element,
                          const ListLimits& limits);
  ListPosition InsertChunk(ListChunk* before, std::string_view element, const ListLimits& limits);
  void Erase(ListPosition position, const ListLimits& limits);
  Seeked SeekChunk(size_t index) const;
  // Bytes for a new chunk that begins with this element.
  size_t FirstBytes(size_t element_size, const ListLimits& limits) const;
  // Makes a chunk's room `bytes` larger, or more if the limits let it; returns what replaces it.
  ListChunk* Grow(ListChunk* chunk, size_t bytes, const ListLimits& limits, bool room_in_front);
  // Moves the elements from `at` into a chunk of their own behind this one.
  void Split(ListChunk* chunk, const char* at);
  // Moves the elements of the chunk behind `left` into it, if both are small.
  void MergeNext(ListChunk* left, const ListLimits& limits);
  // Puts a chunk into the chain: in front of `before`, or at the end if that is null.
  void Link(ListChunk* chunk, ListChunk* before);
  // Takes it out and deletes it.
  void Remove(ListChunk* chunk);
  // Called before the elements of a chunk change.
  void KeepForPicture(ListChunk* chunk) {
    if (picture() != nullptr) [[unlikely]]
      picture()->BeforeChunkChange(chunk);
  }
  // For chunks that have been taken out: what is left to be deleted.
  ListChunk* LeftByPicture(ListChunk* chain, ListChunk* next, size_t bytes) {
    return picture() == nullptr ? chain : picture()->Unlinked(chain, next, bytes);
  }

  ListChunk* head_ = nullptr;
  ListChunk* tail_ = nullptr;
  size_t size_ = 0;
  size_t chunks_ = 0;
  size_t memory_ = 0;  // of the chunks
};

}  // namespace spinel
