#include "server/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>

#include "protocol/numbers.h"
#include "server/log.h"

namespace spinel {
namespace {

constexpr auto kRetryAccept = std::chrono::milliseconds(100);
constexpr auto kLookForRoom = std::chrono::milliseconds(10);

struct NamedAddress {
  std::string text = "?:0";
  bool loopback = false;
};

NamedAddress NameOf(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof(in));
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
    const bool loopback = (ntohl(in.sin_addr.s_addr) >> 24) == 127;
    return {fmt::format("{}:{}", text, ntohs(in.sin_port)), loopback};
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof(in));
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
      inet_ntop(AF_INET, &in.sin6_addr.s6_addr[12], text, sizeof(text));
      return {fmt::format("{}:{}", text, ntohs(in.sin6_port)), in.sin6_addr.s6_addr[12] == 127};
    }
    inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof(text));
    return {fmt::format("[{}]:{}", text, ntohs(in.sin6_port)),
            IN6_IS_ADDR_LOOPBACK(&in.sin6_addr) != 0};
  }
  return {};
}

NamedAddress PeerName(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  return getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 ? NameOf(address)
                                                                            : NamedAddress();
}

NamedAddress LocalName(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  return getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 ? NameOf(address)
                                                                            : NamedAddress();
}

int BoundPort(int fd) {
  const std::string name = LocalName(fd).text;
  int64_t port = 0;
  ParseInt64(std::string_view(name).substr(name.rfind(':') + 1), &port);
  return static_cast<int>(port);
}

// An open socket for one of the addresses, bound and listening; -1: errno tells.
int OpenTcp(const addrinfo& info, int backlog) {
  const int fd = socket(info.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (info.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
  if (bind(fd, info.ai_addr, info.ai_addrlen) == 0 && listen(fd, backlog) == 0) return fd;
  const int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

}  // namespace

std::unique_ptr<Listener> Listener::Tcp(boost::asio::io_context* io, const std::string& address,
                                        int port, int backlog, OnAccept on_accept,
                                        std::string* error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  const bool any4 = address == "*";
  const bool any6 = address == "::*";
  hints.ai_family = any4 ? AF_INET : any6 ? AF_INET6 : AF_UNSPEC;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(port);
  const int failed =
      getaddrinfo(any4 || any6 ? nullptr : address.c_str(), service.c_str(), &hints, &found);
  if (failed != 0) {
    *error = fmt::format("{}:{}: {}", address, port, gai_strerror(failed));
    return nullptr;
  }
  const int fd = OpenTcp(*found, backlog);
  const int saved = errno;
  freeaddrinfo(found);
  if (fd < 0) {
    *error = fmt::format("{}:{}: {}", address, port, std::strerror(saved));
    return nullptr;
  }
  return std::unique_ptr<Listener>(
      new Listener(io, fd, LocalName(fd).text, BoundPort(fd), "", std::move(on_accept)));
}

std::unique_ptr<Listener> Listener::Unix(boost::asio::io_context* io, const std::string& path,
                                         unsigned mode, int backlog, OnAccept on_accept,
                                         std::string* error) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    *error = fmt::format("{}: the path of a Unix socket has at most {} bytes", path,
                         sizeof(address.sun_path) - 1);
    return nullptr;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  unlink(path.c_str());  // left behind by a server that was killed
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  // Nobody else may connect before the mode is set.
  const mode_t old_mask = umask(mode != 0 ? 0777 & ~mode : 0077);
  const bool bound =
      fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  int saved = errno;
  umask(old_mask);
  if (bound && (mode == 0 || chmod(path.c_str(), mode) == 0) && listen(fd, backlog) == 0) {
    return std::unique_ptr<Listener>(new Listener(io, fd, path, 0, path, std::move(on_accept)));
  }
  if (bound) saved = errno;
  if (fd >= 0) close(fd);
  *error = fmt::format("{}: {}", path, std::strerror(saved));
  return nullptr;
}

Listener::Listener(boost::asio::io_context* io, int fd, std::string name, int port,
                   std::string unix_path, OnAccept on_accept)
    : descriptor_(*io, fd),
      retry_(*io),
      name_(std::move(name)),
      port_(port),
      unix_path_(std::move(unix_path)),
      on_accept_(std::move(on_accept)) {}

Listener::~Listener() {
  if (!unix_path_.empty()) unlink(unix_path_.c_str());
}

void Listener::Wait() {
  descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (!error) AcceptAll();
                         });
}

void Listener::AcceptAll() {
  constexpr int kAtOnce = 256;
  for (int i = 0; i < kAtOnce; ++i) {
    if (has_room_ && !has_room_()) return WaitLater(kLookForRoom);
    const int fd =
        accept4(descriptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      AcceptedPeer peer;
      if (!unix_path_.empty()) {
        peer.family = AF_UNIX;
        peer.origin.address = peer.origin.local_address = unix_path_ + ":0";
        peer.origin.unix_socket = peer.origin.loopback = true;
      } else {
        const NamedAddress remote = PeerName(fd);
        peer.family = AF_INET;
        peer.origin.address = remote.text;
        peer.origin.loopback = remote.loopback;
        peer.origin.local_address = LocalName(fd).text;
      }
      peer.origin.fd = fd;
      on_accept_(fd, peer);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // Nothing to be had for now; the connection stays in the queue.
      LogWarning("Can't accept a connection: {}. Raise the limit of open files.",
                 std::strerror(errno));
      return WaitLater(kRetryAccept);
    }
  }
  Wait();
}

void Listener::WaitLater(std::chrono::milliseconds delay) {
  retry_.expires_after(delay);
  retry_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Wait();
  });
}

}  // namespace spinel
