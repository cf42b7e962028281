// Decodes replies, as a client does: for tests, and wherever Spinel is somebody's client.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spinel {

struct RespValue {
  enum class Type : uint8_t {
    kSimple,
    kError,
    kInteger,
    kBulk,
    kNull,
    kNullArray,
    kArray,
    kMap,
    kSet,
    kPush,
    kDouble,
    kBool,
    kBigNumber,
    kVerbatim,
    kAttribute,
  };
  Type type = Type::kNull;
  std::string text;     // simple, error, bulk, big number, double as sent, verbatim ("txt:...")
  int64_t integer = 0;  // integer; bool as 0 or 1
  // Of an aggregate. A map's keys and values alternate, an attribute's too; the value that an
  // attribute describes follows as its last element.
  std::vector<RespValue> elements;

  bool operator==(const RespValue& other) const = default;
};

// Decodes one value from the front of `*input` and removes it. nullopt: not whole yet (and `*input`
// is unchanged), or malformed (then `*error` is set, which is otherwise emptied). RESP3's `_` and
// RESP2's
// `$-1` are kNull, `*-1` is kNullArray, RESP3's `!` is kError. Nesting is limited to 64 levels. A
// value that is not whole is decoded again from its start.
std::optional<RespValue> DecodeResp(std::string_view* input, std::string* error);

// The value as a person would read it, for test messages: `[1, "a", nil]`.
std::string ToString(const RespValue& value);

}  // namespace spinel
