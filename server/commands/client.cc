// CLIENT: what a connection says about itself, and what can be seen and done about all of them.

#include <fmt/format.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/client_info.h"
#include "server/client_kill.h"
#include "server/command_context.h"
#include "server/commands/client_filter.h"
#include "server/commands/client_names.h"
#include "server/commands/client_tracking.h"
#include "server/commands/families.h"
#include "server/commands/help.h"

namespace spinel {
namespace {

// ON or OFF, and nothing else.
bool ReadSwitch(ArgReader& args) {
  if (args.Tag("ON")) return true;
  if (!args.Tag("OFF")) args.SyntaxError();
  return false;
}

void Id(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Integer(static_cast<int64_t>(ctx.session().id));
}

void GetName(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const std::string name = ctx.session().names().name;
  if (name.empty()) return reply.Null();
  reply.Bulk(name);
}

void SetName(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const std::string_view name = args.Skip(1).String();
  if (!IsClientName(name)) args.Fail(kBadClientName);
  if (!args.Done(reply)) return;
  ctx.session().set_name(name);
  reply.Ok();
}

void SetInfo(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const std::string_view option = args.Skip(1).Peek();
  const bool is_name = args.Tag("LIB-NAME");
  if (!is_name && !args.Tag("LIB-VER")) {
    args.Fail(fmt::format("ERR Unrecognized option '{}'", option));
  }
  const std::string_view value = args.String();
  if (!IsClientName(value)) {
    args.Fail(fmt::format("ERR {} cannot contain spaces, newlines or special characters.", option));
  }
  if (!args.Done(reply)) return;
  if (is_name) {
    ctx.session().set_lib_name(value);
  } else {
    ctx.session().set_lib_version(value);
  }
  reply.Ok();
}

void OwnInfo(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  std::string line;
  AppendClientLine(ctx.session(), ctx.now_ms(), ctx.args(), &line);
  line += '\n';
  reply.Verbatim("txt", line);
}

void ListClients(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ClientFilter filter(ClientFilter::For::kList, ctx.server());
  args.Skip(1);
  filter.Read(args);
  if (!args.Done(reply)) return;

  const bool skip_me = filter.skip_me(false);
  std::string lines;
  ctx.server().clients().ForEach([&](Session& session) {
    const bool me = &session == &ctx.session();
    if (session.closing.load(std::memory_order_relaxed) || (me && skip_me)) return;
    if (!filter.Matches(session, ctx.now_ms())) return;
    AppendClientLine(session, ctx.now_ms(), me ? ctx.args() : CommandArgs(), &lines);
    lines += '\n';
  });
  reply.Verbatim("txt", lines);
}

void KillClients(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ClientFilter filter(ClientFilter::For::kKill, ctx.server());
  args.Skip(1);
  const bool address_only = args.Left() == 1;
  if (address_only) {
    filter.MatchAddress(args.String());
  } else {
    filter.Read(args);
  }
  if (!args.Done(reply)) return;

  const bool skip_me = filter.skip_me(!address_only);
  const int64_t killed = CloseClients(&ctx.server(), &ctx.session(), [&](Session& session) {
    return !(skip_me && &session == &ctx.session()) && filter.Matches(session, ctx.now_ms());
  });
  if (!address_only) return reply.Integer(killed);
  if (killed == 0) return reply.Error("ERR No such client");
  reply.Ok();
}

void Pause(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  using Mode = PauseState::Mode;
  if (ctx.argc() > 4) {
    return reply.Error(fmt::format(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try CLIENT HELP.",
        ctx.arg(1)));
  }
  args.Skip(1);
  const std::string_view timeout_text = args.String();
  Mode mode = Mode::kAll;
  if (args.Tag("WRITE")) {
    mode = Mode::kWrite;
  } else if (args.HasNext() && !args.Tag("ALL")) {
    args.Fail("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  int64_t timeout = 0;
  if (!ParseInt64(timeout_text, &timeout)) {
    args.Fail("ERR timeout is not an integer or out of range");
  } else if (timeout < 0) {
    args.Fail("ERR timeout is negative");
  } else if (timeout > std::numeric_limits<int64_t>::max() - ctx.now_ms()) {
    args.Fail("ERR timeout is out of range");
  }
  if (!args.Done(reply)) return;
  ctx.server().pause().Pause(ctx.now_ms(), ctx.now_ms() + timeout, mode);
  ctx.store().KeepExpired(timeout > 0);
  reply.Ok();
}

void Unpause(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ctx.server().pause().Unpause();
  ctx.store().KeepExpired(ctx.server().pause().mode(ctx.now_ms()) != PauseState::Mode::kNone);
  ctx.server().runtime().ResumePaused();
  reply.Ok();
}

void Unblock(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t id = args.Skip(1).Int();
  bool with_error = false;
  if (args.HasNext()) {
    with_error = args.Tag("ERROR");
    if (!with_error && !args.Tag("TIMEOUT")) {
      args.Fail("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
  }
  if (!args.Done(reply)) return;
  const std::shared_ptr<BlockedClient> client =
      ctx.server().blocked().Find(static_cast<uint64_t>(id));
  if (client == nullptr || !client->Claim()) return reply.Integer(0);
  if (!with_error) {
    client->Answer(client->TimeoutReply());
  } else {
    client->Answer("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n",
                   BlockedClient::Result::kFailed);
    ctx.loop().stats.error_replies.Add();
    ctx.server().CountError("UNBLOCKED");
  }
  reply.Integer(1);
}

// What it answers is all the reply there is: OFF and SKIP say nothing.
void Reply(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(1);
  const bool on = args.Tag("ON");
  const bool off = !on && args.Tag("OFF");
  if (!on && !off && !args.Tag("SKIP")) args.SyntaxError();
  if (!args.Done(reply)) return;
  ReplyMode& mode = ctx.session().reply_mode;
  if (on) {
    mode = ReplyMode::kOn;
    reply.Ok();
  } else if (off) {
    mode = ReplyMode::kOff;
  } else if (mode != ReplyMode::kOff) {
    mode = ReplyMode::kSkipNext;
  }
}

void NoEvict(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const bool on = ReadSwitch(args.Skip(1));
  if (!args.Done(reply)) return;
  ctx.session().no_evict.store(on, std::memory_order_relaxed);
  reply.Ok();
}

void NoTouch(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const bool on = ReadSwitch(args.Skip(1));
  if (!args.Done(reply)) return;
  ctx.session().no_touch.store(on, std::memory_order_relaxed);
  ctx.loop().op.touch = !on;  // for the rest of this batch too
  reply.Ok();
}

// Unknown capabilities are for servers to come.
void Capa(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(1);
  while (args.HasNext()) {
    if (args.Tag("REDIRECT")) {
      ctx.session().can_redirect.store(true, std::memory_order_relaxed);
    } else {
      args.Skip(1);
    }
  }
  reply.Ok();
}

#define SPINEL_CLIENT_FILTERS                                                                    \
  "[ID client-id [client-id ...]] [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [USER username] "  \
  "[ADDR ip:port] [LADDR ip:port] [SKIPME <YES | NO>] [MAXAGE maxage] [NAME name] [IDLE idle] "  \
  "[FLAGS flags] [LIB-NAME lib-name] [LIB-VER lib-ver] [DB db] [CAPA capa] [IP ip] "             \
  "[NOT-ID client-id [client-id ...]] [NOT-TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] "          \
  "[NOT-USER username] [NOT-ADDR ip:port] [NOT-LADDR ip:port] [NOT-NAME name] "                  \
  "[NOT-FLAGS flags] [NOT-LIB-NAME lib-name] [NOT-LIB-VER lib-ver] [NOT-DB db] [NOT-CAPA capa] " \
  "[NOT-IP ip]"

constexpr uint32_t kClientAnyTime = kNoScript | kLoading | kStale;

constexpr CommandSpec kClientSubcommands[] = {
    {.name = "CACHING",
     .arity = 3,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = ClientCaching,
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Says whether the client keeps a copy of what the next command reads.",
     .syntax = "<YES | NO>"},
    {.name = "CAPA",
     .arity = -3,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = Capa,
     .group = "connection",
     .since = "8.0.0",
     .complexity = "O(N) in the capabilities named",
     .summary = "Says what the client is capable of.",
     .syntax = "capability [capability ...]"},
    {.name = "GETNAME",
     .arity = 2,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = GetName,
     .group = "connection",
     .since = "2.6.9",
     .complexity = "O(1)",
     .summary = "Answers the name that the connection was given.",
     .syntax = ""},
    {.name = "GETREDIR",
     .arity = 2,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = ClientGetRedir,
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Answers which client is told instead of this one to forget its copies.",
     .syntax = ""},
    {.name = "HELP",
     .arity = 2,
     .flags = kLoading | kStale,
     .acl = kAclConnection,
     .handler = ReplyHelp,
     .group = "connection",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Print this help.",
     .syntax = ""},
    {.name = "ID",
     .arity = 2,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = Id,
     .group = "connection",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Answers the connection's id, which no other connection ever has.",
     .syntax = ""},
    {.name = "INFO",
     .arity = 2,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = OwnInfo,
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Describes the connection as CLIENT LIST would.",
     .syntax = ""},
    {.name = "KILL",
     .arity = -3,
     .flags = kAdmin | kClientAnyTime,
     .acl = kAclConnection,
     .handler = KillClients,
     .group = "connection",
     .since = "2.4.0",
     .complexity = "O(N) in the connected clients",
     .summary = "Closes the connection with an address, or all that match the filters.",
     .syntax = "<ip:port | " SPINEL_CLIENT_FILTERS ">"},
    {.name = "LIST",
     .arity = -2,
     .flags = kAdmin | kClientAnyTime,
     .acl = kAclConnection,
     .handler = ListClients,
     .group = "connection",
     .since = "2.4.0",
     .complexity = "O(N) in the connected clients",
     .summary = "Describes all connections, or those that match the filters, one per line.",
     .syntax = SPINEL_CLIENT_FILTERS},
    {.name = "NO-EVICT",
     .arity = 3,
     .flags = kAdmin | kClientAnyTime,
     .acl = kAclConnection,
     .handler = NoEvict,
     .group = "connection",
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Keeps the connection open when clients are closed for the memory they take.",
     .syntax = "<ON | OFF>"},
    {.name = "NO-TOUCH",
     .arity = 3,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = NoTouch,
     .group = "connection",
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary = "Lets the connection read keys without counting as their use.",
     .syntax = "<ON | OFF>"},
    {.name = "PAUSE",
     .arity = -3,
     .flags = kAdmin | kClientAnyTime,
     .acl = kAclConnection,
     .handler = Pause,
     .group = "connection",
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "Makes all commands, or those that write, wait for a number of milliseconds.",
     .syntax = "timeout [WRITE | ALL]"},
    {.name = "REPLY",
     .arity = 3,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = Reply,
     .group = "connection",
     .since = "3.2.0",
     .complexity = "O(1)",
     .summary = "Switches replies to the connection on or off, or skips that to the next command.",
     .syntax = "<ON | OFF | SKIP>"},
    {.name = "SETINFO",
     .arity = 4,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = SetInfo,
     .group = "connection",
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary = "Says which library the client uses, and which version of it.",
     .syntax = "<LIB-NAME libname | LIB-VER libver>"},
    {.name = "SETNAME",
     .arity = 3,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = SetName,
     .group = "connection",
     .since = "2.6.9",
     .complexity = "O(1)",
     .summary = "Gives the connection a name.",
     .syntax = "connection-name"},
    {.name = "TRACKING",
     .arity = -3,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = ClientTracking,
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1); O(N) in the number of prefixes with BCAST",
     .summary = "Switches on or off that the client is told to forget its copies of keys that "
                "change.",
     .syntax = "<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] "
               "[OPTIN] [OPTOUT] [NOLOOP]"},
    {.name = "TRACKINGINFO",
     .arity = 2,
     .flags = kClientAnyTime,
     .acl = kAclConnection,
     .handler = ClientTrackingInfo,
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Answers how the client wants to be told to forget its copies.",
     .syntax = ""},
    {.name = "UNBLOCK",
     .arity = -3,
     .flags = kAdmin | kClientAnyTime,
     .acl = kAclConnection,
     .handler = Unblock,
     .group = "connection",
     .since = "5.0.0",
     .complexity = "O(log N) in the clients that wait for the same keys",
     .summary = "Ends a client's blocking command, as if its time were over or with an error.",
     .syntax = "client-id [TIMEOUT | ERROR]"},
    {.name = "UNPAUSE",
     .arity = 2,
     .flags = kAdmin | kClientAnyTime,
     .acl = kAclConnection,
     .handler = Unpause,
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(N) in the clients that wait",
     .summary = "Ends what CLIENT PAUSE began.",
     .syntax = ""},
};

#undef SPINEL_CLIENT_FILTERS

constexpr CommandSpec kClientCommands[] = {
    {.name = "CLIENT",
     .arity = -2,
     .subcommands = kClientSubcommands,
     .group = "connection",
     .since = "2.4.0",
     .complexity = "Depends on the subcommand",
     .summary = "Commands about client connections.",
     .syntax = ""},
};

}  // namespace

std::span<const CommandSpec> ClientCommands() { return kClientCommands; }

}  // namespace spinel
