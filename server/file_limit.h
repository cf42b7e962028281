// The limit of open files (`ulimit -n`) and `maxclients`: each client needs a file.
#pragma once

#include <cstdint>
#include <string>

namespace spinel {

class Config;

// Files that the server needs beside its clients: listeners, logs, snapshots, event loops.
inline constexpr int64_t kOwnFiles = 64;

// Raises the process's limit to what `clients` need, as far as it may. Returns how many clients fit
// now, 1 at the least.
int64_t RaiseFileLimit(int64_t clients);

// At the start, before other threads exist: raises the limit or lowers `maxclients` to what fits,
// so that clients beyond it are told so instead of waiting. Registers the hook that does the same
// for CONFIG SET maxclients, which is refused then. Returns a warning, or nothing.
std::string FitClientsToFileLimit(Config* config);

}  // namespace spinel
