// `redis` and `server` as scripts see them, and what converts values both ways.
//
// Threads: the state's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/reply_writer.h"
#include "server/lua/lua.h"
#include "server/scripts.h"

namespace spinel {

// Push the table for EVAL, for functions, and the globals that a library sees while it is loaded.
void PushEvalTable(lua_State* lua);
void PushFunctionTable(lua_State* lua);
void PushLibraryGlobals(lua_State* lua);

// Pushes {err = text}; a leading '-' says that the text begins with an error code, otherwise it
// gets ERR in front.
void PushError(lua_State* lua, std::string_view text);
// Raises it.
[[noreturn]] void RaiseError(lua_State* lua, std::string_view text);

// Pushes what a reply (RESP, whole) is to a script. Returns whether it is an error.
bool PushReply(lua_State* lua, std::string_view resp);

// Writes the value on top of the stack as a reply, and takes it. `script_resp3`: what the script
// has set with setresp.
void WriteLuaValue(lua_State* lua, bool script_resp3, ReplyWriter* reply);
// Writes the error that ended a script: the value on top of the stack.
void WriteLuaError(lua_State* lua, std::string_view script, ReplyWriter* reply);

// What a library registers while it is loaded.
class LibraryLoad {
 public:
  struct Registered {
    std::shared_ptr<const ScriptFunction> function;
    int reference;  // in the state's registry
  };

  // `timeout_ms`: 0: none.
  explicit LibraryLoad(int64_t timeout_ms);
  // The error, or empty. Takes the reference if there is none.
  std::string Register(std::shared_ptr<const ScriptFunction> function, int reference);
  std::vector<Registered>& functions() { return functions_; }
  bool GoOn() const;

 private:
  std::vector<Registered> functions_;
  int64_t deadline_ms_;
};

}  // namespace spinel
