// Members in an area: GEOSEARCH, GEOSEARCHSTORE, and the older GEORADIUS with its variants.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/geo_args.h"
#include "server/commands/key_events.h"
#include "server/commands/value_reply.h"
#include "server/commands/zset_reply.h"
#include "storage/geohash.h"
#include "storage/zset_value.h"

namespace spinel {
namespace {

enum class Order : uint8_t { kNone, kNearestFirst, kFarthestFirst };

struct SearchRequest {
  GeoShape shape;
  double unit = 1;  // metres
  bool has_center = false;
  bool has_shape = false;
  std::optional<std::string_view> center_member;  // read before any error
  std::string member_error;                       // in what does not matter unless the set exists
  bool with_distance = false;
  bool with_hash = false;
  bool with_position = false;
  Order order = Order::kNone;
  uint64_t count = 0;  // 0: all
  bool any = false;    // the first that are found will do
  bool stores = false;
  bool stores_distances = false;
  size_t source = 0;  // among the command's keys
  size_t destination = 1;
  std::string_view store_event = "georadiusstore";
};

// -- Arguments
// ------------------------------------------------------------------------------------

void ReadCircle(ArgReader& args, SearchRequest* request) {
  const double radius = args.Double("ERR need numeric radius");
  if (radius < 0) args.Fail("ERR radius cannot be negative");
  request->unit = ReadGeoUnit(args);
  request->shape.is_box = false;
  request->shape.radius = radius * request->unit;
  request->has_shape = true;
}

void ReadBox(ArgReader& args, SearchRequest* request) {
  const double width = args.Double("ERR need numeric width");
  const double height = args.Double("ERR need numeric height");
  if (width < 0 || height < 0) args.Fail("ERR height or width cannot be negative");
  request->unit = ReadGeoUnit(args);
  request->shape.is_box = true;
  request->shape.width = width * request->unit;
  request->shape.height = height * request->unit;
  request->has_shape = true;
}

// True: the next argument was an option that all of the commands have, and is consumed.
bool ReadCommonOption(ArgReader& args, SearchRequest* request) {
  if (args.Tag("WITHDIST")) return request->with_distance = true;
  if (args.Tag("WITHHASH")) return request->with_hash = true;
  if (args.Tag("WITHCOORD")) return request->with_position = true;
  if (args.Tag("ANY")) return request->any = true;
  if (args.Tag("ASC")) {
    request->order = Order::kNearestFirst;
  } else if (args.Tag("DESC")) {
    request->order = Order::kFarthestFirst;
  } else if (args.Left() > 1 && args.Tag("COUNT")) {
    const int64_t count = args.Int();
    if (count <= 0) args.Fail("ERR COUNT must be > 0");
    request->count = static_cast<uint64_t>(count);
  } else {
    return false;
  }
  return true;
}

void CheckOptions(ArgReader& args, SearchRequest* request, std::string_view store_name) {
  if (request->stores && (request->with_distance || request->with_hash || request->with_position)) {
    args.Fail(fmt::format("ERR {} is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                          store_name));
  }
}

void CheckAny(ArgReader& args, SearchRequest* request) {
  if (request->any && request->count == 0) {
    args.Fail("ERR the ANY argument requires COUNT argument");
  }
  // Only the nearest are worth choosing.
  if (request->count > 0 && request->order == Order::kNone && !request->any) {
    request->order = Order::kNearestFirst;
  }
}

// Those of GEORADIUS and its variants, behind the circle.
void ReadRadiusOptions(ArgReader& args, bool may_store, SearchRequest* request) {
  while (args.HasNext()) {
    if (ReadCommonOption(args, request)) continue;
    const bool may = may_store && args.Left() > 1;
    if (may && args.Tag("STORE")) {
      request->stores_distances = false;
    } else if (may && args.Tag("STOREDIST")) {
      request->stores_distances = true;
    } else {
      args.SyntaxError();
      break;
    }
    args.Skip(1);
    request->stores = true;
  }
  CheckOptions(args, request, "STORE option in GEORADIUS");
  CheckAny(args, request);
}

// Those of GEOSEARCH and GEOSEARCHSTORE, the area among them.
void ReadSearchOptions(const CommandContext& ctx, ArgReader& args, SearchRequest* request) {
  while (args.HasNext()) {
    if (ReadCommonOption(args, request)) continue;
    const size_t left = args.Left() - 1;
    const bool by_point = request->has_center && !request->center_member.has_value();
    const bool by_box = request->has_shape && request->shape.is_box;
    const bool by_circle = request->has_shape && !request->shape.is_box;
    if (request->stores && args.Tag("STOREDIST")) {
      request->stores_distances = true;
    } else if (left >= 1 && !by_point && args.Tag("FROMMEMBER")) {
      request->center_member = args.String();
      request->has_center = true;
    } else if (left >= 2 && !request->center_member.has_value() && args.Tag("FROMLONLAT")) {
      request->shape.center = ReadGeoPoint(args);
      request->has_center = true;
    } else if (left >= 2 && !by_box && args.Tag("BYRADIUS")) {
      ReadCircle(args, request);
    } else if (left >= 3 && !by_circle && args.Tag("BYBOX")) {
      ReadBox(args, request);
    } else {
      args.SyntaxError();
    }
  }
  CheckOptions(args, request, "GEOSEARCHSTORE");
  if (!request->has_center) {
    args.Fail(fmt::format("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {}",
                          ctx.arg(0)));
  }
  if (!request->has_shape) {
    args.Fail(
        fmt::format("ERR exactly one of BYRADIUS and BYBOX can be specified for {}", ctx.arg(0)));
  }
  CheckAny(args, request);
}

// -- Searching
// ------------------------------------------------------------------------------------

struct Hit {
  ScoredMember scored;
  GeoPoint point;
  double distance;  // metres
};

using Hits = std::vector<Hit>;

// Members of the shape, no more than `limit`; they lie in the set.
Hits FindMembers(const ZsetView& set, const GeoShape& shape, uint64_t limit) {
  // Few are looked at beyond a limit.
  constexpr uint64_t kChunk = 64;
  Hits hits;
  for (const ScoreRange& scores : CoverShape(shape)) {
    RankRange left = set.Ranks(scores);
    while (left.count > 0 && hits.size() < limit) {
      const uint64_t count =
          limit == std::numeric_limits<uint64_t>::max() ? left.count : std::min(left.count, kChunk);
      set.ForEach({left.begin, count}, false, [&](const ScoredMember& scored) {
        if (hits.size() >= limit) return;
        const GeoPoint point = GeoPointOf(scored.score);
        if (const auto distance = shape.DistanceWithin(point)) {
          hits.push_back({scored, point, *distance});
        }
      });
      left = {left.begin + count, left.count - count};
    }
  }
  return hits;
}

// Puts the hits into order and drops those that nobody wants.
void Choose(const SearchRequest& request, Hits* hits) {
  const size_t count = request.count == 0
                           ? hits->size()
                           : static_cast<size_t>(std::min<uint64_t>(request.count, hits->size()));
  const auto sort = [&](auto&& before) {
    if (count == hits->size()) {
      std::stable_sort(hits->begin(), hits->end(), before);
    } else {
      const auto middle = hits->begin() + static_cast<std::ptrdiff_t>(count);
      std::partial_sort(hits->begin(), middle, hits->end(), before);
    }
  };
  if (request.order == Order::kNearestFirst) {
    sort([](const Hit& a, const Hit& b) { return a.distance < b.distance; });
  } else if (request.order == Order::kFarthestFirst) {
    sort([](const Hit& a, const Hit& b) { return a.distance > b.distance; });
  }
  hits->resize(count);
}

void ReplyHits(const SearchRequest& request, const Hits& hits, ReplyWriter& reply) {
  const int options = request.with_distance + request.with_hash + request.with_position;
  reply.Array(static_cast<int64_t>(hits.size()));
  for (const Hit& hit : hits) {
    if (options > 0) reply.Array(options + 1);
    reply.Bulk(hit.scored.member);
    if (request.with_distance) ReplyGeoDistance(hit.distance / request.unit, reply);
    if (request.with_hash) reply.Integer(static_cast<int64_t>(hit.scored.score));
    if (request.with_position) ReplyGeoPoint(hit.point, reply);
  }
}

void StoreHits(const CommandContext& ctx, const SearchRequest& request, const Hits& hits,
               KeySlot* slot) {
  std::vector<ScoredMember> members;
  members.reserve(hits.size());
  for (const Hit& hit : hits) {
    const double score = request.stores_distances ? hit.distance / request.unit : hit.scored.score;
    members.push_back({score, hit.scored.member});
  }
  std::sort(members.begin(), members.end());
  const bool existed = slot->exists();
  StoreMembers(slot, ZsetLimitsOf(ctx.config()), members);
  NotifyStored(*slot, kNotifyZset, request.store_event, existed);
}

// The centre, if it is a member's position. False: the error is written.
bool FindCenter(const ZsetView& set, SearchRequest* request, ReplyWriter& reply) {
  if (!request->center_member.has_value()) return true;
  const std::optional<double> score = set.Score(*request->center_member);
  if (!score.has_value()) {
    reply.Error("ERR could not decode requested zset member");
    return false;
  }
  request->shape.center = GeoPointOf(*score);
  if (request->member_error.empty()) return true;
  reply.Error(request->member_error);
  return false;
}

// That the key holds something else, or has no such member, is told before errors in the arguments
// behind it, as Redis does: so these are checked here.
void Search(const CommandContext& ctx, SearchRequest* request, ArgReader& args,
            ReplyWriter& reply) {
  const LockedKeys keys = ctx.LockKeys();
  KeySlot source = keys.Slot(request->source);
  source.CountLookup();
  if (RefuseWrongType(source, ValueType::kSortedSet, reply)) return;
  if (source && !FindCenter(ZsetView(*source), request, reply)) return;
  if (!args.Done(reply)) return;
  Hits hits;
  if (source) {
    const ZsetView set(*source);
    hits = FindMembers(set, request->shape,
                       request->any ? request->count : std::numeric_limits<uint64_t>::max());
    Choose(*request, &hits);
  }
  if (!request->stores) return ReplyHits(*request, hits, reply);
  KeySlot destination = keys.Slot(request->destination);
  StoreHits(ctx, *request, hits, &destination);
  reply.Integer(static_cast<int64_t>(hits.size()));
}

// -- Handlers
// -------------------------------------------------------------------------------------

void SearchAroundPoint(CommandContext& ctx, ArgReader& args, bool may_store, ReplyWriter& reply) {
  SearchRequest request;
  request.shape.center = ReadGeoPoint(args.Skip(1));
  ReadCircle(args, &request);
  ReadRadiusOptions(args, may_store, &request);
  Search(ctx, &request, args, reply);
}

void SearchAroundMember(CommandContext& ctx, ArgReader& args, bool may_store, ReplyWriter& reply) {
  SearchRequest request;
  request.center_member = args.Skip(1).String();
  // Redis does not look at the circle if there is no set.
  ArgReader circle(ctx.args(), args.position());
  ReadCircle(circle, &request);
  request.member_error = circle.error();
  ReadRadiusOptions(args.Skip(2), may_store, &request);
  Search(ctx, &request, args, reply);
}

void GeoRadius(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  SearchAroundPoint(ctx, args, true, reply);
}

void GeoRadiusRo(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  SearchAroundPoint(ctx, args, false, reply);
}

void GeoRadiusByMember(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  SearchAroundMember(ctx, args, true, reply);
}

void GeoRadiusByMemberRo(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  SearchAroundMember(ctx, args, false, reply);
}

void GeoSearch(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  SearchRequest request;
  ReadSearchOptions(ctx, args.Skip(1), &request);
  Search(ctx, &request, args, reply);
}

void GeoSearchStore(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  SearchRequest request;
  request.stores = true;
  request.source = 1;
  request.destination = 0;
  request.store_event = "geosearchstore";
  ReadSearchOptions(ctx, args.Skip(2), &request);
  Search(ctx, &request, args, reply);
}

// -- Rows
// -----------------------------------------------------------------------------------------

// The set, and where the result goes: the last STORE or STOREDIST from argument kOptions on.
template <size_t kOptions>
bool KeysOfRadius(CommandArgs args, std::vector<int>* indexes) {
  indexes->push_back(1);
  size_t destination = 0;
  for (size_t i = kOptions; i + 1 < args.size(); ++i) {
    if (!EqualsIgnoreCase(args[i], "STORE") && !EqualsIgnoreCase(args[i], "STOREDIST")) continue;
    destination = ++i;
  }
  if (destination != 0) indexes->push_back(static_cast<int>(destination));
  return true;
}

constexpr std::string_view kSearchComplexity =
    "O(N+log(M)) for N members in the grid cells around the area, of M in the set";

constexpr CommandSpec kGeoSearchCommands[] = {
    {.name = "GEORADIUS",
     .arity = -6,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclGeo,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = GeoRadius,
     .extractor = KeysOfRadius<6>,
     .group = "geo",
     .since = "3.2.0",
     .complexity = kSearchComplexity,
     .summary = "Answers or stores the members within a distance of a position.",
     .syntax = "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]"},
    {.name = "GEORADIUS_RO",
     .arity = -6,
     .flags = kReadOnly,
     .acl = kAclGeo,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = GeoRadiusRo,
     .group = "geo",
     .since = "3.2.10",
     .complexity = kSearchComplexity,
     .summary = "Answers the members within a distance of a position.",
     .syntax = "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[COUNT count [ANY]] [ASC | DESC]"},
    {.name = "GEORADIUSBYMEMBER",
     .arity = -5,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclGeo,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = GeoRadiusByMember,
     .extractor = KeysOfRadius<5>,
     .group = "geo",
     .since = "3.2.0",
     .complexity = kSearchComplexity,
     .summary = "Answers or stores the members within a distance of another one.",
     .syntax = "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]"},
    {.name = "GEORADIUSBYMEMBER_RO",
     .arity = -5,
     .flags = kReadOnly,
     .acl = kAclGeo,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = GeoRadiusByMemberRo,
     .group = "geo",
     .since = "3.2.10",
     .complexity = kSearchComplexity,
     .summary = "Answers the members within a distance of another one.",
     .syntax = "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[COUNT count [ANY]] [ASC | DESC]"},
    {.name = "GEOSEARCH",
     .arity = -7,
     .flags = kReadOnly,
     .acl = kAclGeo,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = GeoSearch,
     .group = "geo",
     .since = "6.2.0",
     .complexity = kSearchComplexity,
     .summary = "Answers the members in a circle or a box.",
     .syntax = "key <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <M | KM | "
               "FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] "
               "[WITHCOORD] [WITHDIST] [WITHHASH]"},
    {.name = "GEOSEARCHSTORE",
     .arity = -8,
     .flags = kWrite | kDenyOom,
     .acl = kAclGeo,
     .keys = Keys(1, 2, 1, kKeyOW | kKeyUpdate),
     .handler = GeoSearchStore,
     .group = "geo",
     .since = "6.2.0",
     .complexity = kSearchComplexity,
     .summary = "Stores the members in a circle or a box.",
     .syntax = "destination source <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS "
               "radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] "
               "[COUNT count [ANY]] [STOREDIST]"},
};

}  // namespace

std::span<const CommandSpec> GeoSearchCommands() { return kGeoSearchCommands; }

}  // namespace spinel
