// Runs commands on a loop as a client without a socket: for the console, whose every look at the
// data goes through the commands that clients have.
//
// Owner: a task on the loop, which it does not outlive. The client is not in CLIENT LIST; its reads
// leave the keys' access clocks alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/resp_decoder.h"
#include "server/server.h"
#include "server/session.h"

namespace spinel {

class LoopClient {
 public:
  // Replies beyond this are not decoded, so that the loop is not held up.
  static constexpr size_t kMostReplyBytes = 1 << 20;

  LoopClient(Server* server, LoopState* loop, int database);
  ~LoopClient();
  LoopClient(const LoopClient&) = delete;
  LoopClient& operator=(const LoopClient&) = delete;

  // The reply, in RESP2; nullopt: it is too large. Not for commands that wait or change the client.
  std::optional<RespValue> Run(const std::vector<std::string_view>& args);

 private:
  Server* const server_;
  LoopState* const loop_;
  const bool touch_;
  const Session* const outer_;
  Session session_;
};

}  // namespace spinel
