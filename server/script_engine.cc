#include "server/script_engine.h"

#include <fmt/format.h>

#include "protocol/ascii.h"
#include "protocol/numbers.h"
#include "server/command_context.h"
#include "server/cycle_clock.h"
#include "server/dispatcher.h"
#include "server/lua/cjson.h"
#include "server/lua/script_api.h"
#include "server/observation.h"
#include "server/script_shebang.h"
#include "server/sha1.h"

namespace spinel {
namespace {

constexpr std::string_view kUnknownScript = "NOSCRIPT No matching script. Please use EVAL.";
constexpr size_t kShaDigits = 40;
constexpr int64_t kLoadTimeoutMs = 500;

// Reads "numkeys key ... arg ..." behind argument 2.
std::string SplitArguments(CommandArgs args, std::string_view bad_number, ScriptJob* job) {
  int64_t keys = 0;
  if (!ParseInt64(args[2], &keys)) return std::string(bad_number);
  if (keys > static_cast<int64_t>(args.size()) - 3) {
    return "ERR Number of keys can't be greater than number of args";
  }
  if (keys < 0) return "ERR Number of keys can't be negative";
  job->keys = args.subspan(3, static_cast<size_t>(keys));
  job->args = args.subspan(3 + static_cast<size_t>(keys));
  return {};
}

}  // namespace

ScriptEngine& ScriptEngine::Of(CommandContext& ctx) {
  std::shared_ptr<ScriptEngine>& engine = ctx.loop().scripts;
  if (engine == nullptr) engine = std::make_shared<ScriptEngine>(&ctx.server().scripts());
  return *engine;
}

ScriptEngine::~ScriptEngine() {
  eval_.reset();
  functions_.reset();
  NoteMemory();
}

Interpreter& ScriptEngine::EvalInterpreter() {
  if (flushes_ != scripts_->flushes()) {
    flushes_ = scripts_->flushes();
    by_text_.clear();
    by_sha_.clear();
    eval_.reset();
  }
  if (eval_ == nullptr) eval_ = std::make_unique<Interpreter>(Interpreter::Use::kEval);
  return *eval_;
}

Interpreter& ScriptEngine::FunctionInterpreter() {
  if (functions_ == nullptr) {
    functions_ = std::make_unique<Interpreter>(Interpreter::Use::kFunctions);
  }
  return *functions_;
}

// -- Scripts
// ---------------------------------------------------------------------------------------

ScriptEngine::Compiled* ScriptEngine::Find(std::string_view text, bool by_sha, std::string* error) {
  if (by_sha) {
    if (text.size() != kShaDigits) return nullptr;
    char lower[kShaDigits];
    for (size_t i = 0; i < kShaDigits; ++i) {
      lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] | 0x20) : text[i];
    }
    const std::string_view sha(lower, kShaDigits);
    const auto found = by_sha_.find(sha);
    if (found != by_sha_.end() && !found->second->script->gone.load(std::memory_order_relaxed)) {
      return found->second.get();
    }
    // Another loop may have it.
    const std::shared_ptr<const Script> known = scripts_->Find(sha);
    if (known == nullptr) return nullptr;
    const int function = eval_->Compile(std::string_view(known->body).substr(known->code_offset),
                                        "@user_script", error);
    return function == LUA_NOREF ? nullptr : Keep(known, function);
  }
  const auto found = by_text_.find(text);
  if (found != by_text_.end() && !found->second->script->gone.load(std::memory_order_relaxed)) {
    return found->second;
  }
  auto script = std::make_shared<Script>();
  script->body = text;
  return Compile(std::move(script), /*keep=*/false, error);
}

ScriptEngine::Compiled* ScriptEngine::Compile(std::shared_ptr<Script> script, bool keep,
                                              std::string* error) {
  script->sha = Sha1Hex(script->body);
  *error = ReadShebang(script->body, &script->flags, &script->code_offset);
  if (!error->empty()) return nullptr;
  const int function = eval_->Compile(std::string_view(script->body).substr(script->code_offset),
                                      "@user_script", error);
  if (function == LUA_NOREF) {
    *error = "ERR Error compiling script (new function): " + *error;
    return nullptr;
  }
  return Keep(scripts_->Add(std::move(script), keep), function);
}

