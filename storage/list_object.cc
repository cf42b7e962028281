#include "storage/list_object.h"

#include <algorithm>
#include <cassert>

namespace spinel {

ListLimits::ListLimits(int64_t fill, size_t own_chunk) {
  constexpr size_t kSizes[] = {4096, 8192, 16384, 32768, 65536};
  constexpr size_t kCountedBytes = 8192;
  if (fill < 0) {
    max_bytes = kSizes[fill < -5 ? 4 : -fill - 1];
    max_count = SIZE_MAX;
  } else {
    max_bytes = kCountedBytes;
    max_count = fill == 0 ? 1 : static_cast<size_t>(fill);
  }
  own_chunk_bytes = own_chunk == 0 ? SIZE_MAX : own_chunk;
}

ListObject::ListObject() = default;

ListObject::ListObject(const ListRun& run) {
  if (run.count == 0) return;
  ListChunk* const chunk = ListChunk::New(static_cast<size_t>(run.end - run.begin));
  chunk->Append(run);
  Link(chunk, nullptr);
  size_ = run.count;
}

ListObject::~ListObject() { ListChunk::DeleteChain(head_); }

BigValue* ListObject::Clone() const {
  auto* clone = new ListObject;
  for (const ListChunk* chunk = head_; chunk != nullptr; chunk = chunk->next()) {
    ListChunk* const copy = ListChunk::New(chunk->bytes());
    copy->Append(chunk->run());
    clone->Link(copy, nullptr);
  }
  clone->size_ = size_;
  return clone;
}

// -- The chain
// -------------------------------------------------------------------------------------

void ListObject::Link(ListChunk* chunk, ListChunk* before) {
  ListChunk* const prev = before == nullptr ? tail_ : before->prev();
  chunk->set_prev(prev);
  chunk->set_next(before);
  if (prev != nullptr) {
    prev->set_next(chunk);
  } else {
    head_ = chunk;
  }
  if (before != nullptr) {
    before->set_prev(chunk);
  } else {
    tail_ = chunk;
  }
  ++chunks_;
  memory_ += chunk->MemoryBytes();
  if (picture() != nullptr) [[unlikely]]
    picture()->Linked(chunk);
}

void ListObject::Remove(ListChunk* chunk) {
  ListChunk* const prev = chunk->prev();
  ListChunk* const next = chunk->next();
  if (prev != nullptr) prev->set_next(next);
  if (next != nullptr) next->set_prev(prev);
  if (head_ == chunk) head_ = next;
  if (tail_ == chunk) tail_ = prev;
  --chunks_;
  memory_ -= chunk->MemoryBytes();
  chunk->set_prev(nullptr);
  chunk->set_next(nullptr);
  ListChunk::DeleteChain(LeftByPicture(chunk, next, chunk->MemoryBytes()));
}

size_t ListObject::FirstBytes(size_t element_size, const ListLimits& limits) const {
  // Chunks at the end of a short list begin small, so that it does not take far more than it needs.
  constexpr size_t kSmallChunk = 1024 - sizeof(ListChunk);
  constexpr size_t kFewChunks = 4;
  constexpr size_t kFewElements = 64;
  const size_t need = ListElement::Bytes(element_size);
  const size_t full = limits.chunk_bytes();
  if (need >= full || limits.NeedsOwnChunk(element_size)) return need;
  size_t bytes = chunks_ < kFewChunks ? kSmallChunk : full;
  if (limits.max_count < kFewElements) bytes = std::min(bytes, need * limits.max_count);
  return std::clamp(bytes, need, full);
}

ListChunk* ListObject::Grow(ListChunk* chunk, size_t bytes, const ListLimits& limits,
                            bool room_in_front) {
  const size_t need = chunk->bytes() + bytes;
  const size_t capacity = std::max(need, std::min(2 * chunk->capacity(), limits.chunk_bytes()));
  ListChunk* const grown = ListChunk::New(capacity);
  grown->Append(chunk->run());
  if (room_in_front) grown->Slide(true);
  Link(grown, chunk);
  Remove(chunk);
  return grown;
}

void ListObject::Split(ListChunk* chunk, const char* at) {
  ListRun right{at, chunk->end(), 0};
  for (const char* next = at; next != right.end; ++right.count) {
    next = ListElement::End(ListElement::Read(next));
  }
  ListChunk* const fresh = ListChunk::New(static_cast<size_t>(right.end - right.begin));
  fresh->Append(right);
  KeepForPicture(chunk);
  chunk->DropBack(at, right.count);
  Link(fresh, chunk->next());
}

void ListObject::MergeNext(ListChunk* left, const ListLimits& limits) {
  ListChunk* const right = left == nullptr ? nullptr : left->next();
  if (right == nullptr) return;
  // Half of what would fit, so that the next insertion does not split what was merged.
  if (left->bytes() + right->bytes() > limits.chunk_bytes() / 2) return;
  if (left->count() + right->count() > limits.max_count) return;
  if (limits.own_chunk_bytes != SIZE_MAX) return;  // it might bring some into company
  if (left->room() < right->bytes()) left = Grow(left, right->bytes(), limits, false);
  KeepForPicture(left);
  left->Append(right->run());
  Remove(right);
}

// -- Positions
// -------------------------------------------------------------------------------------

// The chunk that holds an element, and what is in front of that chunk.
struct ListObject::Seeked {
  ListChunk* chunk;
  size_t index;   // of the element, in the chunk
  size_t chunks;  // in front of it
  size_t memory;
};

ListObject::Seeked ListObject::SeekChunk(size_t index) const {
  assert(index < size_);
  if (index < size_ / 2) {
    Seeked seeked{head_, index, 0, 0};
    while (seeked.index >= seeked.chunk->count()) {
      seeked.index -= seeked.chunk->count();
      ++seeked.chunks;
      seeked.memory += seeked.chunk->MemoryBytes();
      seeked.chunk = seeked.chunk->next();
    }
    return seeked;
  }
  size_t from_end = size_ - 1 - index;
  Seeked seeked{tail_, 0, chunks_ - 1, memory_ - tail_->MemoryBytes()};
  while (from_end >= seeked.chunk->count()) {
    from_end -= seeked.chunk->count();
    seeked.chunk = seeked.chunk->prev();
    --seeked.chunks;
    seeked.memory -= seeked.chunk->MemoryBytes();
  }
  seeked.index = seeked.chunk->count() - 1 - from_end;
  return seeked;
}

ListPosition ListObject::Seek(size_t index) const {
  const Seeked seeked = SeekChunk(index);
  return {seeked.chunk, seeked.chunk->run().Seek(seeked.index)};
}

ListPosition ListObject::Find(std::string_view element) const {
  for (ListChunk* chunk = head_; chunk != nullptr; chunk = chunk->next()) {
    for (const char* at = chunk->begin(); at != chunk->end();) {
      const std::string_view candidate = ListElement::Read(at);
      if (candidate == element) return {chunk, at};
      at = ListElement::End(candidate);
    }
  }
  return {};
}

// -- Adding
// ----------------------------------------------------------------------------------------

void ListObject::PushSlowly(ListEnd end, std::string_view element, const ListLimits& limits) {
  const bool front = end == ListEnd::kHead;
  const size_t need = ListElement::Bytes(element.size());
  ListChunk* chunk = front ? head_ : tail_;
  if (chunk != nullptr && Accepts(*chunk, element.size(), limits)) {
    // The room at the other end is used if that is worth the move; else the chunk grows up to its
    // limit, or is left as it is.
    const size_t room = chunk->room();
    if (room >= need && room >= chunk->capacity() / 4) {
      chunk->Slide(front);
    } else if (chunk->capacity() < limits.chunk_bytes()) {
      chunk = Grow(chunk, need, limits, front);
    } else {
      chunk = nullptr;
    }
  } else {
    chunk = nullptr;
  }
  if (chunk == nullptr) {
    chunk = ListChunk::New(FirstBytes(element.size(), limits));
    if (front) chunk->Slide(true);
    Link(chunk, front ? head_ : nullptr);
  }
  KeepForPicture(chunk);
  front ? chunk->PushFront(element) : chunk->PushBack(element);
  ++size_;
}

ListPosition ListObject::InsertInto(ListPosition position, std::string_view element,
                                    const ListLimits& limits) {
  ListChunk* chunk = position.chunk;
  const char* at = position.at;
  const size_t need = ListElement::Bytes(element.size());
  if (chunk->room() < need) {
    const auto offset = at - chunk->begin();
    chunk = Grow(chunk, need, limits, false);
    at = chunk->begin() + offset;
  }
  ++size_;
  KeepForPicture(chunk);
  return {chunk, chunk->Insert(at, element)};
}

ListPosition ListObject::InsertChunk(ListChunk* before, std::string_view element,
                                     const ListLimits& limits) {
  ListChunk* const chunk = ListChunk::New(FirstBytes(element.size(), limits));
  Link(chunk, before);
  chunk->PushBack(element);
  ++size_;
  return {chunk, chunk->begin()};
}

ListPosition ListObject::Insert(ListPosition position, std::string_view element,
                                const ListLimits& limits) {
  ListChunk* const chunk = position.chunk;
  if (Accepts(*chunk, element.size(), limits)) return InsertInto(position, element, limits);
  const bool at_begin = position.at == chunk->begin();
  const bool at_end = position.at == chunk->end();
  if (!at_begin && !at_end) Split(chunk, position.at);
  // Now the element belongs between two chunks.
  ListChunk* const left = at_begin ? chunk->prev() : chunk;
  ListChunk* const right = at_begin ? chunk : chunk->next();
  if (left != nullptr && Accepts(*left, element.size(), limits)) {
    return InsertInto({left, left->end()}, element, limits);
  }
  if (right != nullptr && Accepts(*right, element.size(), limits)) {
    return InsertInto({right, right->begin()}, element, limits);
  }
  return InsertChunk(right, element, limits);
}

void ListObject::Replace(ListPosition position, std::string_view element,
                         const ListLimits& limits) {
  const size_t old_bytes = ListElement::Bytes(position.element().size());
  const size_t new_bytes = ListElement::Bytes(element.size());
  ListChunk* const chunk = position.chunk;
  const size_t bytes = chunk->bytes() - old_bytes + new_bytes;
  const bool fits = new_bytes <= chunk->room() + old_bytes;
  if (fits && (new_bytes <= old_bytes || bytes <= limits.chunk_bytes()) &&
      (!limits.NeedsOwnChunk(element.size()) || chunk->count() == 1)) {
    // A chunk that was made for one big element is not kept for a small one.
    if (chunk->capacity() <= limits.max_bytes || bytes >= chunk->capacity() / 2) {
      KeepForPicture(chunk);
      return chunk->Replace(position.at, element);
    }
  }
  ListPosition fresh = Insert(position, element, limits);
  // The old element is the one behind it.
  fresh.at = ListElement::End(fresh.element());
  if (fresh.at == fresh.chunk->end()) {
    fresh.chunk = fresh.chunk->next();
    fresh.at = fresh.chunk->begin();
  }
  Erase(fresh, limits);
}

// -- Removing
// --------------------------------------------------------------------------------------

void ListObject::Erase(ListPosition position, const ListLimits& limits) {
  --size_;
  ListChunk* const chunk = position.chunk;
  if (chunk->count() == 1) {
    ListChunk* const prev = chunk->prev();
    Remove(chunk);
    MergeNext(prev, limits);
    return;
  }
  KeepForPicture(chunk);
  chunk->Erase(position.at);
  ListChunk* const prev = chunk->prev();
  MergeNext(chunk, limits);
  MergeNext(prev, limits);
}

ListObject::Removed ListObject::RemoveFromEnd(ListEnd end, size_t count) {
  assert(count < size_);
  Removed removed;
  if (count == 0) return removed;
  if (end == ListEnd::kHead) {
    const Seeked first = SeekChunk(count);  // the first that stays
    if (first.index > 0) {
      KeepForPicture(first.chunk);
      first.chunk->DropFront(first.chunk->run().Seek(first.index), first.index);
    }
    ListChunk* const last_removed = first.chunk->prev();
    if (last_removed != nullptr) {
      removed = {head_, first.chunks, first.memory};
      last_removed->set_next(nullptr);
      first.chunk->set_prev(nullptr);
      head_ = first.chunk;
    }
  } else {
    const Seeked last = SeekChunk(size_ - 1 - count);  // the last that stays
    ListChunk* const chunk = last.chunk;
    const size_t drop = chunk->count() - 1 - last.index;
    if (drop > 0) {
      KeepForPicture(chunk);
      chunk->DropBack(chunk->run().Seek(last.index + 1), drop);
    }
    if (chunk->next() != nullptr) {
      removed = {chunk->next(), chunks_ - last.chunks - 1,
                 memory_ - last.memory - chunk->MemoryBytes()};
      chunk->set_next(nullptr);
      removed.chain->set_prev(nullptr);
      tail_ = chunk;
    }
  }
  if (removed.chain != nullptr) {
    ListChunk* const next = end == ListEnd::kHead ? head_ : nullptr;
    removed.chain = LeftByPicture(removed.chain, next, removed.memory);
  }
  chunks_ -= removed.chunks;
  memory_ -= removed.memory;
  size_ -= count;
  return removed;
}

size_t ListObject::RemoveMatches(ListEnd from, std::string_view element, size_t limit,
                                 const ListLimits& limits) {
  const bool forward = from == ListEnd::kHead;
  size_t removed = 0;
  ListChunk* next = nullptr;
  for (ListChunk* chunk = forward ? head_ : tail_; chunk != nullptr && removed < limit;
       chunk = next) {
    next = forward ? chunk->next() : chunk->prev();
    ListFilter filter{element, 0, limit - removed};
    if (!forward) {
      const size_t found = CountInRun(chunk->run(), element);
      filter.skip = found > filter.remove ? found - filter.remove : 0;
    }
    if (picture() != nullptr && CountInRun(chunk->run(), element) > 0) KeepForPicture(chunk);
    const size_t here = chunk->Filter(filter);
    if (here == 0) continue;
    removed += here;
    // What is merged is on the side that has been passed already.
    if (chunk->count() == 0) {
      Remove(chunk);
    } else {
      MergeNext(forward ? chunk->prev() : chunk, limits);
    }
  }
  size_ -= removed;
  return removed;
}

size_t ListObject::ElementBytes() const {
  size_t bytes = 0;
  for (const ListChunk* chunk = head_; chunk != nullptr; chunk = chunk->next()) {
    bytes += chunk->bytes();
  }
  return bytes;
}

void ListObject::CopyElements(char* to) const {
  for (const ListChunk* chunk = head_; chunk != nullptr; chunk = chunk->next()) {
    std::memcpy(to, chunk->begin(), chunk->bytes());
    to += chunk->bytes();
  }
}

}  // namespace spinel
