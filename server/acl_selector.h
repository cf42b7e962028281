// A set of permissions: which commands, on which keys, on which channels. Every user has one of its
// own and may have further ones, "(+get ~a*)"; a request is fine if any of them admits all of it.
//
// Commands are bits by Command::index. The rules they come from are kept beside them as they were
// given, because that is how they are shown and saved.
//
// Owner: an AclUser. Threads: Apply before others see it; the rest any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/command.h"

namespace spinel {

class CommandTable;

// Why a rule was not taken.
enum class AclRuleError : uint8_t {
  kNone,
  kSyntax,
  kUnknownCommand,  // or category
  kPatternAfterAllKeys,
  kPatternAfterAllChannels,
  kNoSuchPassword,
  kBadHash,
  kFirstArgOfSubcommand,
};
std::string_view AclRuleErrorText(AclRuleError error);

// What rules are understood with.
struct AclContext {
  const CommandTable* commands = nullptr;
  bool all_channels = false;  // acl-pubsub-default: new users and selectors may use all of them
};

// What is done with a key; of a pattern, what may be done.
enum AclKeyAccess : uint8_t {
  kAclReadKey = 1 << 0,
  kAclWriteKey = 1 << 1,
  kAclAnyAccess = kAclReadKey | kAclWriteKey,
};
// AclKeyAccess bits of KeyFlag bits.
uint8_t AccessOf(uint16_t key_flags);

class AclSelector {
 public:
  explicit AclSelector(const AclContext& context);

  // One rule: "+get", "-@all", "~a*", "%R~b*", "&c", "allkeys" ... On an error nothing changes.
  AclRuleError Apply(const AclContext& context, std::string_view rule);

  bool MayRun(const Command& command, CommandArgs args) const;
  bool MayUseKey(std::string_view key, uint8_t access) const;
  // Whatever its name is.
  bool MayUseEveryKey(uint8_t access) const;
  // A pattern to subscribe to has to be among those that are allowed, letter for letter.
  bool MayUseChannel(std::string_view channel, bool is_pattern) const;
  // Nothing needs to be looked at.
  bool unrestricted() const { return all_keys_ && all_channels_ && all_bits_; }
  bool all_keys() const { return all_keys_; }
  bool all_channels() const { return all_channels_; }
  const std::vector<std::string>& channels() const { return channels_; }

  // As rules, in the order in which they would have to be given.
  std::string CommandRules() const;  // "-@all +get"
  std::string KeyRules() const;      // "~* ", or "" for none
  std::string ChannelRules() const;
  std::string Describe() const;

 private:
  struct KeyPattern {
    std::string pattern;
    uint8_t access;
  };

  AclRuleError ApplyKeyPattern(std::string_view rule);
  AclRuleError ApplyChannel(std::string_view pattern);
  AclRuleError ApplyCategory(const AclContext& context, std::string_view name, bool allow);
  AclRuleError Allow(const AclContext& context, std::string_view name);
  AclRuleError Deny(const AclContext& context, std::string_view name);
  void SetEverything(bool allow);
  // The command and its subcommands.
  void SetCommand(const Command& command, bool allow);
  void SetBit(const Command& command, bool allow);
  bool bit(const Command& command) const {
    return (bits_[command.index / 64] >> (command.index % 64) & 1) != 0;
  }
  void NoteRule(std::string_view name, bool allow);
  void CountBits();

  size_t commands_;
  std::vector<uint64_t> bits_;
  bool all_bits_ = false;
  bool starts_with_all_ = false;  // the commands are those of +@all, less what rules_ says
  std::vector<std::string> rules_;
  // First arguments with which a command may be called that may not be called otherwise.
  std::vector<std::pair<uint16_t, std::string>> first_args_;
  bool all_keys_ = false;
  std::vector<KeyPattern> key_patterns_;
  bool all_channels_;
  std::vector<std::string> channels_;
};

}  // namespace spinel
