// Lists: small ones are one packed block in their entry, big ones a chain of chunks
// (list_object.h).
//
// The block in the entry has the layout of every packed collection, a count of two bytes and the
// elements, but these are spelled as in chunks (ListElement), readable from both ends.
//
// A list leaves its entry when it passes list-max-listpack-size, or what an entry can hold, and
// returns when it has shrunk to half of that. Threads: the stripe's lock is held.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "storage/entry.h"
#include "storage/list_object.h"

namespace spinel {

class KeySlot;

// A range of elements as clients give it, cut down to what exists.
struct ListRange {
  size_t first = 0;
  size_t count = 0;

  // Both ends belong to the range; negative ones count from the end of the list.
  static ListRange Of(int64_t first, int64_t last, size_t size);
};

// A list, to be read. Valid until it is changed.
class ListView {
 public:
  // Expects a list.
  explicit ListView(const Entry& entry)
      : object_(entry.is_object() ? static_cast<const ListObject*>(entry.object()) : nullptr) {
    if (object_ == nullptr) packed_ = PackedRun(entry.inline_value());
  }

  size_t size() const { return object_ != nullptr ? object_->size() : packed_.count; }
  // Of a list beyond its entry, else 0.
  size_t chunks() const { return object_ != nullptr ? object_->chunks() : 0; }
  // What the elements take without the room for more, their lengths included; linear in the chunks.
  size_t bytes() const {
    return object_ != nullptr ? object_->ElementBytes()
                              : static_cast<size_t>(packed_.end - packed_.begin);
  }

  // An element by its index, negative ones counted from the end; nothing outside of the list.
  std::optional<std::string_view> At(int64_t index) const;

  // Calls visit(element) for at most `count` elements from number `first` on, in the list's
  // direction or, with `backward`, against it, as long as it returns true.
  template <typename Visit>
  void ForEach(size_t first, size_t count, bool backward, Visit&& visit) const {
    if (count == 0 || first >= size()) return;
    if (object_ == nullptr) {
      if (backward) {
        VisitBack(packed_.Seek(first + 1), packed_.begin, &count, visit);
      } else {
        VisitOn(packed_.Seek(first), packed_.end, &count, visit);
      }
      return;
    }
    const ListPosition start = object_->Seek(first);
    const ListChunk* chunk = start.chunk;
    if (backward) {
      bool more = VisitBack(ListElement::End(start.element()), chunk->begin(), &count, visit);
      for (chunk = chunk->prev(); more && chunk != nullptr; chunk = chunk->prev()) {
        more = VisitBack(chunk->end(), chunk->begin(), &count, visit);
      }
    } else {
      bool more = VisitOn(start.at, chunk->end(), &count, visit);
      for (chunk = chunk->next(); more && chunk != nullptr; chunk = chunk->next()) {
        more = VisitOn(chunk->begin(), chunk->end(), &count, visit);
      }
    }
  }
  // All elements, in order.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    ForEach(0, size(), false, [&visit](std::string_view element) {
      visit(element);
      return true;
    });
  }

 private:
  friend class ListValue;

  static ListRun PackedRun(std::string_view block);

  // False: do not go on.
  template <typename Visit>
  static bool VisitOn(const char* at, const char* end, size_t* left, Visit& visit) {
    for (; at != end; --*left) {
      if (*left == 0) return false;
      const std::string_view element = ListElement::Read(at);
      if (!visit(element)) return false;
      at = ListElement::End(element);
    }
    return *left > 0;
  }
  template <typename Visit>
  static bool VisitBack(const char* end, const char* begin, size_t* left, Visit& visit) {
    for (; end != begin; --*left) {
      if (*left == 0) return false;
      const std::string_view element = ListElement::ReadBack(end);
      if (!visit(element)) return false;
      end = ListElement::Begin(element);
    }
    return *left > 0;
  }

  const ListObject* object_;
  ListRun packed_;
};

// A list, to be changed. The key is a list or, for Push, missing. Elements that are handed in must
// not lie in the same list. Every call counts its changes; the last element's removal removes the
// key.
class ListValue {
 public:
  ListValue(KeySlot* slot, const ListLimits& limits) : slot_(slot), limits_(limits) {}

  size_t size() const;

  // Replaces whatever the key held, and its expiry, by a list of these elements, which may lie in
  // it; none: deletes the key.
  void Store(std::span<const std::string_view> elements);
  // Pushes one after the other: at the head the last one ends up first.
  void Push(ListEnd end, std::span<const std::string_view> elements);
  // As Push, for a caller that counts the changes itself.
  void PushUncounted(ListEnd end, std::span<const std::string_view> elements);
  // Removes `count` elements, or all that there are, from an end.
  void Remove(ListEnd end, size_t count);
  // Removes what is outside of the range; if that is empty, everything.
  void Trim(const ListRange& kept);
  // Moves the element at one end to the other.
  void Rotate(ListEnd from);
  // Replaces an element; false: there is none of that index.
  bool Set(int64_t index, std::string_view element);
  // Inserts next to the first element that equals `pivot`; false: there is none.
  bool Insert(bool before, std::string_view pivot, std::string_view element);
  // Removes elements that equal this one, at most `limit`, beginning at an end. Returns how many.
  size_t RemoveMatches(ListEnd from, std::string_view element, size_t limit);

 private:
  bool is_object() const;
  // Whether the packed list can take that many elements of these bytes on top of what it has.
  bool FitsPacked(size_t more_elements, size_t more_bytes) const;
  void Create(ListEnd end, std::span<const std::string_view> elements);
  // Replaces `removed` bytes at `offset` of the packed block by room for `added` ones, which it
  // returns; the count becomes what is given.
  char* Splice(size_t offset, size_t removed, size_t added, size_t count);
  void Unpack();
  void PackIfSmall();
  void RemovePacked(ListEnd end, size_t count);
  void RemoveFromObject(ListEnd end, size_t count);

  KeySlot* slot_;
  ListLimits limits_;
};

}  // namespace spinel
