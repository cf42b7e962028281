// Runs commands without sockets, threads or real time: a server with one loop, one or more clients,
// and a clock that the test sets.
//
//   TEST_CASE_METHOD(CommandFixture, "GET: a missing key is null") {
//     CHECK(Run("GET", "none") == Nil());
//     Run("SET", "k", "v", "PX", "100");
//     Advance(101);
//     CHECK(Run("GET", "k") == Nil());
//   }
//
// BothProtocols(body) runs a body with RESP2 and again, on an empty server, with RESP3.
#pragma once

#include <fmt/format.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/resp_decoder.h"
#include "server/config.h"
#include "server/dispatcher.h"
#include "server/loop_state.h"
#include "server/server.h"
#include "server/session.h"

namespace spinel {

inline std::ostream& operator<<(std::ostream& out, const RespValue& value) {
  return out << ToString(value);
}

// -- What replies are compared with
// ----------------------------------------------------------------
RespValue Simple(std::string_view text);
RespValue Ok();
RespValue Error(std::string_view text);
RespValue Int(int64_t value);
RespValue Bulk(std::string_view bytes);
// Null in either protocol.
RespValue Nil();
// RESP2's null array; RESP3 has only Nil.
RespValue NilArray();
RespValue Array(std::vector<RespValue> elements);
// An array of bulk strings.
RespValue Bulks(std::vector<std::string_view> elements);
RespValue WrongType();
RespValue SyntaxError();
RespValue WrongArity(std::string_view command);

// A client of the fixture's server.
class TestClient : private Transport {
 public:
  TestClient(Server* server, LoopState* loop, uint64_t id);
  ~TestClient() override;

  // Executes one command and decodes its reply. A command without a reply answers kNull with the
  // text "no reply".
  RespValue Execute(const std::vector<std::string>& args);
  // All replies of one command: SUBSCRIBE has several.
  std::vector<RespValue> ExecuteAll(const std::vector<std::string>& args);
  // Messages pushed to the client since the last call, except by commands of its own: those are
  // behind the command's replies.
  std::vector<RespValue> TakePushes();
  Session& session() { return session_; }
  // Whether it waits in a blocking command; the reply, once there is one, comes by TakePushes.
  bool blocked() {
    GoOn();
    return session_.blocked != nullptr;
  }
  // Runtime::Unblock: takes effect, as on a loop of its own, when the client is looked at next.
  void Unblock(std::string resp) { answer_ = std::move(resp); }

 private:
  void Push(const std::shared_ptr<const std::string>& resp) override { pushes_ += *resp; }

  void GoOn();

  Server* server_;
  LoopState* loop_;
  Session session_;
  std::string pushes_;
  std::optional<std::string> answer_;  // to the command it is blocked in
};

class CommandFixture : private Runtime {
 public:
  CommandFixture();
  ~CommandFixture() override;

  template <typename... Args>
  RespValue Run(const Args&... args) {
    return client().Execute({ToText(args)...});
  }
  RespValue RunArgs(const std::vector<std::string>& args) { return client().Execute(args); }

  // The client that Run uses; more can be made.
  TestClient& client() { return *client_; }
  std::unique_ptr<TestClient> NewClient();
  // Begins anew with the given protocol: empty databases, a fresh client.
  void Restart(RespVersion version = RespVersion::kResp2);
  void BothProtocols(const std::function<void()>& body);
  bool resp3() { return client().session().resp() == RespVersion::kResp3; }

  // Time moves only here; keys that are due are expired as the loop's tick would.
  void Advance(int64_t ms);
  // Time moves, but the timing wheel stands still: for lazy expiry.
  void AdvanceWithoutTick(int64_t ms);
  int64_t now_ms() const { return now_ms_; }

  Server& server() { return *server_; }
  LoopState& state() { return *loop_; }
  Config& config() { return *config_; }
  bool shutdown_requested() const { return shutdown_; }
  // Ids of clients that were told to close.
  const std::vector<uint64_t>& closed() const { return closed_; }

 private:
  static std::string ToText(std::string_view text) { return std::string(text); }
  static std::string ToText(int64_t value) { return std::to_string(value); }
  static std::string ToText(int value) { return std::to_string(value); }
  static std::string ToText(size_t value) { return std::to_string(value); }

  // Runtime: one loop; posted tasks run at once.
  int loops() const override { return 1; }
  const LoopState& loop(int) const override { return *loop_; }
  LoopState& loop(int) override { return *loop_; }
  void Post(int, std::function<void()> task) override { task(); }
  void CloseClient(int, uint64_t id) override { closed_.push_back(id); }
  void Unblock(int, uint64_t id, std::string resp) override;
  void ResumePaused() override {}
  void EndRest() override {}
  void Shutdown() override { shutdown_ = true; }

  int64_t now_ms_ = 1'700'000'000'000;
  std::unique_ptr<Config> config_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<LoopState> loop_;
  std::unique_ptr<TestClient> client_;
  std::vector<uint64_t> closed_;
  std::map<uint64_t, TestClient*> clients_;  // all that were made
  bool shutdown_ = false;
};

}  // namespace spinel
