#include "server/commands/families.h"

#include <array>

namespace spinel {

std::span<const std::span<const CommandSpec>> CommandFamilies() {
  static const std::array kFamilies = {
      StringCommands(), KeyspaceCommands(), ExpiryCommands(),        ConnectionCommands(),
      PubSubCommands(), ServerCommands(),   IntrospectionCommands(), AdminCommands(),
      ConfigCommands(), CommandCommands(),  ClusterCommands(),       LolwutCommands(),
      ClientCommands(),
  };
  return kFamilies;
}

}  // namespace spinel
