// The other end of a container's HEALTHCHECK and of Kubernetes' probes: asks a running server
// whether it is alive, or ready.
#pragma once

#include <span>
#include <string>

namespace spinel {

class Config;

// `words`: [ready | live] [HOST:PORT | /UNIX/SOCKET]. Sends PING and waits three seconds at most.
// Without an address it asks the server of this container, process 1, where its own command line,
// configuration file and environment say that it listens; else port 6379 of this machine.
//
// Exit status 0: `ready` (the default) if it answers PONG, or only wants a password first or
// cannot save; `live` if it answers anything, be it that it is loading its data. Else 1, with the
// reason on stderr.
int CheckHealth(std::span<const std::string> words);

// Whether a server that answers PING with that line is ready, or alive.
bool IsReady(const std::string& answer);
bool IsAlive(const std::string& answer);

// Where to ask a server with that configuration: "HOST:PORT" or the path of a Unix socket; empty if
// there is only TLS.
std::string AddressToAsk(const Config& config);

}  // namespace spinel
