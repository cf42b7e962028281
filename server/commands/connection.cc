// The connection itself: AUTH, HELLO, PING, SELECT and their relatives. CLIENT is in client.cc.

#include <fmt/format.h>

#include <limits>
#include <string>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/acl.h"
#include "server/command_context.h"
#include "server/commands/client_names.h"
#include "server/commands/families.h"
#include "server/monitors.h"
#include "server/tracking.h"
#include "server/version.h"

namespace spinel {
namespace {

constexpr std::string_view kWrongPassword =
    "WRONGPASS invalid username-password pair or user is disabled.";

bool Authenticate(CommandContext& ctx, std::string_view user, std::string_view password) {
  return ctx.server().acl().Authenticate(&ctx.session(), user, password, ctx.arg(0), ctx.args(),
                                         ctx.now_ms());
}

void Auth(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const bool password_only = args.Left() == 1;
  const std::string_view user = password_only ? "default" : args.String();
  const std::string_view password = args.String();
  if (!args.Done(reply)) return;
  if (password_only && ctx.server().acl().Find(user)->nopass()) {
    return reply.Error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  }
  if (!Authenticate(ctx, user, password)) return reply.Error(kWrongPassword);
  reply.Ok();
}

struct HelloOptions {
  int64_t version = 0;  // 0: as it is
  bool auth = false;
  std::string_view user;
  std::string_view password;
  bool set_name = false;
  std::string_view name;
};

HelloOptions ReadHelloOptions(ArgReader& args) {
  HelloOptions options;
  if (!args.HasNext()) return options;
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  options.version =
      args.IntInRange(kMin, kMax, "ERR Protocol version is not an integer or out of range");
  if (options.version < 2 || options.version > 3) {
    args.Fail("NOPROTO unsupported protocol version");
  }
  while (args.HasNext()) {
    const std::string_view option = args.Peek();
    if (args.Left() >= 3 && args.Tag("AUTH")) {
      options.auth = true;
      options.user = args.String();
      options.password = args.String();
    } else if (args.Left() >= 2 && args.Tag("SETNAME")) {
      options.set_name = true;
      options.name = args.String();
      if (!IsClientName(options.name)) args.Fail(kBadClientName);
    } else {
      args.Fail(fmt::format("ERR Syntax error in HELLO option '{}'", option));
    }
  }
  return options;
}

void Hello(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const HelloOptions options = ReadHelloOptions(args);
  if (!args.Done(reply)) return;
  Session& session = ctx.session();
  if (options.auth && !Authenticate(ctx, options.user, options.password)) {
    return reply.Error(kWrongPassword);
  }
  if (!session.authenticated && ctx.server().needs_password()) {
    return reply.Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the "
        "RESP protocol version at the same time");
  }
  if (options.set_name) session.set_name(options.name);
  if (options.version != 0) {
    session.set_resp(options.version == 3 ? RespVersion::kResp3 : RespVersion::kResp2);
    reply.set_version(session.resp());
  }
  reply.Map(7);
  reply.Bulk("server");
  reply.Bulk("redis");
  reply.Bulk("version");
  reply.Bulk(kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(static_cast<int64_t>(session.resp()));
  reply.Bulk("id");
  reply.Integer(static_cast<int64_t>(session.id));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk("master");
  reply.Bulk("modules");
  reply.Array(0);
}

void Ping(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  if (args.Left() > 1) {
    return reply.Error("ERR wrong number of arguments for 'ping' command");
  }
  const bool has_text = args.HasNext();
  const std::string_view text = args.Peek();
  // A RESP2 subscriber tells replies from messages by their form alone.
  if (ctx.session().subscribed() && !reply.resp3()) {
    reply.Array(2);
    reply.Bulk("pong");
    return reply.Bulk(text);
  }
  if (!has_text) return reply.Simple("PONG");
  reply.Bulk(text);
}

void Echo(CommandContext& ctx, ArgReader&, ReplyWriter& reply) { reply.Bulk(ctx.arg(1)); }

void Select(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t db =
      args.IntInRange(std::numeric_limits<int>::min(), std::numeric_limits<int>::max());
  if (args.ok() && (db < 0 || db >= ctx.config().databases())) {
    args.Fail("ERR DB index is out of range");
  }
  if (!args.Done(reply)) return;
  ctx.session().set_db(static_cast<int>(db));
  reply.Ok();
}

void Quit(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ctx.session().close_after_reply = true;
  reply.Ok();
}

void Reset(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ctx.loop().channels.UnsubscribeAll(&ctx.session());
  ctx.server().tracking().Disable(&ctx.session());
  ctx.server().monitors().Remove(&ctx.loop(), &ctx.session());
  ctx.session().Reset();
  ctx.server().acl().Admit(&ctx.session());
  ctx.loop().op.touch = true;
  reply.set_version(ctx.session().resp());
  reply.Simple("RESET");
}

constexpr uint32_t kBeforeAuth = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;

constexpr CommandSpec kConnectionCommands[] = {
    {.name = "AUTH",
     .arity = -2,
     .flags = kBeforeAuth | kNoData,
     .acl = kAclConnection,
     .handler = Auth,
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(N) in the length of the password",
     .summary = "Authenticates the connection.",
     .syntax = "[username] password"},
    {.name = "ECHO",
     .arity = 2,
     .flags = kLoading | kStale | kFast | kNoData,
     .acl = kAclConnection,
     .handler = Echo,
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers what it is given.",
     .syntax = "message"},
    {.name = "HELLO",
     .arity = -1,
     .flags = kBeforeAuth | kNoData,
     .acl = kAclConnection,
     .handler = Hello,
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Introduces server and client to one another and chooses the protocol's version.",
     .syntax = "[protover [AUTH username password] [SETNAME clientname]]"},
    {.name = "PING",
     .arity = -1,
     .flags = kFast | kNoData,
     .acl = kAclConnection,
     .handler = Ping,
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers PONG, or the message, to show that the connection lives.",
     .syntax = "[message]"},
    {.name = "QUIT",
     .arity = -1,
     .flags = kBeforeAuth | kImmediate,
     .acl = kAclConnection,
     .handler = Quit,
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Closes the connection once its replies are sent.",
     .syntax = ""},
    {.name = "RESET",
     .arity = 1,
     .flags = kBeforeAuth | kImmediate,
     .acl = kAclConnection,
     .handler = Reset,
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Puts the connection back to how it was when it was opened.",
     .syntax = ""},
    {.name = "SELECT",
     .arity = 2,
     .flags = kLoading | kStale | kFast | kNoData,
     .acl = kAclConnection,
     .handler = Select,
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Chooses the database that the connection's commands work on.",
     .syntax = "index"},
};

}  // namespace

std::span<const CommandSpec> ConnectionCommands() { return kConnectionCommands; }

}  // namespace spinel
