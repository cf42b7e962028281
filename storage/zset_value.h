// Sorted sets: what a set of members with scores is, whatever its encoding.
//
// Encodings: packed pairs in place (zset_packed.h), or a ZsetObject. A set is packed until it has
// more members than the limits say, or a longer one, or no room in its entry; it does not become
// packed again. An empty set does not exist: whatever removes the last member removes the key.
//
// Threads: every function expects the stripe to be locked; views of members are valid until the set
// changes or the lock is gone. Members that are passed in do not lie in the set itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "storage/key_slot.h"
#include "storage/zset_object.h"
#include "storage/zset_packed.h"
#include "storage/zset_range.h"

namespace spinel {

// Up to which number and length of members a set is packed.
struct ZsetLimits {
  uint64_t max_packed = 128;
  uint64_t max_packed_bytes = 64;
};

// Reads a sorted set.
class ZsetView {
 public:
  // No entry: an empty set. Otherwise expects a sorted set.
  explicit ZsetView(const Entry* entry) : entry_(entry) {
    assert(entry == nullptr || entry->type() == ValueType::kSortedSet);
  }
  explicit ZsetView(const Entry& entry) : ZsetView(&entry) {}

  uint64_t size() const;
  std::optional<double> Score(std::string_view member) const;
  struct Place {
    uint64_t rank;  // from the lowest score
    double score;
  };
  std::optional<Place> Find(std::string_view member) const;

  // The members in a range. That of members is of use where all scores are equal only.
  RankRange Ranks(const ScoreRange& range) const;
  RankRange Ranks(const LexRange& range) const;

  // Calls `visit(const ScoredMember&)` for the members of a range, which expects to lie within the
  // set, from the lowest up or from the highest down.
  template <typename Visit>
  void ForEach(const RankRange& range, bool backwards, Visit&& visit) const;
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    ForEach({0, size()}, false, visit);
  }

  // One step of ZSCAN: visits members until `count` were seen or 10 * count buckets passed (a
  // packed set: all), and returns the next cursor; 0 begins and ends. A member that stays for the
  // whole scan is visited.
  template <typename Visit>
  uint64_t Scan(uint64_t cursor, uint64_t count, Visit&& visit) const;

  bool is_packed() const { return entry_ != nullptr && !entry_->is_object(); }
  bool operator==(const ZsetView& other) const = default;  // the same set, not one that is equal

 private:
  PackedZset packed() const { return PackedZset(*entry_); }
  const ZsetObject& object() const { return *static_cast<const ZsetObject*>(entry_->object()); }
  static ScoredMember Scored(const ZsetNode& node) { return {node.score(), node.member()}; }
  template <typename Below, typename Above>
  RankRange PackedRanks(Below&& below, Above&& above) const;

  const Entry* entry_;
};

// What ZADD's options make of a member.
struct ZsetAddRules {
  bool only_missing = false;   // NX
  bool only_existing = false;  // XX
  bool only_greater = false;   // GT: an existing score changes only upwards
  bool only_less = false;      // LT
  bool increment = false;      // INCR: the score is added to the old one
};

struct ZsetAddResult {
  enum class Outcome : uint8_t {
    kRefused,     // the rules did not allow it
    kAdded,       // a new member
    kUpdated,     // an old one with a new score
    kSame,        // an old one that has the score already
    kNotANumber,  // the sum of scores is NaN; nothing has changed
  };
  Outcome outcome;
  double score = 0;  // the member's, unless refused or not a number
};

// Before `count` members of up to `longest` bytes are added by AddMember: a packed set that will
// not hold them anyway becomes an object at once. Expects a sorted set or no key.
void ExpectMembers(KeySlot* slot, const ZsetLimits& limits, size_t count, size_t longest);
// Adds a member or changes its score; makes the key if it is missing. Expects a sorted set or no
// key, and a score that is a number.
ZsetAddResult AddMember(KeySlot* slot, const ZsetLimits& limits, const ScoredMember& added,
                        const ZsetAddRules& rules);

// These expect a sorted set, and remove the key with the last member.
// False: it was not a member.
bool RemoveMember(KeySlot* slot, std::string_view member);
// The range lies within the set.
void RemoveRange(KeySlot* slot, const RankRange& range);
// Removes the `count` <= size members with the lowest or highest scores, one after the other; calls
// `visit(const ScoredMember&)` for each before it is gone.
template <typename Visit>
void PopMembers(KeySlot* slot, uint64_t count, bool highest, Visit&& visit) {
  const ZsetView set(*slot->entry());
  const RankRange range = {highest ? set.size() - count : 0, count};
  set.ForEach(range, highest, visit);
  RemoveRange(slot, range);
}

// Replaces whatever the key held by these members, in order and each once, in the smallest encoding
// that the limits allow; none: deletes the key. They may lie in what the key held. Counts as one
// change if there is one.
void StoreMembers(KeySlot* slot, const ZsetLimits& limits, std::span<const ScoredMember> sorted);

// -- Implementation
// --------------------------------------------------------------------------------

template <typename Visit>
void ZsetView::ForEach(const RankRange& range, bool backwards, Visit&& visit) const {
  if (range.count == 0) return;
  if (!is_packed()) {
    return object().tree().ForEach(range.begin, range.count, backwards,
                                   [&visit](const ZsetNode* node) { visit(Scored(*node)); });
  }
  PackedZset::Iterator it = packed().At(range.begin);
  if (!backwards) {
    for (uint64_t i = 0; i < range.count; ++i, ++it) visit(*it);
    return;
  }
  // Packed elements know no way back.
  absl::InlinedVector<PackedZset::Iterator, 128> members;
  members.reserve(range.count);
  for (uint64_t i = 0; i < range.count; ++i, ++it) members.push_back(it);
  for (auto member = members.rbegin(); member != members.rend(); ++member) visit(**member);
}

template <typename Visit>
uint64_t ZsetView::Scan(uint64_t cursor, uint64_t count, Visit&& visit) const {
  if (entry_ == nullptr) return 0;
  if (is_packed()) {
    ForEach(visit);
    return 0;
  }
  constexpr uint64_t kBucketsPerMember = 10;
  uint64_t seen = 0;
  const uint64_t max_steps =
      count <= UINT64_MAX / kBucketsPerMember ? count * kBucketsPerMember : UINT64_MAX;
  for (uint64_t step = 0; step < max_steps && seen < count; ++step) {
    cursor = object().index().Scan(cursor, [&seen, &visit](const ZsetNode* node) {
      ++seen;
      visit(Scored(*node));
    });
    if (cursor == 0) break;
  }
  return cursor;
}

}  // namespace spinel
