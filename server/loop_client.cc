#include "server/loop_client.h"

#include <utility>

#include "protocol/output_buffer.h"
#include "server/acl.h"
#include "server/dispatcher.h"
#include "server/loop_state.h"

namespace spinel {

LoopClient::LoopClient(Server* server, LoopState* loop, int database)
    : server_(server),
      loop_(loop),
      touch_(std::exchange(loop->op.touch, false)),
      outer_(std::exchange(loop->serves, &session_)),
      session_(server->clients().NextId(),
               {.address = "console",
                .local_address = "console",
                .fd = -1,
                .loop = loop->index,
                .unix_socket = false,
                .loopback = false},
               loop->op.now_ms) {
  server->acl().Trust(&session_);
  session_.no_touch = true;
  session_.set_db(database);
}

LoopClient::~LoopClient() {
  loop_->op.touch = touch_;
  loop_->serves = outer_;
}

std::optional<RespValue> LoopClient::Run(const std::vector<std::string_view>& args) {
  OutputBuffer out;
  const Request request = Dispatcher::Prepare(server_->commands(), args);
  Dispatcher::Execute(server_, loop_, &session_, request, &out);
  if (out.size() > kMostReplyBytes) return std::nullopt;
  const std::string bytes = out.Flatten();
  std::string_view rest = bytes;
  std::string error;
  return DecodeResp(&rest, &error);
}

}  // namespace spinel
