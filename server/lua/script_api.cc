#include "server/lua/script_api.h"

#include <fmt/format.h>

#include <cmath>

#include "protocol/ascii.h"
#include "protocol/numbers.h"
#include "server/log.h"
#include "server/lua/interpreter.h"
#include "server/lua/libraries.h"
#include "server/lua/sandbox.h"
#include "server/script_run.h"
#include "server/sha1.h"
#include "server/version.h"

namespace spinel {
namespace {

ScriptRun& RunOf(lua_State* lua) {
  ScriptRun* run = Interpreter::Of(lua).run();
  if (run == nullptr) RaiseError(lua, "This function is available to running scripts only");
  return *run;
}

int Call(lua_State* lua) { return RunOf(lua).Call(lua, /*raise=*/true); }
int CallProtected(lua_State* lua) { return RunOf(lua).Call(lua, /*raise=*/false); }

int Sha1Hex(lua_State* lua) {
  if (lua_gettop(lua) != 1) RaiseError(lua, "wrong number of arguments");
  size_t size;
  const char* text = lua_tolstring(lua, 1, &size);
  const std::string hex =
      spinel::Sha1Hex(std::string_view{text == nullptr ? "" : text, text == nullptr ? 0 : size});
  lua_pushlstring(lua, hex.data(), hex.size());
  return 1;
}

bool OneString(lua_State* lua) {
  if (lua_gettop(lua) == 1 && lua_type(lua, 1) == LUA_TSTRING) return true;
  PushError(lua, "wrong number or type of arguments");
  return false;
}

int ErrorReply(lua_State* lua) {
  if (!OneString(lua)) return 1;
  const std::string_view text = lua_tostring(lua, 1);
  PushError(lua, text.starts_with('-') ? std::string(text) : fmt::format("-{}", text));
  return 1;
}

int StatusReply(lua_State* lua) {
  if (!OneString(lua)) return 1;
  lua_createtable(lua, 0, 1);
  lua_pushvalue(lua, 1);
  lua_setfield(lua, -2, "ok");
  return 1;
}

int SetResp(lua_State* lua) {
  ScriptRun& run = RunOf(lua);
  if (lua_gettop(lua) != 1) RaiseError(lua, "server.setresp() requires one argument.");
  const double version = lua_tonumber(lua, 1);
  if (version != 2 && version != 3) RaiseError(lua, "RESP version must be 2 or 3.");
  run.set_resp(version == 3 ? RespVersion::kResp3 : RespVersion::kResp2);
  return 0;
}

// Nothing is replicated: only what makes no sense is refused.
int SetRepl(lua_State* lua) {
  RunOf(lua);
  if (lua_gettop(lua) != 1) RaiseError(lua, "server.set_repl() requires one argument.");
  const double flags = lua_tonumber(lua, 1);
  if (flags != 0 && flags != 1 && flags != 2 && flags != 3) {
    RaiseError(lua,
               "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
  }
  return 0;
}

int AclCheckCommand(lua_State* lua) {
  bool allowed = false;
  if (!RunOf(lua).KnowsCommand(lua, &allowed)) {
    RaiseError(lua, "Invalid command passed to server.acl_check_cmd()");
  }
  lua_pushboolean(lua, allowed ? 1 : 0);
  return 1;
}

int WriteToLog(lua_State* lua) {
  const int arguments = lua_gettop(lua);
  if (arguments < 2) RaiseError(lua, "server.log() requires two arguments or more.");
  if (lua_isnumber(lua, 1) == 0) {
    RaiseError(lua, "First argument must be a number (log level).");
  }
  const double level = lua_tonumber(lua, 1);
  if (level < 0 || level > 3) RaiseError(lua, "Invalid log level.");
  const auto log_level = static_cast<LogLevel>(static_cast<int>(level));
  if (!LogEnabled(log_level)) return 0;
  std::string message;
  for (int i = 2; i <= arguments; ++i) {
    size_t size;
    const char* text = lua_tolstring(lua, i, &size);
    if (text == nullptr) continue;
    if (i > 2) message += ' ';
    message.append(text, size);
  }
  WriteLog(log_level, message);
  return 0;
}

// There is no debugger.
int Breakpoint(lua_State* lua) {
  lua_pushboolean(lua, 0);
  return 1;
}
int Debug(lua_State*) { return 0; }
int ReplicateCommands(lua_State* lua) {
  lua_pushboolean(lua, 1);
  return 1;
}

// -- register_function
// ------------------------------------------------------------------------------

uint32_t ReadFlags(lua_State* lua) {
  uint32_t flags = 0;
  for (int i = 1;; ++i) {
    lua_rawgeti(lua, -1, i);
    if (lua_isnil(lua, -1)) break;
    const uint32_t flag = lua_isstring(lua, -1) != 0 ? ScriptFlagOf(lua_tostring(lua, -1)) : 0;
    if (flag == 0) RaiseError(lua, "unknown flag given");
    flags |= flag;
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
  return flags;
}

std::string TextAt(lua_State* lua, int index) {
  size_t size;
  const char* text = lua_tolstring(lua, index, &size);
  return {text, size};
}

// Reads one pair of the table of named arguments, on top of the stack; leaves the callback at index
// 2.
void ReadNamed(lua_State* lua, ScriptFunction* function, bool* named) {
  if (lua_type(lua, -2) != LUA_TSTRING) {
    RaiseError(lua, "named argument key given to server.register_function is not a string");
  }
  const std::string_view key = lua_tostring(lua, -2);
  if (EqualsIgnoreCase(key, "function_name")) {
    if (lua_type(lua, -1) != LUA_TSTRING) {
      RaiseError(lua, "function_name argument given to server.register_function must be a string");
    }
    function->name = TextAt(lua, -1);
    *named = true;
  } else if (EqualsIgnoreCase(key, "description")) {
    if (lua_type(lua, -1) != LUA_TSTRING) {
      RaiseError(lua, "description argument given to server.register_function must be a string");
    }
    function->description = TextAt(lua, -1);
    function->has_description = true;
  } else if (EqualsIgnoreCase(key, "callback")) {
    if (!lua_isfunction(lua, -1)) {
      RaiseError(lua, "callback argument given to server.register_function must be a function");
    }
    lua_pushvalue(lua, -1);
    lua_replace(lua, 2);
  } else if (EqualsIgnoreCase(key, "flags")) {
    if (!lua_istable(lua, -1)) {
      RaiseError(lua,
                 "flags argument to server.register_function must be a table representing function "
                 "flags");
    }
    function->flags = ReadFlags(lua);
  } else {
    RaiseError(lua, "unknown argument given to server.register_function");
  }
}

void ReadNamedArguments(lua_State* lua, ScriptFunction* function) {
  if (!lua_istable(lua, 1)) {
    RaiseError(lua,
               "calling server.register_function with a single argument is only applicable to Lua "
               "table (representing named arguments).");
  }
  lua_pushnil(lua);  // where the callback comes
  bool named = false;
  lua_pushnil(lua);
  while (lua_next(lua, 1) != 0) {
    ReadNamed(lua, function, &named);
    lua_pop(lua, 1);
  }
  if (!named) RaiseError(lua, "server.register_function must get a function name argument");
  if (lua_isnil(lua, 2)) {
    RaiseError(lua, "server.register_function must get a callback argument");
  }
}

int RegisterFunction(lua_State* lua) {
  LibraryLoad* load = Interpreter::Of(lua).load();
  if (load == nullptr) {
    RaiseError(lua, "server.register_function can only be called on FUNCTION LOAD command");
  }
  const int arguments = lua_gettop(lua);
  auto function = std::make_shared<ScriptFunction>();
  if (arguments == 1) {
    ReadNamedArguments(lua, function.get());
  } else if (arguments == 2) {
    if (lua_type(lua, 1) != LUA_TSTRING) {
      RaiseError(lua, "first argument to server.register_function must be a string");
    }
    if (!lua_isfunction(lua, 2)) {
      RaiseError(lua, "second argument to server.register_function must be a function");
    }
    function->name = TextAt(lua, 1);
  } else {
    RaiseError(lua, "wrong number of arguments to server.register_function");
  }
  lua_settop(lua, 2);
  const int reference = luaL_ref(lua, LUA_REGISTRYINDEX);
  const std::string error = load->Register(std::move(function), reference);
  if (!error.empty()) {
    luaL_unref(lua, LUA_REGISTRYINDEX, reference);
    RaiseError(lua, error);
  }
  return 0;
}

// -- Tables
// ----------------------------------------------------------------------------------------

void Set(lua_State* lua, const char* name, double value) {
  lua_pushnumber(lua, value);
  lua_setfield(lua, -2, name);
}
void Set(lua_State* lua, const char* name, std::string_view value) {
  lua_pushlstring(lua, value.data(), value.size());
  lua_setfield(lua, -2, name);
}

// "7.2.4" as 0x00070204.
double VersionNumber(std::string_view version) {
  uint32_t number = 0;
  uint32_t part = 0;
  for (const char c : version) {
    if (c == '.') {
      number = number << 8 | part;
      part = 0;
    } else {
      part = part * 10 + static_cast<uint32_t>(c - '0');
    }
  }
  return number << 8 | part;
}

void SetLogAndVersions(lua_State* lua) {
  lua_pushcfunction(lua, WriteToLog);
  lua_setfield(lua, -2, "log");
  Set(lua, "LOG_DEBUG", 0);
  Set(lua, "LOG_VERBOSE", 1);
  Set(lua, "LOG_NOTICE", 2);
  Set(lua, "LOG_WARNING", 3);
  Set(lua, "REDIS_VERSION", kRedisVersion);
  Set(lua, "REDIS_VERSION_NUM", VersionNumber(kRedisVersion));
  Set(lua, "SERVER_NAME", "spinel");
  Set(lua, "SERVER_VERSION", kSpinelVersion);
  Set(lua, "SERVER_VERSION_NUM", VersionNumber(kSpinelVersion));
}

}  // namespace

void PushFunctionTable(lua_State* lua) {
  constexpr luaL_Reg kFunctions[] = {{"call", Call},
                                     {"pcall", CallProtected},
                                     {"sha1hex", Sha1Hex},
                                     {"setresp", SetResp},
                                     {"set_repl", SetRepl},
                                     {"acl_check_cmd", AclCheckCommand},
                                     {"error_reply", ErrorReply},
                                     {"status_reply", StatusReply},
                                     {nullptr, nullptr}};
  lua_newtable(lua);
  luaL_register(lua, nullptr, kFunctions);
  Set(lua, "REPL_NONE", 0);
  Set(lua, "REPL_AOF", 1);
  Set(lua, "REPL_SLAVE", 2);
  Set(lua, "REPL_REPLICA", 2);
  Set(lua, "REPL_ALL", 3);
  SetLogAndVersions(lua);
}

void PushEvalTable(lua_State* lua) {
  constexpr luaL_Reg kMore[] = {{"breakpoint", Breakpoint},
                                {"debug", Debug},
                                {"replicate_commands", ReplicateCommands},
                                {nullptr, nullptr}};
  PushFunctionTable(lua);
  luaL_register(lua, nullptr, kMore);
}

void PushLibraryGlobals(lua_State* lua) {
  lua_newtable(lua);
  lua_newtable(lua);
  lua_pushcfunction(lua, RegisterFunction);
  lua_setfield(lua, -2, "register_function");
  SetLogAndVersions(lua);
  RefuseMissing(lua);
  MakeReadOnly(lua);
  lua_pushvalue(lua, -1);
  lua_setfield(lua, -3, "redis");
  lua_setfield(lua, -2, "server");
  RefuseMissing(lua);
}

void PushError(lua_State* lua, std::string_view text) {
  std::string_view code = "ERR";
  if (text.starts_with('-')) {
    text.remove_prefix(1);
    const size_t space = text.find(' ');
    if (space != std::string_view::npos) {
      code = text.substr(0, space);
      text.remove_prefix(space + 1);
    }
  }
  while (!text.empty() && (text.front() == '\r' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  const std::string whole = fmt::format("{} {}", code, text);
  lua_createtable(lua, 0, 1);
  lua_pushlstring(lua, whole.data(), whole.size());
  lua_setfield(lua, -2, "err");
}

void RaiseError(lua_State* lua, std::string_view text) {
  PushError(lua, text);
  lua_error(lua);
  std::abort();  // lua_error does not return
}

size_t FormatLuaNumber(double value, char* to) {
  if (value == std::floor(value) && std::abs(value) < 0x1p62) {
    return static_cast<size_t>(WriteInt64(to, static_cast<int64_t>(value)) - to);
  }
  return FormatDouble(value, to);
}

// -- Loading libraries
// -----------------------------------------------------------------------------

LibraryLoad::LibraryLoad(int64_t timeout_ms)
    : deadline_ms_(timeout_ms == 0 ? INT64_MAX : SteadyMilliseconds() + timeout_ms) {}

bool LibraryLoad::GoOn() const { return SteadyMilliseconds() <= deadline_ms_; }

std::string LibraryLoad::Register(std::shared_ptr<const ScriptFunction> function, int reference) {
  if (!IsLibraryName(function->name)) return std::string(kBadLibraryName);
  for (const Registered& known : functions_) {
    if (known.function->name == function->name) return "Function already exists in the library";
  }
  functions_.push_back({std::move(function), reference});
  return {};
}

}  // namespace spinel
