#include "server/lua/interpreter.h"

#include <algorithm>
#include <bit>
#include <new>

#include "server/lua/cjson.h"
#include "server/lua/sandbox.h"
#include "server/lua/script_api.h"
#include "server/script_run.h"
#include "storage/random.h"

namespace spinel {
namespace {

// So many instructions pass between two looks at the clock.
constexpr int kHookInstructions = 100'000;
// Garbage is collected at once when this much has come on top of what is there at rest.
constexpr size_t kGarbageBytes = 4 << 20;
// It is collected in passing from this much on: a collection goes over all that the sandbox is made
// of, which would cost more than a short script if it came as often as Lua would have it.
constexpr size_t kRareGarbageBytes = 512 << 10;

// Makes an error a table with what is known of where it happened. The error may come from a
// function of C: then the place is its caller's.
int HandleError(lua_State* lua) {
  if (!lua_istable(lua, 1) || IsReadOnly(lua, 1)) {
    const char* text = lua_tostring(lua, 1);
    lua_newtable(lua);
    lua_pushfstring(lua, "ERR %s", text == nullptr ? lua_typename(lua, lua_type(lua, 1)) : text);
    lua_setfield(lua, -2, "err");
    lua_replace(lua, 1);
  }
  lua_settop(lua, 1);
  lua_Debug where;
  for (int level = 1; level <= 2 && lua_getstack(lua, level, &where) != 0; ++level) {
    lua_getinfo(lua, "Sl", &where);
    if (*where.what == 'C' && level == 1) continue;
    lua_pushliteral(lua, "source");
    lua_pushstring(lua, where.source);
    lua_rawset(lua, 1);
    lua_pushliteral(lua, "line");
    lua_pushinteger(lua, where.currentline);
    lua_rawset(lua, 1);
    break;
  }
  return 1;
}

void PushStrings(lua_State* lua, std::span<const std::string_view> strings) {
  lua_createtable(lua, static_cast<int>(strings.size()), 0);
  int index = 0;
  for (const std::string_view text : strings) {
    lua_pushlstring(lua, text.data(), text.size());
    lua_rawseti(lua, -2, ++index);
  }
}

int RunBody(lua_State* lua) {
  (*static_cast<absl::FunctionRef<void()>*>(lua_touserdata(lua, 1)))();
  return 0;
}

}  // namespace

Interpreter::Interpreter(Use use)
    : use_(use),
      memory_(kMemoryLimit, this),
      lua_(lua_newstate(LuaMemory::Allocate, &memory_)),
      random_(FastRandom() | 1) {
  if (lua_ == nullptr || lua_cpcall(lua_, OpenProtected, nullptr) != 0) throw std::bad_alloc();
  lua_gc(lua_, LUA_GCCOLLECT, 0);
  memory_at_rest_ = memory_.used();
  CollectRarely();
  lua_gc(lua_, LUA_GCCOLLECT, 0);  // from here on
  lua_sethook(lua_, Hook, LUA_MASKCOUNT, kHookInstructions);
}

Interpreter::~Interpreter() { lua_close(lua_); }

Interpreter& Interpreter::Of(lua_State* lua) {
  void* memory;
  lua_getallocf(lua, &memory);
  return *static_cast<Interpreter*>(static_cast<LuaMemory*>(memory)->owner());
}

int Interpreter::OpenProtected(lua_State* lua) {
  Interpreter& self = Of(lua);
  OpenSandbox(lua, self.use_ == Use::kEval ? PushEvalTable : PushFunctionTable);
  lua_pushcfunction(lua, RunProtected);
  self.runner_ = luaL_ref(lua, LUA_REGISTRYINDEX);
  lua_pushcfunction(lua, ConvertProtected);
  self.converter_ = luaL_ref(lua, LUA_REGISTRYINDEX);
  lua_pushcfunction(lua, HandleError);
  self.error_handler_ = luaL_ref(lua, LUA_REGISTRYINDEX);
  PushGlobals(lua);
  self.globals_ = luaL_ref(lua, LUA_REGISTRYINDEX);
  return 0;
}

bool Interpreter::Protect(absl::FunctionRef<void()> body) {
  const bool done = lua_cpcall(lua_, RunBody, &body) == 0;
  if (!done) lua_pop(lua_, 1);
  return done;
}

int Interpreter::Compile(std::string_view code, const char* chunk, std::string* error) {
  int function = LUA_NOREF;
  const bool done = Protect([&] {
    if (LoadSource(lua_, code.data(), code.size(), chunk) == 0) {
      function = luaL_ref(lua_, LUA_REGISTRYINDEX);
    } else {
      *error = lua_tostring(lua_, -1);
    }
  });
  if (!done) *error = "not enough memory";
  return function;
}

int Interpreter::RunProtected(lua_State* lua) {
  const Interpreter& self = Of(lua);
  const Call& call = *self.call_;
  lua_rawgeti(lua, LUA_REGISTRYINDEX, call.function);
  if (self.use_ == Use::kFunctions) {
    PushStrings(lua, call.keys);
    PushStrings(lua, call.args);
    lua_call(lua, 2, 1);
    return 1;
  }
  lua_rawgeti(lua, LUA_REGISTRYINDEX, self.globals_);
  lua_pushliteral(lua, "KEYS");
  PushStrings(lua, call.keys);
  lua_rawset(lua, -3);
  lua_pushliteral(lua, "ARGV");
  PushStrings(lua, call.args);
  lua_rawset(lua, -3);
  lua_pop(lua, 1);
  lua_call(lua, 0, 1);
  return 1;
}

int Interpreter::Run(int function, ScriptRun* run, std::span<const std::string_view> keys,
                     std::span<const std::string_view> args) {
  const Call call{function, keys, args};
  call_ = &call;
  run_ = run;
  lua_settop(lua_, 0);
  lua_rawgeti(lua_, LUA_REGISTRYINDEX, error_handler_);
  lua_rawgeti(lua_, LUA_REGISTRYINDEX, runner_);
  const int status = lua_pcall(lua_, 0, 1, 1);
  call_ = nullptr;
  run_ = nullptr;
  if (run->stopping()) lua_sethook(lua_, Hook, LUA_MASKCOUNT, kHookInstructions);
  return status;
}

int Interpreter::ConvertProtected(lua_State* lua) {
  auto* body = static_cast<absl::FunctionRef<void()>*>(lua_touserdata(lua, 2));
  lua_settop(lua, 1);
  (*body)();
  return 0;
}

// Nothing here needs memory before the call: outside of it there is nobody to tell that none is
// left.
bool Interpreter::WithResult(absl::FunctionRef<void()> body) {
  lua_rawgeti(lua_, LUA_REGISTRYINDEX, converter_);
  lua_insert(lua_, -2);
  lua_pushlightuserdata(lua_, &body);
  return lua_pcall(lua_, 2, 0, 0) == 0;
}

// For short scripts; one that holds much is collected as usual.
void Interpreter::CollectRarely() {
  const size_t percent = 100 + kRareGarbageBytes * 100 / memory_at_rest_;
  lua_gc(lua_, LUA_GCSETPAUSE, static_cast<int>(std::max(percent, size_t{200})));
  memory_.Watch(lua_, memory_at_rest_ + std::max(2 * kRareGarbageBytes, memory_at_rest_));
}

void Interpreter::Finish() {
  lua_settop(lua_, 0);
  if (memory_.used() > memory_at_rest_ + kGarbageBytes) {
    // KEYS and ARGV of the last run may be what takes the memory.
    Protect([this] {
      lua_rawgeti(lua_, LUA_REGISTRYINDEX, globals_);
      for (const char* name : {"KEYS", "ARGV"}) {
        lua_pushstring(lua_, name);
        lua_pushnil(lua_);
        lua_rawset(lua_, -3);
      }
    });
    lua_gc(lua_, LUA_GCCOLLECT, 0);
    memory_at_rest_ = memory_.used();
  }
  if (!memory_.watches() && memory_.used() <= memory_at_rest_ + kRareGarbageBytes) CollectRarely();
}

std::string Interpreter::RunLibrary(std::string_view code, LibraryLoad* load) {
  std::string error;
  const int function = Compile(code, "@user_function", &error);
  if (function == LUA_NOREF) return "ERR Error compiling function: " + error;
  load_ = load;
  const bool done = Protect([&] {
    PushGlobals(lua_);
    PushLibraryGlobals(lua_);
    SetGlobals(lua_);
    lua_rawgeti(lua_, LUA_REGISTRYINDEX, function);
    if (lua_pcall(lua_, 0, 0, 0) != 0) {
      if (lua_istable(lua_, -1)) {
        lua_pushliteral(lua_, "err");
        lua_rawget(lua_, -2);
        const char* text = lua_tostring(lua_, -1);
        error = text == nullptr ? "ERR unknown error" : text;
        lua_pop(lua_, 1);
      } else {
        const char* text = lua_tostring(lua_, -1);
        error = std::string("ERR ") + (text == nullptr ? "unknown error" : text);
      }
      lua_pop(lua_, 1);
    }
    SetGlobals(lua_);
  });
  load_ = nullptr;
  if (!done && error.empty()) error = "ERR not enough memory";
  // An error may have left the library's globals in place of the usual ones.
  Protect([&] {
    lua_rawgeti(lua_, LUA_REGISTRYINDEX, globals_);
    SetGlobals(lua_);
  });
  lua_settop(lua_, 0);
  Forget(function);
  if (!error.empty()) lua_sethook(lua_, Hook, LUA_MASKCOUNT, kHookInstructions);
  return error.empty() ? error : "ERR Error registering functions: " + error;
}

double Interpreter::NextRandom() {
  // xorshift64* (S. Vigna 2014), 53 bits of it.
  random_ ^= random_ >> 12;
  random_ ^= random_ << 25;
  random_ ^= random_ >> 27;
  return static_cast<double>((random_ * 0x2545f4914f6cdd1d) >> 11) * 0x1p-53;
}

void Interpreter::RaiseIfStopping(lua_State* lua) {
  if (run_ != nullptr && run_->stopping()) run_->RaiseStop(lua);
}

void Interpreter::Hook(lua_State* lua, lua_Debug*) { Of(lua).OnHook(lua); }

// From the first error on every instruction raises it again: pcall can't hide it.
void Interpreter::OnHook(lua_State* lua) {
  const bool go_on = run_ != nullptr ? run_->GoOn() : load_ != nullptr ? load_->GoOn() : true;
  if (go_on) return;
  lua_sethook(lua, Hook, LUA_MASKCOUNT, 1);
  lua_sethook(lua_, Hook, LUA_MASKCOUNT, 1);
  if (run_ != nullptr) run_->RaiseStop(lua);
  RaiseError(lua, "FUNCTION LOAD timeout");
}

}  // namespace spinel
