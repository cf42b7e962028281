// SHA-256 as OpenSSL computes it: how passwords of users are kept.
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace spinel {

// The digest as 64 hexadecimal digits, lower case.
std::string Sha256Hex(std::string_view bytes);
// Whether `text` is what Sha256Hex returns.
bool IsSha256Hex(std::string_view text);
// Compares in a time that depends on nothing but the sizes.
bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace spinel
