#include "server/loop_group.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <future>

#include "server/log.h"
#include "server/scripts.h"
#include "server/shutdown.h"

namespace spinel {
namespace {

void SetTcpOptions(int fd, int64_t keepalive_seconds) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (keepalive_seconds <= 0) return;
  // Dead peers are noticed after twice the interval: first probe, then three more.
  const int idle = static_cast<int>(keepalive_seconds);
  const int interval = std::max(idle / 3, 1);
  const int probes = 3;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

// The last words to a client that is not let in.
void Refuse(int fd, std::string_view text) {
  // A socket buffer that is empty takes this; if not, the close says it.
  if (send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    LogVerbose("refused a client");
  close(fd);
}

constexpr std::string_view kFullText = "-ERR max number of clients reached\r\n";
constexpr std::string_view kProtectedText =
    "-DENIED Spinel is running in protected mode because protected mode is enabled and no password "
    "is set for the default user. In this mode connections are only accepted from the loopback "
    "interface. To connect from other hosts do one of the following: 1) set a password with the "
    "'requirepass' option or 'CONFIG SET requirepass'; 2) switch protected mode off with 'CONFIG "
    "SET protected-mode no' from the loopback interface, or with '--protected-mode no' at start, "
    "if the network is trusted; 3) bind only to addresses that are not reachable from outside.\r\n";

}  // namespace

LoopGroup::LoopGroup(Server* server, int loops)
    : server_(server),
      io_(1),
      signals_(io_),
      tls_(&server->mutable_config(), &io_, std::clamp(loops / 2, 1, 4),
           [this](int fd, AcceptedPeer peer, std::unique_ptr<TlsStream> stream) {
             boost::asio::post(
                 io_, [this, fd, peer = std::move(peer), tls = std::move(stream)]() mutable {
                   Admit(fd, peer, std::move(tls));
                 });
           }) {
  server_->set_runtime(this);
  for (int i = 0; i < loops; ++i) loops_.push_back(std::make_unique<EventLoop>(server, i));
}

LoopGroup::~LoopGroup() = default;

std::string LoopGroup::Listen() {
  if (std::string error = ListenTcp(); !error.empty()) return error;
  const Config& config = server_->config();
  if (const std::string path = config.unixsocket(); !path.empty()) {
    std::string error;
    unix_listener_ = Listener::Unix(
        &io_, path, static_cast<unsigned>(config.unixsocketperm()),
        static_cast<int>(config.tcp_backlog()),
        [this](int fd, const AcceptedPeer& peer) { Accept(fd, peer); }, &error);
    if (unix_listener_ == nullptr) return "Failed opening Unix socket: " + error;
    PublishNames();
  }
  tls_.Start();  // its hook comes first: the port needs what that makes
  const auto relisten = [this](std::string_view failure) {
    return [this, failure](const Config&) -> std::string {
      const std::string error = Relisten();
      if (error.empty()) return {};
      LogWarning("{}", error);
      return std::string(failure);
    };
  };
  Config& hooks = server_->mutable_config();
  hooks.OnChange("port", relisten("Unable to listen on this port. Check server logs."));
  hooks.OnChange("tls-port", relisten("Unable to listen on this port. Check server logs."));
  hooks.OnChange("bind", relisten("Failed to bind to specified addresses."));
  return {};
}

// Port 0 beside a Unix socket or a TLS port means no port without TLS; alone it means one of the
// system's choice.
std::string LoopGroup::ListenTcp() {
  const Config& config = server_->config();
  int port = static_cast<int>(config.port());
  int tls_port = static_cast<int>(config.tls_port());
  if (port != 0 && port == tls_port) {
    return fmt::format(
        "port and tls-port are both {}. Remedy: --port 0 for TLS alone, or different ports.", port);
  }
  if (std::string error = tls_.Prepare(); !error.empty()) return error;
  Listeners opened;
  if (port != 0 || (tls_port == 0 && config.unixsocket.empty())) {
    const auto accept = [this](int fd, const AcceptedPeer& peer) { Accept(fd, peer); };
    if (std::string error = OpenPort(&port, accept, &opened); !error.empty()) return error;
  }
  Listeners opened_tls;
  if (tls_port != 0) {
    const auto accept = [this](int fd, const AcceptedPeer& peer) { AcceptTls(fd, peer); };
    if (std::string error = OpenPort(&tls_port, accept, &opened_tls); !error.empty()) return error;
    for (auto& listener : opened_tls) listener->set_has_room([this] { return tls_.has_room(); });
  }
  server_->tcp_port.store(port);
  server_->tls_port.store(tls_port);
  tcp_listeners_ = std::move(opened);
  tls_listeners_ = std::move(opened_tls);
  PublishNames();
  return {};
}

std::string LoopGroup::OpenPort(int* port, const Listener::OnAccept& on_accept, Listeners* opened) {
  const Config& config = server_->config();
  for (const std::string& entry : config.bind_addresses()) {
    const bool optional = entry.starts_with('-');
    std::string error;
    auto listener = Listener::Tcp(&io_, optional ? entry.substr(1) : entry, *port,
                                  static_cast<int>(config.tcp_backlog()), on_accept, &error);
    if (listener == nullptr) {
      if (optional) continue;
      return "Could not create server TCP listening socket " + error;
    }
    *port = listener->port();
    opened->push_back(std::move(listener));
  }
  return opened->empty() ? "None of the addresses in 'bind' is available" : "";
}

void LoopGroup::PublishNames() {
  std::vector<ListeningAddress> addresses;
  using Kind = ListeningAddress::Kind;
  for (const auto& listener : tcp_listeners_) addresses.push_back({Kind::kTcp, listener->name()});
  for (const auto& listener : tls_listeners_) addresses.push_back({Kind::kTls, listener->name()});
  if (unix_listener_ != nullptr) addresses.push_back({Kind::kUnix, unix_listener_->name()});
  server_->set_listeners(std::move(addresses));
}

// CONFIG SET port, tls-port or bind, on the thread of that command. Old and new addresses may
// overlap, so the old ones are closed first; when the new ones are refused, the old configuration
// listens again.
std::string LoopGroup::Relisten() {
  auto result = std::make_shared<std::promise<std::string>>();
  std::future<std::string> done = result->get_future();
  boost::asio::post(io_, [this, result] {
    tcp_listeners_.clear();
    tls_listeners_.clear();
    std::string error = ListenTcp();
    for (auto& listener : tcp_listeners_) listener->Start();
    for (auto& listener : tls_listeners_) listener->Start();
    result->set_value(std::move(error));
  });
  // The main thread may be on its way out, and then answers no more.
  if (done.wait_for(std::chrono::seconds(5)) != std::future_status::ready) {
    return "the server is shutting down";
  }
  return done.get();
}

bool LoopGroup::Full() const {
  int connected = tls_.pending();
  for (const auto& loop : loops_) connected += loop->connections();
  return connected >= server_->config().maxclients();
}

std::string_view LoopGroup::ReasonToRefuse(const AcceptedPeer& peer) const {
  if (Full()) return kFullText;
  if (server_->config().protected_mode() && !server_->needs_password() && !peer.origin.loopback) {
    return kProtectedText;
  }
  return {};
}

void LoopGroup::Accept(int fd, const AcceptedPeer& peer) {
  if (const std::string_view reason = ReasonToRefuse(peer); !reason.empty()) {
    loops_[0]->state().stats.connections_rejected.Add();
    return Refuse(fd, reason);
  }
  if (peer.family != AF_UNIX) SetTcpOptions(fd, server_->config().tcp_keepalive());
  Admit(fd, peer, nullptr);
}

void LoopGroup::AcceptTls(int fd, const AcceptedPeer& peer) {
  const std::string_view reason = ReasonToRefuse(peer);
  if (!reason.empty()) loops_[0]->state().stats.connections_rejected.Add();
  if (reason == kFullText) {  // a handshake would cost more than the text is worth
    close(fd);
    return;
  }
  SetTcpOptions(fd, server_->config().tcp_keepalive());
  tls_.Begin(fd, peer, reason);
}

void LoopGroup::Admit(int fd, const AcceptedPeer& peer, std::unique_ptr<TlsStream> tls) {
  EventLoop* least = loops_[0].get();
  for (const auto& loop : loops_) {
    if (loop->connections() < least->connections()) least = loop.get();
  }
  Session::Origin origin = peer.origin;
  origin.loop = least->state().index;
  least->Expect();
  least->PostAdopt(fd, peer.family, std::move(origin), std::move(tls));
}

void LoopGroup::Run(const std::function<void()>& serving) {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  WaitForSignal();
  for (auto& loop : loops_) loop->Start();
  for (auto& listener : tcp_listeners_) listener->Start();
  for (auto& listener : tls_listeners_) listener->Start();
  if (unix_listener_ != nullptr) unix_listener_->Start();
  serving();
  io_.run();
  tcp_listeners_.clear();
  tls_listeners_.clear();
  tls_.Stop();
  unix_listener_.reset();
  server_->scripts().Abort();
  for (auto& loop : loops_) loop->Stop();
  for (auto& loop : loops_) loop->Join();
}

void LoopGroup::WaitForSignal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    server_->shutdown().OnSignal(signal == SIGINT);
    // Saving may fail, and then the server goes on.
    WaitForSignal();
  });
}

void LoopGroup::Post(int loop, std::function<void()> task) {
  EventLoop* target = loops_[static_cast<size_t>(loop)].get();
  target->Post([target, task = std::move(task)] {
    target->UpdateClock();
    task();
  });
}

void LoopGroup::CloseClient(int loop, uint64_t id) {
  EventLoop* target = loops_[static_cast<size_t>(loop)].get();
  target->Post([target, id] { target->CloseClient(id); });
}

void LoopGroup::Unblock(int loop, uint64_t id, std::string resp) {
  EventLoop* target = loops_[static_cast<size_t>(loop)].get();
  target->Post([target, id, resp = std::move(resp)] { target->Unblock(id, resp); });
}

void LoopGroup::ResumePaused() {
  for (auto& loop : loops_) {
    EventLoop* target = loop.get();
    target->Post([target] { target->ResumePaused(); });
  }
}

void LoopGroup::EndRest() {
  for (auto& loop : loops_) {
    EventLoop* target = loop.get();
    target->Post([target] { target->EndRest(); });
  }
}

void LoopGroup::Shutdown() {
  boost::asio::post(io_, [this] { io_.stop(); });
}

}  // namespace spinel
