// Positions, units and distances as the commands on positions read and write them.
#pragma once

#include <string_view>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "storage/geohash.h"

namespace spinel {

// Longitude, then latitude. Latches an error for what is no number or not on the map.
GeoPoint ReadGeoPoint(ArgReader& args);

// M, KM, FT or MI: how many metres that is. Latches an error.
double ReadGeoUnit(ArgReader& args);

// Longitude and latitude, an array of two.
void ReplyGeoPoint(const GeoPoint& point, ReplyWriter& reply);

// A distance in whatever unit, with four digits behind the point; a bulk string in either protocol.
void ReplyGeoDistance(double distance, ReplyWriter& reply);

}  // namespace spinel
