#include "server/json.h"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>

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

namespace {

// The same, or `copy` with what is no UTF-8 replaced.
std::string_view Readable(std::string_view bytes, std::string* copy) {
  size_t good = 0;
  while (good < bytes.size()) {
    const size_t length = Utf8Length(bytes.substr(good));
    if (length == 0) break;
    good += length;
  }
  if (good == bytes.size()) return bytes;
  copy->assign(bytes.substr(0, good));
  for (bytes.remove_prefix(good); !bytes.empty();) {
    const size_t length = Utf8Length(bytes);
    if (length == 0) {
      *copy += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
    } else {
      copy->append(bytes.substr(0, length));
    }
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return *copy;
}

rapidjson::SizeType SizeOf(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());
}

}  // namespace

struct JsonWriter::State {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer{buffer};
};

void AppendJsonEscaped(std::string_view bytes, std::string* json) {
  JsonWriter writer;
  writer.String(bytes);
  const std::string quoted = writer.Take();
  json->append(quoted, 1, quoted.size() - 2);
}

JsonWriter::JsonWriter() : state_(std::make_unique<State>()) {}
JsonWriter::~JsonWriter() = default;
JsonWriter::JsonWriter(JsonWriter&&) noexcept = default;
JsonWriter& JsonWriter::operator=(JsonWriter&&) noexcept = default;

void JsonWriter::BeginObject() { state_->writer.StartObject(); }
void JsonWriter::EndObject() { state_->writer.EndObject(); }
void JsonWriter::BeginArray() { state_->writer.StartArray(); }
void JsonWriter::EndArray() { state_->writer.EndArray(); }

void JsonWriter::Key(std::string_view name) {
  std::string copy;
  const std::string_view text = Readable(name, &copy);
  state_->writer.Key(text.data(), SizeOf(text));
}

void JsonWriter::String(std::string_view bytes) {
  std::string copy;
  const std::string_view text = Readable(bytes, &copy);
  // An empty view may have no address.
  state_->writer.String(text.empty() ? "" : text.data(), SizeOf(text));
}

void JsonWriter::Integer(int64_t value) { state_->writer.Int64(value); }
void JsonWriter::Unsigned(uint64_t value) { state_->writer.Uint64(value); }
void JsonWriter::Bool(bool value) { state_->writer.Bool(value); }
void JsonWriter::Null() { state_->writer.Null(); }

void JsonWriter::Number(double value) {
  if (!std::isfinite(value)) return Null();
  state_->writer.Double(value);
}

std::string JsonWriter::Take() const {
  return {state_->buffer.GetString(), state_->buffer.GetSize()};
}

}  // namespace spinel
