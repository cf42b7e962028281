// The metrics port: HTTP/1.1 on a thread of its own, so that no client of the data waits for those
// who look.
//
// Only GET and HEAD are answered. Headers, connections and time are bounded: whoever sends slowly,
// reads slowly or holds many connections is cut.
// Owner: main. Threads: main's, and that of CONFIG SET; what is behind it runs on the one thread.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/http_service.h"
#include "server/listener.h"
#include "server/server.h"

namespace spinel {

class HttpServer {
 public:
  static constexpr int kMostConnections = 128;
  static constexpr unsigned kMostHeaderBytes = 8 * 1024;

  explicit HttpServer(Server* server);
  ~HttpServer();  // stops
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens as the configuration says, now and whenever it changes; without a metrics-port there is
  // no thread. An empty return: done; else why not. The runtime has to be set.
  std::string Start();
  void Stop();

 private:
  class Connection;

  std::string Listen();
  // After a change of the addresses or the port.
  std::string Relisten();
  void StartThread();
  void Accept(int fd, const AcceptedPeer& peer);

  Server* const server_;
  int connections_ = 0;  // outlives the connections, which are the io_context's
  boost::asio::io_context io_;
  // The thread stays when the port is closed: it may be opened again.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  HttpService service_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::thread thread_;
};

}  // namespace spinel
