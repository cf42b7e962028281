// A client's state without its socket, so that commands can be tested without one.
//
// Owner: its connection (or a test). Threads: fields are the loop's alone, except those marked
// "any thread": atomics with one writer, the loop, for CLIENT LIST and its like, and the names,
// which have a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "protocol/reply_writer.h"
#include "server/subscription.h"
#include "server/text_map.h"
#include "storage/spin_lock.h"

namespace spinel {

class AclUser;
class BlockedClient;
class Transaction;
struct AclAccount;
struct Command;

// What a session asks of its connection. Called on the loop's thread.
class Transport {
 public:
  virtual ~Transport() = default;
  // Sends bytes that are no reply (a message to a subscriber): behind what the client is owed so
  // far, and behind the reply of the command that is being executed, if it is this client's own.
  virtual void Push(const std::shared_ptr<const std::string>& resp) = 0;
};

// How replies are treated: CLIENT REPLY.
enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext, kSkipping };

class Session {
 public:
  struct Origin {
    std::string address;  // "127.0.0.1:1234", "[::1]:1234" or "/path:0"
    std::string local_address;
    int fd = -1;
    int loop = 0;
    bool unix_socket = false;
    bool loopback = false;  // Unix sockets included: what `local` settings admit
  };

  Session(uint64_t session_id, Origin session_origin, int64_t now_ms);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const uint64_t id;
  const Origin origin;
  const int64_t created_ms;

  // -- The loop's --------------------------------------------------------------------------------
  Transport* transport = nullptr;
  bool authenticated = false;
  bool close_after_reply = false;
  // Its user and what that one may do, as of a generation of the rules (Server::acl_generation);
  // and the generation in which it may do anything, 0: none. Acl keeps them.
  uint64_t acl_generation = 0;
  uint64_t unrestricted_at = 0;
  std::shared_ptr<const AclUser> acl_user;
  ReplyMode reply_mode = ReplyMode::kOn;
  // What it waits for in a blocking command; null: nothing.
  std::shared_ptr<BlockedClient> blocked;
  // MULTI and WATCH; null until the first of them. Touches the store when it goes: whoever closes
  // the client lets go of it first, holding no stripe.
  std::unique_ptr<Transaction> transaction;
  // CLIENT TRACKING's prefixes; null as long as there are none.
  std::unique_ptr<TextSet> tracking_prefixes;
  // What it listens to; null as long as that is nothing.
  std::unique_ptr<Subscriptions> listens_to;

  int db() const { return db_.load(std::memory_order_relaxed); }
  void set_db(int db) { db_.store(db, std::memory_order_relaxed); }
  RespVersion resp() const { return resp_.load(std::memory_order_relaxed); }
  void set_resp(RespVersion version) { resp_.store(version, std::memory_order_relaxed); }
  // Between MULTI and EXEC.
  bool in_multi() const { return queued.load(std::memory_order_relaxed) >= 0; }
  // Whether it keeps copies of what it reads.
  bool tracks() const { return tracking.load(std::memory_order_relaxed) != 0; }
  // A RESP2 client that has subscribed may send little else.
  [[gnu::always_inline]] bool subscribed() const {
    return (subscriptions_to(SubscriptionKind::kChannel) |
            subscriptions_to(SubscriptionKind::kPattern) |
            subscriptions_to(SubscriptionKind::kShard)) != 0;
  }

  // -- Any thread
  // ----------------------------------------------------------------------------------
  std::atomic<int64_t> last_active_ms{0};
  std::atomic<const Command*> last_command{nullptr};
  std::atomic<uint64_t> commands{0};
  std::atomic<uint64_t> input_bytes{0};
  std::atomic<uint64_t> output_bytes{0};
  std::atomic<uint32_t> query_buffer_used{0};
  std::atomic<uint32_t> query_buffer_capacity{0};
  std::atomic<uint64_t> output_pending{0};  // bytes waiting because the client reads too slowly
  std::atomic<uint64_t> output_held{0};     // memory that they hold
  std::atomic<uint32_t> output_chunks{0};   // pieces of memory that they lie in
  // How many there are of each kind.
  std::array<std::atomic<uint32_t>, kSubscriptionKinds> subscriptions{};
  uint32_t subscriptions_to(SubscriptionKind kind) const {
    return subscriptions[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
  }
  std::atomic<bool> no_evict{false};
  std::atomic<bool> no_touch{false};
  std::atomic<bool> can_redirect{false};       // CLIENT CAPA REDIRECT
  std::atomic<bool> paused{false};             // stopped by CLIENT PAUSE, with requests waiting
  std::atomic<bool> waiting{false};            // in a blocking command
  std::atomic<bool> monitoring{false};         // MONITOR
  std::atomic<uint32_t> tracking{0};           // TrackingFlag bits (tracking.h); 0: off
  std::atomic<uint64_t> tracking_redirect{0};  // the client that is told instead; 0: itself
  std::atomic<int32_t> queued{-1};             // commands that wait for EXEC; -1: no MULTI
  std::atomic<uint64_t> queued_bytes{0};       // memory that they take
  std::atomic<uint32_t> watched{0};            // keys
  std::atomic<uint64_t> listed_bytes{0};       // memory of what it watches and what it listens to
  // A watched key has changed: EXEC will do nothing. Set by whoever changes it, under the lock of
  // the key's stripe.
  std::atomic<bool> watched_changed{false};
  // Closed, or about to be: CLIENT KILL sets it from wherever it runs, and the client executes no
  // more.
  std::atomic<bool> closing{false};

  struct Names {
    std::string name;
    std::string lib_name;
    std::string lib_version;
  };
  Names names() const {
    SpinLockHolder lock(&names_lock_);
    return names_ == nullptr ? Names() : *names_;
  }
  void set_name(std::string_view value) { SetName(&Names::name, value); }
  void set_lib_name(std::string_view value) { SetName(&Names::lib_name, value); }
  void set_lib_version(std::string_view value) { SetName(&Names::lib_version, value); }

  // Whom it is authenticated as. Written by its loop.
  std::shared_ptr<AclAccount> account() const {
    SpinLockHolder lock(&names_lock_);
    return account_;
  }
  void set_account(std::shared_ptr<AclAccount> account) {
    SpinLockHolder lock(&names_lock_);
    account_.swap(account);
  }

  // As after connecting, for RESET; subscriptions and its user are the caller's to see to.
  void Reset();

 private:
  void SetName(std::string Names::*field, std::string_view value) {
    SpinLockHolder lock(&names_lock_);
    if (names_ == nullptr) {
      if (value.empty()) return;
      names_ = std::make_unique<Names>();
    }
    (*names_).*field = value;
  }

  std::atomic<int> db_{0};
  std::atomic<RespVersion> resp_{RespVersion::kResp2};
  mutable SpinLock names_lock_;
  std::unique_ptr<Names> names_ ABSL_GUARDED_BY(names_lock_);
  std::shared_ptr<AclAccount> account_ ABSL_GUARDED_BY(names_lock_);
};

}  // namespace spinel
