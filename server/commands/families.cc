#include "server/commands/families.h"

#include <array>

namespace spinel {

std::span<const std::span<const CommandSpec>> CommandFamilies() {
  static const std::array kFamilies = {
      StringCommands(),      StringManyCommands(),  StringCounterCommands(),
      StringRangeCommands(), StringLcsCommands(),   ListCommands(),
      ListPopCommands(),     ListChangeCommands(),  ListBlockingCommands(),
      SetCommands(),         SetRandomCommands(),   SetAlgebraCommands(),
      SortCommands(),        ZsetCommands(),        ZsetRangeCommands(),
      ZsetPopCommands(),     ZsetRandomCommands(),  ZsetBlockingCommands(),
      ZsetAlgebraCommands(), HashCommands(),        HashCounterCommands(),
      HashWalkCommands(),    HashExpiryCommands(),  HashExpirySetCommands(),
      KeyspaceCommands(),    ScanCommands(),        ExpiryCommands(),
      ObjectCommands(),      DatabaseCommands(),    MemoryCommands(),
      DebugCommands(),       ConnectionCommands(),  ClientCommands(),
      PubSubCommands(),      TransactionCommands(), ScriptCommands(),
      FunctionCommands(),    AdminCommands(),       ConfigCommands(),
      CommandCommands(),     ClusterCommands(),     LolwutCommands(),
      DumpCommands(),        SnapshotCommands(),    LatencyCommands(),
      MonitorCommands(),     SlowLogCommands(),     AclCommands(),
      BitmapCommands(),      BitFieldCommands(),    HyperLogLogCommands(),
      GeoCommands(),         GeoSearchCommands(),
  };
  return kFamilies;
}

}  // namespace spinel
