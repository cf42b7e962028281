// The patterns of SORT's BY and GET: what they name for an element, looked up.
//
// "weight_*" is the string at a key, the element in place of the first star; "object_*->field" a
// field of the hash at a key; "#" the element itself. A pattern without a star names nothing.
// Threads: the keys that a pattern may name are locked, so all of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/command_context.h"

namespace spinel {

// Texts that have to stay where they are, freed together.
class TextArena {
 public:
  std::string_view Copy(std::string_view text);

 private:
  static constexpr size_t kBlockBytes = 64 * 1024;

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  size_t left_ = 0;
};

class SortPattern {
 public:
  // The text outlives the pattern.
  explicit SortPattern(std::string_view text);

  bool is_element() const { return is_element_; }
  bool has_star() const { return has_star_; }

  // What it names, if that exists and is of the right type. Valid as long as the locks and `arena`.
  // `keys` holds everything; not used for a pattern without a star.
  std::optional<std::string_view> Lookup(const LockedKeys* keys, std::string_view element,
                                         TextArena* arena);

 private:
  bool is_element_ = false;
  bool has_star_ = false;
  bool has_field_ = false;
  std::string_view prefix_;  // of the key, in front of the star
  std::string_view suffix_;  // and behind it
  std::string_view field_;
  std::string name_;  // of the key last looked up
};

}  // namespace spinel
