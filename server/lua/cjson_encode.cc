// cjson.encode.

#include <cmath>
#include <cstdio>

#include "protocol/hex.h"
#include "server/lua/cjson.h"
#include "server/lua/memory.h"

namespace spinel {
namespace {

class Encoder {
 public:
  explicit Encoder(lua_State* lua) : lua_(lua), config_(ConfigOf(lua)), out_(lua) {}

  // The value on top of the stack, which stays there.
  void Value(int depth);
  void Push() const { out_.Push(); }

 private:
  void Fail(const char* why);
  void String(int index);
  void Number(int index);
  void Table(int depth);
  void Array(int size, int depth);
  void Object(int depth);
  // The highest index of an array; -1: the table is none.
  int ArraySize();

  lua_State* const lua_;
  const JsonConfig& config_;
  LuaBuffer out_;
};

void Encoder::Fail(const char* why) {
  luaL_error(lua_, "Cannot serialise %s: %s", lua_typename(lua_, lua_type(lua_, -1)), why);
}

void Encoder::String(int index) {
  constexpr size_t kLongest = 6;  // \u001f
  size_t size;
  const char* text = lua_tolstring(lua_, index, &size);
  out_.Append('"');
  for (size_t i = 0; i < size; ++i) {
    const char c = text[i];
    char* to = out_.Reserve(kLongest);
    const char* escape = c == '"'    ? "\\\""
                         : c == '\\' ? "\\\\"
                         : c == '/'  ? "\\/"
                         : c == '\b' ? "\\b"
                         : c == '\t' ? "\\t"
                         : c == '\n' ? "\\n"
                         : c == '\f' ? "\\f"
                         : c == '\r' ? "\\r"
                                     : nullptr;
    if (escape != nullptr) {
      out_.Append({escape, 2});
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      const char bytes[kLongest] = {'\\', 'u', '0', '0', kHexDigits[c >> 4], kHexDigits[c & 15]};
      out_.Append({bytes, kLongest});
    } else {
      *to = c;
      out_.Commit(1);
    }
  }
  out_.Append('"');
}

void Encoder::Number(int index) {
  const double value = lua_tonumber(lua_, index);
  if (!std::isfinite(value)) {
    if (config_.encode_invalid == JsonConfig::Invalid::kRefuse) Fail("must not be NaN or Inf");
    if (config_.encode_invalid == JsonConfig::Invalid::kNull) return out_.Append("null");
    if (std::isnan(value)) return out_.Append("nan");
  }
  constexpr size_t kRoom = 32;
  const int size = std::snprintf(out_.Reserve(kRoom), kRoom, "%.*g", config_.precision, value);
  out_.Commit(static_cast<size_t>(size));
}

int Encoder::ArraySize() {
  double highest = 0;
  double items = 0;
  lua_pushnil(lua_);
  while (lua_next(lua_, -2) != 0) {
    const double key = lua_type(lua_, -2) == LUA_TNUMBER ? lua_tonumber(lua_, -2) : 0;
    lua_pop(lua_, 1);
    if (key < 1 || std::floor(key) != key || key > INT32_MAX) {
      lua_pop(lua_, 1);
      return -1;
    }
    highest = std::fmax(highest, key);
    ++items;
  }
  if (config_.sparse_ratio > 0 && highest > items * config_.sparse_ratio &&
      highest > config_.sparse_safe) {
    if (!config_.sparse_convert) Fail("excessively sparse array");
    return -1;
  }
  return static_cast<int>(highest);
}

void Encoder::Array(int size, int depth) {
  out_.Append('[');
  for (int i = 1; i <= size; ++i) {
    if (i > 1) out_.Append(',');
    lua_rawgeti(lua_, -1, i);
    Value(depth);
    lua_pop(lua_, 1);
  }
  out_.Append(']');
}

void Encoder::Object(int depth) {
  out_.Append('{');
  bool first = true;
  lua_pushnil(lua_);
  while (lua_next(lua_, -2) != 0) {
    if (!first) out_.Append(',');
    first = false;
    const int key = lua_type(lua_, -2);
    if (key == LUA_TNUMBER) {
      out_.Append('"');
      Number(-2);
      out_.Append("\":");
    } else if (key == LUA_TSTRING) {
      String(-2);
      out_.Append(':');
    } else {
      lua_pushvalue(lua_, -2);
      Fail("table key must be a number or string");
    }
    Value(depth);
    lua_pop(lua_, 1);
  }
  out_.Append('}');
}

void Encoder::Table(int depth) {
  if (depth > config_.encode_max_depth || lua_checkstack(lua_, 4) == 0) {
    luaL_error(lua_, "Cannot serialise, excessive nesting (%d)", depth);
  }
  const int size = ArraySize();
  size > 0 ? Array(size, depth) : Object(depth);
}

void Encoder::Value(int depth) {
  switch (lua_type(lua_, -1)) {
    case LUA_TSTRING:
      return String(-1);
    case LUA_TNUMBER:
      return Number(-1);
    case LUA_TBOOLEAN:
      return out_.Append(lua_toboolean(lua_, -1) != 0 ? "true" : "false");
    case LUA_TTABLE:
      return Table(depth + 1);
    case LUA_TNIL:
      return out_.Append("null");
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(lua_, -1) == nullptr) return out_.Append("null");
      [[fallthrough]];
    default:
      Fail("type not supported");
  }
}

}  // namespace

int JsonEncode(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  Encoder encoder(lua);
  encoder.Value(0);
  encoder.Push();
  return 1;
}

}  // namespace spinel
