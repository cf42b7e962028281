// Clients that block: BLPOP and its relatives on their server side. (The queues they stand in are
// the store's: storage/waiters.h.)
//
// A handler that finds nothing calls Block with its keys still locked, writes no reply and returns.
// The connection executes nothing more of that client until it is unblocked by exactly one of
// these, whoever claims it first: a push (which takes the element for it and formats the reply),
// its time-out, CLIENT UNBLOCK, or its end.
//
// Threads: BlockedClients and a BlockedClient's Serve and Claim any; the rest is the loop's that
// the client lives on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "protocol/reply_writer.h"
#include "storage/entry.h"
#include "storage/mutex.h"
#include "storage/waiters.h"

namespace spinel {

class ArgReader;
class CommandContext;
class LockedKeys;
class Server;
class Session;
struct CommandLogEntry;
struct LoopState;

// What a client waits for.
struct BlockRequest {
  // Takes from `source`, which holds a value of `type`, and writes the reply. `destination` is that
  // of the key named below, or null.
  using Take = std::function<void(KeySlot* source, KeySlot* destination, ReplyWriter& reply)>;

  std::vector<size_t> keys;  // which of the locked keys
  ValueType type = ValueType::kList;
  Take take;
  std::optional<std::string> destination;
  int64_t deadline_ms = 0;  // Unix time; 0: none
};

class BlockedClient final : public Waiter, public std::enable_shared_from_this<BlockedClient> {
 public:
  struct Key {
    uint64_t hash;
    std::string name;
  };

  BlockedClient(Server* server, const Session& session, BlockRequest request,
                std::vector<Key> keys);
  ~BlockedClient() override;

  // True for the first caller, who then owes the client its reply.
  bool Claim() { return !claimed_.exchange(true, std::memory_order_acq_rel); }
  // What the reply makes of the command, for statistics: executed, executed in vain, or refused
  // after all.
  enum class Result : uint8_t { kDone, kFailed, kRefused };
  // Hands the reply over to the client's loop. Expects to have claimed.
  void Answer(std::string resp, Result result = Result::kDone);
  // The reply to one whose time is over.
  std::string TimeoutReply() const;

  Outcome Serve(KeySlot* slot) override;
  const std::string* destination() const override {
    return request_.destination.has_value() ? &*request_.destination : nullptr;
  }

  uint64_t id() const { return id_; }
  int database() const { return database_; }
  int64_t deadline_ms() const { return request_.deadline_ms; }
  uint64_t ticket() const { return ticket_; }
  const std::vector<Key>& keys() const { return keys_; }
  // What the slow log is to say once it has its reply. On its loop.
  void set_log_entry(std::unique_ptr<CommandLogEntry> entry);
  std::unique_ptr<CommandLogEntry> TakeLogEntry();
  Result result() const { return result_.load(std::memory_order_relaxed); }
  // CLIENT REPLY OFF or SKIP was in force when it blocked.
  void set_muted() { muted_ = true; }

 private:
  Server* const server_;
  const uint64_t id_;
  const int loop_;
  const int database_;
  const RespVersion resp_;
  const uint64_t ticket_;
  const BlockRequest request_;
  const std::vector<Key> keys_;
  std::unique_ptr<CommandLogEntry> log_entry_;
  std::atomic<bool> claimed_{false};
  std::atomic<bool> muted_{false};
  std::atomic<Result> result_{Result::kDone};
};

// Everyone who blocks, by the client's id: for CLIENT UNBLOCK and INFO. Owner: the Server.
class BlockedClients {
 public:
  void Add(std::shared_ptr<BlockedClient> client);
  void Remove(uint64_t id);
  std::shared_ptr<BlockedClient> Find(uint64_t id) const;
  struct Totals {
    size_t keys = 0;          // that at least one client waits for
    size_t with_timeout = 0;  // clients that do not wait for ever
  };
  Totals totals() const;

 private:
  mutable Mutex mutex_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<BlockedClient>> clients_ ABSL_GUARDED_BY(mutex_);
};

// Reads a timeout in seconds, fractions allowed; returns the Unix ms at which it is over, 0 for
// never. Latches Redis' errors.
int64_t ReadTimeout(const CommandContext& ctx, ArgReader& args);

// Takes from the first of the command's keys that exists; it has to be of the request's type.
// Blocks when there is none.
void TakeOrBlock(CommandContext& ctx, ReplyWriter& reply, BlockRequest request);

// Makes the client wait. Expects `keys` to be locked still, and ctx.may_block().
void Block(CommandContext& ctx, const LockedKeys& keys, BlockRequest request);

// Takes the client out of all queues; on its loop, when it has got its reply or is gone.
void EndBlock(Server* server, LoopState* loop, Session* session);

// Answers the clients of a loop whose time is over.
void TimeOutBlocked(LoopState* loop, int64_t now_ms);

}  // namespace spinel
