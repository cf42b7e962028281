#include "server/acl_user.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "protocol/ascii.h"
#include "protocol/glob.h"
#include "server/config_file.h"
#include "server/sha256.h"

namespace spinel {

bool HasAclSeparator(std::string_view text) {
  return text.find_first_of(std::string_view(" \t\n\v\f\r\0", 7)) != std::string_view::npos;
}

bool AclChannelsAdmit(const std::vector<std::string>& allowed, std::string_view channel,
                      bool is_pattern) {
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& pattern) {
    return is_pattern ? pattern == channel : GlobMatch(pattern, channel, /*nocase=*/false);
  });
}

bool MergeAclSelectors(std::span<const std::string_view> words, std::vector<std::string>* rules,
                       std::string* unclosed) {
  bool open = false;
  for (const std::string_view word : words) {
    const bool closes = word.ends_with(')');
    if (open) {
      rules->back() += ' ';
      rules->back() += word;
      open = !closes;
      continue;
    }
    rules->emplace_back(word);
    open = word.starts_with('(') && !closes;
    if (open) *unclosed = word;
  }
  return !open;
}

AclUser::AclUser(const AclContext& context, std::string name) : name_(std::move(name)) {
  selectors_.emplace_back(context);
}

AclUser AclUser::Default(const AclContext& context) {
  AclUser user(context, "default");
  for (const std::string_view rule : {"+@all", "~*", "&*", "on", "nopass"}) {
    user.Apply(context, rule);
  }
  return user;
}

AclRuleError AclUser::Apply(const AclContext& context, std::string_view rule) {
  if (rule.empty()) return AclRuleError::kNone;
  const auto is = [rule](std::string_view name) { return EqualsIgnoreCase(rule, name); };
  const std::string_view rest = rule.substr(1);
  if (is("on") || is("off")) {
    enabled_ = is("on");
  } else if (is("skip-sanitize-payload") || is("sanitize-payload")) {
    sanitizes_ = is("sanitize-payload");
  } else if (is("nopass") || is("resetpass")) {
    nopass_ = is("nopass");
    passwords_.clear();
  } else if (rule[0] == '>') {
    return AddPassword(Sha256Hex(rest));
  } else if (rule[0] == '#') {
    return IsSha256Hex(rest) ? AddPassword(std::string(rest)) : AclRuleError::kBadHash;
  } else if (rule[0] == '<') {
    return RemovePassword(Sha256Hex(rest));
  } else if (rule[0] == '!') {
    return IsSha256Hex(rest) ? RemovePassword(rest) : AclRuleError::kBadHash;
  } else if (rule[0] == '(' && rule.ends_with(')')) {
    return AddSelector(context, rule.substr(1, rule.size() - 2));
  } else if (is("clearselectors")) {
    selectors_.erase(selectors_.begin() + 1, selectors_.end());
  } else if (is("reset")) {
    Reset(context);
  } else {
    return selectors_.front().Apply(context, rule);
  }
  return AclRuleError::kNone;
}

AclRuleError AclUser::AddPassword(std::string hash) {
  nopass_ = false;
  if (std::find(passwords_.begin(), passwords_.end(), hash) == passwords_.end()) {
    passwords_.push_back(std::move(hash));
  }
  return AclRuleError::kNone;
}

AclRuleError AclUser::RemovePassword(std::string_view hash) {
  const auto found = std::find(passwords_.begin(), passwords_.end(), hash);
  if (found == passwords_.end()) return AclRuleError::kNoSuchPassword;
  passwords_.erase(found);
  return AclRuleError::kNone;
}

AclRuleError AclUser::AddSelector(const AclContext& context, std::string_view rules) {
  const std::optional<std::vector<std::string>> words = SplitArgs(rules);
  if (!words.has_value()) return AclRuleError::kSyntax;
  AclSelector selector(context);
  for (const std::string& word : *words) {
    const AclRuleError error = selector.Apply(context, word);
    if (error != AclRuleError::kNone) return error;
  }
  selectors_.push_back(std::move(selector));
  return AclRuleError::kNone;
}

void AclUser::Reset(const AclContext& context) { *this = AclUser(context, name_); }

bool AclUser::PasswordMatches(std::string_view password) const {
  const std::string hash = Sha256Hex(password);
  bool matches = false;
  for (const std::string& known : passwords_) matches |= EqualInConstantTime(known, hash);
  return matches || nopass_;
}

bool AclUser::unrestricted() const {
  return std::any_of(selectors_.begin(), selectors_.end(),
                     [](const AclSelector& selector) { return selector.unrestricted(); });
}

std::vector<std::string_view> AclUser::Flags() const {
  std::vector<std::string_view> flags;
  flags.push_back(enabled_ ? "on" : "off");
  if (nopass_) flags.push_back("nopass");
  flags.push_back(sanitizes_ ? "sanitize-payload" : "skip-sanitize-payload");
  return flags;
}

std::string AclUser::Describe() const {
  std::string text;
  for (const std::string_view flag : Flags()) {
    text += flag;
    text += ' ';
  }
  for (const std::string& password : passwords_) {
    text += '#';
    text += password;
    text += ' ';
  }
  text += root().Describe();
  for (size_t i = 1; i < selectors_.size(); ++i) {
    text += " (";
    text += selectors_[i].Describe();
    text += ')';
  }
  return text;
}

}  // namespace spinel
