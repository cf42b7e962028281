#include "protocol/glob.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "protocol/ascii.h"

namespace spinel {
namespace {

// Enough for any sensible pattern on a text of any length, some milliseconds for the others.
constexpr size_t kStepBudget = 1'000'000;
constexpr size_t kStepsPerByte = 4;
// Redis recurses for every `*` and gives up below this depth.
constexpr int kMaxStars = 1000;

class Matcher {
 public:
  Matcher(std::string_view pattern, std::string_view text, bool nocase)
      : pattern_(pattern),
        text_(text),
        nocase_(nocase),
        steps_left_(kStepBudget + kStepsPerByte * text.size()) {}

  bool Match() {
    // Redis looks at the pattern only while there is text: nothing but "" matches an empty text.
    if (text_.empty()) return pattern_.empty();
    while (true) {
      if (t_ == text_.size()) {
        SkipStars();
        if (p_ == pattern_.size()) return true;
      } else if (p_ < pattern_.size() && pattern_[p_] == '*') {
        SkipStars();
        if (p_ == pattern_.size()) return true;
        if (++stars_ > kMaxStars) return false;
        retry_pattern_ = p_;
        retry_text_ = t_;
        if (!FindCandidate()) return false;
        continue;
      } else if (p_ < pattern_.size() && MatchOne()) {
        ++t_;
        continue;
      }
      if (!Retry()) return false;
    }
  }

 private:
  void SkipStars() {
    while (p_ < pattern_.size() && pattern_[p_] == '*') ++p_;
  }

  // Lets the last `*` swallow one more byte. Earlier ones need no second try: what the last one can
  // reach does not depend on them.
  bool Retry() {
    if (stars_ == 0) return false;
    p_ = retry_pattern_;
    ++retry_text_;
    return FindCandidate();
  }

  // Goes to the next place where what follows the last `*` can begin.
  bool FindCandidate() {
    t_ = retry_text_;
    if (t_ >= text_.size() || !Step()) return false;
    const char first = pattern_[retry_pattern_];
    if (nocase_ || first == '?' || first == '[' || first == '\\') return true;
    const void* found = std::memchr(text_.data() + t_, first, text_.size() - t_);
    if (found == nullptr) return false;
    t_ = retry_text_ = static_cast<size_t>(static_cast<const char*>(found) - text_.data());
    return true;
  }

  // Matches one byte of text with one element of the pattern, and goes behind that.
  bool MatchOne() {
    if (!Step()) return false;
    switch (pattern_[p_]) {
      case '?':
        ++p_;
        return true;
      case '[':
        ++p_;
        return MatchClass();
      case '\\':
        if (p_ + 1 < pattern_.size()) ++p_;
        [[fallthrough]];
      default:
        return Same(pattern_[p_++], text_[t_]);
    }
  }

  bool MatchClass() {
    const char c = text_[t_];
    const bool negated = p_ < pattern_.size() && pattern_[p_] == '^';
    if (negated) ++p_;
    bool matched = false;
    while (p_ < pattern_.size()) {
      if (!Step()) return false;
      const size_t left = pattern_.size() - p_;
      if (pattern_[p_] == '\\' && left >= 2) {
        // An escaped byte is compared as it is, even when letter case does not count.
        matched |= pattern_[p_ + 1] == c;
        p_ += 2;
      } else if (pattern_[p_] == ']') {
        ++p_;
        break;
      } else if (left >= 3 && pattern_[p_ + 1] == '-') {
        matched |= InRange(pattern_[p_], pattern_[p_ + 2], c);
        p_ += 3;
      } else {
        matched |= Same(pattern_[p_], c);
        ++p_;
      }
    }
    return matched != negated;
  }

  // As on x86 with glibc: bytes compare as signed, but as unsigned once their case is gone; the
  // bounds are ordered before that.
  bool InRange(char first, char last, char c) const {
    int8_t low = static_cast<int8_t>(first);
    int8_t high = static_cast<int8_t>(last);
    if (low > high) std::swap(low, high);
    if (!nocase_) return static_cast<int8_t>(c) >= low && static_cast<int8_t>(c) <= high;
    return Lower(c) >= Lower(static_cast<char>(low)) && Lower(c) <= Lower(static_cast<char>(high));
  }

  static uint8_t Lower(char c) { return static_cast<uint8_t>(AsciiLower(c)); }

  bool Same(char a, char b) const { return a == b || (nocase_ && AsciiLower(a) == AsciiLower(b)); }

  // False when the budget is spent; then no retry succeeds either.
  bool Step() {
    if (steps_left_ == 0) return false;
    --steps_left_;
    return true;
  }

  const std::string_view pattern_;
  const std::string_view text_;
  const bool nocase_;
  size_t steps_left_;
  size_t p_ = 0;
  size_t t_ = 0;
  int stars_ = 0;             // met so far
  size_t retry_pattern_ = 0;  // behind the last `*`
  size_t retry_text_ = 0;     // where that part was last tried
};

}  // namespace

bool GlobMatch(std::string_view pattern, std::string_view text, bool nocase) {
  return Matcher(pattern, text, nocase).Match();
}

}  // namespace spinel
