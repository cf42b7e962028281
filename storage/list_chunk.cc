#include "storage/list_chunk.h"

#include <algorithm>
#include <cassert>
#include <new>

namespace spinel {

// -- Elements
// --------------------------------------------------------------------------------------

namespace {

// An element with its length before and behind it, and `mark`, which names the length's size,
// outside of both.
template <typename Length>
char* WriteWithLength(char* to, std::string_view element, uint8_t mark) {
  const auto length = static_cast<Length>(element.size());
  *to++ = static_cast<char>(mark);
  std::memcpy(to, &length, sizeof(length));
  to += sizeof(length);
  std::memcpy(to, element.data(), element.size());
  to += element.size();
  std::memcpy(to, &length, sizeof(length));
  to += sizeof(length);
  *to++ = static_cast<char>(mark);
  return to;
}

// `at` and `end` are those of the whole element, marks included.
template <typename Length>
std::string_view ReadWithLength(const char* at) {
  Length length;
  std::memcpy(&length, at + 1, sizeof(length));
  return {at + 1 + sizeof(length), length};
}
template <typename Length>
std::string_view ReadBackWithLength(const char* end) {
  Length length;
  const char* const trailer = end - 1 - sizeof(length);
  std::memcpy(&length, trailer, sizeof(length));
  return {trailer - length, length};
}

}  // namespace

char* ListElement::WriteLong(char* to, std::string_view element) {
  if (element.size() <= 0xffff) return WriteWithLength<uint16_t>(to, element, kTwoBytes);
  return WriteWithLength<uint64_t>(to, element, kEightBytes);
}

std::string_view ListElement::ReadLong(const char* at) {
  if (static_cast<uint8_t>(*at) == kTwoBytes) return ReadWithLength<uint16_t>(at);
  return ReadWithLength<uint64_t>(at);
}

std::string_view ListElement::ReadLongBack(const char* end) {
  if (static_cast<uint8_t>(end[-1]) == kTwoBytes) return ReadBackWithLength<uint16_t>(end);
  return ReadBackWithLength<uint64_t>(end);
}

// -- Runs
// ------------------------------------------------------------------------------------------

const char* ListRun::Seek(size_t index) const {
  assert(index <= count);
  if (index <= count / 2) {
    const char* at = begin;
    for (; index > 0; --index) at = ListElement::End(ListElement::Read(at));
    return at;
  }
  const char* at = end;
  for (size_t left = count - index; left > 0; --left) {
    at = ListElement::Begin(ListElement::ReadBack(at));
  }
  return at;
}

size_t CountInRun(const ListRun& run, std::string_view element) {
  size_t found = 0;
  for (const char* at = run.begin; at != run.end;) {
    const std::string_view candidate = ListElement::Read(at);
    if (candidate == element) ++found;
    at = ListElement::End(candidate);
  }
  return found;
}

char* FilterRun(char* begin, ListRun* run, const ListFilter& filter) {
  char* to = begin;
  const char* kept = begin;  // what lies between here and a match is moved in one piece
  size_t skip = filter.skip;
  size_t left = filter.remove;
  const auto keep_until = [&](const char* until) {
    const auto bytes = static_cast<size_t>(until - kept);
    if (to != kept) std::memmove(to, kept, bytes);
    to += bytes;
  };
  for (const char* at = begin; at != run->end && left > 0;) {
    const std::string_view candidate = ListElement::Read(at);
    const char* const next = ListElement::End(candidate);
    if (candidate == filter.element) {
      if (skip > 0) {
        --skip;
      } else {
        keep_until(at);
        kept = next;
        --left;
        --run->count;
      }
    }
    at = next;
  }
  keep_until(run->end);
  return to;
}

// -- Chunks
// ----------------------------------------------------------------------------------------

ListChunk* ListChunk::New(size_t bytes, size_t head_room) {
  const size_t total = SizeClass(sizeof(ListChunk) + bytes);
  assert(total >= sizeof(ListChunk));  // the static analyser follows no size classes
  auto* chunk = new (AllocateBytes(total)) ListChunk(total - sizeof(ListChunk));
  assert(head_room <= chunk->capacity_);
  chunk->head_ = chunk->tail_ = head_room;
  return chunk;
}

void ListChunk::Delete(ListChunk* chunk) { FreeBytes(chunk, chunk->MemoryBytes()); }

void ListChunk::DeleteChain(ListChunk* first) {
  while (first != nullptr) {
    ListChunk* const next = first->next_;
    Delete(first);
    first = next;
  }
}

void ListChunk::Append(const ListRun& run) {
  const auto bytes = static_cast<size_t>(run.end - run.begin);
  assert(bytes <= room());
  if (tail_room() < bytes) Slide(false);
  if (bytes > 0) std::memcpy(data() + tail_, run.begin, bytes);
  tail_ += bytes;
  count_ += static_cast<uint32_t>(run.count);
}

void ListChunk::Slide(bool room_in_front) {
  const size_t size = bytes();
  const size_t to = room_in_front ? capacity_ - size : 0;
  std::memmove(data() + to, data() + head_, size);
  head_ = to;
  tail_ = to + size;
}

size_t ListChunk::OpenGap(size_t at, size_t bytes) {
  assert(room() >= bytes);
  const size_t before = at - head_;
  const size_t after = tail_ - at;
  size_t left = 0;  // by how much the part in front moves; the part behind takes the rest
  if (before <= after ? head_room() >= bytes : tail_room() < bytes) {
    left = std::min(head_room(), bytes);
  } else if (tail_room() < bytes) {
    left = bytes - tail_room();
  }
  const size_t right = bytes - left;
  if (left > 0) std::memmove(data() + head_ - left, data() + head_, before);
  if (right > 0) std::memmove(data() + at + right, data() + at, after);
  head_ -= left;
  tail_ += right;
  return at - left;
}

size_t ListChunk::CloseGap(size_t at, size_t bytes) {
  const size_t before = at - head_;
  const size_t after = tail_ - at - bytes;
  if (before < after) {
    std::memmove(data() + head_ + bytes, data() + head_, before);
    head_ += bytes;
    return at + bytes;
  }
  std::memmove(data() + at, data() + at + bytes, after);
  tail_ -= bytes;
  return at;
}

const char* ListChunk::Insert(const char* at, std::string_view element) {
  const size_t gap = OpenGap(Offset(at), ListElement::Bytes(element.size()));
  ListElement::Write(data() + gap, element);
  ++count_;
  return data() + gap;
}

const char* ListChunk::Erase(const char* at) {
  const size_t bytes = ListElement::Bytes(ListElement::Read(at).size());
  --count_;
  return data() + CloseGap(Offset(at), bytes);
}

void ListChunk::Replace(const char* at, std::string_view element) {
  const size_t old_bytes = ListElement::Bytes(ListElement::Read(at).size());
  const size_t new_bytes = ListElement::Bytes(element.size());
  size_t offset = Offset(at);
  if (new_bytes > old_bytes) {
    offset = OpenGap(offset, new_bytes - old_bytes);
  } else if (new_bytes < old_bytes) {
    offset = CloseGap(offset, old_bytes - new_bytes);
  }
  ListElement::Write(data() + offset, element);
}

size_t ListChunk::Filter(const ListFilter& filter) {
  ListRun left = run();
  tail_ = Offset(FilterRun(data() + head_, &left, filter));
  const size_t removed = count_ - left.count;
  count_ = static_cast<uint32_t>(left.count);
  return removed;
}

}  // namespace spinel
