#include "server/lua/sandbox.h"

#include <cmath>
#include <cstring>

#include "server/lua/interpreter.h"
#include "server/lua/libraries.h"
#include "server/lua/memory.h"

namespace spinel {
namespace {

// Keys in the registry and in metatables: their addresses.
char mark;          // in the metatable of a read-only table
char globals_meta;  // the metatable of the table that scripts take for the global one
char closed_meta;   // what getmetatable answers for read-only tables

int RefuseWrite(lua_State* lua) { return luaL_error(lua, "Attempt to modify a readonly table"); }

int RefuseMissingName(lua_State* lua) {
  if (lua_type(lua, 2) != LUA_TSTRING && lua_type(lua, 2) != LUA_TNUMBER) {
    return luaL_error(lua, "Script attempted to access a nonexistent global variable");
  }
  return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'",
                    lua_tostring(lua, 2));
}

void CheckWritable(lua_State* lua, int index) {
  if (IsReadOnly(lua, index)) RefuseWrite(lua);
}

// The real table, if the argument stands for one, takes its place.
void Unwrap(lua_State* lua, int index) {
  if (!IsReadOnly(lua, index)) return;
  lua_getmetatable(lua, index);
  lua_pushliteral(lua, "__index");
  lua_rawget(lua, -2);
  lua_replace(lua, index);
  lua_pop(lua, 1);
}

// Functions of Lua's own that are called behind a check. Where they are is the same in all states.
struct Originals {
  lua_CFunction next, rawget, rawset, setmetatable, unpack;
  lua_CFunction insert, remove, sort;
  lua_CFunction find, match, gmatch, gsub, rep;
  lua_CFunction resume;
};
Originals originals;

int Next(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  Unwrap(lua, 1);
  return originals.next(lua);
}

int Pairs(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_pushvalue(lua, 1);
  lua_pushnil(lua);
  return 3;
}

int RawGet(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  Unwrap(lua, 1);
  return originals.rawget(lua);
}

template <lua_CFunction Originals::*kFunction>
int Writing(lua_State* lua) {
  CheckWritable(lua, 1);
  return (originals.*kFunction)(lua);
}

// Without the overflow of Lua 5.1's own.
int UnpackTable(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  constexpr double kMost = 8000;
  const double first = luaL_optnumber(lua, 2, 1);
  const double last =
      lua_isnoneornil(lua, 3) ? static_cast<double>(lua_objlen(lua, 1)) : luaL_checknumber(lua, 3);
  if (!(std::abs(first) < 0x1p31) || !(std::abs(last) < 0x1p31) || last - first >= kMost) {
    return luaL_error(lua, "too many results to unpack");
  }
  return originals.unpack(lua);
}

// Matching recurses for every repetition in a pattern.
template <lua_CFunction Originals::*kFunction>
int Matching(lua_State* lua) {
  constexpr size_t kMost = 8192;
  size_t size = 0;
  const char* pattern = lua_tolstring(lua, 2, &size);
  const bool plain = kFunction == &Originals::find && lua_toboolean(lua, 4) != 0;
  if (pattern != nullptr && size > kMost && !plain && std::strpbrk(pattern, "*+-?") != nullptr) {
    return luaL_error(lua, "pattern too complex");
  }
  return (originals.*kFunction)(lua);
}

int Repeat(lua_State* lua) {
  size_t size;
  luaL_checklstring(lua, 1, &size);
  const double times = luaL_checknumber(lua, 2);
  if (size == 0 || times < 1) {
    lua_pushliteral(lua, "");
    return 1;
  }
  if (times * static_cast<double>(size) >= static_cast<double>(Interpreter::kMemoryLimit)) {
    return luaL_error(lua, "not enough memory");
  }
  return originals.rep(lua);
}

// Values that Redis' pcall answers: of an error that is a table its `err`.
int ProtectedCall(lua_State* lua) {
  luaL_checkany(lua, 1);
  const int status = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
  if (status != 0) {
    Interpreter::Of(lua).RaiseIfStopping(lua);
    if (lua_istable(lua, -1)) {
      lua_pushliteral(lua, "err");
      lua_rawget(lua, -2);
      if (lua_isstring(lua, -1) != 0) {
        lua_replace(lua, -2);
      } else {
        lua_pop(lua, 1);
      }
    }
  }
  lua_pushboolean(lua, status == 0 ? 1 : 0);
  lua_insert(lua, 1);
  return lua_gettop(lua);
}

int ProtectedCallWithHandler(lua_State* lua) {
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  lua_insert(lua, 1);
  const int status = lua_pcall(lua, 0, LUA_MULTRET, 1);
  if (status != 0) Interpreter::Of(lua).RaiseIfStopping(lua);
  lua_pushboolean(lua, status == 0 ? 1 : 0);
  lua_replace(lua, 1);
  return lua_gettop(lua);
}

int Resume(lua_State* lua) {
  const int results = originals.resume(lua);
  Interpreter::Of(lua).RaiseIfStopping(lua);
  return results;
}

// The collector's pace is not the scripts' to set.
int CollectGarbage(lua_State* lua) {
  static const char* const kWords[] = {"collect", "count",    "step",       "stop",
                                       "restart", "setpause", "setstepmul", nullptr};
  switch (luaL_checkoption(lua, 1, "collect", kWords)) {
    case 0:
    case 2:
      lua_gc(lua, LUA_GCCOLLECT, 0);
      lua_pushnumber(lua, 0);
      return 1;
    case 1:
      lua_pushnumber(lua, lua_gc(lua, LUA_GCCOUNT, 0) + lua_gc(lua, LUA_GCCOUNTB, 0) / 1024.0);
      return 1;
    default:
      lua_pushnumber(lua, 0);
      return 1;
  }
}

int GarbageInfo(lua_State* lua) {
  lua_pushinteger(lua, lua_gc(lua, LUA_GCCOUNT, 0));
  return 1;
}

int ReplyToLoad(lua_State* lua, int status) {
  if (status == 0) return 1;
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

int LoadString(lua_State* lua) {
  size_t size;
  const char* code = luaL_checklstring(lua, 1, &size);
  const char* chunk = luaL_optstring(lua, 2, code);
  return ReplyToLoad(lua, LoadSource(lua, code, size, chunk));
}

int LoadPieces(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  const char* chunk = luaL_optstring(lua, 2, "=(load)");
  LuaBuffer code(lua);
  for (;;) {
    lua_pushvalue(lua, 1);
    lua_call(lua, 0, 1);
    if (lua_isnil(lua, -1)) break;
    size_t size;
    const char* piece = lua_tolstring(lua, -1, &size);
    if (piece == nullptr) return luaL_error(lua, "reader function must return a string");
    if (size == 0) break;
    code.Append({piece, size});
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
  return ReplyToLoad(lua, LoadSource(lua, code.view().data(), code.size(), chunk));
}

// -- Random numbers
// --------------------------------------------------------------------------------

int Random(lua_State* lua) {
  const double fraction = Interpreter::Of(lua).NextRandom();
  const int arguments = lua_gettop(lua);
  if (arguments > 2) return luaL_error(lua, "wrong number of arguments");
  if (arguments == 0) {
    lua_pushnumber(lua, fraction);
    return 1;
  }
  const double low = arguments == 2 ? luaL_checkint(lua, 1) : 1;
  const double high = luaL_checkint(lua, arguments);
  luaL_argcheck(lua, low <= high, arguments, "interval is empty");
  lua_pushnumber(lua, std::floor(fraction * (high - low + 1)) + low);
  return 1;
}

int RandomSeed(lua_State* lua) {
  Interpreter::Of(lua).SeedRandom(static_cast<uint64_t>(luaL_checkint(lua, 1)));
  return 0;
}

// -- Putting it together
// ---------------------------------------------------------------------------

void Open(lua_State* lua, lua_CFunction library, const char* name) {
  lua_pushcfunction(lua, library);
  lua_pushstring(lua, name);
  lua_call(lua, 1, 0);
}

lua_CFunction Function(lua_State* lua, const char* table, const char* name) {
  lua_getglobal(lua, table);
  lua_getfield(lua, -1, name);
  const lua_CFunction function = lua_tocfunction(lua, -1);
  lua_pop(lua, 2);
  return function;
}

void NoteOriginals(lua_State* lua) {
  [[maybe_unused]] static const bool kNoted = [lua] {
    Originals found{};
    found.next = Function(lua, "_G", "next");
    found.rawget = Function(lua, "_G", "rawget");
    found.rawset = Function(lua, "_G", "rawset");
    found.setmetatable = Function(lua, "_G", "setmetatable");
    found.unpack = Function(lua, "_G", "unpack");
    found.insert = Function(lua, "table", "insert");
    found.remove = Function(lua, "table", "remove");
    found.sort = Function(lua, "table", "sort");
    found.find = Function(lua, "string", "find");
    found.match = Function(lua, "string", "match");
    found.gmatch = Function(lua, "string", "gmatch");
    found.gsub = Function(lua, "string", "gsub");
    found.rep = Function(lua, "string", "rep");
    found.resume = Function(lua, "coroutine", "resume");
    originals = found;
    return true;
  }();
}

void SetFunction(lua_State* lua, const char* name, lua_CFunction function) {
  lua_pushcfunction(lua, function);
  lua_setfield(lua, -2, name);
}

// Changes of Lua's libraries, where they are.
void HardenLibraries(lua_State* lua) {
  lua_getglobal(lua, "table");
  SetFunction(lua, "insert", Writing<&Originals::insert>);
  SetFunction(lua, "remove", Writing<&Originals::remove>);
  SetFunction(lua, "sort", Writing<&Originals::sort>);
  lua_pop(lua, 1);
  lua_getglobal(lua, "string");
  SetFunction(lua, "find", Matching<&Originals::find>);
  SetFunction(lua, "match", Matching<&Originals::match>);
  SetFunction(lua, "gmatch", Matching<&Originals::gmatch>);
  SetFunction(lua, "gfind", Matching<&Originals::gmatch>);
  SetFunction(lua, "gsub", Matching<&Originals::gsub>);
  SetFunction(lua, "rep", Repeat);
  lua_pop(lua, 1);
  lua_getglobal(lua, "coroutine");
  SetFunction(lua, "resume", Resume);
  lua_pop(lua, 1);
  lua_getglobal(lua, "math");
  SetFunction(lua, "random", Random);
  SetFunction(lua, "randomseed", RandomSeed);
  lua_pop(lua, 1);
  lua_newtable(lua);
  lua_getglobal(lua, "os");
  lua_getfield(lua, -1, "clock");
  lua_setfield(lua, -3, "clock");
  lua_pop(lua, 1);
  lua_setglobal(lua, "os");
  // Strings lead to their library, not to a table that could be changed.
  lua_pushliteral(lua, "");
  lua_getmetatable(lua, -1);
  lua_pushlightuserdata(lua, &closed_meta);
  lua_rawget(lua, LUA_REGISTRYINDEX);
  lua_setfield(lua, -2, "__metatable");
  lua_pop(lua, 2);
}

// Fills the table on top of the stack with what scripts may use.
void FillGlobals(lua_State* lua) {
  for (const char* name : {"assert", "error", "getmetatable", "ipairs", "rawequal", "select",
                           "tonumber", "tostring", "type", "_VERSION"}) {
    lua_getglobal(lua, name);
    lua_setfield(lua, -2, name);
  }
  constexpr luaL_Reg kReplaced[] = {{"collectgarbage", CollectGarbage},
                                    {"gcinfo", GarbageInfo},
                                    {"load", LoadPieces},
                                    {"loadstring", LoadString},
                                    {"next", Next},
                                    {"pcall", ProtectedCall},
                                    {"rawget", RawGet},
                                    {"rawset", Writing<&Originals::rawset>},
                                    {"setmetatable", Writing<&Originals::setmetatable>},
                                    {"unpack", UnpackTable},
                                    {"xpcall", ProtectedCallWithHandler}};
  for (const luaL_Reg& function : kReplaced) SetFunction(lua, function.name, function.func);
  lua_pushcfunction(lua, Next);
  lua_pushcclosure(lua, Pairs, 1);
  lua_setfield(lua, -2, "pairs");
  for (const char* name : {"string", "table", "math", "coroutine", "os"}) {
    lua_getglobal(lua, name);
    MakeReadOnly(lua);
    lua_setfield(lua, -2, name);
  }
  constexpr struct {
    const char* name;
    void (*push)(lua_State* lua);
  } kLibraries[] = {{"bit", PushBitLibrary},
                    {"struct", PushStructLibrary},
                    {"cmsgpack", PushMsgPackLibrary},
                    {"cjson", PushJsonLibrary}};
  for (const auto& library : kLibraries) {
    library.push(lua);
    MakeReadOnly(lua);
    lua_setfield(lua, -2, library.name);
  }
}

}  // namespace

void OpenSandbox(lua_State* lua, void (*server_table)(lua_State* lua)) {
  Open(lua, luaopen_base, "");
  Open(lua, luaopen_table, LUA_TABLIBNAME);
  Open(lua, luaopen_string, LUA_STRLIBNAME);
  Open(lua, luaopen_math, LUA_MATHLIBNAME);
  Open(lua, luaopen_os, LUA_OSLIBNAME);
  NoteOriginals(lua);

  lua_pushlightuserdata(lua, &closed_meta);
  lua_newtable(lua);
  MakeReadOnly(lua);
  lua_rawset(lua, LUA_REGISTRYINDEX);
  HardenLibraries(lua);

  lua_newtable(lua);
  FillGlobals(lua);
  server_table(lua);
  MakeReadOnly(lua);
  lua_pushvalue(lua, -1);
  lua_setfield(lua, -3, "redis");
  lua_setfield(lua, -2, "server");
  RefuseMissing(lua);
  lua_pushvalue(lua, -1);
  MakeReadOnly(lua);
  // Stack: the globals, what stands for them.
  lua_pushvalue(lua, -1);
  lua_setfield(lua, -3, "_G");
  lua_pushlightuserdata(lua, &globals_meta);
  lua_getmetatable(lua, -2);
  lua_rawset(lua, LUA_REGISTRYINDEX);
  lua_replace(lua, LUA_GLOBALSINDEX);
  lua_pop(lua, 1);
}

void MakeReadOnly(lua_State* lua) {
  lua_newtable(lua);
  lua_createtable(lua, 0, 4);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, RefuseWrite);
  lua_setfield(lua, -2, "__newindex");
  lua_pushlightuserdata(lua, &closed_meta);
  lua_rawget(lua, LUA_REGISTRYINDEX);
  // The very first is that of all the others; its own is closed by a plain value.
  if (lua_isnil(lua, -1)) {
    lua_pop(lua, 1);
    lua_pushboolean(lua, 0);
  }
  lua_setfield(lua, -2, "__metatable");
  lua_pushlightuserdata(lua, &mark);
  lua_pushboolean(lua, 1);
  lua_rawset(lua, -3);
  lua_setmetatable(lua, -2);
  lua_remove(lua, -2);
}

bool IsReadOnly(lua_State* lua, int index) {
  if (lua_type(lua, index) != LUA_TTABLE || lua_getmetatable(lua, index) == 0) return false;
  lua_pushlightuserdata(lua, &mark);
  lua_rawget(lua, -2);
  const bool marked = lua_toboolean(lua, -1) != 0;
  lua_pop(lua, 2);
  return marked;
}

void RefuseMissing(lua_State* lua) {
  lua_newtable(lua);
  lua_pushcfunction(lua, RefuseMissingName);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
}

void PushGlobals(lua_State* lua) {
  lua_pushlightuserdata(lua, &globals_meta);
  lua_rawget(lua, LUA_REGISTRYINDEX);
  lua_pushliteral(lua, "__index");
  lua_rawget(lua, -2);
  lua_remove(lua, -2);
}

void SetGlobals(lua_State* lua) {
  lua_pushlightuserdata(lua, &globals_meta);
  lua_rawget(lua, LUA_REGISTRYINDEX);
  lua_insert(lua, -2);
  lua_pushliteral(lua, "__index");
  lua_insert(lua, -2);
  lua_rawset(lua, -3);
  lua_pop(lua, 1);
}

int LoadSource(lua_State* lua, const char* code, size_t size, const char* chunk) {
  if (size > 0 && code[0] == LUA_SIGNATURE[0]) {
    lua_pushliteral(lua, "attempt to load chunk with wrong mode");
    return LUA_ERRSYNTAX;
  }
  // The parser keeps no reference to the chunk's name while it allocates; this one keeps it alive.
  lua_pushstring(lua, chunk);
  const int status = luaL_loadbuffer(lua, code, size, lua_tostring(lua, -1));
  lua_remove(lua, -2);
  return status;
}

}  // namespace spinel
