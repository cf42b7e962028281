#include "server/commands/families.h"

#include <array>

namespace spinel {

std::span<const std::span<const CommandSpec>> CommandFamilies() {
  static const std::array<std::span<const CommandSpec>, 7> kFamilies = {
      StringCommands(),  KeyspaceCommands(), ExpiryCommands(),       ConnectionCommands(),
      PubSubCommands(),  ServerCommands(),   IntrospectionCommands(),
  };
  return kFamilies;
}

}  // namespace spinel
