// What a command is: one row, from which dispatch, COMMAND, ACL categories, key extraction and the
// documentation all follow.
//
// A family file (commands/string.cc ...) holds handlers and one constexpr array of rows;
// command_table.cc lists the families. Rows live for ever and are read by any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace spinel {

class ArgReader;
class CommandContext;
class ReplyWriter;

// COMMAND INFO's flags, by the same names.
enum CommandFlag : uint32_t {
  kWrite = 1 << 0,
  kReadOnly = 1 << 1,
  kDenyOom = 1 << 2,
  kAdmin = 1 << 3,
  kPubSub = 1 << 4,
  kNoScript = 1 << 5,
  kBlocking = 1 << 6,
  kLoading = 1 << 7,
  kStale = 1 << 8,
  kFast = 1 << 9,
  kNoAuth = 1 << 10,
  kMayReplicate = 1 << 11,
  kNoMulti = 1 << 12,
  kMovableKeys = 1 << 13,
  kAllowBusy = 1 << 14,
  kNoAsyncLoading = 1 << 15,
  kSkipMonitor = 1 << 16,
  kSkipSlowlog = 1 << 17,
  kNoMandatoryKeys = 1 << 22,
  // Not shown: guarded by enable-debug-command or enable-module-command, by `protection` below.
  kProtected = 1 << 18,
  // Not shown: what a transaction has to know (Transaction::Queue).
  kNoData = 1 << 19,     // never looks at the data: it needs no lock, although it names no keys
  kAnyData = 1 << 20,    // may reach keys that its arguments do not name
  kImmediate = 1 << 21,  // is executed, not queued, between MULTI and EXEC
};

// ACL categories beyond those that follow from flags (@read, @write, @admin, @dangerous, @pubsub,
// @fast, @slow, @blocking follow; see ImplicitCategories).
enum AclCategory : uint32_t {
  kAclKeyspace = 1 << 0,
  kAclRead = 1 << 1,
  kAclWrite = 1 << 2,
  kAclSet = 1 << 3,
  kAclSortedSet = 1 << 4,
  kAclList = 1 << 5,
  kAclHash = 1 << 6,
  kAclString = 1 << 7,
  kAclBitmap = 1 << 8,
  kAclHyperLogLog = 1 << 9,
  kAclGeo = 1 << 10,
  kAclStream = 1 << 11,
  kAclPubSub = 1 << 12,
  kAclAdmin = 1 << 13,
  kAclFast = 1 << 14,
  kAclSlow = 1 << 15,
  kAclBlocking = 1 << 16,
  kAclDangerous = 1 << 17,
  kAclConnection = 1 << 18,
  kAclTransaction = 1 << 19,
  kAclScripting = 1 << 20,
};

// What is done with the keys: COMMAND INFO's and GETKEYSANDFLAGS' key flags.
enum KeyFlag : uint16_t {
  kKeyRW = 1 << 0,  // reads and writes the value
  kKeyRO = 1 << 1,
  kKeyOW = 1 << 2,  // overwrites it unread
  kKeyRM = 1 << 3,  // removes it
  kKeyAccess = 1 << 4,
  kKeyUpdate = 1 << 5,
  kKeyInsert = 1 << 6,
  kKeyDelete = 1 << 7,
  kKeyNotKey = 1 << 8,
  kKeyIncomplete = 1 << 9,
  kKeyVariableFlags = 1 << 10,
};

// Where the keys are: from `first` to `last` (negative: counted from the end) in steps. first == 0:
// no keys, or only those that an extractor finds.
struct KeySpec {
  int16_t first = 0;
  int16_t last = 0;
  int16_t step = 0;
  uint16_t flags = 0;
};

constexpr KeySpec Keys(int first, int last, int step, int flags) {
  return {static_cast<int16_t>(first), static_cast<int16_t>(last), static_cast<int16_t>(step),
          static_cast<uint16_t>(flags)};
}
constexpr KeySpec OneKey(int flags) { return Keys(1, 1, 1, flags); }

using CommandArgs = std::span<const std::string_view>;
using Handler = void (*)(CommandContext& ctx, ArgReader& args, ReplyWriter& reply);
// Appends the indexes of the arguments that are keys; false: the arguments make no sense.
using KeyExtractor = bool (*)(CommandArgs args, std::vector<int>* indexes);

struct CommandSpec {
  std::string_view name;  // upper case; of a subcommand its own word only
  int arity = 0;          // with the name(s); negative: at least
  uint32_t flags = 0;
  uint32_t acl = 0;
  KeySpec keys = {};
  Handler handler = nullptr;                      // null for a container
  std::span<const CommandSpec> subcommands = {};  // of a container
  KeyExtractor extractor = nullptr;               // with kMovableKeys
  // The argument that is looked up in the collection at the first key, if that is a table:
  // pipelines bring its place into the cache. 0: none.
  uint8_t element = 0;
  // Documentation, in our own words.
  std::string_view group = {};
  std::string_view since = {};
  std::string_view complexity = {};
  std::string_view summary = {};
  // The arguments in the usual notation, "key value [NX | XX] [EX seconds | PX milliseconds]":
  // HELP, COMMAND DOCS and its argument trees are made from it.
  std::string_view syntax = {};
};

// A command or subcommand as the running server knows it; made by the CommandTable.
struct Command {
  const CommandSpec* spec = nullptr;
  const Command* parent = nullptr;  // the container of a subcommand
  std::string_view name;            // lower case, "client|list": owned by the table
  uint16_t index = 0;               // into per-loop statistics
  uint32_t acl = 0;                 // all categories, implicit ones included
  bool removed = false;             // by rename-command: nobody can call it
  std::vector<const Command*> subcommands;

  bool Has(CommandFlag flag) const { return (spec->flags & flag) != 0; }
  bool ArityFits(size_t args) const {
    return spec->arity >= 0 ? args == static_cast<size_t>(spec->arity)
                            : args >= static_cast<size_t>(-spec->arity);
  }
};

// The positions of a request's keys in `args`. False: it has none that could be told, because the
// arguments make no sense. Locking, ACL and COMMAND GETKEYS all ask here.
bool ExtractKeys(const CommandSpec& spec, CommandArgs args, std::vector<int>* indexes);

}  // namespace spinel
