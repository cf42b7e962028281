// What a request does with each of its keys: reads it, overwrites it, removes it. COMMAND
// GETKEYSANDFLAGS and ACL both ask here; which arguments are keys at all says ExtractKeys.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "server/command.h"

namespace spinel {

// KeyFlag bits of the request's key number `ordinal`, counted from 0 in the order of ExtractKeys.
uint16_t KeyFlagsOf(const CommandSpec& spec, CommandArgs args, size_t ordinal);

}  // namespace spinel
