#include "server/acl_selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "protocol/ascii.h"
#include "protocol/glob.h"
#include "server/acl_categories.h"
#include "server/acl_foreign.h"
#include "server/acl_user.h"
#include "server/command_table.h"

namespace spinel {
namespace {

// By its full name, whatever rename-command says: rules outlive renaming.
const Command* FindOriginal(const CommandTable& commands, std::string_view name) {
  for (const auto& command : commands.all()) {
    if (EqualsIgnoreCase(command->name, name)) return command.get();
  }
  return nullptr;
}

// "RW~pattern", the percent sign taken off.
bool ParseAccess(std::string_view* rule, uint8_t* access) {
  *access = 0;
  while (!rule->empty()) {
    const char c = AsciiLower(rule->front());
    rule->remove_prefix(1);
    if (c == '~' && *access != 0) return true;
    const uint8_t bit = c == 'r' ? kAclReadKey : c == 'w' ? kAclWriteKey : 0;
    if (bit == 0 || (*access & bit) != 0) return false;
    *access |= bit;
  }
  return *access != 0;
}

// "~*" would be "allkeys", which no other pattern may stand beside.
std::string_view Prefix(std::string_view pattern, uint8_t access) {
  if (access == kAclReadKey) return "%R~";
  if (access == kAclWriteKey) return "%W~";
  return pattern == "*" ? "%RW~" : "~";
}

}  // namespace

std::string_view AclRuleErrorText(AclRuleError error) {
  switch (error) {
    case AclRuleError::kNone:
      break;
    case AclRuleError::kSyntax:
      return "Syntax error";
    case AclRuleError::kUnknownCommand:
      return "Unknown command or category name in ACL";
    case AclRuleError::kPatternAfterAllKeys:
      return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does "
             "not have any effect. Try 'resetkeys' to start with an empty list of patterns";
    case AclRuleError::kPatternAfterAllChannels:
      return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and "
             "does not have any effect. Try 'resetchannels' to start with an empty list of "
             "channels";
    case AclRuleError::kNoSuchPassword:
      return "The password you are trying to remove from the user does not exist";
    case AclRuleError::kBadHash:
      return "The password hash must be exactly 64 characters and contain only lowercase "
             "hexadecimal characters";
    case AclRuleError::kFirstArgOfSubcommand:
      return "Allowing first-arg of a subcommand is not supported";
  }
  return "Wrong format";
}

uint8_t AccessOf(uint16_t key_flags) {
  uint8_t access = 0;
  if ((key_flags & kKeyAccess) != 0) access |= kAclReadKey;
  if ((key_flags & (kKeyInsert | kKeyDelete | kKeyUpdate)) != 0) access |= kAclWriteKey;
  return access;
}

AclSelector::AclSelector(const AclContext& context)
    : commands_(context.commands->all().size()),
      bits_((commands_ + 63) / 64),
      all_channels_(context.all_channels) {}

// -- Rules
// -----------------------------------------------------------------------------------------

AclRuleError AclSelector::Apply(const AclContext& context, std::string_view rule) {
  if (EqualsIgnoreCase(rule, "allkeys") || rule == "~*") {
    all_keys_ = true;
    key_patterns_.clear();
  } else if (EqualsIgnoreCase(rule, "resetkeys")) {
    all_keys_ = false;
    key_patterns_.clear();
  } else if (EqualsIgnoreCase(rule, "allchannels") || rule == "&*") {
    all_channels_ = true;
    channels_.clear();
  } else if (EqualsIgnoreCase(rule, "resetchannels")) {
    all_channels_ = false;
    channels_.clear();
  } else if (EqualsIgnoreCase(rule, "allcommands") || EqualsIgnoreCase(rule, "+@all")) {
    SetEverything(true);
  } else if (EqualsIgnoreCase(rule, "nocommands") || EqualsIgnoreCase(rule, "-@all")) {
    SetEverything(false);
  } else if (rule.starts_with('~') || rule.starts_with('%')) {
    return ApplyKeyPattern(rule);
  } else if (rule.starts_with('&')) {
    return ApplyChannel(rule.substr(1));
  } else if (rule.starts_with("+@") || rule.starts_with("-@")) {
    return ApplyCategory(context, rule.substr(2), rule[0] == '+');
  } else if (rule.starts_with('+')) {
    return Allow(context, rule.substr(1));
  } else if (rule.starts_with('-')) {
    return Deny(context, rule.substr(1));
  } else {
    return AclRuleError::kSyntax;
  }
  return AclRuleError::kNone;
}

AclRuleError AclSelector::ApplyKeyPattern(std::string_view rule) {
  if (all_keys_) return AclRuleError::kPatternAfterAllKeys;
  const bool plain = rule[0] == '~';
  rule.remove_prefix(1);
  uint8_t access = kAclAnyAccess;
  if (!plain && !ParseAccess(&rule, &access)) return AclRuleError::kSyntax;
  if (HasAclSeparator(rule)) return AclRuleError::kSyntax;
  for (KeyPattern& known : key_patterns_) {
    if (known.pattern != rule) continue;
    known.access |= access;
    return AclRuleError::kNone;
  }
  key_patterns_.push_back({std::string(rule), access});
  return AclRuleError::kNone;
}

AclRuleError AclSelector::ApplyChannel(std::string_view pattern) {
  if (all_channels_) return AclRuleError::kPatternAfterAllChannels;
  if (HasAclSeparator(pattern)) return AclRuleError::kSyntax;
  if (std::find(channels_.begin(), channels_.end(), pattern) == channels_.end()) {
    channels_.emplace_back(pattern);
  }
  return AclRuleError::kNone;
}

AclRuleError AclSelector::ApplyCategory(const AclContext& context, std::string_view name,
                                        bool allow) {
  const uint32_t category = FindAclCategory(name);
  if (category == 0) return AclRuleError::kUnknownCommand;
  for (const auto& command : context.commands->all()) {
    if ((command->acl & category) != 0) SetCommand(*command, allow);
  }
  CountBits();
  NoteRule(fmt::format("@{}", AsciiLower(name)), allow);
  return AclRuleError::kNone;
}

AclRuleError AclSelector::Allow(const AclContext& context, std::string_view name) {
  const size_t bar = name.rfind('|');
  const Command* command = FindOriginal(*context.commands, name.substr(0, bar));
  if (command == nullptr || bar == std::string_view::npos) {
    if (command != nullptr) {
      SetCommand(*command, true);
      CountBits();
    } else if (!IsForeignCommand(name)) {
      return AclRuleError::kUnknownCommand;
    }
    NoteRule(AsciiLower(name), true);
    return AclRuleError::kNone;
  }
  if (command->parent != nullptr) return AclRuleError::kFirstArgOfSubcommand;
  const std::string_view word = name.substr(bar + 1);
  if (word.empty() || HasAclSeparator(word)) return AclRuleError::kSyntax;
  if (!command->subcommands.empty()) {
    const Command* const sub = FindOriginal(*context.commands, name);
    if (sub == nullptr && !IsForeignCommand(name)) return AclRuleError::kUnknownCommand;
    if (sub != nullptr) SetCommand(*sub, true);
    CountBits();
  } else {
    const auto same = [&](const auto& known) {
      return known.first == command->index && EqualsIgnoreCase(known.second, word);
    };
    if (std::none_of(first_args_.begin(), first_args_.end(), same)) {
      first_args_.emplace_back(command->index, word);
    }
  }
  NoteRule(AsciiLower(name), true);
  return AclRuleError::kNone;
}

AclRuleError AclSelector::Deny(const AclContext& context, std::string_view name) {
  const Command* command = FindOriginal(*context.commands, name);
  if (command == nullptr && !IsForeignCommand(name)) return AclRuleError::kUnknownCommand;
  if (command != nullptr) SetCommand(*command, false);
  CountBits();
  NoteRule(AsciiLower(name), false);
  return AclRuleError::kNone;
}

void AclSelector::SetEverything(bool allow) {
  std::fill(bits_.begin(), bits_.end(), 0);
  if (allow) {
    for (size_t i = 0; i < commands_; ++i) bits_[i / 64] |= uint64_t{1} << (i % 64);
  }
  all_bits_ = allow;
  starts_with_all_ = allow;
  rules_.clear();
  first_args_.clear();
}

void AclSelector::SetCommand(const Command& command, bool allow) {
  SetBit(command, allow);
  for (const Command* sub : command.subcommands) SetBit(*sub, allow);
  std::erase_if(first_args_, [&](const auto& known) { return known.first == command.index; });
}

void AclSelector::SetBit(const Command& command, bool allow) {
  const uint64_t mask = uint64_t{1} << (command.index % 64);
  uint64_t& word = bits_[command.index / 64];
  word = allow ? word | mask : word & ~mask;
}

void AclSelector::CountBits() {
  size_t set = 0;
  for (const uint64_t word : bits_) set += static_cast<size_t>(std::popcount(word));
  all_bits_ = set == commands_;
}

// A rule takes the place of an earlier one about the same, and about parts of it.
void AclSelector::NoteRule(std::string_view name, bool allow) {
  std::erase_if(rules_, [&](const std::string& rule) {
    const std::string_view known = std::string_view(rule).substr(1);
    return known.starts_with(name) && (known.size() == name.size() || known[name.size()] == '|');
  });
  rules_.push_back(fmt::format("{}{}", allow ? '+' : '-', name));
}

// -- Checks
// ----------------------------------------------------------------------------------------

bool AclSelector::MayRun(const Command& command, CommandArgs args) const {
  if (bit(command) || command.Has(kNoAuth)) return true;
  if (first_args_.empty() || args.size() < 2) return false;
  return std::any_of(first_args_.begin(), first_args_.end(), [&](const auto& known) {
    return known.first == command.index && EqualsIgnoreCase(known.second, args[1]);
  });
}

bool AclSelector::MayUseKey(std::string_view key, uint8_t access) const {
  if (all_keys_) return true;
  return std::any_of(key_patterns_.begin(), key_patterns_.end(), [&](const KeyPattern& known) {
    return (known.access & access) == access && GlobMatch(known.pattern, key, /*nocase=*/false);
  });
}

bool AclSelector::MayUseEveryKey(uint8_t access) const {
  if (all_keys_) return true;
  return std::any_of(key_patterns_.begin(), key_patterns_.end(), [&](const KeyPattern& known) {
    return (known.access & access) == access && known.pattern == "*";
  });
}

bool AclSelector::MayUseChannel(std::string_view channel, bool is_pattern) const {
  if (all_channels_) return true;
  return AclChannelsAdmit(channels_, channel, is_pattern);
}

// -- Texts
// -----------------------------------------------------------------------------------------

std::string AclSelector::CommandRules() const {
  std::string text = starts_with_all_ ? "+@all" : "-@all";
  for (const std::string& rule : rules_) {
    text += ' ';
    text += rule;
  }
  return text;
}

std::string AclSelector::KeyRules() const {
  if (all_keys_) return "~*";
  std::string text;
  for (const KeyPattern& known : key_patterns_) {
    if (!text.empty()) text += ' ';
    text += Prefix(known.pattern, known.access);
    text += known.pattern;
  }
  return text;
}

std::string AclSelector::ChannelRules() const {
  if (all_channels_) return "&*";
  std::string text;
  for (const std::string& channel : channels_) {
    if (!text.empty()) text += ' ';
    text += '&';
    text += channel;
  }
  return text;
}

std::string AclSelector::Describe() const {
  std::string text = KeyRules();
  if (!text.empty()) text += ' ';
  if (!all_channels_) text += "resetchannels ";
  const std::string channels = ChannelRules();
  text += channels;
  if (!channels.empty()) text += ' ';
  return text + CommandRules();
}

}  // namespace spinel
