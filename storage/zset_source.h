// What the set operations on sorted sets read from: a sorted set, or a plain set, all of whose
// members then have the score 1, or a missing key.
//
// Threads: the stripe is locked for as long as a source lives; views are valid until the set
// changes.
#pragma once

#include <algorithm>
#include <cassert>
#include <optional>
#include <string_view>

#include "storage/set_value.h"
#include "storage/zset_value.h"

namespace spinel {

class ScoredSource {
 public:
  static bool Accepts(ValueType type) {
    return type == ValueType::kSortedSet || type == ValueType::kSet;
  }
  // No entry: an empty set. Otherwise expects a type that is accepted.
  explicit ScoredSource(const Entry* entry)
      : plain_(entry != nullptr && entry->type() == ValueType::kSet),
        set_(plain_ ? entry : nullptr),
        zset_(plain_ ? nullptr : entry) {}

  uint64_t size() const { return plain_ ? set_.size() : zset_.size(); }
  // The score of a member; nullopt: it is none.
  std::optional<double> Find(std::string_view member) const {
    if (!plain_) return zset_.Score(member);
    if (!set_.Contains(member)) return std::nullopt;
    return 1;
  }
  // Calls `visit(const ScoredMember&)`, which answers whether to go on, for every member.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    if (plain_) return set_.ForEach([&visit](std::string_view m) { return visit({1, m}); });
    // In parts, so that the end can come early.
    constexpr uint64_t kPart = 128;
    const uint64_t size = zset_.size();
    const uint64_t step = zset_.is_packed() ? size : kPart;
    bool go_on = true;
    for (uint64_t begin = 0; begin < size && go_on; begin += step) {
      zset_.ForEach({begin, std::min(step, size - begin)}, false,
                    [&](const ScoredMember& scored) { go_on = go_on && visit(scored); });
    }
  }
  // Whether the visited members lie in the set; those of a set of integers are gone with the visit.
  bool members_stay() const { return !plain_ || !set_.is_integers(); }
  bool operator==(const ScoredSource& other) const =
      default;  // the same set, not one that is equal

 private:
  bool plain_;
  SetView set_;
  ZsetView zset_;
};

}  // namespace spinel
