// Options from the environment, for containers: SPINEL_MAXMEMORY=1gb is `maxmemory 1gb`, and
// SPINEL_REQUIREPASS_FILE=/run/secrets/password takes the value of `requirepass` from that file.
// Every option of the table has such a name: upper case, dashes become underscores.
//
// Used once, by LoadConfig, before other threads exist.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "server/config_table.h"

namespace spinel {

struct EnvironmentOption {
  const ConfigRow* row = nullptr;
  std::string variable;  // "SPINEL_SAVE", "SPINEL_REQUIREPASS_FILE"
  std::string shown;     // for messages: "SPINEL_SAVE=60 1"; no secret's value
  std::string value;     // of the variable, or what the file has
};

struct Environment {
  bool container = false;         // SPINEL_CONTAINER: this is a container, see docs/deployment.md
  bool require_password = false;  // SPINEL_REQUIRE_PASSWORD: no start without one
  std::vector<EnvironmentOption> options;
};

// The largest file that a variable may name, in bytes.
inline constexpr size_t kMaxSecretBytes = 64 * 1024;

// Reads "NAME=VALUE" strings, up to a null pointer. Names that do not begin with SPINEL_ are not
// looked at; nor are those that Kubernetes and Docker make for a service called "spinel". The error
// is complete text for stderr: an unknown name, a file that cannot be read, an option set twice.
ConfigStatus ReadEnvironment(const char* const* environment, Environment* found);

// The variable for an option's name: "SPINEL_TLS_PORT" for "tls-port".
std::string EnvironmentName(std::string_view option);

}  // namespace spinel
