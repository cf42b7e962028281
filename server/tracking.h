// Client-side caching: CLIENT TRACKING and the messages that tell clients to forget copies of keys.
// Which client has a copy of which key is the store's to know (storage/tracked_keys.h); here is who
// tracks, and how, and the way of the messages to the loops. See docs/tracking.md.
//
// A client that has asked to be told of prefixes (BCAST) is told once per batch of requests of the
// connection that made the changes, all keys of a prefix in one message; the others at once, key by
// key.
//
// Lock order: stripes, then the mutex here, which is never held while anything else is taken.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "server/command.h"
#include "storage/key_slot.h"
#include "storage/mutex.h"

namespace spinel {

class Server;
class Session;
struct LoopState;

// Bits of Session::tracking.
enum TrackingFlag : uint32_t {
  kTracking = 1 << 0,  // set while any of the others is
  kTrackBroadcast = 1 << 1,
  kTrackOptIn = 1 << 2,
  kTrackOptOut = 1 << 3,
  kTrackNoLoop = 1 << 4,
  kTrackCaching = 1 << 5,         // CLIENT CACHING was called for the next command
  kTrackBrokenRedirect = 1 << 6,  // the client that is to be told instead is gone
};

// Owner: the Server. Threads: any; what takes a Session is called on its loop.
class Tracking {
 public:
  explicit Tracking(Server* server) : server_(server) {}

  // CLIENT TRACKING ON: begins, or changes the options. The prefixes (BCAST only; none: every key)
  // come to those that there are.
  void Enable(Session* session, uint32_t options, uint64_t redirect,
              std::span<const std::string_view> prefixes);
  // Also for a client that does not track. Locks stripes one by one, like Enable.
  void Disable(Session* session);

  // The keys that this request would give the client copies of; empty: none.
  static std::vector<Key> KeysRead(const Session& session, const Command& command,
                                   CommandArgs args);
  // Notes that the client has read the keys. Expects their stripes to be locked.
  void Note(const Session& session, std::span<const Key> keys);
  // The command that CLIENT CACHING was about has been executed.
  static void EndCaching(Session* session);

  // Keeps to tracking-table-max-keys. Expects no stripe to be locked.
  void EvictBeyondLimit(LoopState* loop);

  // Tells everybody whom loop->op's invalidations concern. `writer`: the session that executed what
  // has caused them; null: none. Expects no stripe to be locked, and to be called after whatever
  // else the command has to tell other clients.
  void Deliver(LoopState* loop, Session* writer);

  // Tells those who track by prefix of the keys that have been changed on this loop since the last
  // time. Before the replies to those who changed them are sent: so nobody learns of a change from
  // its author first.
  void Broadcast(LoopState* loop);

  struct Totals {
    uint64_t clients = 0;
    uint64_t prefixes = 0;
  };
  Totals totals() const;

 private:
  // For one client: the value of an `invalidate` message.
  struct Message {
    uint64_t client = 0;
    std::shared_ptr<const std::string> keys;  // RESP; null: all keys
    uint64_t writer = 0;
    bool broadcast = false;
  };
  using Messages = std::vector<Message>;
  struct Broadcaster {
    int loop;
    bool no_loop;
  };

  void Collect(const LoopState& loop, uint64_t writer, std::vector<Messages>* by_loop);
  void CollectFlush(std::vector<Messages>* by_loop);
  void Send(int loop, Messages messages);
  // On the client's loop.
  void Hand(int loop, const Message& message);
  void Push(Session* session, const Message& message);

  Server* const server_;
  mutable Mutex mutex_;
  uint64_t clients_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<uint64_t, Broadcaster> broadcasters_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::set<uint64_t>> prefixes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spinel
