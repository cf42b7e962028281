#include "server/script_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "absl/base/thread_annotations.h"
#include "protocol/numbers.h"
#include "server/acl.h"
#include "server/command_context.h"
#include "server/cycle_clock.h"
#include "server/dispatcher.h"
#include "server/lua/interpreter.h"
#include "server/lua/libraries.h"
#include "server/lua/script_api.h"
#include "server/memory_keeper.h"
#include "storage/store.h"

namespace spinel {
namespace {

// What others see or keep of a command: it can't be run a second time.
constexpr uint32_t kEffects = kWrite | kMayReplicate;

std::string_view WholeReply(const OutputBuffer& replies, std::string* copy) {
  iovec piece[2];
  if (replies.FillIovec(piece, 2) == 1) {
    return {static_cast<const char*>(piece[0].iov_base), piece[0].iov_len};
  }
  *copy = replies.Flatten();
  return *copy;
}

std::string DeniedText(const Session& session, const Request& request, const AclVerdict& denied) {
  return "ACL failure in script: " + AclDenialText(denied, session.acl_user->name(),
                                                   *request.command, request.args,
                                                   AclTextFor::kClient);
}

std::string_view ErrorCodeOf(std::string_view error) {
  if (error == kSavingFailsReply) return "MISCONF";
  if (error == kOutOfMemoryReply) return "OOM";
  return "ERR";
}

}  // namespace

ScriptRun::ScriptRun(CommandContext* ctx, const ScriptJob& job, ScriptBuffers* buffers)
    : ctx_(*ctx),
      job_(job),
      buffers_(*buffers),
      learning_(!ctx->store().one_thread() && ctx->locking() == Locking::kTake &&
                !job.habits->undeclared.load(std::memory_order_relaxed)),
      begin_(CycleClock::Now()) {
  if (!learning_) return;
  declared_.reserve(job.keys.size());
  for (const std::string_view key : job.keys) {
    declared_.push_back(ctx_.store().StripeNumber(Store::MakeKey(key)));
  }
  std::sort(declared_.begin(), declared_.end());
}

ScriptRun::~ScriptRun() {
  if (busy_ != nullptr) ctx_.server().scripts().EndBusy(busy_, &ctx_.server());
}

// -- Locks
// -----------------------------------------------------------------------------------------

ScriptRun::Plan ScriptRun::ChoosePlan() const {
  const ScriptHabits& habits = *job_.habits;
  if (!learning_ || habits.clean_runs.load(std::memory_order_relaxed) < ScriptHabits::kTrusted) {
    return Plan::kEverything;
  }
  return habits.writes.load(std::memory_order_relaxed) ? Plan::kGrowing : Plan::kDeclared;
}

int ScriptRun::Execute(Interpreter* interpreter) {
  const Command* const command = &ctx_.command();
  Session& session = ctx_.session();
  const int database = session.db();
  int status = ExecuteWith(ChoosePlan(), interpreter);
  // Whatever it was that the first attempt lacked, the second has all of it.
  if (stop_ == Stop::kRestart) {
    session.set_db(database);
    status = ExecuteWith(Plan::kEverything, interpreter);
  }
  session.set_db(database);
  session.last_command.store(command, std::memory_order_relaxed);
  if (learning_) Learn();
  return status;
}

// The analysis cannot follow the right to grow: whether it is taken here depends on the plan.
int ScriptRun::ExecuteWith(Plan plan, Interpreter* interpreter) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Store& store = ctx_.store();
  plan_ = plan;
  stop_ = Stop::kNo;
  resp_ = RespVersion::kResp2;
  const bool locks = ctx_.locking() == Locking::kTake;
  if (locks && plan == Plan::kGrowing) store.growth_right().Lock();
  if (locks) {
    std::vector<Key> keys;
    if (plan != Plan::kEverything) {
      for (const std::string_view key : job_.keys) keys.push_back(Store::MakeKey(key));
    }
    section_.emplace(&store, &ctx_.op(), keys, plan == Plan::kEverything);
  }
  const int status = interpreter->Run(job_.function, this, job_.keys, job_.args);
  section_.reset();
  if (locks && (plan == Plan::kGrowing || late_right_)) store.growth_right().Unlock();
  late_right_ = false;
  return status;
}

