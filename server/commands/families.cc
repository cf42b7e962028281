#include "server/commands/families.h"

#include <array>

namespace spinel {

std::span<const std::span<const CommandSpec>> CommandFamilies() {
  static const std::array kFamilies = {
      StringCommands(),
      StringManyCommands(),
      StringCounterCommands(),
      StringRangeCommands(),
      StringLcsCommands(),
      ListCommands(),
      ListPopCommands(),
      ListChangeCommands(),
      SortCommands(),
      ZsetCommands(),
      ZsetRangeCommands(),
      ZsetPopCommands(),
      ZsetRandomCommands(),
      ZsetAlgebraCommands(),
      HashCommands(),
      HashCounterCommands(),
      HashWalkCommands(),
      HashExpiryCommands(),
      HashExpirySetCommands(),
      KeyspaceCommands(),
      ScanCommands(),
      SetCommands(),
      SetRandomCommands(),
      SetAlgebraCommands(),
      ExpiryCommands(),
      ObjectCommands(),
      DatabaseCommands(),
      MemoryCommands(),
      DebugCommands(),
      ConnectionCommands(),
      ClientCommands(),
      PubSubCommands(),
      AdminCommands(),
      ConfigCommands(),
      CommandCommands(),
      ClusterCommands(),
      LolwutCommands(),
  };
  return kFamilies;
}

}  // namespace spinel
