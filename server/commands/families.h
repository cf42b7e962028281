// The families of commands. A new family is declared here and listed in families.cc.
#pragma once

#include <span>

#include "server/command.h"

namespace spinel {

std::span<const CommandSpec> StringCommands();
std::span<const CommandSpec> StringManyCommands();
std::span<const CommandSpec> StringCounterCommands();
std::span<const CommandSpec> StringRangeCommands();
std::span<const CommandSpec> StringLcsCommands();
std::span<const CommandSpec> BitmapCommands();
std::span<const CommandSpec> BitFieldCommands();
std::span<const CommandSpec> HyperLogLogCommands();
std::span<const CommandSpec> GeoCommands();
std::span<const CommandSpec> GeoSearchCommands();
std::span<const CommandSpec> LatencyCommands();
std::span<const CommandSpec> ListCommands();
std::span<const CommandSpec> ListPopCommands();
std::span<const CommandSpec> ListChangeCommands();
std::span<const CommandSpec> ListBlockingCommands();
std::span<const CommandSpec> MonitorCommands();
std::span<const CommandSpec> SlowLogCommands();
std::span<const CommandSpec> SortCommands();
std::span<const CommandSpec> ZsetCommands();
std::span<const CommandSpec> ZsetRangeCommands();
std::span<const CommandSpec> ZsetPopCommands();
std::span<const CommandSpec> ZsetRandomCommands();
std::span<const CommandSpec> ZsetBlockingCommands();
std::span<const CommandSpec> ZsetAlgebraCommands();
std::span<const CommandSpec> HashCommands();
std::span<const CommandSpec> HashCounterCommands();
std::span<const CommandSpec> HashWalkCommands();
std::span<const CommandSpec> HashExpiryCommands();
std::span<const CommandSpec> HashExpirySetCommands();
std::span<const CommandSpec> KeyspaceCommands();
std::span<const CommandSpec> ScanCommands();
std::span<const CommandSpec> SetCommands();
std::span<const CommandSpec> SetRandomCommands();
std::span<const CommandSpec> SetAlgebraCommands();
std::span<const CommandSpec> ExpiryCommands();
std::span<const CommandSpec> ObjectCommands();
std::span<const CommandSpec> DatabaseCommands();
std::span<const CommandSpec> MemoryCommands();
std::span<const CommandSpec> DebugCommands();
std::span<const CommandSpec> DumpCommands();
std::span<const CommandSpec> SnapshotCommands();
std::span<const CommandSpec> ConnectionCommands();
std::span<const CommandSpec> ClientCommands();
std::span<const CommandSpec> PubSubCommands();
std::span<const CommandSpec> TransactionCommands();
std::span<const CommandSpec> ScriptCommands();
std::span<const CommandSpec> FunctionCommands();
std::span<const CommandSpec> AclCommands();
std::span<const CommandSpec> AdminCommands();
std::span<const CommandSpec> ConfigCommands();
std::span<const CommandSpec> CommandCommands();
std::span<const CommandSpec> ClusterCommands();
std::span<const CommandSpec> LolwutCommands();

// All of the above.
std::span<const std::span<const CommandSpec>> CommandFamilies();

}  // namespace spinel
