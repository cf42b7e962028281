// Requests without their secrets, for whatever shows requests to people: SLOWLOG, MONITOR.
//
// Threads: any.
#pragma once

#include <string_view>
#include <vector>

#include "server/command.h"

namespace spinel {

// The arguments, passwords replaced: those of AUTH, HELLO, and of CONFIG SET's secret options; all
// that ACL says of users.
std::vector<std::string_view> WithoutSecrets(const Command& command, CommandArgs args);

}  // namespace spinel
