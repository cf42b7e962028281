// The names of the ACL categories, in the order in which they are shown.
//
// Constants; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace spinel {

struct AclCategoryName {
  uint32_t bit;
  std::string_view name;  // "@keyspace"
};

std::span<const AclCategoryName> AclCategoryNames();

// The bit of a category by its name without '@', in any letter case; 0: unknown.
uint32_t FindAclCategory(std::string_view name);

}  // namespace spinel
