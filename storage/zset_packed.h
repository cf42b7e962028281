// A small sorted set: pairs of member and score in a packed list, in the set's order.
//
// A score is an element of 1, 2 or 4 bytes if it is an integer that fits, and of 8 bytes, a double,
// otherwise; zero loses its sign, as it does in Redis. Views are valid until the set changes; the
// stripe's lock is held.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "storage/packed_list.h"
#include "storage/zset_range.h"

namespace spinel {

// A score as it is packed.
class PackedScore {
 public:
  explicit PackedScore(double score);

  std::string_view bytes() const { return {bytes_, size_}; }
  static double Read(std::string_view bytes);

 private:
  template <typename Integer>
  bool Fits(double score);

  char bytes_[8];
  size_t size_;
};

class PackedZset {
 public:
  // Expects a packed sorted set.
  explicit PackedZset(const Entry& entry) : list_(entry) {}

  class Iterator {
   public:
    explicit Iterator(PackedList::Iterator at) : at_(at) {}
    ScoredMember operator*() const {
      PackedList::Iterator score = at_;
      ++score;
      return {PackedScore::Read(*score), *at_};
    }
    std::string_view member() const { return *at_; }
    Iterator& operator++() {
      ++at_;
      ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const = default;
    PackedList::Iterator element() const { return at_; }

   private:
    PackedList::Iterator at_;
  };

  size_t size() const { return list_.count() / 2; }
  size_t bytes() const { return list_.bytes(); }
  Iterator begin() const { return Iterator(list_.begin()); }
  Iterator end() const { return Iterator(list_.end()); }
  Iterator At(size_t rank) const { return Iterator(list_.At(2 * rank)); }
  Iterator Find(std::string_view member) const { return Iterator(list_.Find(member, 2)); }
  // Where a member with this score belongs: the first that is not before it.
  Iterator LowerBound(const ScoredMember& scored) const;
  size_t OffsetOf(Iterator it) const { return list_.OffsetOf(it.element()); }

  // Bytes that a pair takes at the most.
  static size_t MaxPairBytes(size_t member_bytes) {
    return PackedElement::Bytes(member_bytes) + PackedElement::Bytes(sizeof(double));
  }

 private:
  PackedList list_;
};

}  // namespace spinel
