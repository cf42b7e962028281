#include "server/redaction.h"

#include "protocol/ascii.h"
#include "server/config.h"

namespace spinel {
namespace {

void Redact(std::vector<std::string_view>* args, size_t from, size_t step = 1) {
  for (size_t i = from; i < args->size(); i += step) (*args)[i] = "(redacted)";
}

// HELLO protover AUTH username password ...
void RedactHello(std::vector<std::string_view>* args) {
  for (size_t i = 2; i + 2 < args->size(); ++i) {
    if (!EqualsIgnoreCase((*args)[i], "AUTH")) continue;
    (*args)[i + 1] = "(redacted)";
    (*args)[i + 2] = "(redacted)";
    return;
  }
}

void RedactConfigSet(std::vector<std::string_view>* args) {
  for (size_t i = 2; i + 1 < args->size(); i += 2) {
    if (Config::IsSecret((*args)[i])) (*args)[i + 1] = "(redacted)";
  }
}

// MIGRATE ... AUTH password | AUTH2 username password
void RedactMigrate(std::vector<std::string_view>* args) {
  for (size_t i = 6; i + 1 < args->size(); ++i) {
    if (EqualsIgnoreCase((*args)[i], "AUTH")) {
      (*args)[i + 1] = "(redacted)";
      return;
    }
    if (EqualsIgnoreCase((*args)[i], "AUTH2")) return Redact(args, i + 1);
  }
}

}  // namespace

std::vector<std::string_view> WithoutSecrets(const Command& command, CommandArgs args) {
  std::vector<std::string_view> shown(args.begin(), args.end());
  const std::string_view name = command.name;
  if (name == "auth") {
    Redact(&shown, 1);
  } else if (name == "hello") {
    RedactHello(&shown);
  } else if (name == "config|set") {
    RedactConfigSet(&shown);
  } else if (name == "migrate") {
    RedactMigrate(&shown);
  } else if (name == "acl|setuser" || name == "acl|getuser" || name == "acl|deluser") {
    Redact(&shown, 2);
  }
  return shown;
}

}  // namespace spinel
