// Publish/subscribe: SUBSCRIBE, UNSUBSCRIBE, PUBLISH.

#include <memory>
#include <string>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"

namespace spinel {
namespace {

// One confirmation: the channel (null: there was none to leave) and how many the client is left
// with. It is pushed like a message, so that it keeps its place among them and is not silenced by
// CLIENT REPLY.
void Confirm(CommandContext& ctx, std::string_view kind, const std::string_view* channel,
             ReplyWriter& reply) {
  Session& session = ctx.session();
  OutputBuffer buffer;
  ReplyWriter message(&buffer, session.resp());
  message.Push(3);
  message.Bulk(kind);
  if (channel == nullptr) {
    message.Null();
  } else {
    message.Bulk(*channel);
  }
  message.Integer(session.subscriptions.load(std::memory_order_relaxed));
  // In EXEC's array it has its place among the other replies.
  if (ctx.locking() == Locking::kHeld) return reply.Raw(buffer.Flatten());
  session.transport->Push(std::make_shared<const std::string>(buffer.Flatten()));
}

void Subscribe(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  for (const std::string_view& channel : args.Rest()) {
    ctx.loop().channels.Subscribe(&ctx.session(), channel);
    Confirm(ctx, "subscribe", &channel, reply);
  }
}

void Unsubscribe(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  Session& session = ctx.session();
  std::vector<std::string> all;
  if (!args.HasNext() && session.channels != nullptr) {
    all.assign(session.channels->begin(), session.channels->end());
  }
  for (const std::string_view channel : all) {
    ctx.loop().channels.Unsubscribe(&session, channel);
    Confirm(ctx, "unsubscribe", &channel, reply);
  }
  for (const std::string_view& channel : args.Rest()) {
    ctx.loop().channels.Unsubscribe(&session, channel);
    Confirm(ctx, "unsubscribe", &channel, reply);
  }
  if (!args.HasNext() && all.empty()) Confirm(ctx, "unsubscribe", nullptr, reply);
}

void Publish(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ChannelRegistry& registry = ctx.server().channels();
  const std::string_view channel = ctx.arg(1);
  if (!registry.HasSubscribers(channel)) return reply.Integer(0);
  std::vector<int> wake;
  const int64_t receivers = registry.Publish(PubSubMessage::Make(channel, ctx.arg(2)), &wake);
  Runtime& runtime = ctx.server().runtime();
  for (const int index : wake) {
    if (index == ctx.loop().index) continue;
    LoopState* loop = &runtime.loop(index);
    runtime.Post(index, [loop] { loop->channels.DeliverQueued(); });
  }
  ctx.loop().channels.DeliverQueued();
  reply.Integer(receivers);
}

constexpr CommandSpec kCommands[] = {
    {.name = "PUBLISH",
     .arity = 3,
     .flags = kPubSub | kLoading | kStale | kFast | kMayReplicate | kNoData,
     .handler = Publish,
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N) in the clients that subscribe to the channel",
     .summary = "Sends a message to all subscribers of a channel.",
     .syntax = "channel message"},
    {.name = "SUBSCRIBE",
     .arity = -2,
     .flags = kPubSub | kNoScript | kLoading | kStale | kNoData,
     .handler = Subscribe,
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N) in the channels named",
     .summary = "Listens to channels.",
     .syntax = "channel [channel ...]"},
    {.name = "UNSUBSCRIBE",
     .arity = -1,
     .flags = kPubSub | kNoScript | kLoading | kStale | kNoData,
     .handler = Unsubscribe,
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N) in the channels named, or in all that the client listens to",
     .summary = "Stops listening to the channels named, or to all.",
     .syntax = "[channel [channel ...]]"},
};

}  // namespace

std::span<const CommandSpec> PubSubCommands() { return kCommands; }

}  // namespace spinel
