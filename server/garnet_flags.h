// The command line of Garnet, translated into ours, so that its containers can be replaced.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/command_line.h"

namespace spinel {

// Was the program started under Garnet's name?
bool IsGarnetName(std::string_view program);

// Translates the arguments behind argv[0] into options of ours and a notice for every flag that
// means something else here, or nothing. Flags of neither server are an error.
ConfigStatus TranslateGarnetFlags(std::span<const char* const> args, CommandLine* line);

}  // namespace spinel
