#include "server/send_vectors.h"

#include <sys/socket.h>

namespace spinel {

ssize_t SendVectors(int socket, std::span<iovec> vectors) {
  constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
  // One buffer costs the kernel less without the envelope of a message.
  if (vectors.size() == 1) return send(socket, vectors[0].iov_base, vectors[0].iov_len, kFlags);
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  return sendmsg(socket, &message, kFlags);
}

}  // namespace spinel
