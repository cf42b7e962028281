// The lines of an `aclfile`: "user NAME RULE RULE ...".
//
// Pure functions; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "server/acl_user.h"

namespace spinel {

// Makes users of all lines. On errors returns all of them in one line; `path` is named there.
std::string ParseAclFile(std::string_view text, std::string_view path, const AclContext& context,
                         std::map<std::string, AclUser, std::less<>>* users);

}  // namespace spinel
