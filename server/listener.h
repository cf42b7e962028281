// A socket that listens, TCP or Unix.
//
// Owner: the LoopGroup. Threads: that of its io_context.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "server/session.h"

namespace spinel {

struct AcceptedPeer {
  int family = 0;
  Session::Origin origin;
};

class Listener {
 public:
  // Takes over the accepted descriptor.
  using OnAccept = std::function<void(int fd, const AcceptedPeer& peer)>;
  // Whether one more can be taken; as long as not, connections stay in the kernel's queue.
  using HasRoom = std::function<bool()>;

  // Both answer nullptr and `*error` on failure. `address`: an IPv4 or IPv6 address or "*"; port 0
  // lets the system choose.
  static std::unique_ptr<Listener> Tcp(boost::asio::io_context* io, const std::string& address,
                                       int port, int backlog, OnAccept on_accept,
                                       std::string* error);
  // The socket file is made with `mode` (0: as the umask has it), never wider for a moment.
  static std::unique_ptr<Listener> Unix(boost::asio::io_context* io, const std::string& path,
                                        unsigned mode, int backlog, OnAccept on_accept,
                                        std::string* error);
  ~Listener();

  void Start() { Wait(); }
  // Before Start.
  void set_has_room(HasRoom has_room) { has_room_ = std::move(has_room); }
  // "127.0.0.1:6379", "[::1]:6379" or the path.
  const std::string& name() const { return name_; }
  int port() const { return port_; }

 private:
  Listener(boost::asio::io_context* io, int fd, std::string name, int port, std::string unix_path,
           OnAccept on_accept);
  void Wait();
  void AcceptAll();
  void WaitLater(std::chrono::milliseconds delay);

  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer retry_;
  const std::string name_;
  const int port_;
  const std::string unix_path_;
  const OnAccept on_accept_;
  HasRoom has_room_;
};

}  // namespace spinel
