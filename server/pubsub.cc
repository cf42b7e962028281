#include "server/pubsub.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/numbers.h"
#include "server/log.h"
#include "server/loop_state.h"
#include "server/server.h"
#include "server/session.h"
#include "storage/op_context.h"

namespace spinel {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr size_t kKeptCapacity = 64;  // of a loop's queue of messages

constexpr std::string_view kMessageVerbs[kSubscriptionKinds] = {"message", "pmessage", "smessage"};

void AppendBulk(std::string_view bytes, std::string* out) {
  char head[1 + kMaxInt64Chars + 2] = {'$'};
  char* end = WriteInt64(head + 1, static_cast<int64_t>(bytes.size()));
  *end++ = '\r';
  *end++ = '\n';
  out->append(head, static_cast<size_t>(end - head));
  out->append(bytes);
  out->append(kCrlf);
}

// Memory of a subscription: the name with the client, and its place among the channel's.
size_t BytesOfSubscription(std::string_view name) {
  return sizeof(std::string) + name.size() + 2 * sizeof(Session*);
}

}  // namespace

PubSubMessage::PubSubMessage(SubscriptionKind message_kind, std::string_view subscription,
                             std::string_view channel, std::string_view payload)
    : kind_(message_kind), name_size_(subscription.size()) {
  constexpr size_t kAround = 96;  // what may surround the texts
  const bool pattern = kind_ == SubscriptionKind::kPattern;
  resp2_.reserve((pattern ? subscription.size() : 0) + channel.size() + payload.size() + kAround);
  resp2_ = pattern ? "*4\r\n" : "*3\r\n";
  AppendBulk(kMessageVerbs[static_cast<size_t>(kind_)], &resp2_);
  AppendBulk(subscription, &resp2_);
  name_at_ = resp2_.size() - kCrlf.size() - name_size_;
  if (pattern) AppendBulk(channel, &resp2_);
  AppendBulk(payload, &resp2_);
}

std::string PubSubMessage::MakeResp3() const {
  std::string resp3 = resp2_;
  resp3[0] = '>';  // an array and a push differ in nothing else
  return resp3;
}

// -- ChannelRegistry
// -------------------------------------------------------------------------------

void ChannelRegistry::Add(SubscriptionKind kind, std::string_view name, int loop) {
  MutexLock lock(&mutex_);
  auto found = of(kind).find(name);
  if (found == of(kind).end()) {
    found = of(kind).emplace(std::string(name), LoopCounts()).first;
    if (kind == SubscriptionKind::kPattern) patterns_.Add(name);
  }
  for (LoopCount& count : found->second) {
    if (count.loop == loop) {
      ++count.subscribers;
      return;
    }
  }
  found->second.push_back({loop, 1});
}

void ChannelRegistry::Remove(SubscriptionKind kind, std::string_view name, int loop) {
  MutexLock lock(&mutex_);
  const auto found = of(kind).find(name);
  if (found == of(kind).end()) return;
  LoopCounts& counts = found->second;
  for (auto count = counts.begin(); count != counts.end(); ++count) {
    if (count->loop != loop) continue;
    if (--count->subscribers == 0) counts.erase(count);
    break;
  }
  if (!counts.empty()) return;
  if (kind == SubscriptionKind::kPattern) patterns_.Remove(name);
  of(kind).erase(found);
}

absl::InlinedVector<std::shared_ptr<const PubSubMessage>, 2> ChannelRegistry::Spell(
    SubscriptionKind kind, std::string_view channel, std::string_view payload) const {
  bool direct = false;
  std::vector<std::string> patterns;
  {
    MutexLock lock(&mutex_);
    direct = of(kind).contains(channel);
    if (kind == SubscriptionKind::kChannel) {
      std::vector<std::string_view> matches;
      patterns_.Match(channel, &matches);
      patterns.assign(matches.begin(), matches.end());
    }
  }
  absl::InlinedVector<std::shared_ptr<const PubSubMessage>, 2> messages;
  if (direct) messages.push_back(std::make_shared<PubSubMessage>(kind, channel, channel, payload));
  for (const std::string& pattern : patterns) {
    messages.push_back(
        std::make_shared<PubSubMessage>(SubscriptionKind::kPattern, pattern, channel, payload));
  }
  return messages;
}

