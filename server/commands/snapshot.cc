// Snapshots: SAVE, BGSAVE, LASTSAVE.

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/log.h"
#include "server/saver.h"

namespace spinel {
namespace {

constexpr std::string_view kBusyError = "ERR Background save already in progress";

void Save(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  std::string error;
  switch (ctx.server().saver().Save(ctx.now_ms(), &error)) {
    case Saver::Begun::kYes:
      return reply.Ok();
    case Saver::Begun::kBusy:
      return reply.Error(kBusyError);
    case Saver::Begun::kFailed:
      return reply.Error("ERR " + error);
  }
}

void CancelSave(CommandContext& ctx, ReplyWriter& reply) {
  switch (ctx.server().saver().Cancel()) {
    case Saver::Cancelled::kRunning:
      LogNotice("Background saving is cancelled, as a client wants it");
      return reply.Simple("Background saving cancelled");
    case Saver::Cancelled::kScheduled:
      LogNotice("The scheduled background saving is cancelled, as a client wants it");
      return reply.Simple("Scheduled background saving cancelled");
    case Saver::Cancelled::kNothing:
      return reply.Error("ERR Background saving is currently not in progress or scheduled");
  }
}

void BgSave(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const bool cancel = args.Tag("CANCEL");
  // There is nothing that it would have to wait for.
  if (!cancel) args.Tag("SCHEDULE");
  if (!args.Done(reply)) return;
  if (cancel) return CancelSave(ctx, reply);
  Saver& saver = ctx.server().saver();
  if (ctx.locking() == Locking::kHeld) {
    // Half a transaction must not be in it.
    if (saver.report(ctx.now_ms()).in_background) return reply.Error(kBusyError);
    saver.Schedule();
    return reply.Simple("Background saving scheduled");
  }
  std::string error;
  switch (saver.SaveInBackground(ctx.now_ms(), &error)) {
    case Saver::Begun::kYes:
      return reply.Simple("Background saving started");
    case Saver::Begun::kBusy:
      return reply.Error(kBusyError);
    case Saver::Begun::kFailed:
      return reply.Error("ERR " + error);
  }
}

void LastSave(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Integer(ctx.server().saver().saved_ms() / 1000);
}

constexpr CommandSpec kSnapshotCommands[] = {
    {.name = "SAVE",
     .arity = 1,
     .flags = kAdmin | kNoScript | kNoAsyncLoading | kNoMulti,
     .handler = Save,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N) with N the keys; the client's loop does nothing else meanwhile",
     .summary = "Writes a snapshot and answers when it is there."},
    {.name = "BGSAVE",
     .arity = -1,
     .flags = kAdmin | kNoScript | kNoAsyncLoading,
     .handler = BgSave,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Has a snapshot written in the background, or ends that.",
     .syntax = "[SCHEDULE | CANCEL]"},
    {.name = "LASTSAVE",
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .acl = kAclAdmin | kAclDangerous,
     .handler = LastSave,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers when the last snapshot was taken, in Unix seconds."},
};

}  // namespace

std::span<const CommandSpec> SnapshotCommands() { return kSnapshotCommands; }

}  // namespace spinel
