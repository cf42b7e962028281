// A Lua state with its memory, its sandbox, and what is compiled in it.
//
// Owner: a ScriptEngine. Threads: its loop's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "server/lua/lua.h"
#include "server/lua/memory.h"

namespace spinel {

class LibraryLoad;
class ScriptRun;

class Interpreter {
 public:
  enum class Use : uint8_t { kEval, kFunctions };

  // What one state may hold, garbage included; a script that needs more fails.
  static constexpr size_t kMemoryLimit = size_t{256} << 20;

  explicit Interpreter(Use use);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  // That of a state or one of its coroutines.
  static Interpreter& Of(lua_State* lua);

  // Compiles source; `chunk` is its name in error texts ("@user_script"). A reference for Run and
  // Forget, or LUA_NOREF and `*error`.
  int Compile(std::string_view code, const char* chunk, std::string* error);
  void Forget(int function) { luaL_unref(lua_, LUA_REGISTRYINDEX, function); }
  // Runs a compiled function with KEYS and ARGV: as globals, or (kFunctions) as its arguments. 0
  // and its result, or an error code and the error, are on the stack afterwards: Finish takes them.
  int Run(int function, ScriptRun* run, std::span<const std::string_view> keys,
          std::span<const std::string_view> args);
  // Runs `body`, as Protect does, with the result or error of the last run on top of the stack.
  bool WithResult(absl::FunctionRef<void()> body);
  // Empties the stack and gives back much garbage.
  void Finish();
  // Runs the top level of a library, which registers its functions with `load`. The error, or
  // empty.
  std::string RunLibrary(std::string_view code, LibraryLoad* load);
  // Runs `body` so that errors of Lua do no harm. False: one occurred.
  bool Protect(absl::FunctionRef<void()> body);

  lua_State* lua() { return lua_; }
  size_t memory() const { return memory_.held(); }
  Use use() const { return use_; }
  // Null outside of a run.
  ScriptRun* run() const { return run_; }
  // Null unless a library is being loaded.
  LibraryLoad* load() const { return load_; }
  // A script that is being stopped can't catch the error that stops it.
  void RaiseIfStopping(lua_State* lua);

  double NextRandom();
  void SeedRandom(uint64_t seed) { random_ = seed * 2 + 1; }

 private:
  struct Call {
    int function;
    std::span<const std::string_view> keys;
    std::span<const std::string_view> args;
  };

  static int RunProtected(lua_State* lua);
  static int ConvertProtected(lua_State* lua);
  static int OpenProtected(lua_State* lua);
  static void Hook(lua_State* lua, lua_Debug* debug);
  void OnHook(lua_State* lua);
  void CollectRarely();

  const Use use_;
  LuaMemory memory_;
  lua_State* lua_ = nullptr;
  ScriptRun* run_ = nullptr;
  LibraryLoad* load_ = nullptr;
  const Call* call_ = nullptr;
  size_t memory_at_rest_ = 0;
  uint64_t random_;
  // References in the registry.
  int runner_ = LUA_NOREF;
  int converter_ = LUA_NOREF;
  int error_handler_ = LUA_NOREF;
  int globals_ = LUA_NOREF;
};

}  // namespace spinel