ScriptEngine::Compiled* ScriptEngine::Keep(std::shared_ptr<const Script> script, int function) {
  DropGone();
  std::unique_ptr<Compiled>& place = by_sha_[script->sha];
  if (place != nullptr) {
    by_text_.erase(place->script->body);
    eval_->Forget(place->function);
  }
  place = std::make_unique<Compiled>(Compiled{std::move(script), function});
  by_text_[place->script->body] = place.get();
  return place.get();
}

// What has been evicted is dropped here when there is twice as much as can be of use.
void ScriptEngine::DropGone() {
  if (by_sha_.size() < 2 * Scripts::kEvalScripts || by_sha_.size() < 2 * scripts_->count()) return;
  for (auto it = by_sha_.begin(); it != by_sha_.end();) {
    const auto here = it++;
    if (!here->second->script->gone.load(std::memory_order_relaxed)) continue;
    by_text_.erase(here->second->script->body);
    eval_->Forget(here->second->function);
    by_sha_.erase(here);
  }
}

std::shared_ptr<const Script> ScriptEngine::Load(std::string_view body, std::string* error) {
  EvalInterpreter();
  auto script = std::make_shared<Script>();
  script->body = body;
  const Compiled* compiled = Compile(std::move(script), /*keep=*/true, error);
  NoteMemory();
  return compiled == nullptr ? nullptr : compiled->script;
}

void ScriptEngine::Eval(CommandContext& ctx, ReplyWriter& reply, bool by_sha, bool read_only) {
  ScriptJob job;
  const std::string wrong =
      SplitArguments(ctx.args(), "ERR value is not an integer or out of range", &job);
  if (!wrong.empty()) return reply.Error(wrong);
  Interpreter& interpreter = EvalInterpreter();
  std::string error;
  const Compiled* compiled = Find(ctx.arg(1), by_sha, &error);
  if (compiled == nullptr) return reply.Error(error.empty() ? kUnknownScript : error);
  // While it runs, what is compiled may go.
  const std::shared_ptr<const Script> script = compiled->script;
  script->last_used.store(CycleClock::Now(), std::memory_order_relaxed);
  job.name = script->sha;
  job.read_only = read_only;
  job.habits = &script->habits;
  job.function = compiled->function;
  Run(ctx, reply, &interpreter, script->flags, &job);
}

// -- Functions
// -------------------------------------------------------------------------------------

void ScriptEngine::FollowLibraries() {
  // One that was loaded but refused afterwards is dropped, too.
  if (libraries_ != nullptr && libraries_->generation == scripts_->libraries_generation() &&
      loaded_.size() <= libraries_->by_name.size()) {
    return;
  }
  libraries_ = scripts_->libraries();
  for (auto it = loaded_.begin(); it != loaded_.end();) {
    const auto here = it++;
    bool there = false;
    for (const auto& [name, library] : libraries_->by_name) {
      there = there || library->id == here->first;
    }
    if (there) continue;
    for (const auto& [name, function] : here->second.functions) functions_->Forget(function);
    loaded_.erase(here);
  }
  // Nothing of what was there is needed: give the memory back.
  if (loaded_.empty()) functions_.reset();
}

std::string ScriptEngine::Load(const FunctionLibrary& known, LibraryLoad* load) {
  const size_t line_end = known.code.find('\n');
  std::string error =
      FunctionInterpreter().RunLibrary(std::string_view(known.code).substr(line_end), load);
  if (!error.empty()) {
    for (const LibraryLoad::Registered& registered : load->functions()) {
      functions_->Forget(registered.reference);
    }
  }
  return error;
}

std::string ScriptEngine::LoadLibrary(std::string_view code,
                                      std::shared_ptr<FunctionLibrary>* library) {
  FollowLibraries();
  auto made = std::make_shared<FunctionLibrary>();
  made->code = code;
  std::string error = ReadLibraryShebang(code, &made->name);
  if (!error.empty()) return error;
  LibraryLoad load(kLoadTimeoutMs);
  error = Load(*made, &load);
  if (error.empty() && load.functions().empty()) error = "ERR No functions registered";
  if (!error.empty()) return error;
  made->id = scripts_->NextLibraryId();
  LoadedLibrary& loaded = loaded_[made->id];
  for (const LibraryLoad::Registered& registered : load.functions()) {
    made->functions.push_back(registered.function);
    loaded.functions[registered.function->name] = registered.reference;
  }
  NoteMemory();
  *library = std::move(made);
  return {};
}

