#include "server/blocking.h"

#include <cmath>
#include <set>
#include <utility>

#include "protocol/arg_reader.h"
#include "protocol/numbers.h"
#include "protocol/output_buffer.h"
#include "server/command_context.h"
#include "server/commands/value_reply.h"
#include "server/observation.h"

namespace spinel {
namespace {

CommandStats& StatsOf(LoopState* loop, const Session& session) {
  return loop->stats.command[session.last_command.load(std::memory_order_relaxed)->index];
}

// The command was counted as called when it began to wait; it was not, if it is refused after all
// or nobody is there any more to be answered.
void CountCall(LoopState* loop, Session* session, BlockedClient::Result result, bool gone) {
  using Result = BlockedClient::Result;
  CommandStats& stats = StatsOf(loop, *session);
  constexpr auto kOneLess = ~uint64_t{0};
  if (result == Result::kFailed) stats.failed.Add();
  if (result == Result::kRefused) stats.rejected.Add();
  if (result == Result::kRefused || gone) {
    stats.calls.Add(kOneLess);
    session->commands.fetch_sub(1, std::memory_order_relaxed);
  }
  stats.waiting.Add(kOneLess);
}

}  // namespace

BlockedClient::BlockedClient(Server* server, const Session& session, BlockRequest request,
                             std::vector<Key> keys)
    : server_(server),
      id_(session.id),
      loop_(session.origin.loop),
      database_(session.db()),
      resp_(session.resp()),
      ticket_(Waiters::NextTicket()),
      request_(std::move(request)),
      keys_(std::move(keys)) {}

BlockedClient::~BlockedClient() = default;

void BlockedClient::set_log_entry(std::unique_ptr<CommandLogEntry> entry) {
  log_entry_ = std::move(entry);
}

std::unique_ptr<CommandLogEntry> BlockedClient::TakeLogEntry() { return std::move(log_entry_); }

void BlockedClient::Answer(std::string resp, Result result) {
  result_.store(result, std::memory_order_relaxed);
  if (muted_.load(std::memory_order_relaxed)) resp.clear();
  server_->runtime().Unblock(loop_, id_, std::move(resp));
}

std::string BlockedClient::TimeoutReply() const {
  OutputBuffer out;
  ReplyWriter(&out, resp_).NullArray();
  return out.Flatten();
}

Waiter::Outcome BlockedClient::Serve(KeySlot* slot) {
  if (!slot->Is(request_.type)) {
    return claimed_.load(std::memory_order_acquire) ? Outcome::kGone : Outcome::kNothing;
  }
  if (!Claim()) return Outcome::kGone;
  OutputBuffer out;
  ReplyWriter reply(&out, resp_);
  if (request_.destination.has_value()) {
    KeySlot to =
        slot->store()->Slot(*slot->context(), database_, Store::MakeKey(*request_.destination));
    request_.take(slot, &to, reply);
  } else {
    request_.take(slot, nullptr, reply);
  }
  const Result result = reply.error_count() > 0 ? Result::kFailed : Result::kDone;
  if (result == Result::kFailed) server_->CountError(reply.last_error_code());
  slot->context()->unlocked.push_back(
      [self = shared_from_this(), resp = out.Flatten(), result] { self->Answer(resp, result); });
  return Outcome::kServed;
}

void BlockedClients::Add(std::shared_ptr<BlockedClient> client) {
  MutexLock lock(&mutex_);
  const uint64_t id = client->id();
  clients_[id] = std::move(client);
}

void BlockedClients::Remove(uint64_t id) {
  MutexLock lock(&mutex_);
  clients_.erase(id);
}

std::shared_ptr<BlockedClient> BlockedClients::Find(uint64_t id) const {
  MutexLock lock(&mutex_);
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second;
}

BlockedClients::Totals BlockedClients::totals() const {
  Totals totals;
  std::set<std::pair<int, std::string_view>> keys;
  MutexLock lock(&mutex_);
  for (const auto& [id, client] : clients_) {
    if (client->deadline_ms() != 0) ++totals.with_timeout;
    for (const BlockedClient::Key& key : client->keys()) keys.emplace(client->database(), key.name);
  }
  totals.keys = keys.size();
  return totals;
}

int64_t ReadTimeout(const CommandContext& ctx, ArgReader& args) {
  const double seconds = args.Double("ERR timeout is not a float or out of range");
  if (!args.ok()) return 0;
  const double ms = std::ceil(seconds * 1000);
  // 2^63; the sum with the time of day has to fit too.
  constexpr double kTooMany = 9223372036854775808.0;
  if (ms < 0) {
    args.Fail("ERR timeout is negative");
  } else if (ms >= kTooMany || static_cast<int64_t>(ms) > INT64_MAX - ctx.now_ms()) {
    args.Fail("ERR timeout is out of range");
  }
  if (!args.ok() || ms == 0) return 0;
  return ctx.now_ms() + static_cast<int64_t>(ms);
}

void TakeOrBlock(CommandContext& ctx, ReplyWriter& reply, BlockRequest request) {
  const LockedKeys keys = ctx.LockKeys();
  for (size_t i = 0; i < keys.size(); ++i) {
    KeySlot slot = keys.Slot(i);
    if (!slot) continue;
    slot.Touch();
    if (RefuseWrongType(slot, request.type, reply)) return;
    return request.take(&slot, nullptr, reply);
  }
  if (!ctx.may_block()) return reply.NullArray();
  for (size_t i = 0; i < keys.size(); ++i) request.keys.push_back(i);
  Block(ctx, keys, std::move(request));
}

void Block(CommandContext& ctx, const LockedKeys& keys, BlockRequest request) {
  Session& session = ctx.session();
  std::vector<BlockedClient::Key> names;
  for (const size_t i : request.keys) {
    names.push_back({keys.key(i).hash, std::string(keys.key(i).name)});
  }
  auto client =
      std::make_shared<BlockedClient>(&ctx.server(), session, std::move(request), std::move(names));
  // Known everywhere before the first queue: from then on a push may answer it.
  session.blocked = client;
  StatsOf(&ctx.loop(), session).waiting.Add();
  session.waiting.store(true, std::memory_order_relaxed);
  ctx.server().blocked().Add(client);
  if (client->deadline_ms() != 0) {
    ctx.loop().deadlines.emplace(std::pair(client->deadline_ms(), client->id()), client);
  }
  for (const BlockedClient::Key& key : client->keys()) {
    ctx.store().AddWaiter(session.db(), {key.name, key.hash}, client->ticket(), client);
  }
}

void EndBlock(Server* server, LoopState* loop, Session* session) {
  const std::shared_ptr<BlockedClient> client = std::move(session->blocked);
  if (client == nullptr) return;
  session->waiting.store(false, std::memory_order_relaxed);
  const bool unanswered = client->Claim();  // nobody else may answer from here on
  CountCall(loop, session, client->result(),
            unanswered || session->closing.load(std::memory_order_relaxed));
  for (const BlockedClient::Key& key : client->keys()) {
    server->store().RemoveWaiter(client->database(), {key.name, key.hash}, client->ticket());
  }
  server->blocked().Remove(client->id());
  server->observation().Finish(client->TakeLogEntry());
  if (client->deadline_ms() != 0) {
    loop->deadlines.erase(std::pair(client->deadline_ms(), client->id()));
  }
}

void TimeOutBlocked(LoopState* loop, int64_t now_ms) {
  std::vector<std::shared_ptr<BlockedClient>> due;
  for (const auto& [deadline, client] : loop->deadlines) {
    if (deadline.first > now_ms) break;
    due.push_back(client);
  }
  for (const std::shared_ptr<BlockedClient>& client : due) {
    // One that a push has claimed gets its element instead.
    if (client->Claim()) client->Answer(client->TimeoutReply());
  }
}

}  // namespace spinel
