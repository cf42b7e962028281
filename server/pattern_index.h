// Glob patterns, to be matched with a text all at once: found by the literal text that they begin
// with, so that patterns which begin differently cost nothing.
//
// Owner: one; not shared between threads.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/text_map.h"

namespace spinel {

class PatternIndex {
 public:
  // Expects a pattern that is not there.
  void Add(std::string_view pattern);
  // Expects one that is.
  void Remove(std::string_view pattern);
  // Appends the patterns that match the whole text; valid until the next change.
  void Match(std::string_view text, std::vector<std::string_view>* matches) const;

 private:
  // What the pattern's matches all begin with.
  static std::string_view PrefixOf(std::string_view pattern);

  TextMap<std::vector<std::string>> by_prefix_;
  std::map<size_t, size_t> lengths_;  // of prefixes, and how many patterns have one as long
};

}  // namespace spinel
