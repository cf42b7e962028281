// Values in serialised form: DUMP, RESTORE. See docs/rdb.md.

#include <limits>

#include "persistence/rdb_reader.h"
#include "persistence/rdb_writer.h"
#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/log.h"
#include "server/value_limits.h"

namespace spinel {
namespace {

constexpr std::string_view kBusyKeyError = "BUSYKEY Target key name already exists.";

void Dump(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  std::string payload;
  {
    const ReadGuard value = ctx.Lookup();
    if (!value) return reply.Null();
    payload = DumpValue(*value);
  }
  reply.Bulk(payload);
}

struct RestoreOptions {
  bool replace = false;
  bool absolute = false;  // the time to live is a Unix time
  int64_t idle_seconds = -1;
  int frequency = -1;
};

RestoreOptions ReadRestoreOptions(ArgReader& args) {
  RestoreOptions options;
  while (args.HasNext()) {
    const bool more = args.Left() > 1;
    if (args.Tag("REPLACE")) {
      options.replace = true;
    } else if (args.Tag("ABSTTL")) {
      options.absolute = true;
    } else if (more && options.frequency < 0 && args.Tag("IDLETIME")) {
      options.idle_seconds = args.Int();
      if (options.idle_seconds < 0) args.Fail("ERR Invalid IDLETIME value, must be >= 0");
    } else if (more && options.idle_seconds < 0 && args.Tag("FREQ")) {
      const int64_t frequency = args.Int();
      if (frequency < 0 || frequency > std::numeric_limits<uint8_t>::max()) {
        args.Fail("ERR Invalid FREQ value, must be >= 0 and <= 255");
      }
      options.frequency = static_cast<int>(frequency);
    } else {
      args.SyntaxError();
    }
  }
  return options;
}

// The Unix time at which the key is over; Entry::kNoExpiry: 0 was given, which means never.
int64_t ReadRestoreExpiry(const CommandContext& ctx, ArgReader& args, bool absolute) {
  const int64_t ttl = args.Int();
  if (ttl < 0) args.Fail("ERR Invalid TTL value, must be >= 0");
  if (!args.ok() || ttl == 0) return Entry::kNoExpiry;
  if (absolute) return ttl;
  // Beyond the end of time is the last moment of it.
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
  return ttl > kLast - ctx.now_ms() ? kLast : ctx.now_ms() + ttl;
}

// Without REPLACE the key must not exist. Keys that are over do not.
bool IsBusy(const RestoreOptions& options, const WriteGuard& slot) {
  return !options.replace && slot.exists();
}

void Restore(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  constexpr size_t kTtl = 2;
  constexpr size_t kPayload = 3;
  constexpr size_t kOptions = 4;
  ArgReader option_args(ctx.args(), kOptions);
  const RestoreOptions options = ReadRestoreOptions(option_args);
  if (!option_args.Check(reply)) return;
  if (IsBusy(options, ctx.Write())) return reply.Error(kBusyKeyError);
  args.Skip(kTtl - 1);
  const int64_t expiry = ReadRestoreExpiry(ctx, args, options.absolute);
  if (!args.Check(reply)) return;

  // Big values take their time: they are built before the key is locked.
  RestoreResult made = RestoreValue(ctx.arg(kPayload), ctx.arg(1), expiry,
                                    ValueLimitsOf(ctx.server()), ctx.now_ms());
  if (made.error != RestoreError::kNone) {
    LogVerbose("RESTORE: {}", made.message);
    return reply.Error(made.error == RestoreError::kVersionOrChecksum
                           ? "ERR DUMP payload version or checksum are wrong"
                           : "ERR Bad data format");
  }
  WriteGuard slot = ctx.Write();
  if (IsBusy(options, slot)) return reply.Error(kBusyKeyError);
  const bool over = expiry != Entry::kNoExpiry && expiry <= ctx.now_ms();
  if (made.entry == nullptr || over) {
    if (slot.Delete()) slot.Notify(kNotifyGeneric, "del");
    return reply.Ok();
  }
  RdbRecord use;
  use.idle_seconds = options.idle_seconds;
  use.frequency = options.frequency;
  made.entry->set_access_clock(AccessClockOf(use, ctx.store().access_tracking(), ctx.now_ms()));
  slot.Put(made.entry.release());
  slot.Notify(kNotifyGeneric, "restore");
  reply.Ok();
}

constexpr CommandSpec kDumpCommands[] = {
    {.name = "DUMP",
     .arity = 2,
     .flags = kReadOnly,
     .acl = kAclKeyspace,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = Dump,
     .group = "generic",
     .since = "2.6.0",
     .complexity = "O(N) with N the value's elements, or bytes of a string",
     .summary = "Answers the value of a key in the form that RESTORE takes.",
     .syntax = "key"},
    {.name = "RESTORE",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .acl = kAclKeyspace | kAclDangerous,
     .keys = OneKey(kKeyOW | kKeyUpdate),
     .handler = Restore,
     .group = "generic",
     .since = "2.6.0",
     .complexity = "O(N) with N the value's elements; O(N*log(N)) for a sorted set",
     .summary = "Makes a key of what DUMP gave.",
     .syntax = "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]"},
};

}  // namespace

std::span<const CommandSpec> DumpCommands() { return kDumpCommands; }

}  // namespace spinel
