// The other end of a container's HEALTHCHECK: asks a running server whether it answers.
#pragma once

#include <string>

namespace spinel {

// Sends PING to "host:port" (default 127.0.0.1:6379) and waits three seconds at most. Exit status:
// 0 if the server answers PONG, or only wants a password first; else 1, with the reason on stderr.
int CheckHealth(const std::string& target);

}  // namespace spinel
