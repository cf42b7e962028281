// Replies of commands as Lua values, straight from their bytes.

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "protocol/numbers.h"
#include "server/lua/script_api.h"

namespace spinel {
namespace {

class ReplyReader {
 public:
  ReplyReader(lua_State* lua, std::string_view resp)
      : lua_(lua), next_(resp.data()), end_(resp.data() + resp.size()) {}

  void Value();

 private:
  // Up to the end of the line, which is passed.
  std::string_view Line() {
    const char* begin = next_;
    while (next_ < end_ && *next_ != '\r') ++next_;
    const std::string_view line(begin, static_cast<size_t>(next_ - begin));
    next_ += 2;
    return line;
  }
  int64_t Integer() {
    int64_t value = 0;
    ParseInt64(Line(), &value);
    return value;
  }
  std::string_view Bytes(int64_t size) {
    const std::string_view bytes(next_, static_cast<size_t>(size));
    next_ += size + 2;
    return bytes;
  }
  void Push(std::string_view text) { lua_pushlstring(lua_, text.data(), text.size()); }
  void Field(const char* name, std::string_view text) {
    lua_createtable(lua_, 0, 1);
    Push(text);
    lua_setfield(lua_, -2, name);
  }
  void Bulk();
  void Error(std::string_view text);
  void Double();
  void Verbatim();
  void Array(int64_t size);
  void Map(int64_t size);
  void Set(int64_t size);
  void Skip(int64_t values);

  lua_State* const lua_;
  const char* next_;
  const char* const end_;
};

void ReplyReader::Bulk() {
  const int64_t size = Integer();
  if (size < 0) return lua_pushboolean(lua_, 0);
  Push(Bytes(size));
}

// The command has counted it already: whoever passes it on does not count it again.
void ReplyReader::Error(std::string_view text) {
  lua_createtable(lua_, 0, 2);
  Push(text);
  lua_setfield(lua_, -2, "err");
  lua_pushboolean(lua_, 1);
  lua_setfield(lua_, -2, "ignore_error_stats_update");
}

void ReplyReader::Double() {
  const std::string text(Line());
  lua_createtable(lua_, 0, 1);
  lua_pushnumber(lua_, std::strtod(text.c_str(), nullptr));
  lua_setfield(lua_, -2, "double");
}

void ReplyReader::Verbatim() {
  constexpr size_t kFormat = 3;
  const std::string_view text = Bytes(Integer());
  lua_createtable(lua_, 0, 1);
  lua_createtable(lua_, 0, 2);
  Push(text.substr(0, kFormat));
  lua_setfield(lua_, -2, "format");
  Push(text.substr(kFormat + 1));
  lua_setfield(lua_, -2, "string");
  lua_setfield(lua_, -2, "verbatim_string");
}

void ReplyReader::Array(int64_t size) {
  if (size < 0) return lua_pushboolean(lua_, 0);
  lua_createtable(lua_, static_cast<int>(size), 0);
  for (int64_t i = 1; i <= size; ++i) {
    Value();
    lua_rawseti(lua_, -2, static_cast<int>(i));
  }
}

void ReplyReader::Map(int64_t size) {
  lua_createtable(lua_, 0, 1);
  lua_createtable(lua_, 0, static_cast<int>(size));
  for (int64_t i = 0; i < size; ++i) {
    Value();
    Value();
    if (lua_isnil(lua_, -2)) {
      lua_pop(lua_, 2);
    } else {
      lua_rawset(lua_, -3);
    }
  }
  lua_setfield(lua_, -2, "map");
}

void ReplyReader::Set(int64_t size) {
  lua_createtable(lua_, 0, 1);
  lua_createtable(lua_, 0, static_cast<int>(size));
  for (int64_t i = 0; i < size; ++i) {
    Value();
    if (lua_isnil(lua_, -1)) {
      lua_pop(lua_, 1);
      continue;
    }
    lua_pushboolean(lua_, 1);
    lua_rawset(lua_, -3);
  }
  lua_setfield(lua_, -2, "set");
}

void ReplyReader::Skip(int64_t values) {
  for (int64_t i = 0; i < values; ++i) {
    Value();
    lua_pop(lua_, 1);
  }
}

void ReplyReader::Value() {
  luaL_checkstack(lua_, 5, "a reply is nested too deeply");
  switch (*next_++) {
    case '$':
      return Bulk();
    case ':':
      return lua_pushnumber(lua_, static_cast<double>(Integer()));
    case '+':
      return Field("ok", Line());
    case '-':
      return Error(Line());
    case '_':
      Line();
      return lua_pushnil(lua_);
    case '#':
      return lua_pushboolean(lua_, Line() == "t" ? 1 : 0);
    case ',':
      return Double();
    case '(':
      return Field("big_number", Line());
    case '=':
      return Verbatim();
    case '%':
      return Map(Integer());
    case '~':
      return Set(Integer());
    case '|':
      Skip(Integer() * 2);
      return Value();
    default:  // '*' and '>'
      return Array(Integer());
  }
}

}  // namespace

bool PushReply(lua_State* lua, std::string_view resp) {
  ReplyReader(lua, resp).Value();
  return resp[0] == '-';
}

}  // namespace spinel
