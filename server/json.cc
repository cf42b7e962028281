#include "server/json.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace spinel {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

size_t Utf8Length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  // Longer than need be, a surrogate, or beyond the last character.
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

void AppendJsonEscaped(std::string_view bytes, std::string* json) {
  while (!bytes.empty()) {
    const char c = bytes[0];
    const auto code = static_cast<unsigned char>(c);
    const size_t length = Utf8Length(bytes);
    if (length == 0) {
      fmt::format_to(std::back_inserter(*json), "\\\\x{:02x}", code);
    } else if (c == '"' || c == '\\') {
      json->append({'\\', c});
    } else if (c == '\n') {
      json->append("\\n");
    } else if (code < 0x20 || code == 0x7f) {
      fmt::format_to(std::back_inserter(*json), "\\u{:04x}", code);
    } else {
      json->append(bytes.substr(0, length));
    }
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
}

void JsonWriter::Separate() {
  if (!first_) text_.push_back(',');
  first_ = false;
}

void JsonWriter::Key(std::string_view name) {
  Separate();
  text_.push_back('"');
  AppendJsonEscaped(name, &text_);
  text_.append("\":");
  first_ = true;
}

void JsonWriter::String(std::string_view bytes) {
  Separate();
  text_.push_back('"');
  AppendJsonEscaped(bytes, &text_);
  text_.push_back('"');
}

void JsonWriter::Integer(int64_t value) {
  Separate();
  fmt::format_to(std::back_inserter(text_), "{}", value);
}

void JsonWriter::Unsigned(uint64_t value) {
  Separate();
  fmt::format_to(std::back_inserter(text_), "{}", value);
}

void JsonWriter::Number(double value) {
  if (!std::isfinite(value)) return Null();
  Separate();
  fmt::format_to(std::back_inserter(text_), "{}", value);
}

void JsonWriter::Bool(bool value) {
  Separate();
  text_.append(value ? "true" : "false");
}

void JsonWriter::Null() {
  Separate();
  text_.append("null");
}

}  // namespace spinel
