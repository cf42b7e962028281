// All commands by name: the one list of families, and the look-up that every request goes through.
//
// Owner: the Server, built once at start. Threads: any, read only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/command.h"

namespace spinel {

class CommandTable {
 public:
  // `renamed`: pairs (name, new name) of rename-command; an empty new name removes the command.
  // Names that do not exist are left in `*error`, if given.
  explicit CommandTable(std::span<const std::pair<std::string, std::string>> renamed = {},
                        std::string* error = nullptr);

  // In any letter case; nullptr: unknown.
  const Command* Find(std::string_view name) const;
  // The subcommand `name` of a container; nullptr: unknown.
  static const Command* FindSubcommand(const Command& container, std::string_view name);
  // "get", "config|get": as commandstats, ACL and COMMAND INFO name commands.
  const Command* FindFullName(std::string_view name) const;

  // Commands and subcommands by index; Command::index runs from 0.
  const std::vector<std::unique_ptr<Command>>& all() const { return all_; }
  // Without subcommands.
  const std::vector<const Command*>& top_level() const { return top_level_; }

 private:
  static constexpr size_t kMaxName = 24;
  struct Folded {  // a name in upper case, padded with zeros, and its length
    uint64_t words[3];
    size_t size;
  };
  struct Slot {
    Folded name;
    const Command* command = nullptr;
  };

  static bool Fold(std::string_view name, Folded* folded);
  size_t HomeOf(const Folded& folded) const;
  void AddFamily(std::span<const CommandSpec> family,
                 std::span<const std::pair<std::string, std::string>> renamed);
  Command* AddCommand(const CommandSpec& spec, const Command* parent);
  void Index(std::string_view name, const Command* command);

  std::vector<std::unique_ptr<Command>> all_;
  std::vector<std::unique_ptr<std::string>> names_;
  std::vector<const Command*> top_level_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
};

}  // namespace spinel
