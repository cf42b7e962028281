// Publish/subscribe: SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE, their opposites, PUBLISH, SPUBLISH, PUBSUB.
// Sharded channels are a space of names of their own; without a cluster nothing else sets them
// apart.

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/glob.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/help.h"

namespace spinel {
namespace {

// -- Subscribing
// -----------------------------------------------------------------------------------

struct Verbs {
  std::string_view subscribe;
  std::string_view unsubscribe;
};

constexpr Verbs kVerbs[kSubscriptionKinds] = {
    {"subscribe", "unsubscribe"}, {"psubscribe", "punsubscribe"}, {"ssubscribe", "sunsubscribe"}};

constexpr const Verbs& VerbsOf(SubscriptionKind kind) { return kVerbs[static_cast<size_t>(kind)]; }

// What confirmations count: sharded channels by themselves, channels and patterns together.
int64_t CountOf(const Session& session, SubscriptionKind kind) {
  if (kind == SubscriptionKind::kShard) return session.subscriptions_to(kind);
  return int64_t{session.subscriptions_to(SubscriptionKind::kChannel)} +
         session.subscriptions_to(SubscriptionKind::kPattern);
}

// One confirmation: the name (null: there was none to leave) and how many the client is left with.
// It is pushed like a message, so that it keeps its place among them and is not silenced by CLIENT
// REPLY.
void Confirm(CommandContext& ctx, SubscriptionKind kind, std::string_view verb,
             const std::string_view* name, ReplyWriter& reply) {
  Session& session = ctx.session();
  OutputBuffer buffer;
  ReplyWriter message(&buffer, session.resp());
  message.Push(3);
  message.Bulk(verb);
  if (name == nullptr) {
    message.Null();
  } else {
    message.Bulk(*name);
  }
  message.Integer(CountOf(session, kind));
  // In EXEC's array it has its place among the other replies.
  if (ctx.locking() == Locking::kHeld) return reply.Raw(buffer.Flatten());
  session.transport->Push(std::make_shared<const std::string>(buffer.Flatten()));
}

template <SubscriptionKind kind>
void Subscribe(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  for (const std::string_view& name : args.Rest()) {
    ctx.loop().channels.Subscribe(&ctx.session(), kind, name);
    Confirm(ctx, kind, VerbsOf(kind).subscribe, &name, reply);
  }
}

template <SubscriptionKind kind>
void Unsubscribe(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  Session& session = ctx.session();
  std::vector<std::string> all;
  if (!args.HasNext() && session.listens_to != nullptr) {
    const TextSet& names = session.listens_to->of(kind);
    all.assign(names.begin(), names.end());
  }
  const auto leave = [&](std::string_view name) {
    ctx.loop().channels.Unsubscribe(&session, kind, name);
    Confirm(ctx, kind, VerbsOf(kind).unsubscribe, &name, reply);
  };
  for (const std::string& name : all) leave(name);
  const bool named = args.HasNext();
  for (const std::string_view& name : args.Rest()) leave(name);
  if (!named && all.empty()) Confirm(ctx, kind, VerbsOf(kind).unsubscribe, nullptr, reply);
}

template <SubscriptionKind kind>
void Publish(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Integer(ctx.loop().channels.Publish(kind, ctx.arg(1), ctx.arg(2)));
}

// -- PUBSUB
// ----------------------------------------------------------------------------------------

template <SubscriptionKind kind>
void ListNames(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  constexpr size_t kMaxText = 128;
  if (args.Skip(1).Left() > 1) {
    return reply.Error(fmt::format(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try PUBSUB HELP.",
        ctx.arg(1).substr(0, kMaxText)));
  }
  const std::string_view pattern = args.HasNext() ? args.String() : std::string_view();
  const bool any = ctx.argc() == 2;
  const auto begin = reply.Begin();
  int64_t count = 0;
  for (const std::string& name : ctx.server().channels().Names(kind)) {
    if (!any && !GlobMatch(pattern, name, /*nocase=*/false)) continue;
    reply.Bulk(name);
    ++count;
  }
  reply.EndArray(begin, count);
}

template <SubscriptionKind kind>
void CountSubscribers(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(1);
  reply.Array(2 * static_cast<int64_t>(args.Left()));
  for (const std::string_view& name : args.Rest()) {
    reply.Bulk(name);
    reply.Integer(ctx.server().channels().Subscribers(kind, name));
  }
}

void CountPatterns(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Integer(static_cast<int64_t>(ctx.server().channels().Count(SubscriptionKind::kPattern)));
}

// -- Rows
// ------------------------------------------------------------------------------------------

constexpr CommandSpec SubscribeRow(std::string_view name, std::string_view since, Handler handler,
                                   KeySpec keys, std::string_view summary,
                                   std::string_view syntax) {
  return {.name = name,
          .arity = -2,
          .flags = kPubSub | kNoScript | kLoading | kStale | kNoData,
          .keys = keys,
          .handler = handler,
          .group = "pubsub",
          .since = since,
          .complexity = "O(N) in what is named",
          .summary = summary,
          .syntax = syntax};
}

constexpr CommandSpec UnsubscribeRow(std::string_view name, std::string_view since, Handler handler,
                                     KeySpec keys, std::string_view summary,
                                     std::string_view syntax) {
  return {.name = name,
          .arity = -1,
          .flags = kPubSub | kNoScript | kLoading | kStale | kNoData,
          .keys = keys,
          .handler = handler,
          .group = "pubsub",
          .since = since,
          .complexity = "O(N) in what is named, or in all that the client listens to",
          .summary = summary,
          .syntax = syntax};
}

constexpr CommandSpec InfoRow(std::string_view name, int arity, std::string_view since,
                              Handler handler, std::string_view complexity,
                              std::string_view summary, std::string_view syntax) {
  return {.name = name,
          .arity = arity,
          .flags = kPubSub | kLoading | kStale | kNoData,
          .handler = handler,
          .group = "pubsub",
          .since = since,
          .complexity = complexity,
          .summary = summary,
          .syntax = syntax};
}

constexpr CommandSpec kPubSubSubcommands[] = {
    InfoRow("CHANNELS", -2, "2.8.0", ListNames<SubscriptionKind::kChannel>,
            "O(N) in the channels that somebody listens to",
            "Lists the channels that somebody listens to, or those that match a pattern.",
            "[pattern]"),
    InfoRow("NUMPAT", 2, "2.8.0", CountPatterns, "O(1)",
            "Answers how many different patterns somebody listens to.", ""),
    InfoRow("NUMSUB", -2, "2.8.0", CountSubscribers<SubscriptionKind::kChannel>,
            "O(N) in the channels named", "Answers how many clients listen to each channel.",
            "[channel [channel ...]]"),
    InfoRow("SHARDCHANNELS", -2, "7.0.0", ListNames<SubscriptionKind::kShard>,
            "O(N) in the sharded channels that somebody listens to",
            "Lists the sharded channels that somebody listens to, or those that match a pattern.",
            "[pattern]"),
    InfoRow("SHARDNUMSUB", -2, "7.0.0", CountSubscribers<SubscriptionKind::kShard>,
            "O(N) in the channels named",
            "Answers how many clients listen to each sharded channel.",
            "[shardchannel [shardchannel ...]]"),
    {.name = "HELP",
     .arity = 2,
     .flags = kLoading | kStale | kNoData,
     .handler = ReplyHelp,
     .group = "pubsub",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Print this help."},
};

constexpr CommandSpec kPubSubCommands[] = {
    SubscribeRow("PSUBSCRIBE", "2.0.0", Subscribe<SubscriptionKind::kPattern>, {},
                 "Listens to all channels that match patterns.", "pattern [pattern ...]"),
    {.name = "PUBLISH",
     .arity = 3,
     .flags = kPubSub | kLoading | kStale | kFast | kMayReplicate | kNoData,
     .handler = Publish<SubscriptionKind::kChannel>,
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N + M) for N clients that listen to the channel and M patterns that begin "
                   "like it",
     .summary = "Sends a message to all who listen to a channel.",
     .syntax = "channel message"},
    {.name = "PUBSUB",
     .arity = -2,
     .subcommands = kPubSubSubcommands,
     .group = "pubsub",
     .since = "2.8.0",
     .complexity = "That of its subcommand",
     .summary = "Commands about who listens to what."},
    UnsubscribeRow("PUNSUBSCRIBE", "2.0.0", Unsubscribe<SubscriptionKind::kPattern>, {},
                   "Stops listening to the patterns named, or to all.", "[pattern [pattern ...]]"),
    {.name = "SPUBLISH",
     .arity = 3,
     .flags = kPubSub | kLoading | kStale | kFast | kMayReplicate | kNoData,
     .keys = OneKey(kKeyNotKey),
     .handler = Publish<SubscriptionKind::kShard>,
     .group = "pubsub",
     .since = "7.0.0",
     .complexity = "O(N) for N clients that listen to the channel",
     .summary = "Sends a message to all who listen to a sharded channel.",
     .syntax = "shardchannel message"},
    SubscribeRow("SSUBSCRIBE", "7.0.0", Subscribe<SubscriptionKind::kShard>,
                 Keys(1, -1, 1, kKeyNotKey), "Listens to sharded channels.",
                 "shardchannel [shardchannel ...]"),
    SubscribeRow("SUBSCRIBE", "2.0.0", Subscribe<SubscriptionKind::kChannel>, {},
                 "Listens to channels.", "channel [channel ...]"),
    UnsubscribeRow("SUNSUBSCRIBE", "7.0.0", Unsubscribe<SubscriptionKind::kShard>,
                   Keys(1, -1, 1, kKeyNotKey),
                   "Stops listening to the sharded channels named, or to all.",
                   "[shardchannel [shardchannel ...]]"),
    UnsubscribeRow("UNSUBSCRIBE", "2.0.0", Unsubscribe<SubscriptionKind::kChannel>, {},
                   "Stops listening to the channels named, or to all.", "[channel [channel ...]]"),
};

}  // namespace

std::span<const CommandSpec> PubSubCommands() { return kPubSubCommands; }

}  // namespace spinel
