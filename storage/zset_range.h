// Members with scores, and the ranges that commands name: by score, by member, by rank.
//
// Plain values; views in them are valid as long as what they point to.
#pragma once

#include <cstdint>
#include <string_view>

namespace spinel {

struct ScoredMember {
  double score;
  std::string_view member;

  // The order of a sorted set: by score, then by the members' bytes.
  bool operator<(const ScoredMember& other) const {
    return score < other.score || (score == other.score && member < other.member);
  }
};

// An interval of scores; either end may be open.
struct ScoreRange {
  double min = 0;
  double max = 0;
  bool min_open = false;
  bool max_open = false;

  bool Below(double score) const { return min_open ? score <= min : score < min; }
  bool Above(double score) const { return max_open ? score >= max : score > max; }
};

// An interval of members, for sets in which all scores are equal; either end may be open or
// endless.
struct LexRange {
  struct End {
    enum class Kind : uint8_t { kLowest, kMember, kHighest };  // below, at, above all members
    Kind kind = Kind::kMember;
    bool open = false;
    std::string_view member;
  };
  End min;
  End max;

  bool Below(std::string_view member) const {
    if (min.kind != End::Kind::kMember) return min.kind == End::Kind::kHighest;
    return min.open ? member <= min.member : member < min.member;
  }
  bool Above(std::string_view member) const {
    if (max.kind != End::Kind::kMember) return max.kind == End::Kind::kLowest;
    return max.open ? member >= max.member : member > max.member;
  }
};

// `count` members from rank `begin` on; ranks count from 0, from the lowest score.
struct RankRange {
  uint64_t begin = 0;
  uint64_t count = 0;

  uint64_t end() const { return begin + count; }
};

}  // namespace spinel
