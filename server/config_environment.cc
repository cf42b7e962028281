#include "server/config_environment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "server/config_file.h"

namespace spinel {
namespace {

constexpr std::string_view kPrefix = "SPINEL_";
constexpr std::string_view kFileSuffix = "_FILE";

// Of the project's own scripts, whose environment the servers that they start inherit.
constexpr std::string_view kScriptNames[] = {"SPINEL_SERVER", "SPINEL_NO_INSTALL",
                                             "SPINEL_IMAGE_ENGINE", "SPINEL_DEBIAN_MIRROR"};
constexpr std::string_view kScriptPrefix = "SPINEL_TEST_";

std::string OptionName(std::string_view variable) {
  std::string name(variable.substr(kPrefix.size()));
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

// Kubernetes tells every container of a namespace where its services are, and Docker's links do the
// same: for one called "spinel", SPINEL_SERVICE_HOST, SPINEL_PORT=tcp://10.0.0.1:6379,
// SPINEL_PORT_6379_TCP_ADDR and so on; for "spinel-x", SPINEL_X_SERVICE_HOST.
bool TellsOfService(std::string_view name, std::string_view value) {
  if (value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://")) {
    return name.find("_PORT") != std::string_view::npos;
  }
  if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") ||
      name.find("_SERVICE_PORT_") != std::string_view::npos) {
    return true;
  }
  const size_t port = name.find("_PORT_");
  return port != std::string_view::npos && port + 6 < name.size() && name[port + 6] >= '0' &&
         name[port + 6] <= '9';
}

bool IsOfScripts(std::string_view name) {
  return name.starts_with(kScriptPrefix) ||
         std::find(std::begin(kScriptNames), std::end(kScriptNames), name) !=
             std::end(kScriptNames);
}

ConfigStatus RefuseVariable(std::string_view shown, std::string_view reason) {
  return StartError("Reading the environment", shown, reason);
}

ConfigStatus ReadSwitch(std::string_view name, std::string_view value, bool* on) {
  const auto is_one_of = [value](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [value](std::string_view word) { return EqualsIgnoreCase(value, word); });
  };
  *on = is_one_of({"1", "yes", "true", "on"});
  if (*on || is_one_of({"", "0", "no", "false", "off"})) return ConfigStatus::Ok();
  return RefuseVariable(fmt::format("{}={}", name, value), "The value must be 'yes' or 'no'");
}

// Up to kMaxSecretBytes, without the line's end that editors leave. Returns why not, or nothing.
std::string ReadSecret(const std::string& path, std::string* text) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fmt::format("Can't read the file '{}': {}", path, std::strerror(errno));
  char buffer[4096];
  int error = 0;
  while (text->size() <= kMaxSecretBytes) {
    const ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got <= 0) break;
    text->append(buffer, static_cast<size_t>(got));
  }
  ::close(fd);
  if (error != 0) return fmt::format("Can't read the file '{}': {}", path, std::strerror(error));
  if (text->size() > kMaxSecretBytes) {
    return fmt::format("The file '{}' is longer than {} KB", path, kMaxSecretBytes / 1024);
  }
  if (text->find('\0') != std::string::npos) {
    return fmt::format("The file '{}' has a NUL byte; this is not text", path);
  }
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  return {};
}

ConfigStatus Unknown(std::string_view variable, std::string_view value) {
  std::string_view spelled = variable;
  if (spelled.ends_with(kFileSuffix)) spelled.remove_suffix(kFileSuffix.size());
  std::string reason = "No option has this name";
  const std::string_view nearest = NearestConfigName(OptionName(spelled));
  // Directives of files that are no options have no variable.
  if (FindConfigRow(nearest) != nullptr) {
    reason += fmt::format(" (did you mean '{}'?)", EnvironmentName(nearest));
  }
  // It may be a misspelled secret.
  return RefuseVariable(variable.ends_with(kFileSuffix) ? fmt::format("{}={}", variable, value)
                                                        : fmt::format("{}=...", variable),
                        reason);
}

ConfigStatus ReadOption(std::string_view variable, std::string_view value, Environment* found) {
  EnvironmentOption option;
  option.variable = variable;
  option.row = FindConfigRow(OptionName(variable));
  // Options like tls-cert-file have the suffix in their own name.
  const bool from_file = option.row == nullptr && variable.ends_with(kFileSuffix);
  if (from_file) {
    option.row =
        FindConfigRow(OptionName(variable.substr(0, variable.size() - kFileSuffix.size())));
  }
  if (option.row == nullptr) return Unknown(variable, value);
  option.shown = fmt::format("{}={}", variable, option.row->secret && !from_file ? "..." : value);
  if (from_file) {
    const std::string error = ReadSecret(std::string(value), &option.value);
    if (!error.empty()) return RefuseVariable(option.shown, error);
  } else {
    option.value = value;
  }
  for (const EnvironmentOption& other : found->options) {
    if (other.row != option.row) continue;
    return RefuseVariable(
        option.shown, fmt::format("'{}' is set by {} already", option.row->name, other.variable));
  }
  found->options.push_back(std::move(option));
  return ConfigStatus::Ok();
}

}  // namespace

std::string EnvironmentName(std::string_view option) {
  std::string name(kPrefix);
  for (const char c : option) {
    name += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

ConfigStatus ReadEnvironment(const char* const* environment, Environment* found) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const size_t equals = entry.find('=');
    if (!entry.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    const std::string_view name = entry.substr(0, equals);
    const std::string_view value = entry.substr(equals + 1);
    if (TellsOfService(name, value) || IsOfScripts(name)) continue;
    ConfigStatus status;
    if (name == "SPINEL_CONTAINER") {
      status = ReadSwitch(name, value, &found->container);
    } else if (name == "SPINEL_REQUIRE_PASSWORD") {
      status = ReadSwitch(name, value, &found->require_password);
    } else {
      status = ReadOption(name, value, found);
    }
    if (!status.ok()) return status;
  }
  return ConfigStatus::Ok();
}

}  // namespace spinel
