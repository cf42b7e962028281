// Lets Asio wait for a socket that has just been emptied, without asking it for more at once.
//
// Asio begins every read by trying it. Behind a read that got all there was, that is a system call
// which finds nothing, one in three of what a request costs. Asio reads with recvmsg, so the
// program has its own function of that name, which answers EAGAIN for it while a ReadLater says so,
// and is the system call otherwise. Asio hears of what arrives from then on: its epoll is
// edge-triggered. It would not hear of the peer's end if that had come right behind the bytes that
// were read.
//
// Threads: one's own.
#pragma once

namespace spinel {

class ReadLater {
 public:
  // With `later`, reads of this thread find nothing, to this object's end. Expects that the thread
  // has not looked for events since the socket was read and held less than was asked for.
  explicit ReadLater(bool later);
  ~ReadLater();
  ReadLater(const ReadLater&) = delete;
  ReadLater& operator=(const ReadLater&) = delete;
};

}  // namespace spinel
