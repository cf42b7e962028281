// What the metrics port answers: metrics, health, and the console if it is turned on. No sockets,
// so that tests have it too.
//
// Everything but the health needs the server's password where there is one (HTTP basic
// authentication, user `default`); where there is none, protected mode keeps other machines out.
//
// Owner: the HttpServer, or a test. Threads: that of the io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "server/console_api.h"
#include "server/http_message.h"
#include "server/loop_calls.h"
#include "server/server.h"

namespace spinel {

class HttpService {
 public:
  using Done = std::function<void(HttpReply reply)>;

  HttpService(boost::asio::io_context* io, Server* server)
      : server_(server), calls_(io, server), api_(server, &calls_) {}

  // Answers a GET; `done` is called once, now or later. `now_ms`: Unix time.
  void Handle(const HttpRequest& request, int64_t now_ms, Done done);

 private:
  HttpReply Live(int64_t now_ms) const;
  HttpReply Ready(int64_t now_ms) const;
  // False: `*reply` says why not.
  bool MayPass(const HttpRequest& request, HttpReply* reply) const;
  void Metrics(Done done);
  // False: it is not the console's.
  bool HandleConsole(const HttpRequest& request, int64_t now_ms, const Done& done);

  Server* const server_;
  LoopCalls calls_;
  ConsoleApi api_;
  std::string info_;  // the last INFO that a loop has made, and when
  int64_t info_ms_ = 0;
};

}  // namespace spinel
