#include "server/acl_categories.h"

#include "protocol/ascii.h"
#include "server/command.h"

namespace spinel {
namespace {

constexpr AclCategoryName kAclCategoryNames[] = {
    {kAclKeyspace, "@keyspace"},
    {kAclRead, "@read"},
    {kAclWrite, "@write"},
    {kAclSet, "@set"},
    {kAclSortedSet, "@sortedset"},
    {kAclList, "@list"},
    {kAclHash, "@hash"},
    {kAclString, "@string"},
    {kAclBitmap, "@bitmap"},
    {kAclHyperLogLog, "@hyperloglog"},
    {kAclGeo, "@geo"},
    {kAclStream, "@stream"},
    {kAclPubSub, "@pubsub"},
    {kAclAdmin, "@admin"},
    {kAclFast, "@fast"},
    {kAclSlow, "@slow"},
    {kAclBlocking, "@blocking"},
    {kAclDangerous, "@dangerous"},
    {kAclConnection, "@connection"},
    {kAclTransaction, "@transaction"},
    {kAclScripting, "@scripting"},
};

}  // namespace

std::span<const AclCategoryName> AclCategoryNames() { return kAclCategoryNames; }

uint32_t FindAclCategory(std::string_view name) {
  for (const AclCategoryName& category : kAclCategoryNames) {
    if (EqualsIgnoreCase(category.name.substr(1), name)) return category.bit;
  }
  return 0;
}

}  // namespace spinel
