// Runs scripts and functions on one loop: its two Lua states, and what is compiled in them.
//
// Owner: the LoopState, made by the first script. Threads: the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "protocol/reply_writer.h"
#include "server/lua/interpreter.h"
#include "server/script_run.h"
#include "server/scripts.h"
#include "server/text_map.h"

namespace spinel {

class CommandContext;

class ScriptEngine {
 public:
  // The loop's.
  static ScriptEngine& Of(CommandContext& ctx);

  explicit ScriptEngine(Scripts* scripts) : scripts_(scripts) {}
  ~ScriptEngine();

  // EVAL and EVALSHA: argument 1 is the text or its SHA, behind it come keys and arguments.
  void Eval(CommandContext& ctx, ReplyWriter& reply, bool by_sha, bool read_only);
  // SCRIPT LOAD: the script, or null and the error.
  std::shared_ptr<const Script> Load(std::string_view body, std::string* error);
  // FCALL.
  void CallFunction(CommandContext& ctx, ReplyWriter& reply, bool read_only);
  // FUNCTION LOAD: runs the library's top level here. The error, or empty and the library, which
  // is not published yet.
  std::string LoadLibrary(std::string_view code, std::shared_ptr<FunctionLibrary>* library);

 private:
  struct Compiled {
    std::shared_ptr<const Script> script;
    int function;
  };
  struct LoadedLibrary {
    TextMap<int> functions;
  };

  Interpreter& EvalInterpreter();
  Interpreter& FunctionInterpreter();
  // Null, with the error in `*error`; an empty error: unknown.
  Compiled* Find(std::string_view text, bool by_sha, std::string* error);
  Compiled* Compile(std::shared_ptr<Script> script, bool keep, std::string* error);
  Compiled* Keep(std::shared_ptr<const Script> script, int function);
  void DropGone();
  // Removes libraries that are there no more.
  void FollowLibraries();
  std::string Load(const FunctionLibrary& known, LibraryLoad* load);
  // Null, and the error: the library does not load any more.
  LoadedLibrary* Loaded(const FunctionLibrary& library, std::string* error);
  void Run(CommandContext& ctx, ReplyWriter& reply, Interpreter* interpreter, uint32_t flags,
           ScriptJob* job);
  void NoteMemory();

  Scripts* const scripts_;
  ScriptBuffers buffers_;
  std::unique_ptr<Interpreter> eval_;
  std::unique_ptr<Interpreter> functions_;
  int64_t noted_eval_bytes_ = 0;
  int64_t noted_function_bytes_ = 0;

  uint64_t flushes_ = 0;
  TextMap<std::unique_ptr<Compiled>> by_sha_;
  absl::flat_hash_map<std::string_view, Compiled*> by_text_;  // the texts are the scripts' own

  std::shared_ptr<const FunctionLibraries> libraries_;
  absl::flat_hash_map<uint64_t, LoadedLibrary> loaded_;  // by the library's id
};

}  // namespace spinel