int64_t ChannelRegistry::Publish(SubscriptionKind kind, std::string_view channel,
                                 std::string_view payload, std::vector<int>* wake) {
  const auto messages = Spell(kind, channel, payload);
  if (messages.empty()) return 0;
  int64_t receivers = 0;
  // All of them under one lock, so that those who listen in two ways get them side by side.
  MutexLock lock(&mutex_);
  for (const auto& message : messages) {
    const auto found = of(message->kind()).find(message->name());
    if (found == of(message->kind()).end()) continue;
    for (const LoopCount& count : found->second) {
      const auto loop = static_cast<size_t>(count.loop);
      if (queues_.size() <= loop) queues_.resize(loop + 1);
      Queue& queue = queues_[loop];
      if (queue.messages.empty()) wake->push_back(count.loop);
      receivers += count.subscribers;
      queue.overrun = queue.overrun ||
                      (!queue.messages.empty() && queue.bytes + message->bytes() > kMaxQueuedBytes);
      if (queue.overrun) continue;
      queue.messages.push_back(message);
      queue.bytes += message->bytes();
    }
  }
  return receivers;
}

void ChannelRegistry::Take(int loop, Queue* queue) {
  MutexLock lock(&mutex_);
  if (static_cast<size_t>(loop) < queues_.size())
    std::swap(*queue, queues_[static_cast<size_t>(loop)]);
}

size_t ChannelRegistry::Count(SubscriptionKind kind) const {
  MutexLock lock(&mutex_);
  return of(kind).size();
}

std::vector<std::string> ChannelRegistry::Names(SubscriptionKind kind) const {
  MutexLock lock(&mutex_);
  std::vector<std::string> names;
  names.reserve(of(kind).size());
  for (const auto& [name, counts] : of(kind)) names.push_back(name);
  return names;
}

int64_t ChannelRegistry::Subscribers(SubscriptionKind kind, std::string_view name) const {
  MutexLock lock(&mutex_);
  const auto found = of(kind).find(name);
  if (found == of(kind).end()) return 0;
  int64_t subscribers = 0;
  for (const LoopCount& count : found->second) subscribers += count.subscribers;
  return subscribers;
}

size_t ChannelRegistry::QueuedBytes() const {
  MutexLock lock(&mutex_);
  size_t bytes = 0;
  for (const Queue& queue : queues_) bytes += queue.bytes;
  return bytes;
}

// -- LoopChannels
// ----------------------------------------------------------------------------------

