// Ranges of sorted sets as arguments name them.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/arg_reader.h"
#include "storage/zset_value.h"

namespace spinel {

// By what a range is named.
enum class RangeBy : uint8_t { kAny, kRank, kScore, kMember };

// A range, not yet of any set.
class RangeArg {
 public:
  // Reads both ends, lower one first: ranks, scores ("(1" is open), or members ("[a", "(a", "-",
  // "+"). Latches errors.
  void Read(RangeBy by, std::string_view low, std::string_view high, ArgReader& args);
  // Its members in a set. With `backwards`, ranks are counted from the highest score.
  RankRange In(const ZsetView& set, bool backwards) const;

 private:
  RangeBy by_ = RangeBy::kRank;
  int64_t first_ = 0;  // ranks, both ends included; below 0 they count from the end
  int64_t last_ = 0;
  ScoreRange scores_;
  LexRange members_;
};

}  // namespace spinel
