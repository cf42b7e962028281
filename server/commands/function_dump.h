// Libraries as FUNCTION DUMP and snapshots carry them. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace spinel {

std::string DumpLibraries(const std::vector<std::string>& codes);
// The error, or empty.
std::string ReadLibraryDump(std::string_view payload, std::vector<std::string>* codes);

}  // namespace spinel
