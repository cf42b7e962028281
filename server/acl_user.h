// A user: passwords, whether they are asked for, and what may be done. A value: it is changed as a
// copy, and what sessions see of it never changes.
//
// Threads: Apply before others see it; the rest any.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/acl_selector.h"

namespace spinel {

// Blanks of any kind and NUL: what names and patterns must not have, so that a line of rules can be
// taken apart again.
bool HasAclSeparator(std::string_view text);

// Whether a channel, or a pattern to subscribe to, is among `allowed`.
bool AclChannelsAdmit(const std::vector<std::string>& allowed, std::string_view channel,
                      bool is_pattern);

// Puts selectors together that were given as several words: "(+get", "~a)". False: one is not
// closed, and `*unclosed` is where it begins.
bool MergeAclSelectors(std::span<const std::string_view> words, std::vector<std::string>* rules,
                       std::string* unclosed);

class AclUser {
 public:
  // Disabled, with no password and no permission.
  AclUser(const AclContext& context, std::string name);
  // The user `default` as it is at first: enabled, no password asked for, everything allowed.
  static AclUser Default(const AclContext& context);

  // One rule. On an error nothing changes.
  AclRuleError Apply(const AclContext& context, std::string_view rule);

  bool PasswordMatches(std::string_view password) const;
  const std::string& name() const { return name_; }
  bool enabled() const { return enabled_; }
  bool nopass() const { return nopass_; }
  bool unrestricted() const;
  const std::vector<std::string>& passwords() const { return passwords_; }
  const AclSelector& root() const { return selectors_.front(); }
  // The root first.
  const std::vector<AclSelector>& selectors() const { return selectors_; }

  // "on", "nopass", "sanitize-payload" ...
  std::vector<std::string_view> Flags() const;
  // All rules that make it, in one line.
  std::string Describe() const;

 private:
  AclRuleError AddPassword(std::string hash);
  AclRuleError RemovePassword(std::string_view hash);
  AclRuleError AddSelector(const AclContext& context, std::string_view rules);
  void Reset(const AclContext& context);

  std::string name_;
  bool enabled_ = false;
  bool nopass_ = false;
  bool sanitizes_ = true;
  std::vector<std::string> passwords_;  // SHA-256, hexadecimal
  std::vector<AclSelector> selectors_;
};

}  // namespace spinel
