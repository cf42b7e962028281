// Publish/subscribe across loops: a message is formatted once, and every loop that has subscribers
// gets it posted once.
//
// ChannelRegistry knows, for any thread, which loops subscribe to a channel and how often, and
// holds each loop's queue of messages. LoopChannels knows, for its own loop's thread, the sessions.
// The publisher's own loop goes through its queue like the others: so the messages of a channel
// reach all subscribers, wherever they are, in one and the same order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "server/text_map.h"
#include "storage/mutex.h"

namespace spinel {

class Session;

// One published message as both protocols spell it.
struct PubSubMessage {
  std::string channel;
  std::shared_ptr<const std::string> resp2;
  std::shared_ptr<const std::string> resp3;

  static std::shared_ptr<const PubSubMessage> Make(std::string_view channel,
                                                   std::string_view payload);
};

// Owner: the Server. Threads: any.
class ChannelRegistry {
 public:
  using Messages = std::vector<std::shared_ptr<const PubSubMessage>>;

  void Add(std::string_view channel, int loop);
  void Remove(std::string_view channel, int loop);
  bool HasSubscribers(std::string_view channel) const;
  // Queues the message for every loop with subscribers and returns how many those are. `*wake`
  // receives the loops that have to be told: their queues were empty.
  int64_t Publish(std::shared_ptr<const PubSubMessage> message, std::vector<int>* wake);
  // The messages queued for a loop, which are its to deliver now.
  Messages Take(int loop);
  size_t channels() const;

 private:
  struct LoopCount {
    int loop;
    uint32_t subscribers;
  };

  mutable Mutex mutex_;
  TextMap<std::vector<LoopCount>> channels_ ABSL_GUARDED_BY(mutex_);
  std::vector<Messages> queues_ ABSL_GUARDED_BY(mutex_);  // by loop
};

// Owner: a LoopState. Threads: the loop's.
class LoopChannels {
 public:
  LoopChannels(ChannelRegistry* registry, int loop) : registry_(registry), loop_(loop) {}

  // False: it was subscribed already (or, for Unsubscribe, was not). Messages published before are
  // delivered before.
  bool Subscribe(Session* session, std::string_view channel);
  bool Unsubscribe(Session* session, std::string_view channel);
  void UnsubscribeAll(Session* session);
  // Pushes what is queued to this loop's subscribers.
  void DeliverQueued();

 private:
  void Deliver(const PubSubMessage& message);

  ChannelRegistry* registry_;
  const int loop_;
  TextMap<std::vector<Session*>> channels_;
};

}  // namespace spinel
