#include "storage/value_info.h"

#include <algorithm>
#include <array>

#include "storage/string_value.h"

namespace spinel {
namespace {

// By ValueType.
constexpr std::array<std::string_view, 6> kTypeNames = {"string", "list", "set",
                                                        "zset",   "hash", "stream"};
static_assert(static_cast<size_t>(ValueType::kStream) == kTypeNames.size() - 1);

constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; }

bool SameName(std::string_view lower, std::string_view text) {
  return std::equal(lower.begin(), lower.end(), text.begin(), text.end(),
                    [](char a, char b) { return a == Lower(b); });
}

}  // namespace

std::string_view TypeName(ValueType type) { return kTypeNames[static_cast<size_t>(type)]; }

std::optional<ValueType> TypeOfName(std::string_view name) {
  for (size_t i = 0; i < kTypeNames.size(); ++i) {
    if (SameName(kTypeNames[i], name)) return static_cast<ValueType>(i);
  }
  return std::nullopt;
}

std::string_view EncodingName(const Entry& entry) {
  if (entry.type() == ValueType::kString) return StringEncodingName(entry);
  switch (entry.collection_encoding()) {
    case CollectionEncoding::kPacked:
      return "listpack";
    case CollectionEncoding::kIntegers:
      return "intset";
    case CollectionEncoding::kObject:
      break;
  }
  switch (entry.type()) {
    case ValueType::kList:
      return "quicklist";
    case ValueType::kSortedSet:
      return "skiplist";
    case ValueType::kStream:
      return "stream";
    default:
      return "hashtable";
  }
}

}  // namespace spinel