void ScriptRun::Learn() {
  ScriptHabits& habits = *job_.habits;
  if (undeclared_) {
    habits.undeclared.store(true, std::memory_order_relaxed);
    return;
  }
  if (wrote_ && !habits.writes.load(std::memory_order_relaxed)) {
    habits.writes.store(true, std::memory_order_relaxed);
  }
  const uint8_t runs = habits.clean_runs.load(std::memory_order_relaxed);
  if (runs < ScriptHabits::kTrusted) {
    habits.clean_runs.store(static_cast<uint8_t>(runs + 1), std::memory_order_relaxed);
  }
}

bool ScriptRun::Restart() {
  stop_ = Stop::kRestart;
  return false;
}

// The right to grow that is taken here is given back by ExecuteWith.
bool ScriptRun::Cover(const Request& request) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const CommandSpec& spec = *request.command->spec;
  if (!learning_) return true;
  if ((spec.flags & kEffects) != 0 && plan_ == Plan::kDeclared && !late_right_) {
    // From here on it can't begin anew: it must be able to grow.
    if (!ctx_.store().growth_right().TryLock()) return Restart();
    late_right_ = true;
  }
  if (request.command->Has(kNoData)) return true;
  if (request.command->Has(kAnyData)) return CoverEverything();
  if (spec.extractor == nullptr && spec.keys.first == 1 && spec.keys.last == 1 &&
      request.command->parent == nullptr) {
    return CoverKey(request.key);
  }
  buffers_.indexes.clear();
  if (!ExtractKeys(spec, request.args, &buffers_.indexes) || buffers_.indexes.empty()) {
    return CoverEverything();
  }
  for (const int index : buffers_.indexes) {
    if (!CoverKey(Store::MakeKey(request.args[static_cast<size_t>(index)]))) return false;
  }
  return true;
}

bool ScriptRun::CoverKey(const Key& key) {
  const uint32_t stripe = ctx_.store().StripeNumber(key);
  if (std::binary_search(declared_.begin(), declared_.end(), stripe)) return true;
  undeclared_ = true;
  if (plan_ == Plan::kEverything) return true;
  if (!wrote_) return Restart();
  section_->Grow(key);
  return true;
}

bool ScriptRun::CoverEverything() {
  undeclared_ = true;
  if (plan_ == Plan::kEverything) return true;
  if (!wrote_) return Restart();
  section_->GrowToEverything();
  plan_ = Plan::kEverything;
  return true;
}

// -- Calling commands
// ------------------------------------------------------------------------------

bool ScriptRun::ReadArguments(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count == 0) {
    PushError(lua, "Please specify at least one argument for this call");
    return false;
  }
  buffers_.args.clear();
  buffers_.numbers.resize(static_cast<size_t>(count) * kMaxDoubleChars);
  char* number = buffers_.numbers.data();
  for (int i = 1; i <= count; ++i) {
    const int type = lua_type(lua, i);
    if (type == LUA_TNUMBER) {
      const size_t size = FormatLuaNumber(lua_tonumber(lua, i), number);
      buffers_.args.emplace_back(number, size);
      number += kMaxDoubleChars;
    } else if (type == LUA_TSTRING) {
      size_t size;
      const char* text = lua_tolstring(lua, i, &size);
      buffers_.args.emplace_back(text, size);
    } else {
      PushError(lua, "Command arguments must be strings or integers");
      return false;
    }
  }
  return true;
}

bool ScriptRun::KnowsCommand(lua_State* lua, bool* allowed) {
  if (!ReadArguments(lua)) lua_error(lua);
  const Command* command = Dispatcher::Prepare(ctx_.server().commands(), buffers_.args).command;
  if (command == nullptr) return false;
  if (command->spec->handler == nullptr && buffers_.args.size() > 1) return false;
  *allowed = Acl::Check(ctx_.session(), *command, buffers_.args).ok();
  return true;
}

std::string_view ScriptRun::Refusal(const Request& request) const {
  const Command* command = request.command;
  if (command == nullptr) return "Unknown command called from script";
  if (command->spec->handler == nullptr && request.args.size() > 1) {
    return "Unknown command called from script";
  }
  if (command->spec->handler == nullptr || !command->ArityFits(request.args.size())) {
    return "Wrong number of args calling command from script";
  }
  if (command->Has(kNoScript) && ctx_.server().deny_scripts.load(std::memory_order_relaxed)) {
    return "This Redis command is not allowed from script";
  }
  if (job_.read_only && (command->spec->flags & kEffects) != 0) {
    return "Write commands are not allowed from read-only scripts.";
  }
  if (command->Has(kWrite) && ctx_.server().Has(Trouble::kSavingFails)) return kSavingFailsReply;
  // What has begun to write goes on.
  if (command->Has(kDenyOom) && !wrote_ && !job_.allow_oom &&
      ctx_.server().Has(Trouble::kOutOfMemory)) {
    return kOutOfMemoryReply;
  }
  return {};
}

