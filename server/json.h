// Writing JSON (RFC 8259). Bytes that are no UTF-8 are shown as "\xNN", as redis-cli shows them.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spinel {

// The bytes of the UTF-8 character that `text` begins with; 0: there is none.
size_t Utf8Length(std::string_view text);

// Appends the characters of a JSON string, without its quotes.
void AppendJsonEscaped(std::string_view bytes, std::string* json);

// Puts an object or array together; commas are its concern.
//   JsonWriter json;
//   json.BeginObject();
//   json.Field("keys", 3);
//   json.EndObject();
class JsonWriter {
 public:
  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  void Key(std::string_view name);
  void String(std::string_view bytes);
  void Integer(int64_t value);
  void Unsigned(uint64_t value);
  void Number(double value);  // null if it is not finite
  void Bool(bool value);
  void Null();

  void Field(std::string_view name, std::string_view value) {
    Key(name);
    String(value);
  }
  void Field(std::string_view name, int64_t value) {
    Key(name);
    Integer(value);
  }
  void Field(std::string_view name, uint64_t value) {
    Key(name);
    Unsigned(value);
  }
  void Field(std::string_view name, bool value) {
    Key(name);
    Bool(value);
  }
  // A literal would be taken for a bool.
  void Field(std::string_view name, const char* value) { Field(name, std::string_view(value)); }

  const std::string& text() const { return text_; }
  std::string Take() { return std::move(text_); }

 private:
  void Separate();
  void Open(char bracket) {
    Separate();
    text_.push_back(bracket);
    first_ = true;
  }
  void Close(char bracket) {
    text_.push_back(bracket);
    first_ = false;
  }

  std::string text_;
  bool first_ = true;  // nothing stands in front of what comes next
};

}  // namespace spinel
