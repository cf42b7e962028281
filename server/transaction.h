// A client's transaction: what it has queued since MULTI, and the keys that it watches.
//
// The Dispatcher queues: between MULTI and EXEC a command that would be executed is copied in here,
// one that would be refused spoils the transaction. EXEC locks what the queued commands name and
// what is watched, looks whether a watched key has changed, and if none has runs the commands, all
// of them under these locks, their replies in one array.
//
// What CLIENT LIST shows of it (how many are queued, how many watched) is in the Session, for any
// thread to read.
//
// Owner: its Session, from the first MULTI or WATCH on. Threads: the loop's. Destroyed with no
// stripe held, because it takes its watches out of the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/reply_writer.h"
#include "server/command.h"
#include "storage/guards.h"
#include "storage/key_slot.h"

namespace spinel {

class CommandContext;
class Session;
class Store;
struct OpContext;
struct Request;

class Transaction {
 public:
  // The caller's session's, which is made if there is none yet.
  static Transaction& Of(CommandContext& ctx);

  Transaction(Store* store, Session* session) : store_(store), session_(session) {}
  ~Transaction() { Discard(); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // MULTI. Expects none to be open.
  void Begin();
  // Copies a request that would have been executed. It is dropped at once if EXEC will run nothing.
  void Queue(const Request& request, uint32_t flags);
  // A command was refused: EXEC will run nothing.
  void Spoil();
  // The flags of all that is queued.
  uint32_t flags() const { return flags_; }
  // EXEC: runs what is queued and closes the transaction, whatever the outcome. Expects one to be
  // open, and no stripe to be held.
  void Exec(CommandContext& ctx, ReplyWriter& reply);
  // Forgets what is queued and what is watched; no transaction is open afterwards.
  void Discard();

  // Watches all keys of the command that is being executed.
  void Watch(CommandContext& ctx);
  // Watches nothing any more. `locking`: whether the stripes of the watched keys are held.
  void Unwatch(Locking locking);

 private:
  struct QueuedCommand {
    const Command* command;
    size_t first_argument;  // among all arguments
    size_t arguments;
    uint64_t key_hash;  // of its first key, if it has one by its row
  };
  struct WatchedKey {
    int database;
    int64_t since_ms;  // Unix time
    uint64_t hash;
    std::string name;
  };

  // Memory of a watched key, here and where it is watched.
  static size_t BytesOf(const WatchedKey& watched);

  void AddKeys(const Request& request);
  bool WatchedHaveChanged(const OpContext& op) const;
  void RunQueued(CommandContext& ctx, ReplyWriter& reply);
  // Drops the queue, with its memory if that is much.
  void DropQueue();
  // In the session, for CLIENT LIST: how many commands are queued; -1: no transaction is open.
  void ShowQueue(int32_t queued) const;

  Store* const store_;
  Session* const session_;

  // The queue: arguments end to end, and where each of them ends.
  std::string bytes_;
  std::vector<size_t> ends_;
  std::vector<QueuedCommand> commands_;
  std::vector<std::string_view> args_;  // EXEC's views of the arguments
  std::vector<Key> keys_;               // what to lock: hashes, the names are empty
  bool everything_ = false;             // all the store is to be locked
  bool spoiled_ = false;
  uint32_t flags_ = 0;

  std::vector<WatchedKey> watched_;
};

}  // namespace spinel
