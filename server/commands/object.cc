// OBJECT: how a value is kept, without touching it.

#include <limits>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/eviction_policy.h"
#include "storage/value_info.h"

namespace spinel {
namespace {

constexpr size_t kKeyArgument = 2;

ReadGuard LookAt(const CommandContext& ctx) {
  return ctx.Lookup(kKeyArgument, LookupMode::kCountOnly);
}

void ObjectEncoding(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard value = LookAt(ctx);
  if (!value) return reply.Null();
  reply.Bulk(EncodingName(*value));
}

void ObjectRefCount(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard value = LookAt(ctx);
  if (!value) return reply.Null();
  // Here a value belongs to its key alone. Redis shares small integers and tells so, unless a limit
  // makes it keep the use of each; tools tell by it that such a value costs next to nothing, which
  // is true here as well.
  constexpr int64_t kShared = std::numeric_limits<int32_t>::max();
  const bool small_integer = value->type() == ValueType::kString &&
                             value->string_encoding() == StringEncoding::kInteger &&
                             value->integer() >= 0 && value->integer() < 10'000;
  const Config& config = ctx.config();
  const bool shares = config.maxmemory() == 0 || !GoesByUse(config.maxmemory_policy());
  reply.Integer(small_integer && shares ? kShared : 1);
}

void ObjectIdleTime(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard value = LookAt(ctx);
  if (!value) return reply.Null();
  const AccessTracking& tracking = ctx.store().access_tracking();
  if (tracking.kind() == AccessTracking::Kind::kQueues) {
    return reply.Error(
        "ERR An S3 maxmemory policy is selected, idle time not tracked. Please note that when "
        "switching between policies at runtime what is known of accesses will take some time to "
        "adjust.");
  }
  if (tracking.lfu()) {
    return reply.Error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
        "switching between policies at runtime LRU and LFU data will take some time to adjust.");
  }
  reply.Integer(tracking.IdleSeconds(value->access_clock(), ctx.now_ms()));
}

void ObjectFreq(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard value = LookAt(ctx);
  if (!value) return reply.Null();
  const AccessTracking& tracking = ctx.store().access_tracking();
  if (tracking.kind() == AccessTracking::Kind::kQueues) {
    return reply.Integer(S3Clock::Uses(value->access_clock()));
  }
  if (!tracking.lfu()) {
    return reply.Error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note "
        "that when switching between policies at runtime LRU and LFU data will take some time to "
        "adjust.");
  }
  reply.Integer(tracking.Frequency(value->access_clock(), ctx.now_ms()));
}

constexpr CommandSpec KeyRow(std::string_view name, std::string_view since, Handler handler,
                             std::string_view summary) {
  return {.name = name,
          .arity = 3,
          .flags = kReadOnly,
          .acl = kAclKeyspace,
          .keys = Keys(kKeyArgument, kKeyArgument, 1, kKeyRO),
          .handler = handler,
          .group = "generic",
          .since = since,
          .complexity = "O(1)",
          .summary = summary,
          .syntax = "key"};
}

constexpr CommandSpec kObjectSubcommands[] = {
    KeyRow("ENCODING", "2.2.3", ObjectEncoding, "Answers how the value at a key is encoded."),
    KeyRow("FREQ", "4.0.0", ObjectFreq,
           "Answers how often a key is used, on a logarithmic scale. Needs an LFU policy."),
    KeyRow("IDLETIME", "2.2.3", ObjectIdleTime,
           "Answers for how many seconds a key has not been used. Needs a policy without LFU."),
    KeyRow("REFCOUNT", "2.2.3", ObjectRefCount, "Answers how many keys share the value."),
    {.name = "HELP",
     .arity = 2,
     .flags = kLoading | kStale,
     .acl = kAclKeyspace,
     .handler = ReplyHelp,
     .group = "generic",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Print this help."},
};

constexpr CommandSpec kObjectCommands[] = {
    {.name = "OBJECT",
     .arity = -2,
     .subcommands = kObjectSubcommands,
     .group = "generic",
     .since = "2.2.3",
     .complexity = "That of its subcommand",
     .summary = "Commands about how values are kept."},
};

}  // namespace

std::span<const CommandSpec> ObjectCommands() { return kObjectCommands; }

}  // namespace spinel