int ScriptRun::Fail(lua_State* lua, const Request& request, std::string_view error, bool raise) {
  LoopStats& stats = ctx_.loop().stats;
  if (request.command != nullptr) stats.command[request.command->index].rejected.Add();
  stats.error_replies.Add();
  ctx_.server().CountError(ErrorCodeOf(error));
  PushError(lua, error);
  lua_pushboolean(lua, 1);
  lua_setfield(lua, -2, "ignore_error_stats_update");
  return raise ? lua_error(lua) : 1;
}

int ScriptRun::Call(lua_State* lua, bool raise) {
  if (stopping()) RaiseStop(lua);
  if (!ReadArguments(lua)) return raise ? lua_error(lua) : 1;
  Server& server = ctx_.server();
  const Request request = Dispatcher::Prepare(server.commands(), buffers_.args);
  const std::string_view refusal = Refusal(request);
  if (!refusal.empty()) return Fail(lua, request, refusal, raise);
  AclVerdict denied;
  if (Dispatcher::Denies(&server, &ctx_.loop(), &ctx_.session(), request, AclLogContext::kLua,
                         &denied)) {
    return Fail(lua, request, DeniedText(ctx_.session(), request, denied), raise);
  }
  if (!Cover(request)) RaiseStop(lua);
  if ((request.command->spec->flags & kEffects) != 0) {
    wrote_ = true;
    if (busy_ != nullptr) busy_->wrote.store(true);
  }
  buffers_.replies.Clear();
  ReplyWriter reply(&buffers_.replies, resp_);
  // Time stands still in a script, whatever its commands do.
  const int64_t now_ms = ctx_.now_ms();
  ctx_.loop().runs_script = true;
  const uint64_t begin = CycleClock::Now();
  const uint64_t end = Dispatcher::Call(&server, &ctx_.loop(), &ctx_.session(), request, reply,
                                        Locking::kHeld, begin);
  ctx_.loop().stats.turn.nested_ticks.Add(end - begin);
  std::atomic<uint64_t>& executed = ctx_.session().commands;  // the loop's alone to change
  executed.store(executed.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  ctx_.loop().runs_script = false;
  ctx_.loop().op.SetNow(now_ms);
  lua_settop(lua, 0);
  std::string copy;
  const bool error = PushReply(lua, WholeReply(buffers_.replies, &copy));
  return error && raise ? lua_error(lua) : 1;
}

// -- Long runs
// -------------------------------------------------------------------------------------

bool ScriptRun::GoOn() {
  if (stopping()) return false;
  Server& server = ctx_.server();
  if (server.scripts().aborted()) {
    stop_ = Stop::kKilled;
    return false;
  }
  const int64_t limit = ctx_.config().busy_reply_threshold();
  if (limit == 0) return true;
  if (busy_ == nullptr) {
    const double elapsed = CycleClock::ToMicroseconds(CycleClock::Now() - begin_);
    if (elapsed < static_cast<double>(limit) * 1000) return true;
    BecomeBusy();
  }
  if (ctx_.loop().look_after_clients) ctx_.loop().look_after_clients();
  if (busy_->killed.load() || server.scripts().aborted()) stop_ = Stop::kKilled;
  return !stopping();
}

void ScriptRun::BecomeBusy() {
  busy_ = std::make_shared<BusyScript>();
  busy_->name = job_.name;
  busy_->eval = job_.eval;
  for (const std::string_view arg : ctx_.args()) busy_->command.emplace_back(arg);
  const double elapsed = CycleClock::ToMicroseconds(CycleClock::Now() - begin_);
  busy_->since_ms = SteadyMilliseconds() - static_cast<int64_t>(elapsed / 1000);
  busy_->wrote.store(wrote_);
  ctx_.server().scripts().BeginBusy(busy_, &ctx_.server());
}

void ScriptRun::RaiseStop(lua_State* lua) const {
  if (stop_ == Stop::kKilled) {
    RaiseError(lua, job_.eval ? "Script killed by user with SCRIPT KILL."
                              : "Script killed by user with FUNCTION KILL.");
  }
  lua_pushnil(lua);
  lua_error(lua);
  std::abort();  // lua_error does not return
}

}  // namespace spinel
