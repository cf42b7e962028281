// SHA-1 (FIPS 180-4): a name for content (DEBUG DIGEST), not a protection.
//
// Pure function; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace spinel {

using Sha1Digest = std::array<uint8_t, 20>;

Sha1Digest Sha1(std::string_view bytes);
// The digest as 40 hexadecimal digits, lower case.
std::string Sha1Hex(std::string_view bytes);

}  // namespace spinel
