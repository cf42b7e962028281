#include "server/acl_check.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "protocol/ascii.h"
#include "server/key_flags.h"

namespace spinel {
namespace {

struct UsedKey {
  size_t position;
  uint8_t access;
};
using UsedKeys = absl::InlinedVector<UsedKey, 8>;

UsedKeys KeysOf(const Command& command, CommandArgs args) {
  const CommandSpec& spec = *command.spec;
  UsedKeys used;
  if (spec.extractor == nullptr && spec.keys.first != 0 && spec.keys.first == spec.keys.last) {
    const auto first = static_cast<size_t>(spec.keys.first);
    if ((spec.keys.flags & kKeyNotKey) != 0 || first >= args.size()) return used;
    used.push_back({first, AccessOf(KeyFlagsOf(spec, args, 0))});
    return used;
  }
  std::vector<int> indexes;
  // Where arguments make no sense the command says so itself, and does nothing.
  ExtractKeys(spec, args, &indexes);
  for (size_t i = 0; i < indexes.size(); ++i) {
    used.push_back({static_cast<size_t>(indexes[i]), AccessOf(KeyFlagsOf(spec, args, i))});
  }
  return used;
}

// The arguments that are channels: those from `first` on, or one.
struct ChannelArgs {
  std::string_view command;
  bool all;
  bool patterns;
};
constexpr ChannelArgs kChannelArgs[] = {
    {"PUBLISH", false, false},   {"SPUBLISH", false, false}, {"SUBSCRIBE", true, false},
    {"SSUBSCRIBE", true, false}, {"PSUBSCRIBE", true, true},
};

const ChannelArgs* ChannelsOf(const Command& command) {
  if (!command.Has(kPubSub) || command.parent != nullptr) return nullptr;
  for (const ChannelArgs& row : kChannelArgs) {
    if (row.command == command.spec->name) return &row;
  }
  return nullptr;
}

// A request, its keys found once for all selectors.
class CheckedRequest {
 public:
  CheckedRequest(const Command& command, CommandArgs args)
      : command_(command), args_(args), channels_(ChannelsOf(command)) {}

  AclVerdict Check(const AclSelector& selector) {
    if (!selector.MayRun(command_, args_)) return {AclDenial::kCommand, 0};
    if (!selector.all_keys()) {
      if (!found_) keys_ = KeysOf(command_, args_);
      found_ = true;
      for (const UsedKey& key : keys_) {
        if (!selector.MayUseKey(args_[key.position], key.access)) {
          return {AclDenial::kKey, key.position};
        }
      }
    }
    if (channels_ == nullptr || selector.all_channels()) return {};
    for (size_t i = 1; i < (channels_->all ? args_.size() : 2); ++i) {
      if (!selector.MayUseChannel(args_[i], channels_->patterns)) return {AclDenial::kChannel, i};
    }
    return {};
  }

 private:
  const Command& command_;
  const CommandArgs args_;
  const ChannelArgs* const channels_;
  bool found_ = false;
  UsedKeys keys_;
};

}  // namespace

AclVerdict CheckAcl(const AclUser& user, const Command& command, CommandArgs args) {
  CheckedRequest request(command, args);
  AclVerdict worst{AclDenial::kCommand, 0};
  for (const AclSelector& selector : user.selectors()) {
    const AclVerdict verdict = request.Check(selector);
    if (verdict.ok()) return verdict;
    if (std::pair(verdict.denial, verdict.position) > std::pair(worst.denial, worst.position)) {
      worst = verdict;
    }
  }
  return worst;
}

bool MayReadEveryKey(const AclUser& user, const Command& command, CommandArgs args) {
  CheckedRequest request(command, args);
  for (const AclSelector& selector : user.selectors()) {
    if (selector.MayUseEveryKey(kAclReadKey) && request.Check(selector).ok()) return true;
  }
  return false;
}

std::string AclDenialText(const AclVerdict& verdict, std::string_view user, const Command& command,
                          CommandArgs args, AclTextFor reader) {
  if (verdict.denial == AclDenial::kCommand) {
    return fmt::format("User {} has no permissions to run the '{}' command", user, command.name);
  }
  const std::string_view what = verdict.denial == AclDenial::kKey ? "key" : "channel";
  if (reader == AclTextFor::kClient) return fmt::format("No permissions to access a {}", what);
  return fmt::format("User {} has no permissions to access the '{}' {}", user,
                     args[verdict.position], what);
}

}  // namespace spinel
