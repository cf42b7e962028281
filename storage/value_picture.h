// What a big value tells the snapshot that is writing it, or is going to. See docs/snapshots.md.
//
// Owner: the snapshot. Threads: every call is made under the lock of the stripe in which the value
// lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spinel {

class BigValue;
class Blob;
class Entry;
class ListChunk;

// An element of a hash, a set or a sorted set; views, valid for a call.
struct PictureElement {
  std::string_view name = {};
  std::string_view value = {};  // of a field; with a blob its content
  Blob* blob = nullptr;         // of a field
  int64_t expiry = -1;          // of a field; -1: none
  double score = 0;             // of a member of a sorted set
};

// A big value of which the picture has not been written to its end.
class ValuePicture {
 public:
  virtual ~ValuePicture() = default;
  // The value has moved to another stripe, whose lock is held as well as the old one's.
  virtual void MovedTo(uint32_t stripe) = 0;
  // The value has been taken out of the keyspace for good, with its entry or without: takes it
  // over.
  virtual void TakeOver(Entry* entry) = 0;
  virtual void TakeOver(BigValue* value) = 0;

  // -- Of hashes, sets, sorted sets. `hash`: kKeyHasher of the name.
  // An element is about to change or to go.
  virtual void BeforeChange(uint64_t hash, const PictureElement& element) {}
  // There is an element that was not there.
  virtual void Added(uint64_t hash, std::string_view name) {}

  // -- Of lists, about their chunks.
  // What the chunk holds is about to change.
  virtual void BeforeChunkChange(ListChunk* chunk) {}
  // A chunk has been put into the chain.
  virtual void Linked(ListChunk* chunk) {}
  // These chunks, linked to each other and in the order of the list, have been taken out of the
  // chain, in front of `next` (nullptr: of the end); they take `bytes` bytes. Takes over what the
  // picture needs; returns the chain of what it does not need, for the caller to delete.
  virtual ListChunk* Unlinked(ListChunk* chain, ListChunk* next, size_t bytes) { return chain; }
};

}  // namespace spinel
