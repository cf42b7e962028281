// CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO. What they switch is in server/tracking.h.

#include "server/commands/client_tracking.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/tracking.h"

namespace spinel {
namespace {

struct Options {
  bool on = false;
  uint32_t flags = 0;
  int64_t redirect = 0;
  std::vector<std::string_view> prefixes;
};

void ReadRedirect(CommandContext& ctx, ArgReader& args, Options* options) {
  if (options->redirect != 0) {
    return args.Fail("ERR A client can only redirect to a single other client");
  }
  options->redirect = args.Int();
  if (!args.ok()) return;
  const auto id = static_cast<uint64_t>(options->redirect);
  if (!ctx.server().clients().Visit(id, [](const Session&) {})) {
    args.Fail("ERR The client ID you want redirect to does not exist");
  }
}

Options ReadOptions(CommandContext& ctx, ArgReader& args) {
  Options options;
  const std::string_view state = args.Skip(1).String();
  while (args.HasNext()) {
    if (args.Left() >= 2 && args.Tag("REDIRECT")) {
      ReadRedirect(ctx, args, &options);
    } else if (args.Tag("BCAST")) {
      options.flags |= kTrackBroadcast;
    } else if (args.Tag("OPTIN")) {
      options.flags |= kTrackOptIn;
    } else if (args.Tag("OPTOUT")) {
      options.flags |= kTrackOptOut;
    } else if (args.Tag("NOLOOP")) {
      options.flags |= kTrackNoLoop;
    } else if (args.Left() >= 2 && args.Tag("PREFIX")) {
      options.prefixes.push_back(args.String());
    } else {
      args.SyntaxError();
    }
  }
  options.on = EqualsIgnoreCase(state, "ON");
  if (!options.on && !EqualsIgnoreCase(state, "OFF")) args.SyntaxError();
  return options;
}

bool Overlap(std::string_view one, std::string_view other) {
  const size_t size = std::min(one.size(), other.size());
  return one.substr(0, size) == other.substr(0, size);
}

// Why a client may not have these prefixes too; empty: it may.
std::string PrefixCollision(const TextSet* had, const std::vector<std::string_view>& prefixes) {
  constexpr std::string_view kText =
      "ERR Prefix '{}' overlaps with {} prefix '{}'. Prefixes for a single client must not "
      "overlap.";
  for (size_t i = 0; i < prefixes.size(); ++i) {
    if (had != nullptr) {
      for (const std::string& existing : *had) {
        if (Overlap(existing, prefixes[i])) {
          return fmt::format(fmt::runtime(kText), prefixes[i], "an existing", existing);
        }
      }
    }
    for (size_t j = i + 1; j < prefixes.size(); ++j) {
      if (Overlap(prefixes[i], prefixes[j])) {
        return fmt::format(fmt::runtime(kText), prefixes[i], "another provided", prefixes[j]);
      }
    }
  }
  return {};
}

// Why the client may not track like this; empty: it may.
std::string Conflict(const Session& session, const Options& options) {
  const uint32_t had = session.tracking.load(std::memory_order_relaxed);
  const uint32_t want = options.flags;
  const bool broadcast = (want & kTrackBroadcast) != 0;
  if (!broadcast && !options.prefixes.empty()) {
    return "ERR PREFIX option requires BCAST mode to be enabled";
  }
  if (had != 0 && broadcast != ((had & kTrackBroadcast) != 0)) {
    return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and "
           "then re-enabling it with a different mode.";
  }
  if (broadcast && (want & (kTrackOptIn | kTrackOptOut)) != 0) {
    return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  }
  if ((want & kTrackOptIn) != 0 && (want & kTrackOptOut) != 0) {
    return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  }
  if (((want & kTrackOptIn) != 0 && (had & kTrackOptOut) != 0) ||
      ((want & kTrackOptOut) != 0 && (had & kTrackOptIn) != 0)) {
    return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and "
           "then re-enabling it with a different mode.";
  }
  return broadcast ? PrefixCollision(session.tracking_prefixes.get(), options.prefixes)
                   : std::string();
}

int64_t RedirectOf(const Session& session) {
  if (!session.tracks()) return -1;
  return static_cast<int64_t>(session.tracking_redirect.load(std::memory_order_relaxed));
}

std::vector<std::string_view> FlagNames(uint32_t flags) {
  std::vector<std::string_view> names = {flags != 0 ? "on" : "off"};
  const bool caching = (flags & kTrackCaching) != 0;
  if ((flags & kTrackBroadcast) != 0) names.emplace_back("bcast");
  if ((flags & kTrackOptIn) != 0) {
    names.emplace_back("optin");
    if (caching) names.emplace_back("caching-yes");
  }
  if ((flags & kTrackOptOut) != 0) {
    names.emplace_back("optout");
    if (caching) names.emplace_back("caching-no");
  }
  if ((flags & kTrackNoLoop) != 0) names.emplace_back("noloop");
  if ((flags & kTrackBrokenRedirect) != 0) names.emplace_back("broken_redirect");
  return names;
}

}  // namespace

void ClientTracking(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const Options options = ReadOptions(ctx, args);
  if (!args.Done(reply)) return;
  Session& session = ctx.session();
  if (options.on) {
    const std::string conflict = Conflict(session, options);
    if (!conflict.empty()) return reply.Error(conflict);
    ctx.server().tracking().Enable(&session, options.flags, static_cast<uint64_t>(options.redirect),
                                   options.prefixes);
  } else {
    ctx.server().tracking().Disable(&session);
  }
  reply.Ok();
}

void ClientCaching(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  Session& session = ctx.session();
  const uint32_t flags = session.tracking.load(std::memory_order_relaxed);
  if (flags == 0) {
    return reply.Error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  }
  args.Skip(1);
  if (args.Tag("YES")) {
    if ((flags & kTrackOptIn) == 0) {
      args.Fail("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
    }
  } else if (args.Tag("NO")) {
    if ((flags & kTrackOptOut) == 0) {
      args.Fail("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
    }
  } else {
    args.SyntaxError();
  }
  if (!args.Done(reply)) return;
  session.tracking.fetch_or(kTrackCaching, std::memory_order_relaxed);
  reply.Ok();
}

void ClientGetRedir(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  reply.Integer(RedirectOf(ctx.session()));
}

void ClientTrackingInfo(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const Session& session = ctx.session();
  reply.Map(3);
  reply.Bulk("flags");
  const std::vector<std::string_view> names =
      FlagNames(session.tracking.load(std::memory_order_relaxed));
  reply.Set(static_cast<int64_t>(names.size()));
  for (const std::string_view name : names) reply.Bulk(name);
  reply.Bulk("redirect");
  reply.Integer(RedirectOf(session));
  reply.Bulk("prefixes");
  std::vector<std::string_view> prefixes;
  if (session.tracking_prefixes != nullptr) {
    prefixes.assign(session.tracking_prefixes->begin(), session.tracking_prefixes->end());
  }
  std::sort(prefixes.begin(), prefixes.end());
  reply.Array(static_cast<int64_t>(prefixes.size()));
  for (const std::string_view prefix : prefixes) reply.Bulk(prefix);
}

}  // namespace spinel
