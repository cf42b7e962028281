// What all loops share of scripting: the cache of scripts, the libraries of functions, and which
// scripts run for too long. Each loop runs scripts in Lua states of its own (ScriptEngine).
//
// Owner: the Server. Threads: any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/text_map.h"
#include "storage/mutex.h"

namespace spinel {

struct Command;
class Server;

// What a script or function says of itself: its `flags`.
enum ScriptFlag : uint32_t {
  kScriptNoWrites = 1 << 0,
  kScriptAllowOom = 1 << 1,
  kScriptAllowStale = 1 << 2,
  kScriptNoCluster = 1 << 3,
  kScriptAllowCrossSlotKeys = 1 << 4,
  // It says nothing: a script without a shebang line.
  kScriptCompatible = 1 << 5,
};
// "no-writes" and so on; 0: there is none of that name.
uint32_t ScriptFlagOf(std::string_view name);
// The name of the one flag that is set.
std::string_view ScriptFlagName(uint32_t flag);
inline constexpr uint32_t kScriptFlags = 5;

// Names of libraries and functions: letters, digits and underscores.
bool IsLibraryName(std::string_view name);
inline constexpr std::string_view kBadLibraryName =
    "Library names can only contain letters, numbers, or underscores(_) and must be at least one "
    "character long";

int64_t SteadyMilliseconds();

// What earlier runs have taught about a script: which locks it needs.
struct ScriptHabits {
  // Runs in a row that touched declared keys only, up to kTrusted.
  static constexpr uint8_t kTrusted = 3;
  std::atomic<uint8_t> clean_runs{0};
  std::atomic<bool> undeclared{false};  // it has reached for a key that it had not declared
  std::atomic<bool> writes{false};
};

// A script of EVAL or SCRIPT LOAD. Shared by the cache and the loops that have compiled it.
struct Script {
  std::string sha;         // 40 hexadecimal digits, lower case
  std::string body;        // as it was given
  size_t code_offset = 0;  // behind the shebang line, at its line feed
  uint32_t flags = kScriptCompatible;
  mutable ScriptHabits habits;
  mutable std::atomic<uint64_t> last_used{0};  // CycleClock
  mutable std::atomic<bool> kept{false};       // by SCRIPT LOAD: is not evicted
  mutable std::atomic<bool> gone{false};       // flushed or evicted
};

// A function of a library.
struct ScriptFunction {
  std::string name;
  std::string description;
  bool has_description = false;
  uint32_t flags = 0;
  mutable ScriptHabits habits;
};

struct FunctionLibrary {
  uint64_t id = 0;  // never used again
  std::string name;
  std::string code;  // as it was given, with its shebang line
  std::vector<std::shared_ptr<const ScriptFunction>> functions;
};

// All libraries at one moment.
struct FunctionLibraries {
  uint64_t generation = 0;
  TextMap<std::shared_ptr<const FunctionLibrary>> by_name;
  // Function name, lower case: functions are found in any letter case.
  struct Place {
    std::shared_ptr<const FunctionLibrary> library;
    std::shared_ptr<const ScriptFunction> function;
  };
  TextMap<Place> functions;

  // The error if the library can't join, or empty. With `replace` one of its name goes.
  std::string Add(std::shared_ptr<const FunctionLibrary> library, bool replace);
  // Null: there is no such function.
  const Place* Find(std::string_view function) const;
  void Remove(std::string_view name);
};

// A script that runs for longer than busy-reply-threshold.
struct BusyScript {
  std::string name;
  bool eval = true;
  std::vector<std::string> command;
  int64_t since_ms = 0;            // steady clock
  std::atomic<bool> wrote{false};  // it must not be stopped half-way
  std::atomic<bool> killed{false};
};

class Scripts {
 public:
  static constexpr size_t kEvalScripts = 500;  // beyond, the one used longest ago is dropped

  // -- Scripts -----------------------------------------------------------------------------------
  // Null: unknown.
  std::shared_ptr<const Script> Find(std::string_view sha) const;
  // Adds a script that has been compiled, or answers the one that is there.
  std::shared_ptr<const Script> Add(std::shared_ptr<Script> script, bool keep);
  void Flush();
  // Changes with every Flush: loops then drop what they have compiled.
  uint64_t flushes() const { return flushes_.load(std::memory_order_acquire); }
  size_t count() const;
  // Bytes of all texts, with what the table takes for each.
  size_t MemoryBytes() const;
  uint64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }
  void ResetStatistics() { evicted_.store(0); }

  // -- Functions ---------------------------------------------------------------------------------
  std::shared_ptr<const FunctionLibraries> libraries() const;
  uint64_t libraries_generation() const {
    return libraries_generation_.load(std::memory_order_acquire);
  }
  uint64_t NextLibraryId() { return next_library_.fetch_add(1) + 1; }
  // Replaces all libraries, unless somebody else has since `expected` was read: false.
  bool Exchange(const std::shared_ptr<const FunctionLibraries>& expected,
                std::shared_ptr<FunctionLibraries> libraries);
  size_t LibraryMemoryBytes() const;
  // The codes of all libraries, for snapshots.
  std::vector<std::string> LibraryCodes() const;

  // The command's flags; of one that runs a script which says that it does not write, without
  // kMayReplicate.
  uint32_t FlagsOf(const Command& command, std::span<const std::string_view> args) const;

  // -- Long runs ---------------------------------------------------------------------------------
  // The server's trouble (Trouble::kBusy) begins with the first and ends with the last of them.
  void BeginBusy(const std::shared_ptr<BusyScript>& script, Server* server);
  void EndBusy(const std::shared_ptr<BusyScript>& script, Server* server);
  // SCRIPT KILL (eval) and FUNCTION KILL: the error, or empty.
  std::string Kill(bool eval);
  // What most commands are answered while a script is busy.
  std::string_view BusyText() const;
  // The one that runs longest; null: none is busy.
  std::shared_ptr<const BusyScript> busy_script() const;
  // The server stops: every script ends, whatever it has done.
  void Abort() { aborted_.store(true); }
  bool aborted() const { return aborted_.load(std::memory_order_relaxed); }

  // Bytes of all Lua states; loops add what has changed.
  std::atomic<int64_t> eval_vm_bytes{0};
  std::atomic<int64_t> function_vm_bytes{0};

 private:
  void EvictOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  TextMap<std::shared_ptr<const Script>> scripts_ ABSL_GUARDED_BY(mutex_);
  size_t evictable_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t script_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<uint64_t> flushes_{0};
  std::atomic<uint64_t> evicted_{0};

  mutable Mutex libraries_mutex_;
  std::shared_ptr<const FunctionLibraries> libraries_ ABSL_GUARDED_BY(libraries_mutex_) =
      std::make_shared<FunctionLibraries>();
  std::atomic<uint64_t> libraries_generation_{0};
  std::atomic<uint64_t> next_library_{0};

  mutable Mutex busy_mutex_;
  std::vector<std::shared_ptr<BusyScript>> busy_ ABSL_GUARDED_BY(busy_mutex_);
  std::atomic<bool> aborted_{false};
};

}  // namespace spinel
