// cjson.decode.

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "server/lua/cjson.h"
#include "server/lua/memory.h"

namespace spinel {
namespace {

class Decoder {
 public:
  // `text` has a NUL behind its `size` bytes.
  Decoder(lua_State* lua, const char* text, size_t size)
      : lua_(lua),
        config_(ConfigOf(lua)),
        begin_(text),
        next_(text),
        end_(text + size),
        buffer_(lua) {}

  void Whole() {
    Value(0);
    const Token token = Next();
    if (token.type != Type::kEnd) Expected("the end", token);
  }

 private:
  enum class Type {
    kObjectBegin,
    kObjectEnd,
    kArrayBegin,
    kArrayEnd,
    kString,
    kNumber,
    kBoolean,
    kNull,
    kColon,
    kComma,
    kEnd,
    kError,
  };
  struct Token {
    Type type;
    const char* at;
    double number = 0;
    bool boolean = false;
    const char* error = nullptr;
  };

  Token Next();
  Token Error(const char* at, const char* what) { return {Type::kError, at, 0, false, what}; }
  Token String(const char* at);
  Token Number(const char* at);
  Token Word(const char* at);
  // What follows a backslash; null, or the error.
  const char* Escape();
  const char* UnicodeEscape();
  bool Hex4(uint32_t* code);
  bool LooksInvalidNumber(const char* at) const;

  void Value(int depth) { Value(Next(), depth); }
  void Value(const Token& token, int depth);
  void Object(int depth);
  void Array(int depth);
  void Descend(int depth);
  [[noreturn]] void Expected(const char* what, const Token& found);

