#include "server/command_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "protocol/ascii.h"
#include "server/commands/families.h"

namespace spinel {
namespace {

constexpr size_t kSlots = 1024;

uint32_t ImplicitCategories(const CommandSpec& spec) {
  uint32_t acl = spec.acl;
  if ((spec.flags & kWrite) != 0) acl |= kAclWrite;
  if ((spec.flags & kReadOnly) != 0 && (acl & kAclScripting) == 0) acl |= kAclRead;
  if ((spec.flags & kAdmin) != 0) acl |= kAclAdmin | kAclDangerous;
  if ((spec.flags & kPubSub) != 0) acl |= kAclPubSub;
  if ((spec.flags & kFast) != 0) acl |= kAclFast;
  if ((spec.flags & kBlocking) != 0) acl |= kAclBlocking;
  if ((acl & kAclFast) == 0) acl |= kAclSlow;
  return acl;
}

}  // namespace

CommandTable::CommandTable(std::span<const std::pair<std::string, std::string>> renamed,
                           std::string* error)
    : slots_(kSlots) {
  for (const std::span<const CommandSpec> family : CommandFamilies()) AddFamily(family, renamed);
  for (const auto& rename : renamed) {
    const bool known = std::any_of(top_level_.begin(), top_level_.end(), [&](const Command* c) {
      return EqualsIgnoreCase(c->spec->name, rename.first);
    });
    if (!known && error != nullptr) *error = rename.first;
  }
}

void CommandTable::AddFamily(std::span<const CommandSpec> family,
                             std::span<const std::pair<std::string, std::string>> renamed) {
  for (const CommandSpec& spec : family) {
    Command* command = AddCommand(spec, nullptr);
    top_level_.push_back(command);
    for (const CommandSpec& sub : spec.subcommands) {
      command->subcommands.push_back(AddCommand(sub, command));
    }
    std::string_view name = spec.name;
    for (const auto& [from, to] : renamed) {
      if (EqualsIgnoreCase(spec.name, from)) name = to;
    }
    command->removed = name.empty();
    if (!command->removed) Index(name, command);
  }
}

Command* CommandTable::AddCommand(const CommandSpec& spec, const Command* parent) {
  auto name = std::make_unique<std::string>();
  if (parent != nullptr) *name = std::string(parent->name) + "|";
  for (const char c : spec.name)
    name->push_back(static_cast<char>(c >= 'A' && c <= 'Z' ? c | 32 : c));
  auto command = std::make_unique<Command>();
  command->spec = &spec;
  command->parent = parent;
  command->name = *name;
  command->index = static_cast<uint16_t>(all_.size());
  command->acl = ImplicitCategories(spec);
  names_.push_back(std::move(name));
  all_.push_back(std::move(command));
  return all_.back().get();
}

bool CommandTable::Fold(std::string_view name, Folded* folded) {
  if (name.size() > kMaxName || name.empty()) return false;
  char bytes[kMaxName] = {};
  std::memcpy(bytes, name.data(), name.size());
  std::memcpy(folded->words, bytes, kMaxName);
  folded->size = name.size();
  const int words = static_cast<int>((name.size() + 7) / 8);
  for (int i = 0; i < words; ++i) {
    // Clears bit 5 of every byte in 'a'..'z', eight at a time.
    const uint64_t word = folded->words[i];
    const uint64_t low = word & 0x7f7f7f7f7f7f7f7f;
    const uint64_t from_a = low + 0x1f1f1f1f1f1f1f1f;  // bit 7: >= 'a'
    const uint64_t past_z = low + 0x0505050505050505;  // bit 7: > 'z'
    const uint64_t letters = from_a & ~past_z & ~word & 0x8080808080808080;
    folded->words[i] = word - (letters >> 2);
  }
  return true;
}

size_t CommandTable::HomeOf(const Folded& folded) const {
  const uint64_t mixed =
      (folded.words[0] ^ folded.words[1] * 0x9e3779b97f4a7c15 ^ folded.size) * 0xff51afd7ed558ccd;
  return mixed >> 32 & (slots_.size() - 1);
}

void CommandTable::Index(std::string_view name, const Command* command) {
  Folded folded{};
  if (!Fold(name, &folded)) return;
  size_t at = HomeOf(folded);
  while (slots_[at].command != nullptr) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = {folded, command};
}

const Command* CommandTable::Find(std::string_view name) const {
  Folded folded;
  if (!Fold(name, &folded)) return nullptr;
  for (size_t at = HomeOf(folded); slots_[at].command != nullptr;
       at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].name.size == folded.size &&
        std::memcmp(slots_[at].name.words, folded.words, sizeof(folded.words)) == 0) {
      return slots_[at].command;
    }
  }
  return nullptr;
}

const Command* CommandTable::FindSubcommand(const Command& container, std::string_view name) {
  for (const Command* sub : container.subcommands) {
    if (EqualsIgnoreCase(sub->spec->name, name)) return sub;
  }
  return nullptr;
}

const Command* CommandTable::FindFullName(std::string_view name) const {
  const size_t bar = name.find('|');
  const Command* command = Find(name.substr(0, bar));
  if (command == nullptr || bar == std::string_view::npos) return command;
  return FindSubcommand(*command, name.substr(bar + 1));
}

bool ExtractKeys(const CommandSpec& spec, CommandArgs args, std::vector<int>* indexes) {
  if (spec.extractor != nullptr) return spec.extractor(args, indexes);
  if (spec.keys.first == 0 || (spec.keys.flags & kKeyNotKey) != 0) return true;
  const int count = static_cast<int>(args.size());
  const int last = spec.keys.last >= 0 ? spec.keys.last : count + spec.keys.last;
  if (last >= count) return false;
  for (int i = spec.keys.first; i <= last; i += spec.keys.step) indexes->push_back(i);
  return true;
}

}  // namespace spinel
