// Closing clients on behalf of another: CLIENT KILL, and ACL when a user is gone.
//
// Threads: the caller's loop.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace spinel {

class Server;
class Session;

// Closes those that are wanted, at once, and the caller, if it is one of them, after its reply.
// Returns how many. `caller` may be null. `wanted` looks at what any thread may look at.
int64_t CloseClients(Server* server, Session* caller, absl::FunctionRef<bool(Session&)> wanted);

}  // namespace spinel
