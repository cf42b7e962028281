#include "server/acl_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace spinel {
namespace {

constexpr std::string_view kAclBlanks = " \t\r\n";

std::string_view Trim(std::string_view text, std::string_view blanks) {
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// Every blank separates; nothing is quoted.
std::vector<std::string_view> Split(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find(' ', begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

// The first error is told, and of unknown commands all: these give nothing away.
std::string ApplyRules(const AclContext& context, std::span<const std::string> rules,
                       std::string_view place, AclUser* user) {
  std::string errors;
  bool told = false;
  for (const std::string& word : rules) {
    const std::string_view rule = Trim(word, "\t\r\n");
    const AclRuleError error = user->Apply(context, rule);
    if (error == AclRuleError::kUnknownCommand) {
      errors += fmt::format("{}: Error in applying operation '{}': {}. ", place, rule,
                            AclRuleErrorText(error));
    } else if (error != AclRuleError::kNone && !told) {
      errors += fmt::format("{}: {}. ", place, AclRuleErrorText(error));
      told = true;
    }
  }
  return errors;
}

}  // namespace

std::string ParseAclFile(std::string_view text, std::string_view path, const AclContext& context,
                         std::map<std::string, AclUser, std::less<>>* users) {
  std::string errors;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end), kAclBlanks);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const std::string place = fmt::format("{}:{}", path, number);
    const std::vector<std::string_view> words = Split(line);
    if (words[0] != "user" || words.size() < 2) {
      errors += fmt::format("{} should start with user keyword followed by the username. ", place);
      continue;
    }
    const std::string name(words[1]);
    if (HasAclSeparator(name)) {
      errors += fmt::format("'{}: username '{}' contains invalid characters. ", place, name);
      continue;
    }
    const auto [user, added] = users->try_emplace(name, context, name);
    if (!added) {
      errors += fmt::format("WARNING: Duplicate user '{}' found on line {}. ", name, number);
      continue;
    }
    std::vector<std::string> rules;
    std::string unclosed;
    if (!MergeAclSelectors(std::span(words).subspan(2), &rules, &unclosed)) {
      errors += fmt::format("{}: Unmatched parenthesis in selector definition.", place);
      continue;
    }
    errors += ApplyRules(context, rules, place, &user->second);
  }
  if (errors.empty()) return errors;
  return errors +
         "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
}

}  // namespace spinel
