// Lua values as replies.

#include <algorithm>
#include <string>

#include "server/lua/script_api.h"

namespace spinel {
namespace {

// A table that holds another twice, that one a third twice and so on is small, its reply is not.
constexpr size_t kMaxReplyBytes = size_t{512} << 20;

class ValueWriter {
 public:
  ValueWriter(lua_State* lua, bool script_resp3, ReplyWriter* reply)
      : lua_(lua), script_resp3_(script_resp3), reply_(*reply), begin_(reply->out()->size()) {}

  // Takes the value from the top of the stack.
  void Value();

 private:
  std::string_view Text(int index) {
    size_t size;
    const char* text = lua_tolstring(lua_, index, &size);
    return {text, size};
  }
  // One line: no line ends.
  std::string Line(int index) {
    std::string text(Text(index));
    std::replace(text.begin(), text.end(), '\r', ' ');
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  }
  // Pushes a field of the table on top; false: it is of another type, and not pushed.
  bool Field(std::string_view name, int type) {
    lua_pushlstring(lua_, name.data(), name.size());
    lua_rawget(lua_, -2);
    if (lua_type(lua_, -1) == type) return true;
    lua_pop(lua_, 1);
    return false;
  }
  void Table();
  bool Special();
  void Error();
  bool Verbatim();
  void Map();
  void Set();
  void Array();

  lua_State* const lua_;
  const bool script_resp3_;
  ReplyWriter& reply_;
  const size_t begin_;
};

void ValueWriter::Value() {
  if (lua_checkstack(lua_, 4) == 0) {
    lua_pop(lua_, 1);
    return reply_.Error("ERR reached lua stack limit");
  }
  if (reply_.out()->size() - begin_ > kMaxReplyBytes) luaL_error(lua_, "the reply is too large");
  switch (lua_type(lua_, -1)) {
    case LUA_TSTRING:
      reply_.Bulk(Text(-1));
      break;
    case LUA_TNUMBER: {
      const double value = lua_tonumber(lua_, -1);
      const bool fits = value >= -0x1p63 && value < 0x1p63;
      reply_.Integer(fits ? static_cast<int64_t>(value) : INT64_MIN);
      break;
    }
    case LUA_TBOOLEAN:
      if (script_resp3_) {
        reply_.Bool(lua_toboolean(lua_, -1) != 0);
      } else if (lua_toboolean(lua_, -1) != 0) {
        reply_.Integer(1);
      } else {
        reply_.Null();
      }
      break;
    case LUA_TTABLE:
      Table();
      break;
    default:
      reply_.Null();
  }
  lua_pop(lua_, 1);
}

void ValueWriter::Table() {
  if (!Special()) Array();
}

// Tables with one of these fields say what they are.
bool ValueWriter::Special() {
  if (Field("err", LUA_TSTRING)) {
    Error();
  } else if (Field("ok", LUA_TSTRING)) {
    reply_.Simple(Line(-1));
  } else if (Field("double", LUA_TNUMBER)) {
    reply_.Double(lua_tonumber(lua_, -1));
  } else if (Field("big_number", LUA_TSTRING)) {
    reply_.BigNumber(Line(-1));
  } else if (Verbatim()) {
    return true;
  } else if (Field("map", LUA_TTABLE)) {
    Map();
  } else if (Field("set", LUA_TTABLE)) {
    Set();
  } else {
    return false;
  }
  lua_pop(lua_, 1);
  return true;
}

void ValueWriter::Error() {
  const std::string text(Text(-1));
  lua_pop(lua_, 1);
  const bool known = Field("ignore_error_stats_update", LUA_TBOOLEAN);
  known ? reply_.KnownError(text) : reply_.Error(text);
  if (!known) lua_pushnil(lua_);  // the caller takes one
}

bool ValueWriter::Verbatim() {
  if (!Field("verbatim_string", LUA_TTABLE)) return false;
  bool written = false;
  if (Field("format", LUA_TSTRING)) {
    const std::string format = (Line(-1) + "   ").substr(0, 3);
    lua_pop(lua_, 1);
    if (Field("string", LUA_TSTRING)) {
      reply_.Verbatim(format, Text(-1));
      lua_pop(lua_, 1);
      written = true;
    }
  }
  lua_pop(lua_, 1);
  return written;
}

void ValueWriter::Map() {
  const auto begin = reply_.Begin();
  int64_t size = 0;
  lua_pushnil(lua_);
  while (lua_next(lua_, -2) != 0) {
    lua_pushvalue(lua_, -2);
    Value();
    Value();
    ++size;
  }
  reply_.EndMap(begin, size);
}

void ValueWriter::Set() {
  const auto begin = reply_.Begin();
  int64_t size = 0;
  lua_pushnil(lua_);
  while (lua_next(lua_, -2) != 0) {
    lua_pop(lua_, 1);
    lua_pushvalue(lua_, -1);
    Value();
    ++size;
  }
  reply_.EndSet(begin, size);
}

// Up to the first nil.
void ValueWriter::Array() {
  const auto begin = reply_.Begin();
  int64_t size = 0;
  for (int i = 1;; ++i) {
    lua_rawgeti(lua_, -1, i);
    if (lua_isnil(lua_, -1)) break;
    Value();
    ++size;
  }
  lua_pop(lua_, 1);
  reply_.EndArray(begin, size);
}

}  // namespace

void WriteLuaValue(lua_State* lua, bool script_resp3, ReplyWriter* reply) {
  ValueWriter(lua, script_resp3, reply).Value();
}

void WriteLuaError(lua_State* lua, std::string_view script, ReplyWriter* reply) {
  if (!lua_istable(lua, -1)) {
    const char* text = lua_tostring(lua, -1);
    std::string message = "ERR Error running script ";
    message.append(script).append(", ").append(text == nullptr ? "execution failure" : text);
    return reply->Error(message);
  }
  const auto field = [lua](const char* name) {
    lua_pushstring(lua, name);
    lua_rawget(lua, -2);
    const char* text = lua_tostring(lua, -1);
    std::string found = text == nullptr ? "" : text;
    lua_pop(lua, 1);
    return found;
  };
  std::string message = field("err");
  const std::string source = field("source");
  const std::string line = field("line");
  if (!line.empty() && !source.empty()) {
    message.append(" script: ").append(script).append(", on ").append(source);
    message.append(":").append(line).append(".");
  }
  lua_pushliteral(lua, "ignore_error_stats_update");
  lua_rawget(lua, -2);
  lua_toboolean(lua, -1) != 0 ? reply->KnownError(message) : reply->Error(message);
  lua_pop(lua, 2);
}

}  // namespace spinel
