#include "server/pattern_index.h"

#include <algorithm>

#include "protocol/glob.h"

namespace spinel {

std::string_view PatternIndex::PrefixOf(std::string_view pattern) {
  return pattern.substr(0, pattern.find_first_of("*?[\\"));
}

void PatternIndex::Add(std::string_view pattern) {
  const std::string_view prefix = PrefixOf(pattern);
  auto found = by_prefix_.find(prefix);
  if (found == by_prefix_.end()) {
    found = by_prefix_.emplace(std::string(prefix), std::vector<std::string>()).first;
  }
  found->second.emplace_back(pattern);
  ++lengths_[prefix.size()];
}

void PatternIndex::Remove(std::string_view pattern) {
  const std::string_view prefix = PrefixOf(pattern);
  const auto found = by_prefix_.find(prefix);
  std::vector<std::string>& patterns = found->second;
  patterns.erase(std::find(patterns.begin(), patterns.end(), pattern));
  if (patterns.empty()) by_prefix_.erase(found);
  const auto length = lengths_.find(prefix.size());
  if (--length->second == 0) lengths_.erase(length);
}

void PatternIndex::Match(std::string_view text, std::vector<std::string_view>* matches) const {
  for (const auto& [length, count] : lengths_) {
    if (length > text.size()) return;
    const auto found = by_prefix_.find(text.substr(0, length));
    if (found == by_prefix_.end()) continue;
    for (const std::string& pattern : found->second) {
      if (GlobMatch(pattern, text, /*nocase=*/false)) matches->push_back(pattern);
    }
  }
}

}  // namespace spinel