ScriptEngine::LoadedLibrary* ScriptEngine::Loaded(const FunctionLibrary& library,
                                                  std::string* error) {
  const auto found = loaded_.find(library.id);
  if (found != loaded_.end()) return &found->second;
  LibraryLoad load(kLoadTimeoutMs);
  *error = Load(library, &load);
  if (!error->empty()) return nullptr;
  LoadedLibrary& loaded = loaded_[library.id];
  for (const LibraryLoad::Registered& registered : load.functions()) {
    loaded.functions[registered.function->name] = registered.reference;
  }
  return &loaded;
}

void ScriptEngine::CallFunction(CommandContext& ctx, ReplyWriter& reply, bool read_only) {
  FollowLibraries();
  const FunctionLibraries::Place* const found = libraries_->Find(ctx.arg(1));
  if (found == nullptr) return reply.Error("ERR Function not found");
  const FunctionLibraries::Place place = *found;
  ScriptJob job;
  std::string error = SplitArguments(ctx.args(), "ERR Bad number of keys provided", &job);
  if (!error.empty()) return reply.Error(error);
  const LoadedLibrary* loaded = Loaded(*place.library, &error);
  if (loaded == nullptr) return reply.Error(error);
  const auto function = loaded->functions.find(place.function->name);
  if (function == loaded->functions.end()) return reply.Error("ERR Function not found");
  job.eval = false;
  job.name = place.function->name;
  job.read_only = read_only;
  job.habits = &place.function->habits;
  job.function = function->second;
  Run(ctx, reply, functions_.get(), place.function->flags, &job);
}

// -- Running
// ---------------------------------------------------------------------------------------

namespace {

// In front of what the script calls.
void ShowToMonitors(CommandContext& ctx) {
  Server& server = ctx.server();
  if (server.observed_limits.ticks.load(std::memory_order_relaxed) != 0) return;
  Request request;
  request.args = ctx.args();
  request.command = &ctx.command();
  server.observation().ShowBefore(&ctx.loop(), ctx.session(), request,
                                  ctx.locking() == Locking::kHeld);
}

}  // namespace

void ScriptEngine::Run(CommandContext& ctx, ReplyWriter& reply, Interpreter* interpreter,
                       uint32_t flags, ScriptJob* job) {
  ShowToMonitors(ctx);
  if ((flags & kScriptCompatible) == 0) {
    job->allow_oom = (flags & kScriptAllowOom) != 0;
    if ((flags & kScriptNoWrites) != 0) {
      job->read_only = true;
    } else if (job->read_only) {
      return reply.Error("ERR Can not execute a script with write flag using *_ro command.");
    } else if (ctx.server().Has(Trouble::kSavingFails)) {
      return reply.Error(kSavingFailsError);
    }
  }
  const OutputBuffer::Mark begin = reply.Begin();
  {
    ScriptRun run(&ctx, *job, &buffers_);
    const int status = run.Execute(interpreter);
    lua_State* lua = interpreter->lua();
    const bool done = interpreter->WithResult([&] {
      if (status == 0) {
        WriteLuaValue(lua, run.resp3(), &reply);
      } else {
        WriteLuaError(lua, job->name, &reply);
      }
    });
    if (!done) {
      reply.out()->TruncateTo(begin);
      reply.Error(fmt::format("ERR The reply of the script is too large. script: {}", job->name));
    }
  }
  interpreter->Finish();
  NoteMemory();
}

void ScriptEngine::NoteMemory() {
  const auto note = [](const Interpreter* interpreter, int64_t* noted,
                       std::atomic<int64_t>* total) {
    const auto bytes = interpreter == nullptr ? 0 : static_cast<int64_t>(interpreter->memory());
    // Not every little change: all loops write to the same place.
    constexpr int64_t kStep = 64 * 1024;
    if (bytes != 0 && *noted != 0 && std::abs(bytes - *noted) < kStep) return;
    total->fetch_add(bytes - *noted, std::memory_order_relaxed);
    *noted = bytes;
  };
  note(eval_.get(), &noted_eval_bytes_, &scripts_->eval_vm_bytes);
  note(functions_.get(), &noted_function_bytes_, &scripts_->function_vm_bytes);
}

}  // namespace spinel
