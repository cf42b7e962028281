#include "server/pubsub.h"

#include <algorithm>

#include "protocol/output_buffer.h"
#include "protocol/reply_writer.h"
#include "server/session.h"

namespace spinel {
namespace {

std::string Format(RespVersion version, std::string_view channel, std::string_view payload) {
  OutputBuffer buffer;
  ReplyWriter writer(&buffer, version);
  writer.Push(3);
  writer.Bulk("message");
  writer.Bulk(channel);
  writer.Bulk(payload);
  return buffer.Flatten();
}

}  // namespace

std::shared_ptr<const PubSubMessage> PubSubMessage::Make(std::string_view channel,
                                                         std::string_view payload) {
  auto message = std::make_shared<PubSubMessage>();
  message->channel = channel;
  message->resp2 =
      std::make_shared<const std::string>(Format(RespVersion::kResp2, channel, payload));
  message->resp3 =
      std::make_shared<const std::string>(Format(RespVersion::kResp3, channel, payload));
  return message;
}

void ChannelRegistry::Add(std::string_view channel, int loop) {
  MutexLock lock(&mutex_);
  auto found = channels_.find(channel);
  if (found == channels_.end())
    found = channels_.emplace(std::string(channel), std::vector<LoopCount>()).first;
  for (LoopCount& count : found->second) {
    if (count.loop == loop) {
      ++count.subscribers;
      return;
    }
  }
  found->second.push_back({loop, 1});
}

void ChannelRegistry::Remove(std::string_view channel, int loop) {
  MutexLock lock(&mutex_);
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return;
  std::vector<LoopCount>& counts = found->second;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i].loop != loop) continue;
    if (--counts[i].subscribers == 0) counts.erase(counts.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  if (counts.empty()) channels_.erase(found);
}

bool ChannelRegistry::HasSubscribers(std::string_view channel) const {
  MutexLock lock(&mutex_);
  return channels_.contains(channel);
}

int64_t ChannelRegistry::Publish(std::shared_ptr<const PubSubMessage> message,
                                 std::vector<int>* wake) {
  MutexLock lock(&mutex_);
  const auto found = channels_.find(message->channel);
  if (found == channels_.end()) return 0;
  int64_t receivers = 0;
  for (const LoopCount& count : found->second) {
    const auto loop = static_cast<size_t>(count.loop);
    if (queues_.size() <= loop) queues_.resize(loop + 1);
    if (queues_[loop].empty()) wake->push_back(count.loop);
    queues_[loop].push_back(message);
    receivers += count.subscribers;
  }
  return receivers;
}

ChannelRegistry::Messages ChannelRegistry::Take(int loop) {
  MutexLock lock(&mutex_);
  Messages messages;
  if (static_cast<size_t>(loop) < queues_.size()) messages.swap(queues_[static_cast<size_t>(loop)]);
  return messages;
}

size_t ChannelRegistry::channels() const {
  MutexLock lock(&mutex_);
  return channels_.size();
}

bool LoopChannels::Subscribe(Session* session, std::string_view channel) {
  DeliverQueued();
  if (session->channels == nullptr) session->channels = std::make_unique<TextSet>();
  if (!session->channels->emplace(channel).second) return false;
  session->subscriptions.fetch_add(1, std::memory_order_relaxed);
  auto found = channels_.find(channel);
  if (found == channels_.end())
    found = channels_.emplace(std::string(channel), std::vector<Session*>()).first;
  found->second.push_back(session);
  registry_->Add(channel, loop_);
  return true;
}

bool LoopChannels::Unsubscribe(Session* session, std::string_view channel) {
  if (session->channels == nullptr) return false;
  const auto own = session->channels->find(channel);
  if (own == session->channels->end()) return false;
  DeliverQueued();
  const auto found = channels_.find(channel);
  std::vector<Session*>& sessions = found->second;
  sessions.erase(std::find(sessions.begin(), sessions.end(), session));
  if (sessions.empty()) channels_.erase(found);
  registry_->Remove(channel, loop_);
  session->subscriptions.fetch_sub(1, std::memory_order_relaxed);
  session->channels->erase(own);
  if (session->channels->empty()) session->channels.reset();
  return true;
}

void LoopChannels::UnsubscribeAll(Session* session) {
  while (session->channels != nullptr) {
    const std::string channel = *session->channels->begin();
    Unsubscribe(session, channel);
  }
}

void LoopChannels::DeliverQueued() {
  for (const auto& message : registry_->Take(loop_)) Deliver(*message);
}

void LoopChannels::Deliver(const PubSubMessage& message) {
  const auto found = channels_.find(message.channel);
  if (found == channels_.end()) return;
  for (Session* session : found->second) {
    const bool resp3 = session->resp() == RespVersion::kResp3;
    session->transport->Push(resp3 ? message.resp3 : message.resp2);
  }
}

}  // namespace spinel
