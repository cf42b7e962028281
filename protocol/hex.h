// Hexadecimal digits and the escapes of quoted text, as the protocol's inline requests and
// configuration files know them.
#pragma once

#include <string>
#include <string_view>

namespace spinel {

inline constexpr char kHexDigits[] = "0123456789abcdef";

// -1: no digit. Capital letters are digits too.
constexpr int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The byte of two digits; -1: one of them is none.
constexpr int HexByte(char high, char low) {
  const int bits = HexDigit(high);
  return bits < 0 || HexDigit(low) < 0 ? -1 : bits * 16 + HexDigit(low);
}

// Two digits for each byte.
inline std::string ToHex(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kHexDigits[byte >> 4];
    hex += kHexDigits[byte & 15];
  }
  return hex;
}

// What a letter behind a backslash stands for; any other character stands for itself.
constexpr char EscapedLetter(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

}  // namespace spinel
