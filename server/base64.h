// Base64 (RFC 4648), decoding only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace spinel {

// nullopt: the text is no base64. Padding may be missing.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace spinel
