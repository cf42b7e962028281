#include "storage/zset_value.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace spinel {
namespace {

bool FitsPacked(const ZsetLimits& limits, uint64_t members, size_t longest) {
  return members <= limits.max_packed && longest <= limits.max_packed_bytes;
}

// The packed set of the slot as an object.
ZsetObject* Unpacked(const KeySlot& slot) {
  std::vector<ScoredMember> members;
  const PackedZset set(*slot.entry());
  members.reserve(set.size());
  for (PackedZset::Iterator it = set.begin(); it != set.end(); ++it) members.push_back(*it);
  return new ZsetObject(members);
}

// What becomes of an existing member's score. Sets the outcome to kRefused, kNotANumber, kSame or
// kUpdated.
ZsetAddResult NewScore(double old, double given, const ZsetAddRules& rules) {
  using Outcome = ZsetAddResult::Outcome;
  if (rules.only_missing) return {Outcome::kRefused};
  const double score = rules.increment ? old + given : given;
  if (std::isnan(score)) return {Outcome::kNotANumber};
  if ((rules.only_less && score >= old) || (rules.only_greater && score <= old)) {
    return {Outcome::kRefused};
  }
  // Zero with another sign is the same score, and the old one stays.
  return {score == old ? Outcome::kSame : Outcome::kUpdated, score};
}

void InsertPacked(KeySlot* slot, size_t offset, const ScoredMember& added) {
  const PackedScore score(added.score);
  const std::string_view pair[] = {added.member, score.bytes()};
  SplicePacked(slot, offset, 0, 0, pair);
}

// Gives the member at `old` another score, and so perhaps another place.
void MovePacked(KeySlot* slot, PackedZset::Iterator old, const ScoredMember& changed) {
  const PackedZset set(*slot->entry());
  PackedZset::Iterator next = old;
  ++next;
  const size_t offset = set.OffsetOf(old);
  const size_t bytes = set.OffsetOf(next) - offset;
  size_t target = set.OffsetOf(set.LowerBound(changed));
  if (target == offset || target == offset + bytes) {
    const PackedScore score(changed.score);
    const std::string_view pair[] = {changed.member, score.bytes()};
    return SplicePacked(slot, offset, 2, bytes, pair);
  }
  if (target > offset) target -= bytes;
  SplicePacked(slot, offset, 2, bytes, {});
  InsertPacked(slot, target, changed);
}

// nullopt: the set has no room for the member, which is a new one.
std::optional<ZsetAddResult> AddPacked(KeySlot* slot, const ZsetLimits& limits,
                                       const ScoredMember& added, const ZsetAddRules& rules) {
  const PackedZset set(*slot->entry());
  const size_t room = PackedList::kMaxBytes - set.bytes();
  const PackedZset::Iterator found = set.Find(added.member);
  if (found != set.end()) {
    const ZsetAddResult result = NewScore((*found).score, added.score, rules);
    if (result.outcome == ZsetAddResult::Outcome::kUpdated) {
      if (room < sizeof(double)) return std::nullopt;
      MovePacked(slot, found, {result.score, added.member});
    }
    return result;
  }
  if (rules.only_existing) return ZsetAddResult{ZsetAddResult::Outcome::kRefused};
  if (!FitsPacked(limits, set.size() + 1, added.member.size()) ||
      PackedZset::MaxPairBytes(added.member.size()) > room) {
    return std::nullopt;
  }
  InsertPacked(slot, set.OffsetOf(set.LowerBound(added)), added);
  return ZsetAddResult{ZsetAddResult::Outcome::kAdded, added.score};
}

ZsetAddResult AddToObject(ZsetObject* set, const ScoredMember& added, const ZsetAddRules& rules) {
  const uint64_t hash = ZsetObject::HashOf(added.member);
  if (ZsetNode* node = set->Find(added.member, hash)) {
    const ZsetAddResult result = NewScore(node->score(), added.score, rules);
    if (result.outcome == ZsetAddResult::Outcome::kUpdated) set->SetScore(node, result.score);
    return result;
  }
  if (rules.only_existing) return {ZsetAddResult::Outcome::kRefused};
  set->Add(added.score, added.member, hash);
  return {ZsetAddResult::Outcome::kAdded, added.score};
}

bool FitsAlone(const ZsetLimits& limits, const ScoredMember& scored) {
  return FitsPacked(limits, 1, scored.member.size()) &&
         PackedList::kHeaderBytes + PackedZset::MaxPairBytes(scored.member.size()) <=
             PackedList::kMaxBytes;
}

void CreateObject(KeySlot* slot) { slot->PutObject(ValueType::kSortedSet, new ZsetObject); }

// A packed set with one member.
void CreateWith(KeySlot* slot, const ScoredMember& first) {
  const PackedScore score(first.score);
  const std::string_view pair[] = {first.member, score.bytes()};
  CreatePacked(slot, ValueType::kSortedSet, pair);
}

}  // namespace