bool LoopChannels::Subscribe(Session* session, SubscriptionKind kind, std::string_view name) {
  DeliverQueued();
  if (session->listens_to == nullptr) session->listens_to = std::make_unique<Subscriptions>();
  if (!session->listens_to->of(kind).emplace(name).second) return false;
  session->listed_bytes.fetch_add(BytesOfSubscription(name), std::memory_order_relaxed);
  session->subscriptions[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  auto found = of(kind).find(name);
  if (found == of(kind).end()) {
    found = of(kind).emplace(std::string(name), std::vector<Session*>()).first;
  }
  found->second.push_back(session);
  registry_->Add(kind, name, loop_);
  return true;
}

bool LoopChannels::Unsubscribe(Session* session, SubscriptionKind kind, std::string_view name) {
  if (session->listens_to == nullptr) return false;
  TextSet& names = session->listens_to->of(kind);
  const auto own = names.find(name);
  if (own == names.end()) return false;
  DeliverQueued();
  const auto found = of(kind).find(name);
  std::vector<Session*>& sessions = found->second;
  sessions.erase(std::find(sessions.begin(), sessions.end(), session));
  if (sessions.empty()) of(kind).erase(found);
  registry_->Remove(kind, name, loop_);
  session->subscriptions[static_cast<size_t>(kind)].fetch_sub(1, std::memory_order_relaxed);
  session->listed_bytes.fetch_sub(BytesOfSubscription(name), std::memory_order_relaxed);
  names.erase(own);
  if (!session->subscribed()) session->listens_to.reset();
  return true;
}

void LoopChannels::UnsubscribeAll(Session* session) {
  for (size_t i = 0; i < kSubscriptionKinds; ++i) {
    const auto kind = static_cast<SubscriptionKind>(i);
    while (session->listens_to != nullptr && !session->listens_to->of(kind).empty()) {
      const std::string name = *session->listens_to->of(kind).begin();
      Unsubscribe(session, kind, name);
    }
  }
}

int64_t LoopChannels::Publish(SubscriptionKind kind, std::string_view channel,
                              std::string_view payload) {
  const bool first = wake_.empty();
  const int64_t receivers = registry_->Publish(kind, channel, payload, &wake_);
  if (first && !wake_.empty() && !gathers_) op_->unlocked.push_back([this] { FinishPublishing(); });
  return receivers;
}

void LoopChannels::OnKeyEvent(std::string_view event, int database, std::string_view key) {
  const int64_t classes = registry_->event_classes.load(std::memory_order_relaxed);
  if ((classes & kNotifyKeyspace) != 0) {
    Publish(SubscriptionKind::kChannel, fmt::format("__keyspace@{}__:{}", database, key), event);
  }
  if ((classes & kNotifyKeyevent) != 0) {
    Publish(SubscriptionKind::kChannel, fmt::format("__keyevent@{}__:{}", database, event), key);
  }
}

void LoopChannels::FinishPublishing() {
  if (wake_.empty()) return;
  Runtime& runtime = registry_->runtime();
  for (const int index : wake_) {
    if (index == loop_) continue;
    LoopChannels* const channels = &runtime.loop(index).channels;
    runtime.Post(index, [channels] { channels->DeliverQueued(); });
  }
  wake_.clear();
  DeliverQueued();
}

void LoopChannels::DeliverQueued() {
  ChannelRegistry::Queue queue = std::exchange(spare_, {});
  registry_->Take(loop_, &queue);
  for (const auto& message : queue.messages) Deliver(message);
  if (queue.overrun) CutAll();
  if (queue.messages.capacity() > kKeptCapacity) return;
  queue.messages.clear();
  spare_.messages = std::move(queue.messages);
}

void LoopChannels::Deliver(const std::shared_ptr<const PubSubMessage>& message) {
  const auto found = of(message->kind()).find(message->name());
  if (found == of(message->kind()).end()) return;
  const std::shared_ptr<const std::string> resp2(message, &message->resp2());
  std::shared_ptr<const std::string> resp3;
  for (Session* session : found->second) {
    const bool push = session->resp() == RespVersion::kResp3;
    if (push && resp3 == nullptr) resp3 = std::make_shared<std::string>(message->MakeResp3());
    session->transport->Push(push ? resp3 : resp2);
  }
}

// The loop did not keep up, and its subscribers have missed messages: as with a subscriber that is
// too slow by itself, the connection's end tells them so.
void LoopChannels::CutAll() {
  size_t cut = 0;
  for (const auto& names : names_) {
    for (const auto& [name, sessions] : names) {
      for (Session* session : sessions) {
        if (session->closing.exchange(true, std::memory_order_relaxed)) continue;
        registry_->runtime().CloseClient(loop_, session->id);
        ++cut;
      }
    }
  }
  LogWarning("Closing {} subscribers: more than {} bytes of messages were waiting for them", cut,
             ChannelRegistry::kMaxQueuedBytes);
}

}  // namespace spinel
