// How COMMAND shows a row: the entry of COMMAND INFO and that of COMMAND DOCS. Shared by the
// handlers in command.cc.
#pragma once

#include <cstdint>

#include "server/command.h"

namespace spinel {

class ReplyWriter;

// The ten elements that describe a command, its subcommands' nested in the last.
void ReplyCommandInfo(const Command& command, ReplyWriter& reply);

// The map of a command's documentation.
void ReplyCommandDocs(const Command& command, ReplyWriter& reply);

// KeyFlag bits as a set of names.
void ReplyKeyFlags(uint16_t flags, ReplyWriter& reply);

}  // namespace spinel
