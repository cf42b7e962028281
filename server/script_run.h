// One run of a script or function: its locks, and the commands that it calls.
//
// Which locks it takes is told in docs/scripting.md. Owner: a ScriptEngine's scope. Threads: its
// loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/output_buffer.h"
#include "protocol/reply_writer.h"
#include "server/command.h"
#include "server/lua/lua.h"
#include "server/scripts.h"
#include "storage/atomic_section.h"

namespace spinel {

class CommandContext;
class Interpreter;
struct Request;

// What is to be run.
struct ScriptJob {
  std::string_view name;  // the SHA, or the function's name: for error texts
  bool eval = true;
  bool allow_oom = false;  // it may take memory although there is none left
  bool read_only = false;  // by its command (EVAL_RO ...) or its flags
  ScriptHabits* habits = nullptr;
  int function = 0;  // the interpreter's reference
  CommandArgs keys;
  CommandArgs args;
};

// Memory that runs use one after the other. Owner: the engine.
struct ScriptBuffers {
  OutputBuffer replies;
  std::vector<std::string_view> args;
  std::vector<char> numbers;  // the text of arguments that are numbers
  std::vector<int> indexes;
};

class ScriptRun {
 public:
  ScriptRun(CommandContext* ctx, const ScriptJob& job, ScriptBuffers* buffers);
  ~ScriptRun();
  ScriptRun(const ScriptRun&) = delete;
  ScriptRun& operator=(const ScriptRun&) = delete;

  // Runs the job, again with more locks if that turns out to be necessary. The result or error is
  // on the interpreter's stack; returns Lua's status.
  int Execute(Interpreter* interpreter);
  bool resp3() const { return resp_ == RespVersion::kResp3; }

  // -- For the interpreter and the functions that scripts call -----------------------------------
  // redis.call and, not raising errors, redis.pcall: arguments and result are on the stack.
  int Call(lua_State* lua, bool raise);
  // Whether the arguments on the stack begin with a command's name; `*allowed`: whether the
  // client's user may send them.
  bool KnowsCommand(lua_State* lua, bool* allowed);
  void set_resp(RespVersion version) { resp_ = version; }
  // Called every now and then. False: the run has to end.
  bool GoOn();
  bool stopping() const { return stop_ != Stop::kNo; }
  // Raises the error that ends it.
  [[noreturn]] void RaiseStop(lua_State* lua) const;

 private:
  enum class Stop : uint8_t { kNo, kKilled, kRestart };
  // What is locked: every stripe; those of the declared keys; these, with the right to take more.
  enum class Plan : uint8_t { kEverything, kDeclared, kGrowing };

  Plan ChoosePlan() const;
  int ExecuteWith(Plan plan, Interpreter* interpreter);
  void Learn();
  // Reads the arguments from the stack; false: the error is there.
  bool ReadArguments(lua_State* lua);
  // Why the command may not be called, or empty.
  std::string_view Refusal(const Request& request) const;
  void CountRefused(const Request& request, std::string_view error) const;
  int Fail(lua_State* lua, const Request& request, std::string_view error, bool raise);
  // Sees to it that the command's keys are locked. False: the run begins anew.
  bool Cover(const Request& request);
  bool CoverKey(const Key& key);
  bool CoverEverything();
  bool Restart();
  void BecomeBusy();

  CommandContext& ctx_;
  const ScriptJob& job_;
  ScriptBuffers& buffers_;
  RespVersion resp_ = RespVersion::kResp2;
  Plan plan_ = Plan::kEverything;
  Stop stop_ = Stop::kNo;
  bool wrote_ = false;
  bool undeclared_ = false;
  bool late_right_ = false;  // the right to grow was taken by the first write
  const bool learning_;
  std::vector<uint32_t> declared_;  // stripes, ascending
  std::optional<AtomicSection> section_;
  const uint64_t begin_;  // CycleClock
  std::shared_ptr<BusyScript> busy_;
};

}  // namespace spinel
