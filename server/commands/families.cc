#include "server/commands/families.h"

#include <array>

namespace spinel {

std::span<const std::span<const CommandSpec>> CommandFamilies() {
  static const std::array kFamilies = {
      StringCommands(),     KeyspaceCommands(), ScanCommands(),   ExpiryCommands(),
      ObjectCommands(),     DatabaseCommands(), MemoryCommands(), DebugCommands(),
      ConnectionCommands(), ClientCommands(), PubSubCommands(),   ServerCommands(), IntrospectionCommands(),
      AdminCommands(),      ConfigCommands(),
  };
  return kFamilies;
}

}  // namespace spinel
