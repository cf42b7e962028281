#include "server/read_later.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace spinel {
namespace {

constinit thread_local bool reads_later = false;

}  // namespace

ReadLater::ReadLater(bool later) { reads_later = later; }

ReadLater::~ReadLater() { reads_later = false; }

}  // namespace spinel

// Stands in for the C library's: see read_later.h. One buffer costs the kernel less without the
// envelope.
extern "C" ssize_t recvmsg(int socket, msghdr* message, int flags) {
  if (spinel::reads_later) {
    errno = EAGAIN;
    return -1;
  }
  if (message->msg_iovlen != 1 || message->msg_name != nullptr || message->msg_control != nullptr)
    return syscall(SYS_recvmsg, socket, message, flags);
  message->msg_flags = 0;
  const iovec& only = message->msg_iov[0];
  return syscall(SYS_recvfrom, socket, only.iov_base, only.iov_len, flags, nullptr, nullptr);
}
