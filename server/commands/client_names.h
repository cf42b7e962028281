// What names a client may give itself and its library: CLIENT SETNAME, CLIENT SETINFO, HELLO
// SETNAME.
#pragma once

#include <algorithm>
#include <string_view>

namespace spinel {

// Visible ASCII only, so that CLIENT LIST can be split at spaces. The empty name is one: it takes a
// name away.
inline bool IsClientName(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '!' && c <= '~'; });
}

inline constexpr std::string_view kBadClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

}  // namespace spinel