  lua_State* const lua_;
  const JsonConfig& config_;
  const char* const begin_;
  const char* next_;
  const char* const end_;
  LuaBuffer buffer_;  // of the string that was read last
};

constexpr const char* kTokenNames[] = {"T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END",
                                       "T_STRING",    "T_NUMBER",  "T_BOOLEAN",   "T_NULL",
                                       "T_COLON",     "T_COMMA",   "T_END"};

void Decoder::Expected(const char* what, const Token& found) {
  const char* name =
      found.type == Type::kError ? found.error : kTokenNames[static_cast<int>(found.type)];
  luaL_error(lua_, "Expected %s but found %s at character %d", what, name,
             static_cast<int>(found.at - begin_) + 1);
  std::abort();  // luaL_error does not return
}

Decoder::Token Decoder::Next() {
  while (next_ < end_ && (*next_ == ' ' || *next_ == '\t' || *next_ == '\n' || *next_ == '\r')) {
    ++next_;
  }
  const char* at = next_;
  if (at == end_) return {Type::kEnd, at};
  const auto single = [&](Type type) {
    ++next_;
    return Token{type, at};
  };
  switch (*at) {
    case '{':
      return single(Type::kObjectBegin);
    case '}':
      return single(Type::kObjectEnd);
    case '[':
      return single(Type::kArrayBegin);
    case ']':
      return single(Type::kArrayEnd);
    case ':':
      return single(Type::kColon);
    case ',':
      return single(Type::kComma);
    case '"':
      return String(at);
    default:
      return Word(at);
  }
}

Decoder::Token Decoder::Word(const char* at) {
  const std::string_view rest(at, static_cast<size_t>(end_ - at));
  const auto word = [&](std::string_view text, Type type, bool value) {
    next_ += text.size();
    return Token{type, at, 0, value};
  };
  if (rest.starts_with("true")) return word("true", Type::kBoolean, true);
  if (rest.starts_with("false")) return word("false", Type::kBoolean, false);
  if (rest.starts_with("null")) return word("null", Type::kNull, false);
  const char c = *at;
  if (c == '-' || (c >= '0' && c <= '9')) {
    if (!config_.decode_invalid && LooksInvalidNumber(at)) return Error(at, "invalid number");
    return Number(at);
  }
  if (config_.decode_invalid && LooksInvalidNumber(at)) return Number(at);
  return Error(at, "invalid token");
}

// Infinity, NaN, hexadecimal, leading zeros: what strtod reads although it is not JSON.
bool Decoder::LooksInvalidNumber(const char* at) const {
  if (*at == '+') return true;
  if (*at == '-') ++at;
  if (*at == '0') return (at[1] | 0x20) == 'x' || (at[1] >= '0' && at[1] <= '9');
  if (*at >= '1' && *at <= '9') return false;
  const auto begins = [at](const char* word) { return strncasecmp(at, word, 3) == 0; };
  return begins("inf") || begins("nan");
}

Decoder::Token Decoder::Number(const char* at) {
  char* end;
  const double value = std::strtod(at, &end);
  if (end == at) return Error(at, "invalid number");
  next_ = end;
  return {Type::kNumber, at, value};
}

bool Decoder::Hex4(uint32_t* code) {
  *code = 0;
  if (end_ - next_ < 4) return false;
  for (int i = 0; i < 4; ++i) {
    const char c = *next_++;
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      *code = *code << 4 | static_cast<uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      *code = *code << 4 | static_cast<uint32_t>(lower - 'a' + 10);
    } else {
      return false;
    }
  }
  return true;
}

const char* Decoder::UnicodeEscape() {
  constexpr const char* kInvalid = "invalid unicode escape code";
  uint32_t code;
  if (!Hex4(&code)) return kInvalid;
  if ((code & 0xf800) == 0xd800) {
    uint32_t low;
    if ((code & 0x400) != 0) return kInvalid;
    if (end_ - next_ < 2 || next_[0] != '\\' || next_[1] != 'u') return kInvalid;
    next_ += 2;
    if (!Hex4(&low) || (low & 0xfc00) != 0xdc00) return kInvalid;
    code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
  }
  const auto tail = [&](int shift) {
    buffer_.Append(static_cast<char>(0x80 | (code >> shift & 0x3f)));
  };
  if (code < 0x80) {
    buffer_.Append(static_cast<char>(code));
  } else if (code < 0x800) {
    buffer_.Append(static_cast<char>(0xc0 | code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    buffer_.Append(static_cast<char>(0xe0 | code >> 12));
    tail(6);
    tail(0);
  } else {
    buffer_.Append(static_cast<char>(0xf0 | code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
  return nullptr;
}

const char* Decoder::Escape() {
  constexpr const char* kInvalid = "invalid escape code";
  if (next_ == end_) return kInvalid;
  const char c = *next_++;
  if (c == 'u') return UnicodeEscape();
  constexpr std::string_view kFrom = "\"\\/bfnrt";
  constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  const size_t which = kFrom.find(c);
  if (which == std::string_view::npos) return kInvalid;
  buffer_.Append(kTo[which]);
  return nullptr;
}

Decoder::Token Decoder::String(const char* at) {
  buffer_.Drop(buffer_.size());
  ++next_;
  for (;;) {
    const char* from = next_;
    while (next_ < end_ && *next_ != '"' && *next_ != '\\' && *next_ != '\0') ++next_;
    buffer_.Append({from, static_cast<size_t>(next_ - from)});
    if (next_ == end_ || *next_ == '\0') return Error(at, "unexpected end of string");
    const char* here = next_;
    if (*next_++ == '"') return {Type::kString, at};
    if (const char* error = Escape()) return Error(here, error);
  }
}

void Decoder::Descend(int depth) {
  if (depth > config_.decode_max_depth || lua_checkstack(lua_, 3) == 0) {
    luaL_error(lua_, "Found too many nested data structures (%d) at character %d", depth,
               static_cast<int>(next_ - begin_));
  }
}

void Decoder::Value(const Token& token, int depth) {
  switch (token.type) {
    case Type::kString:
      return buffer_.Push();
    case Type::kNumber:
      return lua_pushnumber(lua_, token.number);
    case Type::kBoolean:
      return lua_pushboolean(lua_, token.boolean ? 1 : 0);
    case Type::kNull:
      return lua_pushlightuserdata(lua_, nullptr);
    case Type::kObjectBegin:
      return Object(depth + 1);
    case Type::kArrayBegin:
      return Array(depth + 1);
    default:
      Expected("value", token);
  }
}

void Decoder::Object(int depth) {
  Descend(depth);
  lua_newtable(lua_);
  Token token = Next();
  if (token.type == Type::kObjectEnd) return;
  for (;;) {
    if (token.type != Type::kString) Expected("object key string", token);
    buffer_.Push();
    token = Next();
    if (token.type != Type::kColon) Expected("colon", token);
    Value(depth);
    lua_rawset(lua_, -3);
    token = Next();
    if (token.type == Type::kObjectEnd) return;
    if (token.type != Type::kComma) Expected("comma or object end", token);
    token = Next();
  }
}

void Decoder::Array(int depth) {
  Descend(depth);
  lua_newtable(lua_);
  Token token = Next();
  if (token.type == Type::kArrayEnd) return;
  for (int i = 1;; ++i) {
    Value(token, depth);
    lua_rawseti(lua_, -2, i);
    token = Next();
    if (token.type == Type::kArrayEnd) return;
    if (token.type != Type::kComma) Expected("comma or array end", token);
    token = Next();
  }
}

}  // namespace

int JsonDecode(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  size_t size;
  const char* text = luaL_checklstring(lua, 1, &size);
  if (size >= 2 && (text[0] == '\0' || text[1] == '\0')) {
    return luaL_error(lua, "JSON parser does not support UTF-16 or UTF-32");
  }
  Decoder(lua, text, size).Whole();
  return 1;
}

}  // namespace spinel
