#include <cmath>
#include <cstdlib>
#include <string>

#include "server/commands/zset_range.h"

namespace spinel {
namespace {

constexpr std::string_view kRangeNotAFloat = "ERR min or max is not a float";
constexpr std::string_view kNotAnEnd = "ERR min or max not valid string range item";

// As strtod has it, which accepts more than other arguments may be: spaces in front, an empty text,
// numbers beyond infinity.
bool ParseEnd(std::string_view text, double* score, bool* open) {
  *open = text.starts_with('(');
  if (*open) text.remove_prefix(1);
  if (ParseDouble(text, score)) return true;
  const std::string terminated(text);
  char* end = nullptr;
  *score = std::strtod(terminated.c_str(), &end);
  return *end == '\0' && !std::isnan(*score);
}

bool ParseEnd(std::string_view text, LexRange::End* end) {
  using Kind = LexRange::End::Kind;
  if (text == "-" || text == "+") {
    end->kind = text == "-" ? Kind::kLowest : Kind::kHighest;
    return true;
  }
  if (!text.starts_with('(') && !text.starts_with('[')) return false;
  end->open = text[0] == '(';
  end->member = text.substr(1);
  return true;
}

// `text` as a rank; the reader knows the text of the error.
int64_t ReadRank(std::string_view text, ArgReader& args) {
  int64_t rank = 0;
  if (!ParseInt64(text, &rank)) args.Fail("ERR value is not an integer or out of range");
  return rank;
}

RankRange Between(int64_t first, int64_t last, int64_t size, bool backwards) {
  if (first < 0) first = std::max(first + size, int64_t{0});
  if (last < 0) last += size;
  last = std::min(last, size - 1);
  if (first > last) return {};
  const auto count = static_cast<uint64_t>(last - first + 1);
  return {static_cast<uint64_t>(backwards ? size - 1 - last : first), count};
}

}  // namespace

void RangeArg::Read(RangeBy by, std::string_view low, std::string_view high, ArgReader& args) {
  by_ = by;
  switch (by) {
    case RangeBy::kScore:
      if (!ParseEnd(low, &scores_.min, &scores_.min_open) ||
          !ParseEnd(high, &scores_.max, &scores_.max_open)) {
        args.Fail(kRangeNotAFloat);
      }
      return;
    case RangeBy::kMember:
      if (!ParseEnd(low, &members_.min) || !ParseEnd(high, &members_.max)) args.Fail(kNotAnEnd);
      return;
    default:
      first_ = ReadRank(low, args);
      last_ = ReadRank(high, args);
  }
}

RankRange RangeArg::In(const ZsetView& set, bool backwards) const {
  switch (by_) {
    case RangeBy::kScore:
      return set.Ranks(scores_);
    case RangeBy::kMember:
      return set.Ranks(members_);
    default:
      return Between(first_, last_, static_cast<int64_t>(set.size()), backwards);
  }
}

}  // namespace spinel
