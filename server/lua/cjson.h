// What the two halves of cjson share: its settings, which scripts may change. They last as long as
// the Lua state.
//
// Owner: the library's functions, as an upvalue.
#pragma once

#include "server/lua/lua.h"

namespace spinel {

struct JsonConfig {
  // Tables with holes: written as objects, or refused, if the highest index is above `sparse_safe`
  // and `sparse_ratio` times the number of elements.
  bool sparse_convert = false;
  int sparse_ratio = 2;
  int sparse_safe = 10;
  int encode_max_depth = 1000;
  int decode_max_depth = 1000;
  // NaN and infinities.
  enum class Invalid { kRefuse, kAccept, kNull };
  Invalid encode_invalid = Invalid::kRefuse;
  bool decode_invalid = true;
  int precision = 14;
  bool keep_buffer = true;  // answered only: there is no buffer to keep
};

// The first upvalue of each of the library's functions.
inline JsonConfig& ConfigOf(lua_State* lua) {
  return *static_cast<JsonConfig*>(lua_touserdata(lua, lua_upvalueindex(1)));
}

int JsonEncode(lua_State* lua);
int JsonDecode(lua_State* lua);

}  // namespace spinel
