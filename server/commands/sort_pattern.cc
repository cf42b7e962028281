#include "server/commands/sort_pattern.h"

#include <cstring>

#include "storage/hash_value.h"
#include "storage/string_value.h"

namespace spinel {

std::string_view TextArena::Copy(std::string_view text) {
  if (text.empty()) return "";
  if (text.size() > left_) {
    const size_t bytes = text.size() > kBlockBytes / 4 ? text.size() : kBlockBytes;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    if (bytes == text.size()) {  // a block of its own; the one in use stays in use
      std::memcpy(blocks_.back().get(), text.data(), text.size());
      return {blocks_.back().get(), text.size()};
    }
    at_ = blocks_.back().get();
    left_ = bytes;
  }
  std::memcpy(at_, text.data(), text.size());
  const std::string_view copy(at_, text.size());
  at_ += text.size();
  left_ -= text.size();
  return copy;
}

SortPattern::SortPattern(std::string_view text) : is_element_(text == "#") {
  const size_t star = text.find('*');
  if (star == std::string_view::npos) return;
  has_star_ = true;
  prefix_ = text.substr(0, star);
  suffix_ = text.substr(star + 1);
  const size_t arrow = suffix_.find("->");
  if (arrow == std::string_view::npos || arrow + 2 == suffix_.size()) return;
  has_field_ = true;
  field_ = suffix_.substr(arrow + 2);
  suffix_ = suffix_.substr(0, arrow);
}

std::optional<std::string_view> SortPattern::Lookup(const LockedKeys* keys,
                                                    std::string_view element, TextArena* arena) {
  if (is_element_) return element;
  if (!has_star_) return std::nullopt;
  name_.assign(prefix_);
  name_.append(element);
  name_.append(suffix_);
  KeySlot slot = keys->SlotOf(Store::MakeKey(name_));
  slot.CountLookup();
  if (has_field_) {
    HashItem item;
    if (!slot.Is(ValueType::kHash)) return std::nullopt;
    if (!HashView(*slot, slot.now_ms()).Find(field_, &item)) return std::nullopt;
    return item.value.bytes;
  }
  if (!slot.Is(ValueType::kString)) return std::nullopt;
  IntegerText text;
  const std::string_view bytes = StringBytes(*slot, &text);
  return bytes.data() == text.digits ? arena->Copy(bytes) : bytes;
}

}  // namespace spinel
