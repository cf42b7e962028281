#include "storage/set_algebra.h"

#include <algorithm>
#include <memory>

namespace spinel {
namespace {

// A set of members that lie elsewhere: in packed lists and big sets, which stay as they are
// meanwhile. Only integers, which lie nowhere as text, are copied.
class BorrowedMembers {
 public:
  // False: it is there.
  bool Add(const SetElement& element) {
    char room[kIntegerChars];
    const std::string_view bytes = element.Bytes(room);
    const uint64_t hash = kKeyHasher(bytes);
    if (table_.FindMember(hash, bytes)) return false;
    // The head of a PackedElement is in front of its bytes.
    const char* const at =
        element.is_integer() ? Copy(bytes) : bytes.data() - PackedElement::HeadBytes(bytes.size());
    table_.Insert(hash, SetMember::At(at));
    return true;
  }
  void Remove(const SetElement& element) {
    char room[kIntegerChars];
    const std::string_view bytes = element.Bytes(room);
    const uint64_t hash = kKeyHasher(bytes);
    const MemberTable::Position position = table_.FindMember(hash, bytes);
    if (position) table_.Erase(hash, position);
  }
  bool empty() const { return table_.empty(); }
  void ForEach(SetResultVisitor visit) const {
    bool go_on = true;
    for (uint64_t i = 0; go_on && !empty() && i < table_.bucket_count(); ++i) {
      table_.VisitBucket(
          i, [&](const SetMember* member) { go_on = go_on && visit(SetElement(member->bytes())); });
    }
  }

 private:
  const char* Copy(std::string_view bytes) {
    constexpr size_t kChunkBytes = 4096;
    const size_t size = PackedElement::Bytes(bytes.size());
    if (chunks_.empty() || used_ + size > kChunkBytes) {
      chunks_.push_back(std::make_unique<char[]>(kChunkBytes));
      used_ = 0;
    }
    char* const at = chunks_.back().get() + used_;
    PackedElement::Write(at, bytes);
    used_ += size;
    return at;
  }

  MemberTable table_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  size_t used_ = 0;  // bytes of the last chunk
};

bool Smaller(const SetView& a, const SetView& b) { return a.size() < b.size(); }
bool Larger(const SetView& a, const SetView& b) { return a.size() > b.size(); }

void UniteIntegers(const std::vector<SetView>& sets, SetResultVisitor visit) {
  std::vector<int64_t> all;
  for (const SetView& set : sets) {
    set.ForEachElement([&all](const SetElement& element) { all.push_back(element.integer()); });
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  for (const int64_t value : all) {
    if (!visit(SetElement(value))) return;
  }
}

// Visits the members of the first set that are in no other.
void SubtractByLookup(const std::vector<SetView>& sets, SetResultVisitor visit) {
  sets.front().ForEachElement([&](const SetElement& element) {
    const bool elsewhere = std::any_of(sets.begin() + 1, sets.end(),
                                       [&](const SetView& set) { return set.Contains(element); });
    return elsewhere || visit(element);
  });
}

// Takes the others' members away from the first set's.
void SubtractByRemoval(const std::vector<SetView>& sets, SetResultVisitor visit) {
  BorrowedMembers rest;
  sets.front().ForEachElement([&rest](const SetElement& element) { rest.Add(element); });
  for (size_t i = 1; i < sets.size() && !rest.empty(); ++i) {
    sets[i].ForEachElement([&rest](const SetElement& element) {
      rest.Remove(element);
      return !rest.empty();
    });
  }
  rest.ForEach(visit);
}

}  // namespace

void IntersectSets(std::vector<SetView> sets, SetResultVisitor visit) {
  std::sort(sets.begin(), sets.end(), Smaller);
  if (sets.front().empty()) return;
  sets.front().ForEachElement([&](const SetElement& element) {
    const bool everywhere = std::all_of(sets.begin() + 1, sets.end(), [&](const SetView& set) {
      return set == sets.front() || set.Contains(element);
    });
    return !everywhere || visit(element);
  });
}

void UniteSets(std::vector<SetView> sets, SetResultVisitor visit) {
  std::sort(sets.begin(), sets.end(), Larger);
  while (!sets.empty() && sets.back().empty()) sets.pop_back();
  if (sets.empty()) return;
  if (std::all_of(sets.begin(), sets.end(), [](const SetView& set) { return set.is_integers(); })) {
    return UniteIntegers(sets, visit);
  }
  // The largest need not be remembered, for it can be asked; unless it is a list, where that is
  // slow.
  const SetView& largest = sets.front();
  const bool remembers_largest = largest.is_packed() && sets.size() > 1;
  BorrowedMembers seen;
  bool go_on = true;
  largest.ForEachElement([&](const SetElement& element) {
    if (remembers_largest) seen.Add(element);
    return go_on = visit(element);
  });
  for (size_t i = 1; i < sets.size() && go_on; ++i) {
    sets[i].ForEachElement([&](const SetElement& element) {
      if (!remembers_largest && largest.Contains(element)) return true;
      if (!seen.Add(element)) return true;
      return go_on = visit(element);
    });
  }
}

void SubtractSets(std::vector<SetView> sets, SetResultVisitor visit) {
  const SetView first = sets.front();
  if (first.empty()) return;
  size_t all = first.size();
  size_t others = 0;
  for (size_t i = 1; i < sets.size(); ++i) {
    if (sets[i] == first) return;
    if (sets[i].empty()) continue;
    ++others;
    all += sets[i].size();
  }
  // Looking up costs less than removing, and stops early where much is in common.
  if (first.size() * (others + 1) / 2 > all) return SubtractByRemoval(sets, visit);
  std::sort(sets.begin() + 1, sets.end(), Larger);  // where a member most likely is
  sets.resize(others + 1, first);
  SubtractByLookup(sets, visit);
}

}  // namespace spinel
