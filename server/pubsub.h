// Publish/subscribe across loops: a message is formatted once, and every loop that has subscribers
// gets it posted once.
//
// ChannelRegistry knows, for any thread, which loops subscribe to what and how often, and holds
// each loop's queue of messages. LoopChannels knows, for its own loop's thread, the sessions. The
// publisher's own loop goes through its queue like the others: so the messages of a channel reach
// all subscribers, wherever they are, in one and the same order.
//
// Keyspace events are messages like any other: see docs/pubsub.md.
//
// Lock order: stripes, then the registry's mutex, which is never held while anything else is taken.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/inlined_vector.h"
#include "server/pattern_index.h"
#include "server/subscription.h"
#include "server/text_map.h"
#include "storage/key_events.h"
#include "storage/mutex.h"

namespace spinel {

class Runtime;
class Session;
struct OpContext;

// What the subscribers of one channel or pattern get.
class PubSubMessage {
 public:
  // `name` differs from `channel` for patterns only.
  PubSubMessage(SubscriptionKind kind, std::string_view name, std::string_view channel,
                std::string_view payload);

  SubscriptionKind kind() const { return kind_; }
  // Of the channel or pattern that they subscribe to.
  std::string_view name() const { return std::string_view(resp2_).substr(name_at_, name_size_); }
  // As the protocols spell it; the second is made anew.
  const std::string& resp2() const { return resp2_; }
  std::string MakeResp3() const;
  size_t bytes() const { return sizeof(*this) + resp2_.size(); }

 private:
  SubscriptionKind kind_;
  size_t name_at_ = 0;
  size_t name_size_;
  std::string resp2_;
};

// Owner: the Server. Threads: any.
class ChannelRegistry {
 public:
  using Messages = std::vector<std::shared_ptr<const PubSubMessage>>;

  // A loop that does not come to deliver does not collect more than this.
  static constexpr size_t kMaxQueuedBytes = size_t{256} << 20;

  void Add(SubscriptionKind kind, std::string_view name, int loop);
  void Remove(SubscriptionKind kind, std::string_view name, int loop);

  // Queues a message to a channel (kChannel, kShard) for every loop where somebody listens, to the
  // channel or to a pattern, and returns how many subscriptions those are. `*wake` receives the
  // loops that have to be told: their queues were empty.
  int64_t Publish(SubscriptionKind kind, std::string_view channel, std::string_view payload,
                  std::vector<int>* wake);
  struct Queue {
    Messages messages;
    size_t bytes = 0;
    bool overrun = false;  // there were more than the queue may hold
  };
  // What is queued for a loop, which is its to deliver now, in exchange for an empty queue.
  void Take(int loop, Queue* queue);

  // -- Facts
  // Names of a kind that somebody subscribes to.
  size_t Count(SubscriptionKind kind) const;
  std::vector<std::string> Names(SubscriptionKind kind) const;
  // Clients that subscribe to a name.
  int64_t Subscribers(SubscriptionKind kind, std::string_view name) const;
  // Of messages that wait for their loops.
  size_t QueuedBytes() const;

  // The classes of keyspace events that are published: notify-keyspace-events.
  KeyEventClasses event_classes{0};
  // Where the loops are. Set before the first subscription.
  void set_runtime(Runtime* runtime) { runtime_ = runtime; }
  Runtime& runtime() const { return *runtime_; }

 private:
  struct LoopCount {
    int loop;
    uint32_t subscribers;
  };
  using LoopCounts = absl::InlinedVector<LoopCount, 2>;

  TextMap<LoopCounts>& of(SubscriptionKind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return names_[static_cast<size_t>(kind)];
  }
  const TextMap<LoopCounts>& of(SubscriptionKind kind) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return names_[static_cast<size_t>(kind)];
  }
  // What the message has to be spelled for.
  absl::InlinedVector<std::shared_ptr<const PubSubMessage>, 2> Spell(
      SubscriptionKind kind, std::string_view channel, std::string_view payload) const;

  Runtime* runtime_ = nullptr;
  mutable Mutex mutex_;
  std::array<TextMap<LoopCounts>, kSubscriptionKinds> names_ ABSL_GUARDED_BY(mutex_);
  PatternIndex patterns_ ABSL_GUARDED_BY(mutex_);
  std::vector<Queue> queues_ ABSL_GUARDED_BY(mutex_);  // by loop
};

// Owner: a LoopState. Threads: the loop's.
class LoopChannels final : public KeyEventSink {
 public:
  // `op` is the loop's.
  LoopChannels(ChannelRegistry* registry, int loop, const OpContext* op)
      : registry_(registry), loop_(loop), op_(op) {}

  // False: it was subscribed already (or, for Unsubscribe, was not). Messages published before are
  // delivered before.
  bool Subscribe(Session* session, SubscriptionKind kind, std::string_view name);
  bool Unsubscribe(Session* session, SubscriptionKind kind, std::string_view name);
  void UnsubscribeAll(Session* session);

  // Publishes from this loop, and returns how many get the message. They get it, in the order of
  // publication, when Store::FinishServing is called: this may happen with stripes locked. While
  // the loop gathers they get it with FinishPublishing: a batch of commands is told to other loops,
  // and delivered on this one, once.
  int64_t Publish(SubscriptionKind kind, std::string_view channel, std::string_view payload);
  // As Publish, to __keyspace@database__:key and __keyevent@database__:event.
  void OnKeyEvent(std::string_view event, int database, std::string_view key) override;

  // Returns whether it gathered before.
  bool Gather(bool gather) { return std::exchange(gathers_, gather); }
  // Expects no lock to be held.
  void FinishPublishing();

  // Pushes what is queued to this loop's subscribers.
  void DeliverQueued();

 private:
  void Deliver(const std::shared_ptr<const PubSubMessage>& message);
  void CutAll();
  TextMap<std::vector<Session*>>& of(SubscriptionKind kind) {
    return names_[static_cast<size_t>(kind)];
  }

  ChannelRegistry* const registry_;
  const int loop_;
  const OpContext* const op_;
  std::array<TextMap<std::vector<Session*>>, kSubscriptionKinds> names_;
  bool gathers_ = false;
  std::vector<int> wake_;         // loops that are to be told once no lock is held
  ChannelRegistry::Queue spare_;  // empty; its memory serves again
};

}  // namespace spinel
