// The libraries that scripts see beside Lua's own: bit, struct, cmsgpack, cjson; and what replaces
// unsafe functions of Lua's own. Written from their documentation: behaviour, names and error texts
// are those that scripts know.
//
// Each function leaves its library's table on top of the stack. Threads: the state's.
#pragma once

#include "server/lua/lua.h"

namespace spinel {

void PushBitLibrary(lua_State* lua);
void PushStructLibrary(lua_State* lua);
void PushMsgPackLibrary(lua_State* lua);
void PushJsonLibrary(lua_State* lua);

// The text of a number as scripts and commands see it: integers without a fraction. At most
// kMaxDoubleChars bytes.
size_t FormatLuaNumber(double value, char* to);

}  // namespace spinel
