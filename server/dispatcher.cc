#include "server/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <string>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/ascii.h"
#include "protocol/reply_writer.h"
#include "server/acl.h"
#include "server/command_context.h"
#include "server/cycle_clock.h"
#include "server/memory_keeper.h"
#include "server/observation.h"
#include "server/scripts.h"
#include "server/tracking.h"
#include "server/transaction.h"
#include "storage/atomic_section.h"
#include "storage/equal_bytes.h"

namespace spinel {
namespace {

// At most `max` bytes of an argument, for an error text.
std::string_view Clip(std::string_view text, size_t max) { return UntilNul(text.substr(0, max)); }

std::string UnknownCommandText(const Request& request) {
  constexpr size_t kMaxText = 128;
  if (request.command != nullptr) {
    const Command& container = *request.command;
    return fmt::format("ERR unknown subcommand '{}'. Try {} HELP.", Clip(request.args[1], kMaxText),
                       container.spec->name);
  }
  std::string arguments;
  for (size_t i = 1; i < request.args.size() && arguments.size() < kMaxText; ++i) {
    arguments += fmt::format("'{}' ", Clip(request.args[i], kMaxText - arguments.size()));
  }
  return fmt::format("ERR unknown command '{}', with args beginning with: {}",
                     Clip(request.args[0], kMaxText), arguments);
}

// What a RESP2 client may send while it is subscribed.
bool AllowedWhileSubscribed(const CommandSpec& spec) {
  for (const std::string_view name : {"SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE",
                                      "SSUBSCRIBE", "SUNSUBSCRIBE", "PING", "QUIT", "RESET"}) {
    if (spec.name == name) return true;
  }
  return false;
}

bool IsExec(const Command& command) { return command.spec->name == "EXEC"; }

std::string NotInMultiText(const CommandSpec& spec) {
  if (spec.name == "MULTI") return "ERR MULTI calls can not be nested";
  if (spec.name == "WATCH") return "ERR WATCH inside MULTI is not allowed";
  return "ERR Command not allowed inside a transaction";
}

// What a server in trouble refuses; PING is refused like a write, so that who looks after the
// server learns of it.
std::string_view SavingFailsText(const Server& server, const Session& session,
                                 const Request& request) {
  const uint32_t flags = Dispatcher::FlagsOf(server, session, request);
  if ((flags & kWrite) == 0 && request.command->spec->name != "PING") return {};
  return kSavingFailsError;
}

std::string_view LoadingText(const Command& command) {
  if (command.Has(kLoading)) return {};
  return "LOADING Redis is loading the dataset in memory";
}

// What is refused when no key can make room. A queue of commands takes memory too.
bool TakesMemory(const Server& server, const Session& session, const Request& request) {
  if (session.in_multi() && !request.command->Has(kImmediate)) return true;
  return (Dispatcher::FlagsOf(server, session, request) & kDenyOom) != 0;
}

// Whether a command is executed while a script takes too long: nothing that needs a lock is.
bool AllowedWhileBusy(const Session& session, const Request& request) {
  const CommandSpec& spec = *request.command->spec;
  if (!request.command->Has(kAllowBusy) || spec.keys.first != 0) return false;
  if (spec.name == "SHUTDOWN") {
    return request.args.size() > 1 && EqualsIgnoreCase(request.args[1], "NOSAVE");
  }
  const bool watches = session.watched.load(std::memory_order_relaxed) > 0;
  return !watches || spec.name == "KILL" || spec.name == "STATS";
}

// The text of the refusal, or empty. `*denied`: what the user may not do, if that is why.
std::string Refusal(const Server& server, const Session& session, const Request& request,
                    AclVerdict* denied) {
  const Command* command = request.command;
  if (command == nullptr) return UnknownCommandText(request);
  if (command->spec->handler == nullptr && request.args.size() > 1) {
    return UnknownCommandText(request);
  }
  if (command->spec->handler == nullptr || !command->ArityFits(request.args.size())) {
    return fmt::format("ERR wrong number of arguments for '{}' command", command->name);
  }
  if (!session.authenticated && server.needs_password() && !command->Has(kNoAuth)) {
    return "NOAUTH Authentication required.";
  }
  if (server.Has(Trouble::kBusy) && !AllowedWhileBusy(session, request)) {
    return std::string(server.scripts().BusyText());
  }
  if (session.in_multi() && command->Has(kNoMulti)) return NotInMultiText(*command->spec);
  *denied = Acl::Check(session, *command, request.args);
  if (!denied->ok()) {
    return "NOPERM " + AclDenialText(*denied, session.acl_user->name(), *command, request.args,
                                     AclTextFor::kClient);
  }
  if (server.Has(Trouble::kSavingFails)) {
    const std::string_view text = SavingFailsText(server, session, request);
    if (!text.empty()) return std::string(text);
  }
  if (server.Has(Trouble::kOutOfMemory) && TakesMemory(server, session, request)) {
    return std::string(kOutOfMemoryError);
  }
  if (session.subscribed() && session.resp() == RespVersion::kResp2 &&
      !AllowedWhileSubscribed(*command->spec)) {
    return fmt::format(
        "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
        "allowed in this context",
        command->name);
  }
  if (server.Has(Trouble::kLoading)) return std::string(LoadingText(*command));
  return {};
}

[[gnu::noinline]] LatencyHistogram* MakeHistogram(CommandStats* stats) {
  auto* histogram = new LatencyHistogram;
  stats->histogram.store(histogram, std::memory_order_release);
  return histogram;
}

inline void CountLatency(CommandStats* stats, uint64_t ticks) {
  LatencyHistogram* histogram = stats->histogram.load(std::memory_order_relaxed);
  if (histogram == nullptr) [[unlikely]]
    histogram = MakeHistogram(stats);
  histogram->Add(CycleClock::ToNanoseconds(ticks));
}

// Counts the errors that were written since there were `before`.
void CountErrors(Server* server, LoopState* loop, const ReplyWriter& reply, uint64_t before) {
  if (reply.error_count() == before) return;
  loop->stats.error_replies.Add(reply.error_count() - before);
  server->CountError(reply.last_error_code());
}

// A refused command spoils the transaction that it was meant for, and a refused EXEC ends it.
void RefuseCommand(Server* server, LoopState* loop, Session* session, const Command* command,
                   std::string_view text, ReplyWriter& reply) {
  if (command != nullptr) loop->stats.command[command->index].rejected.Add();
  if (command != nullptr && IsExec(*command)) {
    constexpr std::string_view kErr = "ERR ";
    if (text.substr(0, kErr.size()) == kErr) text.remove_prefix(kErr.size());
    if (session->transaction != nullptr) session->transaction->Discard();
    reply.Error(fmt::format("EXECABORT Transaction discarded because of: {}", text));
  } else {
    if (session->in_multi()) session->transaction->Spoil();
    reply.Error(text);
  }
  CountErrors(server, loop, reply, 0);
}

// Refuses the request, or queues it for EXEC. False: it is to be executed.
bool Intercept(Server* server, LoopState* loop, Session* session, const Request& request,
               ReplyWriter& reply) {
  // Not while a script runs for long: it holds stripes, on this thread or another.
  if (server->Has(Trouble::kOverLimit) && !server->Has(Trouble::kBusy)) {
    server->memory().MakeRoom(loop);
  }
  server->acl().Refresh(session);
  AclVerdict denied;
  const std::string refusal = Refusal(*server, *session, request, &denied);
  if (!refusal.empty()) {
    if (!denied.ok()) {
      session->last_command.store(request.command, std::memory_order_relaxed);
      server->acl().NoteDenied(
          *session, denied, session->in_multi() ? AclLogContext::kMulti : AclLogContext::kTopLevel,
          *request.command, request.args, loop->op.now_ms);
    }
    RefuseCommand(server, loop, session, request.command, refusal, reply);
    return true;
  }
  assert(request.command != nullptr);  // or it would have been refused
  if (!session->in_multi() || request.command->Has(kImmediate)) return false;
  session->transaction->Queue(request, Dispatcher::FlagsOf(*server, *session, request));
  reply.Simple("QUEUED");
  return true;
}

[[gnu::always_inline]] inline void CallHandler(Server* server, LoopState* loop, Session* session,
                                               const Request& request, ReplyWriter& reply,
                                               Locking locking) {
  CommandContext context(server, loop, session, request.command, request.args, request.key,
                         locking);
  ArgReader args(request.args);
  request.command->spec->handler(context, args, reply);
}

// For a client that keeps copies of what it reads: reading a key and noting that happen under one
// lock, so that no change comes in between.
void CallTracked(Server* server, LoopState* loop, Session* session, const Request& request,
                 ReplyWriter& reply, Locking locking) {
  const std::vector<Key> keys = Tracking::KeysRead(*session, *request.command, request.args);
  if (keys.empty()) return CallHandler(server, loop, session, request, reply, locking);
  std::optional<AtomicSection> section;
  if (locking == Locking::kTake) {
    section.emplace(&server->store(), &loop->op, keys, request.command->Has(kAnyData));
  }
  CallHandler(server, loop, session, request, reply, Locking::kHeld);
  server->tracking().Note(*session, keys);
}

// What tracking has to do behind a command, with no stripe locked.
void FinishTracking(Server* server, LoopState* loop, Session* session, const Command& command) {
  if (session->tracks()) {
    // CLIENT CACHING is about the next command that is none of CLIENT's, or the next transaction.
    const bool client = command.parent != nullptr && command.parent->spec->name == "CLIENT";
    if (!client && !session->in_multi()) Tracking::EndCaching(session);
    server->tracking().EvictBeyondLimit(loop);
  }
  if (!loop->op.invalidations.empty()) server->tracking().Deliver(loop, session);
}

// At least the bytes of a request; a client's arguments lie one behind the other.
uint64_t RequestBytes(CommandArgs args, Locking locking) {
  if (locking == Locking::kTake) {
    return static_cast<uint64_t>(args.back().data() + args.back().size() - args.front().data());
  }
  uint64_t bytes = 0;
  for (const std::string_view arg : args) bytes += arg.size();
  return bytes;
}

// Dispatcher::Call, of which Execute has a copy of its own.
[[gnu::always_inline]] inline uint64_t Run(Server* server, LoopState* loop, Session* session,
                                           const Request& request, ReplyWriter& reply,
                                           Locking locking, uint64_t begin) {
  const Command* command = request.command;
  assert(command != nullptr);  // or it was refused
  const uint64_t errors = reply.error_count();
  const uint64_t known = reply.known_error_count();
  const size_t written = reply.out()->size();
  session->last_command.store(command, std::memory_order_relaxed);
  const bool tracks = session->tracks();
  if (tracks) [[unlikely]] {
    CallTracked(server, loop, session, request, reply, locking);
  } else {
    CallHandler(server, loop, session, request, reply, locking);
  }
  if (locking == Locking::kTake) {
    server->store().FinishServing(loop->op);
    if (tracks || !loop->op.invalidations.empty()) [[unlikely]]
      FinishTracking(server, loop, session, *command);
  }
  const uint64_t end = CycleClock::Now();
  const uint64_t ticks = end - begin;

  CommandStats& stats = loop->stats.command[command->index];
  stats.calls.Add();
  stats.ticks.Add(ticks);
  loop->stats.commands_processed.Add();
  if (server->config().latency_tracking()) CountLatency(&stats, ticks);
  if (reply.error_count() > errors) [[unlikely]] {
    stats.failed.Add();
    CountErrors(server, loop, reply, errors + reply.known_error_count() - known);
  }
  const uint64_t reply_bytes = reply.out()->size() - written;
  if (server->observed_limits.Reached(ticks, RequestBytes(request.args, locking), reply_bytes))
      [[unlikely]] {
    server->observation().Report(loop, session, request, {ticks, reply_bytes},
                                 locking == Locking::kHeld);
  }
  return end;
}

}  // namespace

void Dispatcher::Prepare(const CommandTable& commands, Request* request, const Request* previous) {
  const CommandArgs args = request->args;
  const Command* command = previous != nullptr && EqualBytes(previous->args[0], args[0]) &&
                                   previous->command != nullptr &&
                                   previous->command->parent == nullptr
                               ? previous->command
                               : commands.Find(args[0]);
  if (command != nullptr && !command->subcommands.empty() && args.size() > 1) {
    const Command* sub = CommandTable::FindSubcommand(*command, args[1]);
    if (sub != nullptr || command->spec->handler == nullptr) {
      request->command = sub != nullptr ? sub : command;
      return;
    }
  }
  request->command = command;
  if (command != nullptr) {
    const auto first = static_cast<size_t>(command->spec->keys.first);
    if (first != 0 && first < args.size()) request->key = Store::MakeKey(args[first]);
  }
}

bool Dispatcher::Refuses(const Server& server, const Session& session, const Request& request) {
  AclVerdict denied;
  return !Refusal(server, session, request, &denied).empty();
}

bool Dispatcher::Denies(Server* server, LoopState* loop, Session* session, const Request& request,
                        AclLogContext context, AclVerdict* verdict) {
  if (session->unrestricted_at == server->acl_generation()) return false;
  server->acl().Refresh(session);
  *verdict = Acl::Check(*session, *request.command, request.args);
  if (verdict->ok()) return false;
  server->acl().NoteDenied(*session, *verdict, context, *request.command, request.args,
                           loop->op.now_ms);
  return true;
}

uint32_t Dispatcher::FlagsOf(const Server& server, const Session& session, const Request& request) {
  const Command& command = *request.command;
  if (session.in_multi() && IsExec(command)) {
    return command.spec->flags | session.transaction->flags();
  }
  return server.scripts().FlagsOf(command, request.args);
}

uint64_t Dispatcher::Call(Server* server, LoopState* loop, Session* session, const Request& request,
                          ReplyWriter& reply, Locking locking, uint64_t begin) {
  return Run(server, loop, session, request, reply, locking, begin);
}

uint64_t Dispatcher::Execute(Server* server, LoopState* loop, Session* session,
                             const Request& request, OutputBuffer* out, uint64_t begin) {
  const bool muted = session->reply_mode != ReplyMode::kOn;
  // From here on kSkipNext is about the command after this one.
  if (session->reply_mode == ReplyMode::kSkipNext) session->reply_mode = ReplyMode::kSkipping;
  const OutputBuffer::Mark before = muted ? out->mark() : OutputBuffer::Mark();
  ReplyWriter reply(out, session->resp());
  const Command* command = request.command;
  const bool fits = command != nullptr && command->spec->handler != nullptr &&
                    command->ArityFits(request.args.size());
  const bool plain = fits && session->unrestricted_at == server->acl_generation() &&
                     !session->subscribed() && !session->in_multi() && !server->in_trouble();
  const uint64_t end = plain || !Intercept(server, loop, session, request, reply)
                           ? Run(server, loop, session, request, reply, Locking::kTake, begin)
                           : CycleClock::Now();
  if (muted) [[unlikely]] {
    if (session->blocked != nullptr) session->blocked->set_muted();
    // CLIENT REPLY ON answers although the mode was another when it came.
    if (session->reply_mode != ReplyMode::kOn) out->TruncateTo(before);
    if (session->reply_mode == ReplyMode::kSkipping) session->reply_mode = ReplyMode::kOn;
  }
  return end;
}

}  // namespace spinel
