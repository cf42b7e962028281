#include "server/commands/geo_args.h"

#include <fmt/format.h>

#include <cmath>

#include "server/commands/long_double.h"

namespace spinel {

GeoPoint ReadGeoPoint(ArgReader& args) {
  GeoPoint point;
  point.longitude = args.Double();
  point.latitude = args.Double();
  if (!args.ok() || IsGeoPoint(point)) return point;
  args.Fail(fmt::format("ERR invalid longitude,latitude pair {:f},{:f}", point.longitude,
                        point.latitude));
  return {};
}

double ReadGeoUnit(ArgReader& args) {
  if (args.Tag("M")) return 1;
  if (args.Tag("KM")) return 1000;
  if (args.Tag("FT")) return 0.3048;
  if (args.Tag("MI")) return 1609.34;
  args.Fail("ERR unsupported unit provided. please use M, KM, FT, MI");
  return 1;
}

void ReplyGeoPoint(const GeoPoint& point, ReplyWriter& reply) {
  reply.Array(2);
  reply.DoubleText(LongDoubleText(point.longitude).view());
  reply.DoubleText(LongDoubleText(point.latitude).view());
}

void ReplyGeoDistance(double distance, ReplyWriter& reply) {
  // No distance on the earth comes near what does not fit.
  const auto scaled = static_cast<uint64_t>(std::llrint(distance * 10000));
  reply.Bulk(fmt::format("{}.{:04}", scaled / 10000, scaled % 10000));
}

}  // namespace spinel