// -- Reading
// ---------------------------------------------------------------------------------------

uint64_t ZsetView::size() const {
  if (entry_ == nullptr) return 0;
  return is_packed() ? packed().size() : object().size();
}

std::optional<double> ZsetView::Score(std::string_view member) const {
  if (entry_ == nullptr) return std::nullopt;
  if (is_packed()) {
    const PackedZset::Iterator found = packed().Find(member);
    if (found == packed().end()) return std::nullopt;
    return (*found).score;
  }
  const ZsetNode* node = object().Find(member, ZsetObject::HashOf(member));
  if (node == nullptr) return std::nullopt;
  return node->score();
}

std::optional<ZsetView::Place> ZsetView::Find(std::string_view member) const {
  if (entry_ == nullptr) return std::nullopt;
  if (is_packed()) {
    const PackedZset set = packed();
    uint64_t rank = 0;
    for (PackedZset::Iterator it = set.begin(); it != set.end(); ++it, ++rank) {
      if (it.member() == member) return Place{rank, (*it).score};
    }
    return std::nullopt;
  }
  const ZsetNode* node = object().Find(member, ZsetObject::HashOf(member));
  if (node == nullptr) return std::nullopt;
  return Place{object().tree().RankOf(node), node->score()};
}

template <typename Below, typename Above>
RankRange ZsetView::PackedRanks(Below&& below, Above&& above) const {
  const PackedZset set = packed();
  RankRange range;
  PackedZset::Iterator it = set.begin();
  for (; it != set.end() && below(*it); ++it) ++range.begin;
  for (; it != set.end() && !above(*it); ++it) ++range.count;
  return range;
}

RankRange ZsetView::Ranks(const ScoreRange& range) const {
  if (entry_ == nullptr) return {};
  if (is_packed()) {
    return PackedRanks([&range](const ScoredMember& m) { return range.Below(m.score); },
                       [&range](const ScoredMember& m) { return range.Above(m.score); });
  }
  const ZsetTree& tree = object().tree();
  const uint64_t begin =
      tree.CountWhile([&range](double score, const ZsetNode&) { return range.Below(score); });
  const uint64_t end =
      tree.CountWhile([&range](double score, const ZsetNode&) { return !range.Above(score); });
  return {begin, end > begin ? end - begin : 0};
}

RankRange ZsetView::Ranks(const LexRange& range) const {
  if (entry_ == nullptr) return {};
  if (is_packed()) {
    return PackedRanks([&range](const ScoredMember& m) { return range.Below(m.member); },
                       [&range](const ScoredMember& m) { return range.Above(m.member); });
  }
  const ZsetTree& tree = object().tree();
  const uint64_t begin = tree.CountWhile(
      [&range](double, const ZsetNode& node) { return range.Below(node.member()); });
  const uint64_t end = tree.CountWhile(
      [&range](double, const ZsetNode& node) { return !range.Above(node.member()); });
  return {begin, end > begin ? end - begin : 0};
}

// -- Changing
// --------------------------------------------------------------------------------------

void ExpectMembers(KeySlot* slot, const ZsetLimits& limits, size_t count, size_t longest) {
  if (FitsPacked(limits, count, longest)) return;
  if (!slot->exists()) {
    CreateObject(slot);
  } else if (!slot->entry()->is_object()) {
    slot->BecomeObject(Unpacked(*slot));
  }
}

