// cjson: the library's table and its settings (after Mark Pulford's lua-cjson 2.1).

#include "server/lua/cjson.h"

#include <climits>
#include <cstdio>
#include <new>

#include "server/lua/libraries.h"

namespace spinel {
namespace {

void CheckArguments(lua_State* lua, int most) {
  luaL_argcheck(lua, lua_gettop(lua) <= most, most + 1, "found too many arguments");
  lua_settop(lua, most);
}

int IntegerSetting(lua_State* lua, int index, int* setting, int low, int high) {
  if (!lua_isnil(lua, index)) {
    const int value = static_cast<int>(luaL_checkinteger(lua, index));
    char text[64];
    std::snprintf(text, sizeof(text), "expected integer between %d and %d", low, high);
    luaL_argcheck(lua, low <= value && value <= high, 1, text);
    *setting = value;
  }
  lua_pushinteger(lua, *setting);
  return 1;
}

int BoolSetting(lua_State* lua, int index, bool* setting) {
  static const char* const kWords[] = {"off", "on", nullptr};
  if (lua_isboolean(lua, index)) {
    *setting = lua_toboolean(lua, index) != 0;
  } else if (!lua_isnil(lua, index)) {
    *setting = luaL_checkoption(lua, index, nullptr, kWords) == 1;
  }
  lua_pushboolean(lua, *setting ? 1 : 0);
  return 1;
}

int SparseArray(lua_State* lua) {
  CheckArguments(lua, 3);
  JsonConfig& config = ConfigOf(lua);
  BoolSetting(lua, 1, &config.sparse_convert);
  IntegerSetting(lua, 2, &config.sparse_ratio, 0, INT_MAX);
  IntegerSetting(lua, 3, &config.sparse_safe, 0, INT_MAX);
  return 3;
}

// Deeper nesting than this is no use to anybody and would take a great deal of stack.
constexpr int kDepthLimit = 5000;

int EncodeMaxDepth(lua_State* lua) {
  CheckArguments(lua, 1);
  return IntegerSetting(lua, 1, &ConfigOf(lua).encode_max_depth, 1, kDepthLimit);
}

int DecodeMaxDepth(lua_State* lua) {
  CheckArguments(lua, 1);
  return IntegerSetting(lua, 1, &ConfigOf(lua).decode_max_depth, 1, kDepthLimit);
}

int NumberPrecision(lua_State* lua) {
  CheckArguments(lua, 1);
  return IntegerSetting(lua, 1, &ConfigOf(lua).precision, 1, 14);
}

int KeepBuffer(lua_State* lua) {
  CheckArguments(lua, 1);
  return BoolSetting(lua, 1, &ConfigOf(lua).keep_buffer);
}

int EncodeInvalidNumbers(lua_State* lua) {
  static const char* const kWords[] = {"off", "on", "null", nullptr};
  CheckArguments(lua, 1);
  JsonConfig::Invalid& setting = ConfigOf(lua).encode_invalid;
  if (lua_isboolean(lua, 1)) {
    setting =
        lua_toboolean(lua, 1) != 0 ? JsonConfig::Invalid::kAccept : JsonConfig::Invalid::kRefuse;
  } else if (!lua_isnil(lua, 1)) {
    setting = static_cast<JsonConfig::Invalid>(luaL_checkoption(lua, 1, nullptr, kWords));
  }
  if (setting == JsonConfig::Invalid::kNull) {
    lua_pushliteral(lua, "null");
  } else {
    lua_pushboolean(lua, setting == JsonConfig::Invalid::kAccept ? 1 : 0);
  }
  return 1;
}

int DecodeInvalidNumbers(lua_State* lua) {
  CheckArguments(lua, 1);
  return BoolSetting(lua, 1, &ConfigOf(lua).decode_invalid);
}

int New(lua_State* lua);

constexpr luaL_Reg kJsonFunctions[] = {{"encode", JsonEncode},
                                       {"decode", JsonDecode},
                                       {"encode_sparse_array", SparseArray},
                                       {"encode_max_depth", EncodeMaxDepth},
                                       {"decode_max_depth", DecodeMaxDepth},
                                       {"encode_number_precision", NumberPrecision},
                                       {"encode_keep_buffer", KeepBuffer},
                                       {"encode_invalid_numbers", EncodeInvalidNumbers},
                                       {"decode_invalid_numbers", DecodeInvalidNumbers},
                                       {"new", New}};

// Leaves the table on the stack; its functions have the settings as an upvalue.
void PushLibrary(lua_State* lua) {
  new (lua_newuserdata(lua, sizeof(JsonConfig))) JsonConfig;
  lua_newtable(lua);
  for (const luaL_Reg& function : kJsonFunctions) {
    lua_pushvalue(lua, -2);
    lua_pushcclosure(lua, function.func, 1);
    lua_setfield(lua, -2, function.name);
  }
  lua_pushlightuserdata(lua, nullptr);
  lua_setfield(lua, -2, "null");
  lua_pushliteral(lua, "cjson");
  lua_setfield(lua, -2, "_NAME");
  lua_pushliteral(lua, "2.1.0");
  lua_setfield(lua, -2, "_VERSION");
  lua_remove(lua, -2);
}

int New(lua_State* lua) {
  PushLibrary(lua);
  return 1;
}

}  // namespace

void PushJsonLibrary(lua_State* lua) { PushLibrary(lua); }

}  // namespace spinel
