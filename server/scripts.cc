#include "server/scripts.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "protocol/ascii.h"
#include "server/cycle_clock.h"
#include "server/script_shebang.h"
#include "server/server.h"

namespace spinel {
namespace {

constexpr std::pair<uint32_t, std::string_view> kFlagNames[] = {
    {kScriptNoWrites, "no-writes"},
    {kScriptAllowOom, "allow-oom"},
    {kScriptAllowStale, "allow-stale"},
    {kScriptNoCluster, "no-cluster"},
    {kScriptAllowCrossSlotKeys, "allow-cross-slot-keys"},
};

constexpr std::string_view kBusyEval =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
constexpr std::string_view kBusyFunction =
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";

size_t BytesOf(const Script& script) {
  return sizeof(Script) + script.sha.capacity() + script.body.capacity();
}

}  // namespace

uint32_t ScriptFlagOf(std::string_view name) {
  for (const auto& [flag, text] : kFlagNames) {
    if (EqualsIgnoreCase(name, text)) return flag;
  }
  return 0;
}

std::string_view ScriptFlagName(uint32_t flag) {
  for (const auto& [known, text] : kFlagNames) {
    if (known == flag) return text;
  }
  return {};
}

bool IsLibraryName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

int64_t SteadyMilliseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// -- Scripts
// ---------------------------------------------------------------------------------------

std::shared_ptr<const Script> Scripts::Find(std::string_view sha) const {
  MutexLock lock(&mutex_);
  const auto found = scripts_.find(sha);
  return found == scripts_.end() ? nullptr : found->second;
}

std::shared_ptr<const Script> Scripts::Add(std::shared_ptr<Script> script, bool keep) {
  MutexLock lock(&mutex_);
  script->last_used.store(CycleClock::Now(), std::memory_order_relaxed);
  const auto found = scripts_.find(script->sha);
  if (found != scripts_.end()) {
    if (keep && !found->second->kept.exchange(true)) --evictable_;
    return found->second;
  }
  script->kept.store(keep);
  if (!keep) {
    if (evictable_ >= kEvalScripts) EvictOldest();
    ++evictable_;
  }
  script_bytes_ += BytesOf(*script);
  scripts_.emplace(script->sha, script);
  return script;
}

// New scripts are rare, and there are few: looking at all of them is cheaper than to keep a list in
// the order of their use, which every call would change.
void Scripts::EvictOldest() {
  auto oldest = scripts_.end();
  uint64_t used = UINT64_MAX;
  for (auto it = scripts_.begin(); it != scripts_.end(); ++it) {
    const uint64_t last = it->second->last_used.load(std::memory_order_relaxed);
    if (it->second->kept.load(std::memory_order_relaxed) || last >= used) continue;
    used = last;
    oldest = it;
  }
  if (oldest == scripts_.end()) return;
  oldest->second->gone.store(true);
  script_bytes_ -= BytesOf(*oldest->second);
  scripts_.erase(oldest);
  --evictable_;
  evicted_.fetch_add(1, std::memory_order_relaxed);
}

void Scripts::Flush() {
  MutexLock lock(&mutex_);
  for (const auto& [sha, script] : scripts_) script->gone.store(true);
  scripts_.clear();
  evictable_ = 0;
  script_bytes_ = 0;
  flushes_.fetch_add(1, std::memory_order_release);
}

size_t Scripts::count() const {
  MutexLock lock(&mutex_);
  return scripts_.size();
}

size_t Scripts::MemoryBytes() const {
  MutexLock lock(&mutex_);
  return script_bytes_ + scripts_.capacity() * sizeof(*scripts_.begin());
}

// -- Functions
// -------------------------------------------------------------------------------------

std::string FunctionLibraries::Add(std::shared_ptr<const FunctionLibrary> library, bool replace) {
  const auto old = by_name.find(library->name);
  if (old != by_name.end() && !replace) {
    return fmt::format("ERR Library '{}' already exists", library->name);
  }
  for (const auto& function : library->functions) {
    const auto found = functions.find(AsciiLower(function->name));
    if (found != functions.end() && found->second.library->name != library->name) {
      return fmt::format("ERR Function {} already exists", function->name);
    }
  }
  Remove(library->name);
  for (const auto& function : library->functions) {
    functions[AsciiLower(function->name)] = {library, function};
  }
  by_name[library->name] = std::move(library);
  return {};
}

const FunctionLibraries::Place* FunctionLibraries::Find(std::string_view function) const {
  const auto found = functions.find(AsciiLower(function));
  return found == functions.end() ? nullptr : &found->second;
}

void FunctionLibraries::Remove(std::string_view name) {
  const auto found = by_name.find(name);
  if (found == by_name.end()) return;
  for (const auto& function : found->second->functions) functions.erase(AsciiLower(function->name));
  by_name.erase(found);
}

std::shared_ptr<const FunctionLibraries> Scripts::libraries() const {
  MutexLock lock(&libraries_mutex_);
  return libraries_;
}

bool Scripts::Exchange(const std::shared_ptr<const FunctionLibraries>& expected,
                       std::shared_ptr<FunctionLibraries> libraries) {
  MutexLock lock(&libraries_mutex_);
  if (libraries_ != expected) return false;
  libraries->generation = expected->generation + 1;
  libraries_generation_.store(libraries->generation, std::memory_order_release);
  libraries_ = std::move(libraries);
  return true;
}

size_t Scripts::LibraryMemoryBytes() const {
  size_t bytes = 0;
  for (const auto& [name, library] : libraries()->by_name) {
    bytes += sizeof(FunctionLibrary) + name.capacity() + library->code.capacity();
    for (const auto& function : library->functions) {
      bytes += sizeof(ScriptFunction) + function->name.capacity() + function->description.size();
    }
  }
  return bytes;
}

std::vector<std::string> Scripts::LibraryCodes() const {
  std::vector<std::string> codes;
  for (const auto& [name, library] : libraries()->by_name) codes.push_back(library->code);
  return codes;
}

uint32_t Scripts::FlagsOf(const Command& command, std::span<const std::string_view> args) const {
  const uint32_t flags = command.spec->flags;
  if (!command.Has(kNoMandatoryKeys) || !command.Has(kMayReplicate) || args.size() < 2) {
    return flags;
  }
  uint32_t script_flags = kScriptCompatible;
  if (command.spec->name == "FCALL") {
    const auto known = libraries();
    if (const auto* place = known->Find(args[1])) script_flags = place->function->flags;
  } else if (command.spec->name == "EVALSHA") {
    if (const auto script = Find(args[1])) script_flags = script->flags;
  } else {
    size_t code_offset = 0;
    if (!ReadShebang(args[1], &script_flags, &code_offset).empty()) return flags;
  }
  // A script that does not say what it does is judged command by command.
  if ((script_flags & kScriptCompatible) != 0) return flags;
  if ((script_flags & kScriptNoWrites) != 0) return flags & ~uint32_t{kMayReplicate};
  return (script_flags & kScriptAllowOom) != 0 ? flags : flags | kDenyOom;
}

// -- Long runs
// -------------------------------------------------------------------------------------

void Scripts::BeginBusy(const std::shared_ptr<BusyScript>& script, Server* server) {
  MutexLock lock(&busy_mutex_);
  busy_.push_back(script);
  server->Set(Trouble::kBusy, true);
}

void Scripts::EndBusy(const std::shared_ptr<BusyScript>& script, Server* server) {
  MutexLock lock(&busy_mutex_);
  std::erase(busy_, script);
  server->Set(Trouble::kBusy, !busy_.empty());
}

// Of several the first that may be stopped is.
std::string Scripts::Kill(bool eval) {
  MutexLock lock(&busy_mutex_);
  std::string refusal = "NOTBUSY No scripts in execution right now.";
  for (const auto& script : busy_) {
    if (script->killed.load()) continue;
    if (script->wrote.load()) {
      refusal =
          "UNKILLABLE Sorry the script already executed write commands against the dataset. You "
          "can either wait the script termination or kill the server in a hard way using the "
          "SHUTDOWN NOSAVE command.";
    } else if (script->eval != eval) {
      refusal = script->eval ? kBusyEval : kBusyFunction;
    } else {
      script->killed.store(true);
      return {};
    }
  }
  return refusal;
}

std::string_view Scripts::BusyText() const {
  const std::shared_ptr<const BusyScript> script = busy_script();
  return script != nullptr && !script->eval ? kBusyFunction : kBusyEval;
}

std::shared_ptr<const BusyScript> Scripts::busy_script() const {
  MutexLock lock(&busy_mutex_);
  return busy_.empty() ? nullptr : busy_.front();
}

}  // namespace spinel
