// Positions as scores of a sorted set: GEOADD, GEODIST, GEOHASH, GEOPOS. (What searches an area is
// in geo_search.cc.)

#include <algorithm>
#include <optional>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/geo_args.h"
#include "server/commands/value_reply.h"
#include "server/commands/zset_add.h"
#include "storage/geohash.h"
#include "storage/zset_value.h"

namespace spinel {
namespace {

void GeoAdd(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  ZsetAddition addition;
  ZsetAddRules& rules = addition.rules;
  args.Skip(1);
  while (true) {
    if (args.Tag("NX")) {
      rules.only_missing = true;
    } else if (args.Tag("XX")) {
      rules.only_existing = true;
    } else if (args.Tag("CH")) {
      addition.count_changes = true;
    } else {
      break;
    }
  }
  const bool incompatible = rules.only_missing && rules.only_existing;
  if (args.Left() == 0 || args.Left() % 3 != 0 || incompatible) args.SyntaxError();
  addition.members.reserve(args.Left() / 3);
  while (args.HasNext()) {
    const GeoPoint point = ReadGeoPoint(args);
    const std::string_view member = args.String();
    if (!args.ok()) break;
    addition.members.push_back({static_cast<double>(GeoScore(point)), member});
    addition.longest = std::max(addition.longest, member.size());
  }
  if (!args.Done(reply)) return;
  AddMembers(ctx, addition, reply);
}

std::optional<GeoPoint> PointOf(const ZsetView& set, std::string_view member) {
  const std::optional<double> score = set.Score(member);
  if (!score.has_value()) return std::nullopt;
  return GeoPointOf(*score);
}

void GeoDist(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(3);
  if (args.Left() > 1) args.SyntaxError();
  const double unit = args.HasNext() ? ReadGeoUnit(args) : 1;
  if (!args.Done(reply)) return;
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSortedSet, reply)) return;
  const ZsetView view(set ? &*set : nullptr);
  const std::optional<GeoPoint> a = PointOf(view, ctx.arg(2));
  const std::optional<GeoPoint> b = PointOf(view, ctx.arg(3));
  if (!a.has_value() || !b.has_value()) return reply.Null();
  ReplyGeoDistance(GeoDistance(*a, *b) / unit, reply);
}

// Replies to every member that is asked for, in order; `none(reply)` for one that is missing.
template <typename Found, typename None>
void ReplyPoints(const CommandContext& ctx, ReplyWriter& reply, Found&& found, None&& none) {
  const CommandArgs members = ctx.args().subspan(2);
  const ReadGuard set = ctx.Lookup();
  if (RefuseWrongType(set, ValueType::kSortedSet, reply)) return;
  const ZsetView view(set ? &*set : nullptr);
  reply.Array(static_cast<int64_t>(members.size()));
  for (const std::string_view member : members) {
    if (const std::optional<GeoPoint> point = PointOf(view, member)) {
      found(*point);
    } else {
      none();
    }
  }
}

void GeoHash(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyPoints(
      ctx, reply,
      [&](const GeoPoint& point) {
        const auto name = GeoHashName(point);
        reply.Bulk({name.data(), name.size()});
      },
      [&] { reply.Null(); });
}

void GeoPos(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyPoints(
      ctx, reply, [&](const GeoPoint& point) { ReplyGeoPoint(point, reply); },
      [&] { reply.NullArray(); });
}

// -- Rows
// -----------------------------------------------------------------------------------------

constexpr CommandSpec kGeoCommands[] = {
    {.name = "GEOADD",
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .acl = kAclGeo,
     .keys = OneKey(kKeyRW | kKeyUpdate),
     .handler = GeoAdd,
     .group = "geo",
     .since = "3.2.0",
     .complexity = "O(log(N)) per member added, for N in the set",
     .summary =
         "Adds members with positions to a sorted set, or moves them; makes the set if it is "
         "missing.",
     .syntax = "key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]"},
    {.name = "GEODIST",
     .arity = -4,
     .flags = kReadOnly,
     .acl = kAclGeo,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = GeoDist,
     .group = "geo",
     .since = "3.2.0",
     .complexity = "O(1)",
     .summary = "Answers the distance between two members.",
     .syntax = "key member1 member2 [M | KM | FT | MI]"},
    {.name = "GEOHASH",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kAclGeo,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = GeoHash,
     .group = "geo",
     .since = "3.2.0",
     .complexity = "O(1) per member",
     .summary = "Answers the positions of members as Geohash strings.",
     .syntax = "key [member ...]"},
    {.name = "GEOPOS",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kAclGeo,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = GeoPos,
     .group = "geo",
     .since = "3.2.0",
     .complexity = "O(1) per member",
     .summary = "Answers the longitudes and latitudes of members.",
     .syntax = "key [member ...]"},
};

}  // namespace

std::span<const CommandSpec> GeoCommands() { return kGeoCommands; }

}  // namespace spinel
