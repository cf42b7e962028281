// Takes a parsed request to its handler: finds the command, checks what may be checked before it
// runs, runs it, counts.
//
// Threads: a loop's; holds no state of its own.
#pragma once

#include "protocol/output_buffer.h"
#include "protocol/reply_writer.h"
#include "server/acl_check.h"
#include "server/acl_log.h"
#include "server/command.h"
#include "server/cycle_clock.h"
#include "server/loop_state.h"
#include "server/server.h"
#include "server/session.h"
#include "storage/guards.h"

namespace spinel {

// A request that has been looked at but not executed.
struct Request {
  CommandArgs args;
  const Command* command = nullptr;  // null: unknown; a container: its subcommand is unknown
  Key key;                           // the first key; an empty name: none
};

// What writes are answered while snapshots fail; kSavingFailsReply as it stands in a reply.
inline constexpr std::string_view kSavingFailsReply =
    "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to "
    "disk. Commands that may modify the data set are disabled, because this instance is configured "
    "to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error "
    "option). Please check the Redis logs for details about the RDB error.";
inline constexpr std::string_view kSavingFailsError = kSavingFailsReply.substr(1);

class Dispatcher {
 public:
  // Finds the command and hashes its first key. Expects at least one argument, and nothing else in
  // the request. `previous`, if there is one, is the request before in the pipeline: pipelines like
  // to repeat a command.
  static void Prepare(const CommandTable& commands, Request* request, const Request* previous);
  static Request Prepare(const CommandTable& commands, CommandArgs args) {
    Request request;
    request.args = args;
    Prepare(commands, &request, nullptr);
    return request;
  }

  // Whether Execute would answer with an error instead of running the command.
  static bool Refuses(const Server& server, const Session& session, const Request& request);

  // Whether the client's user may not run a request that was let in by somebody else than Execute:
  // a queued one, whose user may have changed since, or a script's. Then that is logged, and
  // `*verdict` says what was denied.
  static bool Denies(Server* server, LoopState* loop, Session* session, const Request& request,
                     AclLogContext context, AclVerdict* verdict);

  // The command's flags; for EXEC with those of all that is queued, because it is as much of a
  // write as they are.
  static uint32_t FlagsOf(const Server& server, const Session& session, const Request& request);

  // Runs a command that has passed its checks, and counts it. Between MULTI and EXEC too, it runs.
  // With Locking::kHeld the caller holds the locks and is responsible for Store::FinishServing.
  // Takes and returns times as Execute does.
  static uint64_t Call(Server* server, LoopState* loop, Session* session, const Request& request,
                       ReplyWriter& reply, Locking locking, uint64_t begin);

  // Checks and executes, or queues for EXEC; the reply is appended to `out`. `begin` is when
  // (CycleClock); returns when it was done, which is when the next command of a pipeline begins.
  static uint64_t Execute(Server* server, LoopState* loop, Session* session, const Request& request,
                          OutputBuffer* out, uint64_t begin = CycleClock::Now());
};

}  // namespace spinel
