// The console's questions under /api/, answered in JSON. Nothing here changes anything.
//
//   overview                                          INFO, the loops, the commands, latencies
//   slowlog                                           the latest commands that took long
//   clients                                           those that are connected
//   keys?db=0&cursor=0&match=*&type=hash              one step of a SCAN, with what each key is
//   value?db=0&key=6b6579&cursor=0                    a page of a value
//
// Keys are hexadecimal, because they may be any bytes. What is shown of a key or element is a text
// ("t") and its bytes ("n"); "b" tells that it is no UTF-8 and bytes are shown as \xNN.
// Owner: the HttpService. Threads: its.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "server/http_message.h"
#include "server/loop_calls.h"
#include "server/server.h"

namespace spinel {

class ConsoleApi {
 public:
  using Done = std::function<void(HttpReply reply)>;

  ConsoleApi(Server* server, LoopCalls* calls) : server_(server), calls_(calls) {}

  // Answers a request whose path begins with "/api/".
  void Handle(const HttpRequest& request, int64_t now_ms, Done done);

 private:
  // Has a loop make the JSON.
  void OnLoop(LoopCalls::Work work, Done done);

  Server* const server_;
  LoopCalls* const calls_;
};

}  // namespace spinel
