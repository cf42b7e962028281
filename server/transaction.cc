#include "server/transaction.h"

#include <fmt/format.h>

#include <memory>

#include "server/command_context.h"
#include "server/cycle_clock.h"
#include "server/dispatcher.h"
#include "server/session.h"
#include "storage/atomic_section.h"
#include "storage/big_value.h"
#include "storage/store.h"

namespace spinel {
namespace {

// Memory that a client keeps for its next transaction.
constexpr size_t kKeepBytes = 4096;
constexpr size_t kKeepElements = 128;

template <typename Vector>
void ClearOrFree(Vector* vector, size_t keep) {
  if (vector->capacity() > keep) {
    *vector = Vector();
  } else {
    vector->clear();
  }
}

// Elements whose time is over, although they are not removed yet, have changed the value; those
// that were over already when the watch began have not.
bool ElementsExpiredSince(const KeySlot& slot, int64_t since_ms) {
  if (!slot || !slot->HasExpiringElements()) return false;
  const int64_t next = slot->object()->NextExpiry();
  return next > since_ms && next <= slot.now_ms();
}

// What a queued command is answered that its user may not run any more.
void ReplyDenied(CommandContext& ctx, const AclVerdict& denied, ReplyWriter& reply) {
  const std::string_view reason =
      denied.denial == AclDenial::kCommand ? "no permission to execute the command or subcommand"
      : denied.denial == AclDenial::kKey
          ? "no permission to touch the specified keys"
          : "no permission to access one of the channels used as argument to the command";
  reply.Error(fmt::format(
      "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
      "call. This command is no longer allowed for the following reason: {}",
      reason));
  ctx.loop().stats.error_replies.Add();
  ctx.server().CountError("NOPERM");
}

}  // namespace

Transaction& Transaction::Of(CommandContext& ctx) {
  std::unique_ptr<Transaction>& transaction = ctx.session().transaction;
  if (transaction == nullptr) {
    transaction = std::make_unique<Transaction>(&ctx.store(), &ctx.session());
  }
  return *transaction;
}

// -- The queue
// -------------------------------------------------------------------------------------

void Transaction::Begin() { ShowQueue(0); }

void Transaction::ShowQueue(int32_t queued) const {
  const size_t bytes = bytes_.capacity() + ends_.capacity() * sizeof(ends_[0]) +
                       commands_.capacity() * sizeof(commands_[0]) +
                       keys_.capacity() * sizeof(keys_[0]);
  session_->queued.store(queued, std::memory_order_relaxed);
  session_->queued_bytes.store(queued > 0 ? bytes : 0, std::memory_order_relaxed);
}

void Transaction::Queue(const Request& request, uint32_t flags) {
  if (spoiled_) return;
  if (session_->watched_changed.load(std::memory_order_relaxed)) {
    DropQueue();
    return ShowQueue(0);
  }
  const CommandArgs args = request.args;
  commands_.push_back({request.command, ends_.size(), args.size(), request.key.hash});
  for (const std::string_view arg : args) {
    bytes_.append(arg);
    ends_.push_back(bytes_.size());
  }
  flags_ |= flags;
  AddKeys(request);
  ShowQueue(static_cast<int32_t>(commands_.size()));
}

// What has to be locked for the command. One whose keys are not known locks everything, unless its
// row says that it needs nothing: a new command is safe before anybody has thought of this.
void Transaction::AddKeys(const Request& request) {
  const CommandSpec& spec = *request.command->spec;
  if (everything_ || request.command->Has(kNoData)) return;
  if (request.command->Has(kAnyData)) {
    everything_ = true;
    return;
  }
  if (spec.extractor == nullptr && spec.keys.first == 1 && spec.keys.last == 1 &&
      request.command->parent == nullptr) {
    keys_.push_back({{}, request.key.hash});
    return;
  }
  std::vector<int> indexes;
  if (!ExtractKeys(spec, request.args, &indexes) || indexes.empty()) {
    everything_ = true;
    return;
  }
  for (const int index : indexes) {
    keys_.push_back({{}, Store::MakeKey(request.args[static_cast<size_t>(index)]).hash});
  }
}

void Transaction::Spoil() {
  spoiled_ = true;
  DropQueue();
  ShowQueue(0);
}

void Transaction::DropQueue() {
  ClearOrFree(&bytes_, kKeepBytes);
  ClearOrFree(&ends_, kKeepElements);
  ClearOrFree(&args_, kKeepElements);
  ClearOrFree(&commands_, kKeepElements);
  ClearOrFree(&keys_, kKeepElements);
  everything_ = false;
  flags_ = 0;
}

void Transaction::Discard() {
  Unwatch(Locking::kTake);
  DropQueue();
  spoiled_ = false;
  ShowQueue(-1);
}

// -- EXEC
// ------------------------------------------------------------------------------------------

void Transaction::Exec(CommandContext& ctx, ReplyWriter& reply) {
  if (spoiled_) {
    Discard();
    return reply.Error("EXECABORT Transaction discarded because of previous errors.");
  }
  for (const WatchedKey& key : watched_) keys_.push_back({{}, key.hash});
  {
    const AtomicSection section(store_, &ctx.op(), keys_, everything_);
    const bool changed = WatchedHaveChanged(ctx.op());
    Unwatch(Locking::kHeld);  // what it changes itself is no news
    if (changed) {
      reply.NullArray();
    } else {
      RunQueued(ctx, reply);
    }
  }
  Discard();
}

bool Transaction::WatchedHaveChanged(const OpContext& op) const {
  for (const WatchedKey& watched : watched_) {
    // A slot removes an expired key, which raises the flag.
    const KeySlot slot = store_->Slot(op, watched.database, {watched.name, watched.hash});
    if (ElementsExpiredSince(slot, watched.since_ms)) return true;
  }
  return session_->watched_changed.load(std::memory_order_relaxed);
}

void Transaction::RunQueued(CommandContext& ctx, ReplyWriter& reply) {
  args_.reserve(ends_.size());
  size_t from = 0;
  for (const size_t end : ends_) {
    args_.push_back(std::string_view(bytes_).substr(from, end - from));
    from = end;
  }

  // Errors are those of their own commands, not EXEC's; HELLO may change the protocol on the way.
  ReplyWriter replies(reply.out(), reply.version());
  // CLIENT REPLY may turn replies off, or on again, on the way.
  const ReplyMode& mode = session_->reply_mode;
  const auto silent = [&mode] { return mode == ReplyMode::kOff || mode == ReplyMode::kSkipping; };
  if (!silent()) replies.Array(static_cast<int64_t>(commands_.size()));

  uint64_t time = CycleClock::Now();
  for (const QueuedCommand& queued : commands_) {
    Request request;
    request.args = CommandArgs(args_).subspan(queued.first_argument, queued.arguments);
    request.command = queued.command;
    const auto first = static_cast<size_t>(queued.command->spec->keys.first);
    if (first != 0 && first < queued.arguments && queued.command->parent == nullptr) {
      request.key = {request.args[first], queued.key_hash};
    }
    const OutputBuffer::Mark before = replies.Begin();
    AclVerdict denied;
    if (Dispatcher::Denies(&ctx.server(), &ctx.loop(), session_, request, AclLogContext::kMulti,
                           &denied)) {
      ReplyDenied(ctx, denied, replies);
      if (silent()) reply.out()->TruncateTo(before);
      continue;
    }
    const uint64_t end = Dispatcher::Call(&ctx.server(), &ctx.loop(), session_, request, replies,
                                          Locking::kHeld, time);
    ctx.loop().stats.turn.nested_ticks.Add(end - time);
    time = end;
    if (silent()) reply.out()->TruncateTo(before);
  }
  session_->last_command.store(&ctx.command(), std::memory_order_relaxed);
}

// -- WATCH
// -----------------------------------------------------------------------------------------

size_t Transaction::BytesOf(const WatchedKey& watched) {
  return 2 * (sizeof(watched) + watched.name.size());
}

void Transaction::Watch(CommandContext& ctx) {
  if (session_->watched_changed.load(std::memory_order_relaxed)) return;  // EXEC will refuse anyway
  const int database = session_->db();
  const LockedKeys keys = ctx.LockKeys();
  for (size_t i = 0; i < keys.size(); ++i) {
    const Key& key = keys.key(i);
    keys.Slot(i);  // removes it if it has expired: it does not exist
    if (!store_->AddWatcher(database, key, &session_->watched_changed)) continue;
    watched_.push_back({database, ctx.now_ms(), key.hash, std::string(key.name)});
    session_->listed_bytes.fetch_add(BytesOf(watched_.back()), std::memory_order_relaxed);
  }
  session_->watched.store(static_cast<uint32_t>(watched_.size()), std::memory_order_relaxed);
}

void Transaction::Unwatch(Locking locking) {
  for (const WatchedKey& watched : watched_) {
    store_->RemoveWatcher(watched.database, {watched.name, watched.hash},
                          &session_->watched_changed, locking);
    session_->listed_bytes.fetch_sub(BytesOf(watched), std::memory_order_relaxed);
  }
  ClearOrFree(&watched_, kKeepElements);
  session_->watched.store(0, std::memory_order_relaxed);
  session_->watched_changed.store(false, std::memory_order_relaxed);
}

}  // namespace spinel
