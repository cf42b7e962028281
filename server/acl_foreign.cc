#include "server/acl_foreign.h"

#include <algorithm>

#include "protocol/ascii.h"

namespace spinel {
namespace {

// Whole commands, with whatever subcommands they have; then single subcommands of containers that
// are here.
constexpr std::string_view kForeign[] = {
    "bgrewriteaof", "failover",      "migrate",        "psync",
    "replconf",     "replicaof",     "restore-asking", "sentinel",
    "slaveof",      "sync",          "wait",           "waitaof",
    "xack",         "xadd",          "xautoclaim",     "xclaim",
    "xdel",         "xgroup",        "xinfo",          "xlen",
    "xpending",     "xrange",        "xread",          "xreadgroup",
    "xrevrange",    "xsetid",        "xtrim",          "client|import-source",
    "module|load",  "module|loadex", "module|unload",
};

}  // namespace

bool IsForeignCommand(std::string_view name) {
  const std::string_view command = name.substr(0, name.find('|'));
  return std::any_of(std::begin(kForeign), std::end(kForeign), [&](std::string_view foreign) {
    return EqualsIgnoreCase(foreign, name) || EqualsIgnoreCase(foreign, command);
  });
}

}  // namespace spinel
