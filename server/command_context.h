// What a handler gets: the request, who sent it, and access to the store through guards.
//
// Lives for one command. Threads: the loop's that executes it.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "server/command.h"
#include "server/loop_state.h"
#include "server/server.h"
#include "server/session.h"
#include "storage/store.h"

namespace spinel {

// All keys of a command, their stripes locked.
class LockedKeys {
 public:
  // With `everything`, all other keys are locked as well.
  LockedKeys(Store* store, const OpContext* context, int database, KeySlot::Use use,
             Locking locking, absl::InlinedVector<Key, 16> keys, bool everything = false)
      : store_(store),
        context_(context),
        database_(database),
        use_(use),
        keys_(std::move(keys)),
        serves_(locking == Locking::kTake),
        everything_(everything),
        lock_(!serves_     ? MultiLock()
              : everything ? store->LockAll()
                           : store->Lock(keys_)) {}
  // Serves those who wait for one of the keys.
  ~LockedKeys() {
    if (!context_->ready.empty() && serves_) {
      store_->ServeReady(*context_, {.several = &lock_, .all = everything_});
    }
  }
  LockedKeys(const LockedKeys&) = delete;
  LockedKeys& operator=(const LockedKeys&) = delete;

  size_t size() const { return keys_.size(); }
  const Key& key(size_t i) const { return keys_[i]; }
  KeySlot Slot(size_t i) const { return SlotOf(keys_[i]); }
  // A key that is none of the command's; expects everything to be locked.
  KeySlot SlotOf(const Key& key) const { return store_->Slot(*context_, database_, key, use_); }
  // The same key in another database: its stripe is the same.
  KeySlot SlotIn(int database, size_t i) const {
    return store_->Slot(*context_, database, keys_[i], use_);
  }

 private:
  Store* store_;
  const OpContext* context_;
  const int database_;
  const KeySlot::Use use_;
  const absl::InlinedVector<Key, 16> keys_;
  const bool serves_;  // otherwise the holder of the locks does
  const bool everything_;
  const MultiLock lock_;
};

class CommandContext {
 public:
  CommandContext(Server* server, LoopState* loop, Session* session, const Command* command,
                 CommandArgs args, const Key& first_key, Locking locking = Locking::kTake)
      : server_(server),
        loop_(loop),
        session_(session),
        command_(command),
        args_(args),
        first_key_(first_key),
        locking_(locking) {}

  Server& server() const { return *server_; }
  const Config& config() const { return server_->config(); }
  Store& store() const { return server_->store(); }
  LoopState& loop() const { return *loop_; }
  const OpContext& op() const { return loop_->op; }
  Session& session() const { return *session_; }
  const Command& command() const { return *command_; }
  CommandArgs args() const { return args_; }
  std::string_view arg(size_t i) const { return args_[i]; }
  size_t argc() const { return args_.size(); }
  int64_t now_ms() const { return loop_->op.now_ms; }
  // Where big arguments may be had without a copy, or null.
  BlobSource* input() const { return loop_->input; }

  // The argument as a key; the first key's hash was computed when the request was parsed.
  Key key(size_t arg_index) const {
    const std::string_view name = args_[arg_index];
    return !name.empty() && name.data() == first_key_.name.data() ? first_key_
                                                                  : Store::MakeKey(name);
  }

  // Guards for the key at an argument index (most commands have it at 1).
  ReadGuard Lookup(size_t arg_index = 1, LookupMode mode = LookupMode::kCount) const {
    return store().Read(op(), session_->db(), key(arg_index), mode, locking_);
  }
  WriteGuard Write(size_t arg_index = 1) const {
    return store().Write(op(), session_->db(), key(arg_index), locking_);
  }
  // kHeld inside a transaction or script: the command's keys are locked already, and whoever locked
  // them serves those who wait.
  Locking locking() const { return locking_; }
  // Whether the command may wait; otherwise it answers at once as if its time were over.
  bool may_block() const { return locking_ == Locking::kTake; }
  // All of the command's keys in their order, by its row.
  LockedKeys LockKeys() const;
  // The same with every other key locked as well, for commands that reach keys which only the data
  // names (SORT's patterns).
  LockedKeys LockEverything() const;

 private:
  absl::InlinedVector<Key, 16> Keys() const;
  // What the command's row says that it does with its keys.
  KeySlot::Use use() const {
    return command_->Has(kReadOnly) ? KeySlot::Use::kRead : KeySlot::Use::kWrite;
  }

  Server* server_;
  LoopState* loop_;
  Session* session_;
  const Command* command_;
  CommandArgs args_;
  Key first_key_;
  Locking locking_;
};

}  // namespace spinel
