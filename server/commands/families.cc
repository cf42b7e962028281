#include "server/commands/families.h"

#include <array>

namespace spinel {

std::span<const std::span<const CommandSpec>> CommandFamilies() {
  static const std::array<std::span<const CommandSpec>, 8> kFamilies = {
      StringCommands(), KeyspaceCommands(), ExpiryCommands(), ConnectionCommands(),
      ClientCommands(), PubSubCommands(),   ServerCommands(), IntrospectionCommands(),
  };
  return kFamilies;
}

}  // namespace spinel
