// What scripts find in their Lua state: Lua's safe functions, the libraries, `redis` and `server`;
// all of it read-only, and nothing that reaches the process.
//
// Debian's Lua knows no read-only tables, so scripts see empty ones that stand for the real ones
// (`__index`) and refuse to be written (`__newindex`); the functions that would pass by metatables
// (rawset, next, table.insert ...) know them. Threads: the state's.
#pragma once

#include "server/lua/lua.h"

namespace spinel {

// Opens all libraries and replaces the global table. `server_table` pushes the table that scripts
// see as `redis` and `server`. Leaves the stack as it was.
void OpenSandbox(lua_State* lua, void (*server_table)(lua_State* lua));

// Replaces the table on top of the stack by a read-only one that stands for it.
void MakeReadOnly(lua_State* lua);
bool IsReadOnly(lua_State* lua, int index);
// Gives the table on top of the stack a metatable that makes reading what it lacks an error.
void RefuseMissing(lua_State* lua);

// Pushes the table that holds the globals (KEYS and ARGV are put there), and exchanges it for the
// table on top of the stack.
void PushGlobals(lua_State* lua);
void SetGlobals(lua_State* lua);

// Reads Lua source, never compiled code. 0, with the function on the stack, or an error code with
// its text there.
int LoadSource(lua_State* lua, const char* code, size_t size, const char* chunk);

}  // namespace spinel
