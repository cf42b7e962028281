#include "tests/support/command_fixture.h"

#include <cstdlib>
#include <stdexcept>

#include "server/acl.h"
#include "server/blocking.h"
#include "server/monitors.h"
#include "server/tracking.h"

namespace spinel {
namespace {

RespValue Text(RespValue::Type type, std::string_view text) {
  RespValue value;
  value.type = type;
  value.text = text;
  return value;
}

std::vector<RespValue> DecodeAll(std::string_view bytes) {
  std::vector<RespValue> values;
  std::string error;
  while (!bytes.empty()) {
    std::optional<RespValue> value = DecodeResp(&bytes, &error);
    if (!value) throw std::runtime_error("malformed reply: " + error + ": " + std::string(bytes));
    values.push_back(std::move(*value));
  }
  return values;
}

}  // namespace

RespValue Simple(std::string_view text) { return Text(RespValue::Type::kSimple, text); }
RespValue Ok() { return Simple("OK"); }
RespValue Error(std::string_view text) { return Text(RespValue::Type::kError, text); }
RespValue Bulk(std::string_view bytes) { return Text(RespValue::Type::kBulk, bytes); }
RespValue Nil() { return RespValue(); }
RespValue NilArray() { return Text(RespValue::Type::kNullArray, {}); }
RespValue Int(int64_t integer) {
  RespValue value;
  value.type = RespValue::Type::kInteger;
  value.integer = integer;
  return value;
}
RespValue Array(std::vector<RespValue> elements) {
  RespValue value;
  value.type = RespValue::Type::kArray;
  value.elements = std::move(elements);
  return value;
}
RespValue Bulks(std::vector<std::string_view> elements) {
  std::vector<RespValue> values;
  for (const std::string_view element : elements) values.push_back(Bulk(element));
  return Array(std::move(values));
}
RespValue WrongType() {
  return Error("WRONGTYPE Operation against a key holding the wrong kind of value");
}
RespValue SyntaxError() { return Error("ERR syntax error"); }
RespValue WrongArity(std::string_view command) {
  return Error(fmt::format("ERR wrong number of arguments for '{}' command", command));
}

TestClient::TestClient(Server* server, LoopState* loop, uint64_t id)
    : server_(server),
      loop_(loop),
      session_(id,
               {.address = fmt::format("127.0.0.1:{}", 50000 + id),
                .local_address = "127.0.0.1:6379",
                .fd = 8,
                .loop = 0,
                .unix_socket = false,
                .loopback = true},
               loop->op.now_ms) {
  session_.transport = this;
  server->acl().Admit(&session_);
  server_->clients().Add(&session_);
}

TestClient::~TestClient() {
  EndBlock(server_, loop_, &session_);
  server_->tracking().Disable(&session_);
  server_->monitors().Remove(loop_, &session_);
  loop_->channels.UnsubscribeAll(&session_);
  server_->clients().Remove(&session_);
}

std::vector<RespValue> TestClient::ExecuteAll(const std::vector<std::string>& args) {
  GoOn();
  const std::vector<std::string_view> views(args.begin(), args.end());
  OutputBuffer out;
  loop_->op.touch = !session_.no_touch;
  const Request request = Dispatcher::Prepare(server_->commands(), views);
  std::string waiting = std::move(pushes_);
  pushes_.clear();
  Dispatcher::Execute(server_, loop_, &session_, request, &out);
  server_->tracking().Broadcast(loop_);
  out.Append(pushes_);
  pushes_ = std::move(waiting);
  return DecodeAll(out.Flatten());
}

RespValue TestClient::Execute(const std::vector<std::string>& args) {
  const std::vector<RespValue> replies = ExecuteAll(args);
  return replies.empty() ? Text(RespValue::Type::kNull, "no reply") : replies.front();
}

void TestClient::GoOn() {
  if (!answer_.has_value()) return;
  EndBlock(server_, loop_, &session_);
  pushes_ += *answer_;
  answer_.reset();
}

std::vector<RespValue> TestClient::TakePushes() {
  GoOn();
  const std::string bytes = std::move(pushes_);
  pushes_.clear();
  return DecodeAll(bytes);
}

CommandFixture::CommandFixture() { Restart(); }

CommandFixture::~CommandFixture() { client_.reset(); }

void CommandFixture::Restart(RespVersion version) {
  client_.reset();
  loop_.reset();
  server_.reset();
  closed_.clear();
  shutdown_ = false;
  config_ = std::make_unique<Config>([] { return int64_t{1} << 34; });
  // No files unless a test wants them.
  const std::string_view no_save_points[] = {"save", ""};
  if (!config_->Set(no_save_points).ok()) std::abort();
  // Made for two loops, although one runs: so that the locks are taken.
  server_ = std::make_unique<Server>(config_.get(), now_ms_, 2);
  server_->set_runtime(this);
  loop_ = std::make_unique<LoopState>(0, server_->commands().all().size(), &server_->channels());
  loop_->op.SetNow(now_ms_);
  client_ = NewClient();
  client_->session().set_resp(version);
}

std::unique_ptr<TestClient> CommandFixture::NewClient() {
  const uint64_t id = server_->clients().NextId();
  auto client = std::make_unique<TestClient>(server_.get(), loop_.get(), id);
  clients_[id] = client.get();
  return client;
}

void CommandFixture::Unblock(int, uint64_t id, std::string resp) {
  clients_.at(id)->Unblock(std::move(resp));
}

void CommandFixture::BothProtocols(const std::function<void()>& body) {
  for (const RespVersion version : {RespVersion::kResp2, RespVersion::kResp3}) {
    Restart(version);
    body();
  }
}

void CommandFixture::AdvanceWithoutTick(int64_t ms) {
  now_ms_ += ms;
  loop_->op.SetNow(now_ms_);
}

void CommandFixture::Advance(int64_t ms) {
  AdvanceWithoutTick(ms);
  TimeOutBlocked(loop_.get(), now_ms_);
  if (!server_->active_expire.load()) return;
  for (int wheel = 0; wheel < Store::kWheels; ++wheel) {
    while (server_->store().ExpireStep(loop_->op, wheel)) {
    }
    while (server_->store().SweepStep(wheel)) {
    }
  }
  server_->store().FinishServing(loop_->op);
  if (!loop_->op.invalidations.empty()) {
    server_->tracking().Deliver(loop_.get(), /*writer=*/nullptr);
    server_->tracking().Broadcast(loop_.get());
  }
}

}  // namespace spinel
