// ACL: users, what they may do, and what was refused. The rules themselves are in acl_user.h and
// acl_selector.h.

#include "server/acl.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string>

#include "protocol/arg_reader.h"
#include "protocol/ascii.h"
#include "protocol/hex.h"
#include "protocol/reply_writer.h"
#include "server/acl_categories.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/dispatcher.h"
#include "server/log.h"

namespace spinel {
namespace {

constexpr size_t kMaxQuoted = 128;

Acl::Caller CallerOf(CommandContext& ctx) { return {&ctx.loop(), &ctx.session()}; }

bool TooManyArguments(CommandContext& ctx, size_t most, ReplyWriter& reply) {
  if (ctx.argc() <= most) return false;
  reply.Error(
      fmt::format("ERR unknown subcommand or wrong number of arguments for '{}'. Try ACL HELP.",
                  UntilNul(ctx.arg(1).substr(0, kMaxQuoted))));
  return true;
}

// -- Users
// -----------------------------------------------------------------------------------------

void SetUser(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const std::string_view name = ctx.arg(2);
  if (HasAclSeparator(name)) {
    return reply.Error("ERR Usernames can't contain spaces or null characters");
  }
  const std::string error = ctx.server().acl().SetUser(name, ctx.args().subspan(3), CallerOf(ctx));
  error.empty() ? reply.Ok() : reply.Error("ERR " + error);
}

void DelUser(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const CommandArgs names = ctx.args().subspan(2);
  if (std::find(names.begin(), names.end(), "default") != names.end()) {
    return reply.Error("ERR The 'default' user cannot be removed");
  }
  reply.Integer(ctx.server().acl().DeleteUsers(names, CallerOf(ctx)));
}

void ReplySelector(const AclSelector& selector, ReplyWriter& reply) {
  reply.Bulk("commands");
  reply.Bulk(selector.CommandRules());
  reply.Bulk("keys");
  reply.Bulk(selector.KeyRules());
  reply.Bulk("channels");
  reply.Bulk(selector.ChannelRules());
}

void GetUser(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const Acl::UserPtr user = ctx.server().acl().Find(ctx.arg(2));
  if (user == nullptr) return reply.Null();
  reply.Map(6);
  reply.Bulk("flags");
  const std::vector<std::string_view> flags = user->Flags();
  reply.Set(static_cast<int64_t>(flags.size()));
  for (const std::string_view flag : flags) reply.Bulk(flag);
  reply.Bulk("passwords");
  reply.Array(static_cast<int64_t>(user->passwords().size()));
  for (const std::string& password : user->passwords()) reply.Bulk(password);
  ReplySelector(user->root(), reply);
  reply.Bulk("selectors");
  reply.Array(static_cast<int64_t>(user->selectors().size()) - 1);
  for (size_t i = 1; i < user->selectors().size(); ++i) {
    reply.Map(3);
    ReplySelector(user->selectors()[i], reply);
  }
}

void ListUsers(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const std::vector<Acl::UserPtr> users = ctx.server().acl().Users();
  reply.Array(static_cast<int64_t>(users.size()));
  for (const Acl::UserPtr& user : users) {
    reply.Bulk(fmt::format("user {} {}", user->name(), user->Describe()));
  }
}

void Users(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const std::vector<Acl::UserPtr> users = ctx.server().acl().Users();
  reply.Array(static_cast<int64_t>(users.size()));
  for (const Acl::UserPtr& user : users) reply.Bulk(user->name());
}

void WhoAmI(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Bulk(ctx.session().account()->name);
}

void DryRun(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const Acl::UserPtr user = ctx.server().acl().Find(ctx.arg(2));
  if (user == nullptr) {
    return reply.Error(fmt::format("ERR User '{}' not found", UntilNul(ctx.arg(2))));
  }
  const CommandArgs args = ctx.args().subspan(3);
  const Request request = Dispatcher::Prepare(ctx.server().commands(), args);
  const Command* const command = request.command;
  if (command == nullptr || (command->spec->handler == nullptr && args.size() > 1)) {
    return reply.Error(fmt::format("ERR Command '{}' not found", UntilNul(args[0])));
  }
  if (!command->ArityFits(args.size())) {
    return reply.Error(
        fmt::format("ERR wrong number of arguments for '{}' command", command->name));
  }
  const AclVerdict verdict = CheckAcl(*user, *command, args);
  if (verdict.ok()) return reply.Ok();
  reply.Bulk(AclDenialText(verdict, user->name(), *command, args, AclTextFor::kDryRun));
}

// -- Files
// -----------------------------------------------------------------------------------------

bool RefuseWithoutFile(CommandContext& ctx, ReplyWriter& reply) {
  if (!ctx.config().aclfile.empty()) return false;
  reply.Error(
      "ERR This instance is not configured to use an ACL file. You may want to specify users via "
      "the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a configuration "
      "file set) in order to store users in the configuration.");
  return true;
}

void LoadUsers(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (RefuseWithoutFile(ctx, reply)) return;
  const std::string errors = ctx.server().acl().Load(CallerOf(ctx));
  errors.empty() ? reply.Ok() : reply.Error("ERR " + errors);
}

void SaveUsers(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (RefuseWithoutFile(ctx, reply)) return;
  const int error = ctx.server().acl().Save();
  if (error == 0) return reply.Ok();
  LogWarning("Writing the ACL file: {}", std::strerror(error));
  reply.Error(
      "ERR There was an error trying to save the ACLs. Please check the server logs for more "
      "information");
}

// -- Categories, passwords, the log
// ----------------------------------------------------------------

void Cat(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (TooManyArguments(ctx, 3, reply)) return;
  if (ctx.argc() == 2) {
    reply.Array(static_cast<int64_t>(AclCategoryNames().size()));
    for (const AclCategoryName& category : AclCategoryNames()) {
      reply.Bulk(category.name.substr(1));
    }
    return;
  }
  const uint32_t category = FindAclCategory(ctx.arg(2));
  if (category == 0) {
    return reply.Error(
        fmt::format("ERR Unknown category '{}'", UntilNul(ctx.arg(2).substr(0, kMaxQuoted))));
  }
  const auto begin = reply.Begin();
  int64_t count = 0;
  for (const auto& command : ctx.server().commands().all()) {
    if ((command->acl & category) == 0) continue;
    reply.Bulk(command->name);
    ++count;
  }
  reply.EndArray(begin, count);
}

void GenPass(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  constexpr int64_t kMaxBits = 4096;
  if (TooManyArguments(ctx, 3, reply)) return;
  args.Skip(1);
  const int64_t bits = args.HasNext() ? args.Int() : 256;
  if (args.ok() && (bits <= 0 || bits > kMaxBits)) {
    args.Fail(
        fmt::format("ERR ACL GENPASS argument must be the number of bits for the output "
                    "password, a positive number up to {}",
                    kMaxBits));
  }
  if (!args.Done(reply)) return;
  std::array<unsigned char, kMaxBits / 4> bytes{};  // of each four bits are used
  const auto digits = static_cast<size_t>((bits + 3) / 4);
  size_t filled = 0;
  while (filled < digits) {
    const ssize_t got = getrandom(bytes.data() + filled, digits - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return reply.Error("ERR The system has no random numbers");
    filled += static_cast<size_t>(got);
  }
  std::string password;
  for (size_t i = 0; i < digits; ++i) password += kHexDigits[bytes[i] & 15];
  reply.Bulk(password);
}

std::string_view NameOf(AclDenial reason) {
  switch (reason) {
    case AclDenial::kCommand:
      return "command";
    case AclDenial::kKey:
      return "key";
    case AclDenial::kChannel:
      return "channel";
    case AclDenial::kAuth:
      return "auth";
    case AclDenial::kNone:
      break;
  }
  return "unknown";
}

std::string_view NameOf(AclLogContext context) {
  switch (context) {
    case AclLogContext::kTopLevel:
      return "toplevel";
    case AclLogContext::kMulti:
      return "multi";
    case AclLogContext::kLua:
      return "lua";
  }
  return "unknown";
}

void ReplyEntry(const AclLog::Entry& entry, int64_t now_ms, ReplyWriter& reply) {
  reply.Map(10);
  reply.Bulk("count");
  reply.Integer(static_cast<int64_t>(entry.count));
  reply.Bulk("reason");
  reply.Bulk(NameOf(entry.reason));
  reply.Bulk("context");
  reply.Bulk(NameOf(entry.context));
  reply.Bulk("object");
  reply.Bulk(entry.object);
  reply.Bulk("username");
  reply.Bulk(entry.username);
  reply.Bulk("age-seconds");
  reply.Double(static_cast<double>(now_ms - entry.updated_ms) / 1000);
  reply.Bulk("client-info");
  reply.Bulk(entry.client);
  reply.Bulk("entry-id");
  reply.Integer(entry.id);
  reply.Bulk("timestamp-created");
  reply.Integer(entry.created_ms);
  reply.Bulk("timestamp-last-updated");
  reply.Integer(entry.updated_ms);
}

void Log(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  if (TooManyArguments(ctx, 3, reply)) return;
  AclLog& log = ctx.server().acl().log();
  args.Skip(1);
  if (args.Tag("RESET")) {
    log.Clear();
    return reply.Ok();
  }
  const int64_t count = args.HasNext() ? args.Int() : 10;
  if (!args.Done(reply)) return;
  const std::vector<AclLog::Entry> entries =
      log.Latest(static_cast<size_t>(std::max<int64_t>(count, 0)));
  reply.Array(static_cast<int64_t>(entries.size()));
  for (const AclLog::Entry& entry : entries) ReplyEntry(entry, ctx.now_ms(), reply);
}

// -- Rows
// ------------------------------------------------------------------------------------------

constexpr uint32_t kAclAnyTime = kNoScript | kLoading | kStale | kNoData;

constexpr CommandSpec AclRow(std::string_view name, int arity, uint32_t flags, Handler handler,
                             std::string_view since, std::string_view complexity,
                             std::string_view summary, std::string_view syntax) {
  return {.name = name,
          .arity = arity,
          .flags = flags,
          .handler = handler,
          .group = "server",
          .since = since,
          .complexity = complexity,
          .summary = summary,
          .syntax = syntax};
}

constexpr CommandSpec kAclSubcommands[] = {
    AclRow("CAT", -2, kAclAnyTime, Cat, "6.0.0", "O(N) in the number of commands",
           "Names the categories, or the commands of one.", "[category]"),
    AclRow("DELUSER", -3, kAdmin | kAclAnyTime, DelUser, "6.0.0",
           "O(N) in the users named and the clients connected",
           "Deletes users and closes their clients.", "username [username ...]"),
    AclRow("DRYRUN", -4, kAdmin | kAclAnyTime, DryRun, "7.0.0", "O(N) in the rules of the user",
           "Says whether a user could run a command, without running it.",
           "username command [arg [arg ...]]"),
    AclRow("GENPASS", -2, kAclAnyTime, GenPass, "6.0.0", "O(1)",
           "Answers a random password, in hexadecimal digits.", "[bits]"),
    AclRow("GETUSER", 3, kAdmin | kAclAnyTime, GetUser, "6.0.0", "O(N) in the rules of the user",
           "Describes a user.", "username"),
    AclRow("LIST", 2, kAdmin | kAclAnyTime, ListUsers, "6.0.0", "O(N) in the users and their rules",
           "Lists all users, as lines of an ACL file.", ""),
    AclRow("LOAD", 2, kAdmin | kAclAnyTime, LoadUsers, "6.0.0",
           "O(N) in the users and the clients connected",
           "Replaces all users by those of the ACL file.", ""),
    AclRow("LOG", -2, kAdmin | kAclAnyTime, Log, "6.0.0", "O(N) in the entries answered",
           "Answers what was refused lately, or forgets it.", "[count | RESET]"),
    AclRow("SAVE", 2, kAdmin | kAclAnyTime, SaveUsers, "6.0.0", "O(N) in the users and their rules",
           "Writes all users to the ACL file.", ""),
    AclRow("SETUSER", -3, kAdmin | kAclAnyTime, SetUser, "6.0.0", "O(N) in the rules",
           "Makes or changes a user.", "username [rule [rule ...]]"),
    AclRow("USERS", 2, kAdmin | kAclAnyTime, Users, "6.0.0", "O(N) in the users",
           "Lists the names of all users.", ""),
    AclRow("WHOAMI", 2, kAclAnyTime, WhoAmI, "6.0.0", "O(1)",
           "Answers the name of the user that the connection is authenticated as.", ""),
    AclRow("HELP", 2, kLoading | kStale | kNoData, ReplyHelp, "6.0.0", "O(1)", "Print this help.",
           ""),
};

constexpr CommandSpec kAclCommands[] = {
    {.name = "ACL",
     .arity = -2,
     .subcommands = kAclSubcommands,
     .group = "server",
     .since = "6.0.0",
     .complexity = "Depends on the subcommand.",
     .summary = "Commands about users and what they may do."},
};

}  // namespace

std::span<const CommandSpec> AclCommands() { return kAclCommands; }

}  // namespace spinel
