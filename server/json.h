// Writing JSON (RFC 8259), with RapidJSON. Bytes that are no UTF-8 are shown as "\xNN", as
// redis-cli shows them.
//
// Threads: a writer is its owner's; the functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace spinel {

// The bytes of the UTF-8 character that `text` begins with; 0: there is none.
size_t Utf8Length(std::string_view text);

// Appends the characters of a JSON string, without its quotes.
void AppendJsonEscaped(std::string_view bytes, std::string* json);

//   JsonWriter json;
//   json.BeginObject();
//   json.Field("keys", int64_t{3});
//   json.EndObject();
class JsonWriter {
 public:
  JsonWriter();
  ~JsonWriter();
  JsonWriter(JsonWriter&&) noexcept;
  JsonWriter& operator=(JsonWriter&&) noexcept;

  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();
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

  // What has been written.
  std::string Take() const;

 private:
  struct State;  // keeps RapidJSON's headers out of this one
  std::unique_ptr<State> state_;
};

}  // namespace spinel