ZsetAddResult AddMember(KeySlot* slot, const ZsetLimits& limits, const ScoredMember& added,
                        const ZsetAddRules& rules) {
  if (!slot->exists()) {
    if (rules.only_existing) return {ZsetAddResult::Outcome::kRefused};
    if (FitsAlone(limits, added)) {
      CreateWith(slot, added);
      slot->MarkChanged();
      return {ZsetAddResult::Outcome::kAdded, added.score};
    }
    CreateObject(slot);
  }
  std::optional<ZsetAddResult> result;
  if (!slot->entry()->is_object()) {
    result = AddPacked(slot, limits, added, rules);
    if (!result.has_value()) slot->BecomeObject(Unpacked(*slot));
  }
  if (!result.has_value()) result = AddToObject(slot->object<ZsetObject>(), added, rules);
  if (result->outcome == ZsetAddResult::Outcome::kAdded ||
      result->outcome == ZsetAddResult::Outcome::kUpdated) {
    slot->MarkChanged();
  }
  return *result;
}

bool RemoveMember(KeySlot* slot, std::string_view member) {
  if (slot->entry()->is_object()) {
    auto* set = slot->object<ZsetObject>();
    const uint64_t hash = ZsetObject::HashOf(member);
    ZsetNode* node = set->Find(member, hash);
    if (node == nullptr) return false;
    if (set->size() == 1) return slot->Delete();
    set->Remove(node, hash);
  } else {
    const PackedZset set(*slot->entry());
    const PackedZset::Iterator found = set.Find(member);
    if (found == set.end()) return false;
    if (set.size() == 1) return slot->Delete();
    PackedZset::Iterator next = found;
    ++next;
    const size_t offset = set.OffsetOf(found);
    SplicePacked(slot, offset, 2, set.OffsetOf(next) - offset, {});
  }
  slot->MarkChanged();
  return true;
}

void RemoveRange(KeySlot* slot, const RankRange& range) {
  if (range.count == 0) return;
  if (range.count == ZsetView(*slot->entry()).size()) {
    slot->Delete();
    slot->MarkChanged(range.count - 1);
    return;
  }
  if (slot->entry()->is_object()) {
    auto* set = slot->object<ZsetObject>();
    // From the end, where less has to move up.
    for (uint64_t rank = range.end(); rank > range.begin; --rank) {
      set->RemoveAt(rank - 1, [](const ZsetNode&) {});
    }
  } else {
    const PackedZset set(*slot->entry());
    PackedZset::Iterator it = set.At(range.begin);
    const size_t offset = set.OffsetOf(it);
    for (uint64_t i = 0; i < range.count; ++i) ++it;
    SplicePacked(slot, offset, 2 * range.count, set.OffsetOf(it) - offset, {});
  }
  slot->MarkChanged(range.count);
}

void StoreMembers(KeySlot* slot, const ZsetLimits& limits, std::span<const ScoredMember> sorted) {
  if (sorted.empty()) {
    slot->Delete();
    return;
  }
  size_t longest = 0;
  size_t bytes = PackedList::kHeaderBytes;
  for (const ScoredMember& scored : sorted) {
    longest = std::max(longest, scored.member.size());
    bytes += PackedZset::MaxPairBytes(scored.member.size());
  }
  if (!FitsPacked(limits, sorted.size(), longest) || bytes > PackedList::kMaxBytes) {
    slot->PutObject(ValueType::kSortedSet, new ZsetObject(sorted));
  } else {
    std::vector<PackedScore> scores;
    scores.reserve(sorted.size());
    std::vector<std::string_view> elements;
    elements.reserve(2 * sorted.size());
    for (const ScoredMember& scored : sorted) {
      scores.emplace_back(scored.score);
      elements.push_back(scored.member);
      elements.push_back(scores.back().bytes());
    }
    CreatePacked(slot, ValueType::kSortedSet, elements);
  }
  slot->MarkChanged();
}

}  // namespace spinel
