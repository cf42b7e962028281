// Sets: what a set of strings is, whatever its encoding.
//
// Encodings: sorted integers in place (integer_set.h), a packed list in place (packed_list.h), or a
// BigSet (member_table.h). Which one follows from the limits when members are added; removing
// members changes no encoding. Both forms in place are also bound by Entry::kMaxInlineValue.
//
// Threads: every function expects the stripe to be locked; views and elements are valid until the
// set changes or the lock is gone.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/functional/function_ref.h"
#include "storage/integer_set.h"
#include "storage/key_slot.h"
#include "storage/member_table.h"
#include "storage/packed_list.h"

namespace spinel {

// Up to which number of members a set is an array of integers, and up to which number and length a
// packed list.
struct SetLimits {
  uint64_t max_integers = 512;
  uint64_t max_packed = 128;
  uint64_t max_packed_bytes = 64;
};

// A member as the set keeps it: an integer of a set of integers, or text.
class SetElement {
 public:
  explicit SetElement(std::string_view text) : text_(text), is_integer_(false) {}
  explicit SetElement(int64_t integer) : integer_(integer), is_integer_(true) {}

  bool is_integer() const { return is_integer_; }
  int64_t integer() const { return integer_; }
  std::string_view text() const { return text_; }
  // As bytes in any case; an integer is rendered into `room`.
  std::string_view Bytes(char (&room)[kIntegerChars]) const {
    return is_integer_ ? WriteInteger(integer_, room) : text_;
  }

 private:
  std::string_view text_;
  int64_t integer_ = 0;
  bool is_integer_;
};

// Reads a set.
class SetView {
 public:
  // No entry: an empty set. Otherwise expects a set.
  explicit SetView(const Entry* entry) : entry_(entry) {
    assert(entry == nullptr || entry->type() == ValueType::kSet);
  }
  explicit SetView(const Entry& entry) : SetView(&entry) {}

  size_t size() const;
  bool empty() const { return entry_ == nullptr; }
  bool Contains(std::string_view member) const;
  bool Contains(const SetElement& element) const;

  // Calls `visit(const SetElement&)` for every member, in no order that means anything. A visitor
  // that answers bool ends the walk with false.
  template <typename Visit>
  void ForEachElement(Visit&& visit) const;
  // The same with std::string_view.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    char room[kIntegerChars];
    ForEachElement([&](const SetElement& element) { return visit(element.Bytes(room)); });
  }

  // Any member, each with the same chance. Expects some.
  SetElement Sample() const;
  // `count` different ones, each selection with the same chance. Expects 0 < count <= size().
  using ElementVisitor = absl::FunctionRef<void(const SetElement&)>;
  void SampleMany(size_t count, ElementVisitor visit) const;

  // One step of SSCAN: visits members until `count` were seen or 10 * count buckets passed (a set
  // in place: all), and returns the next cursor; 0 begins and ends. A member that stays for the
  // whole scan is visited.
  uint64_t Scan(uint64_t cursor, uint64_t count, ElementVisitor visit) const;

  // What it is made of, for what does better by knowing.
  bool is_integers() const { return Is(CollectionEncoding::kIntegers); }
  bool is_packed() const { return Is(CollectionEncoding::kPacked); }
  IntegerSetView integers() const { return IntegerSetView(*entry_); }
  PackedList packed() const { return PackedList(*entry_); }
  // Of a set that is neither of them nor empty.
  const BigSet& big() const { return *static_cast<const BigSet*>(entry_->object()); }

  bool operator==(const SetView& other) const = default;  // the same set, not one that is equal

 private:
  bool Is(CollectionEncoding encoding) const {
    return entry_ != nullptr && entry_->collection_encoding() == encoding;
  }

  const Entry* entry_;
};

// Adds the members that are missing, making the key if need be; returns how many there were.
// Expects a set or no key. Members do not lie in the set itself.
size_t AddMembers(KeySlot* slot, std::span<const std::string_view> members,
                  const SetLimits& limits);
// Removes those that are there, and the key with the last one; returns how many there were. Expects
// a set.
size_t RemoveMembers(KeySlot* slot, std::span<const std::string_view> members);
// Removes `count` members at random, each selection with the same chance, and the key with the last
// one. Visits each before it is gone, so the visitor copies what it needs. Expects a set and
// 0 < count <= its size. Work is in proportion to `count`, and to the set's size if it is in place.
void PopMembers(KeySlot* slot, size_t count, const SetLimits& limits,
                SetView::ElementVisitor visit);

// Makes a set of elements that come one by one, and puts it into a key. It has the smallest
// encoding that the limits allow.
class SetBuilder {
 public:
  // Whether the elements are known to be different.
  enum class Elements : uint8_t { kDistinct, kUnchecked };

  explicit SetBuilder(const SetLimits& limits, Elements elements = Elements::kDistinct)
      : limits_(limits), unchecked_(elements == Elements::kUnchecked) {}

  // Copies the element.
  void Add(const SetElement& element);
  size_t size() const { return size_; }
  // Replaces whatever the key held; an empty set deletes it. Counts as one change if there is one.
  // Once.
  void Store(KeySlot* slot, int64_t expiry = Entry::kNoExpiry);
  // The same, but counts nothing. Expects members.
  void StoreUncounted(KeySlot* slot, int64_t expiry);
  // The set as an entry, the caller's, instead. nullptr: an element came twice, and the elements
  // are unchecked. Expects members.
  Entry* Build(std::string_view key, int64_t expiry);

 private:
  Entry* BuildIntegers(std::string_view key, int64_t expiry);
  Entry* BuildPacked(std::string_view key, int64_t expiry);
  void AddInteger(int64_t value);
  void AddText(std::string_view text);
  void AddToBigSet(std::string_view text);
  void LeaveIntegers();

  const SetLimits limits_;
  const bool unchecked_;
  bool repeated_ = false;  // one came twice, as far as has been noticed
  size_t size_ = 0;
  // One of them holds the elements: integers while that is all there are, then PackedElements, then
  // an object.
  std::vector<int64_t> integers_;
  std::string packed_;
  std::unique_ptr<BigSet> big_;
  bool is_integers_ = true;
  size_t widest_ = 0;  // bytes of the widest integer
  size_t packed_count_ = 0;
};

template <typename Visit>
void SetView::ForEachElement(Visit&& visit) const {
  const auto goes_on = [&visit](const SetElement& element) {
    if constexpr (std::is_same_v<decltype(visit(element)), bool>) {
      return visit(element);
    } else {
      visit(element);
      return true;
    }
  };
  if (entry_ == nullptr) return;
  if (is_integers()) {
    const IntegerSetView view = integers();
    for (size_t i = 0, n = view.count(); i < n; ++i) {
      if (!goes_on(SetElement(view.at(i)))) return;
    }
  } else if (is_packed()) {
    for (const std::string_view member : packed()) {
      if (!goes_on(SetElement(member))) return;
    }
  } else {
    const MemberTable& table = big().table();
    bool go_on = true;
    for (uint64_t i = 0, n = table.bucket_count(); i < n && go_on; ++i) {
      table.VisitBucket(i, [&](const SetMember* member) {
        go_on = go_on && goes_on(SetElement(member->bytes()));
      });
    }
  }
}

}  // namespace spinel
