// Publish/subscribe across loops: a message is formatted once, and every loop that has subscribers
// gets it posted once.
//
// ChannelRegistry knows, for any thread, which loops subscribe to a channel and how often.
// LoopChannels knows, for its own loop's thread, the sessions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "storage/mutex.h"
#include "server/text_map.h"

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
  struct LoopCount {
    int loop;
    uint32_t subscribers;
  };

  void Add(std::string_view channel, int loop);
  void Remove(std::string_view channel, int loop);
  // The loops with subscribers; empty: none.
  std::vector<LoopCount> Find(std::string_view channel) const;
  size_t channels() const;

 private:
  mutable Mutex mutex_;
  TextMap<std::vector<LoopCount>> channels_ ABSL_GUARDED_BY(mutex_);
};

// Owner: a LoopState. Threads: the loop's.
class LoopChannels {
 public:
  LoopChannels(ChannelRegistry* registry, int loop) : registry_(registry), loop_(loop) {}

  // False: it was subscribed already (or, for Unsubscribe, was not).
  bool Subscribe(Session* session, std::string_view channel);
  bool Unsubscribe(Session* session, std::string_view channel);
  void UnsubscribeAll(Session* session);
  // Pushes the message to this loop's subscribers.
  void Deliver(const PubSubMessage& message);

 private:
  ChannelRegistry* registry_;
  const int loop_;
  TextMap<std::vector<Session*>> channels_;
};

}  // namespace spinel
