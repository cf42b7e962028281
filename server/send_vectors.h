// Sends from several places with one system call.
//
// Threads: one at a time for a socket.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <span>

namespace spinel {

// As sendmsg(2), without waiting and without SIGPIPE: how many bytes the socket took, or -1 and
// errno.
ssize_t SendVectors(int socket, std::span<iovec> vectors);

}  // namespace spinel
