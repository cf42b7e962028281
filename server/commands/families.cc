#include "server/commands/families.h"

#include <array>

namespace spinel {

std::span<const std::span<const CommandSpec>> CommandFamilies() {
  static const std::array kFamilies = {
      StringCommands(),  KeyspaceCommands(), ExpiryCommands(), ConnectionCommands(),
      PubSubCommands(),  AdminCommands(),    ConfigCommands(), CommandCommands(),
      ClusterCommands(), LolwutCommands(),   ClientCommands(), ScanCommands(),
      ObjectCommands(),  DatabaseCommands(), MemoryCommands(), DebugCommands(),
  };
  return kFamilies;
}

}  // namespace spinel
