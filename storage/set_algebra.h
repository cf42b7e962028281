// Intersection, union and difference of sets.
//
// Pure functions: they read the sets, whose stripes are locked, and visit each member of the result
// once, in no order that means anything, before they return. Elements are valid during the visit.
#pragma once

#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "storage/set_value.h"

namespace spinel {

// Answers false to have no more.
using SetResultVisitor = absl::FunctionRef<bool(const SetElement&)>;

// What is in all of `sets` (at least one): O(N * M) for M sets, the smallest of N members.
void IntersectSets(std::vector<SetView> sets, SetResultVisitor visit);
// What is in any of them: O(N) for N members in all. Copies no member; what is remembered of them
// is 14 bytes each, not counting the largest set's.
void UniteSets(std::vector<SetView> sets, SetResultVisitor visit);
// What is in the first and in no other: the cheaper of O(N * M) for a first set of N members and M
// sets, and O(N) for N members in all.
void SubtractSets(std::vector<SetView> sets, SetResultVisitor visit);

}  // namespace spinel
