// All event loops, the sockets that listen, and the signals: what turns a Server into a process.
//
// Owner: main. Threads: Run on the main one; the Runtime part on any.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/event_loop.h"
#include "server/listener.h"
#include "server/server.h"
#include "server/tls_service.h"

namespace spinel {

class LoopGroup final : public Runtime {
 public:
  LoopGroup(Server* server, int loops);
  ~LoopGroup() override;

  // Opens the sockets that the configuration names. An empty return: done; else why not.
  std::string Listen();
  // Serves until Shutdown or a signal that means it. `serving` is called when the loops run.
  void Run(const std::function<void()>& serving);

  // Runtime.
  int loops() const override { return static_cast<int>(loops_.size()); }
  const LoopState& loop(int index) const override {
    return loops_[static_cast<size_t>(index)]->state();
  }
  LoopState& loop(int index) override { return loops_[static_cast<size_t>(index)]->state(); }
  void Post(int loop, std::function<void()> task) override;
  void CloseClient(int loop, uint64_t id) override;
  void Unblock(int loop, uint64_t id, std::string resp) override;
  void ResumePaused() override;
  void EndRest() override;
  void Shutdown() override;

 private:
  using Listeners = std::vector<std::unique_ptr<Listener>>;

  // The ports without and with TLS.
  std::string ListenTcp();
  // Opens a port on all addresses of `bind`; `*port` may be 0 and is the port in use afterwards.
  std::string OpenPort(int* port, const Listener::OnAccept& on_accept, Listeners* opened);
  std::string Relisten();
  void PublishNames();
  void WaitForSignal();
  // A new connection without TLS.
  void Accept(int fd, const AcceptedPeer& peer);
  // A new connection to the TLS port: its handshake comes first.
  void AcceptTls(int fd, const AcceptedPeer& peer);
  // Why a connection is not let in: what to tell it, or nothing.
  std::string_view ReasonToRefuse(const AcceptedPeer& peer) const;
  bool Full() const;
  // Hands a connection to the loop with the fewest.
  void Admit(int fd, const AcceptedPeer& peer, std::unique_ptr<TlsStream> tls);

  Server* const server_;
  boost::asio::io_context io_;  // the main thread's: accepting and signals
  boost::asio::signal_set signals_;
  std::vector<std::unique_ptr<EventLoop>> loops_;
  Listeners tcp_listeners_;
  Listeners tls_listeners_;
  std::unique_ptr<Listener> unix_listener_;
  TlsService tls_;
};

}  // namespace spinel
