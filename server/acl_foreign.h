// Commands that Redis and Valkey have and this server has not. Rules may name them, so that files
// of users move here unchanged; that allows or denies nothing.
//
// Pure function; any thread.
#pragma once

#include <string_view>

namespace spinel {

// `name` as in rules, "xadd" or "cluster|failover", in any letter case.
bool IsForeignCommand(std::string_view name);

}  // namespace spinel
