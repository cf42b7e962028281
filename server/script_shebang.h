// The first line of scripts and libraries: "#!lua flags=no-writes" and "#!lua name=mylib".
//
// Pure functions; any thread. They answer an error text, or an empty one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spinel {

// Of a script, which may have none: then it is kScriptCompatible. `*code_offset`: where Lua begins,
// at the end of that line so that lines count on.
std::string ReadShebang(std::string_view body, uint32_t* flags, size_t* code_offset);

// Of a library, which needs one.
std::string ReadLibraryShebang(std::string_view code, std::string* name);

}  // namespace spinel
