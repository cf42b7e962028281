// Positions on the earth as scores of a sorted set: longitude and latitude, 26 bits each, their
// bits interleaved. The scores, distances and areas are those of Redis, to the last bit, so that
// data and replies are interchangeable.
//
// Degrees; distances in metres. Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "absl/container/inlined_vector.h"
#include "storage/zset_range.h"

namespace spinel {

struct GeoPoint {
  double longitude = 0;
  double latitude = 0;
};

// Whether it can be a score: within 180 degrees, and 85.05112878 degrees of latitude (the map is a
// square that leaves out the poles).
bool IsGeoPoint(const GeoPoint& point);
// Expects that.
uint64_t GeoScore(const GeoPoint& point);
// The middle of what a score stands for. Any score will do: one that GeoScore does not make is some
// place on the map.
GeoPoint GeoPointOf(double score);

// The distance along a great circle, on a sphere.
double GeoDistance(const GeoPoint& a, const GeoPoint& b);

// The name that geohash.org would give to a point, without the end.
std::array<char, 11> GeoHashName(const GeoPoint& point);

// What is searched: a circle, or a box whose sides run along meridians and parallels.
struct GeoShape {
  GeoPoint center;
  bool is_box = false;
  double radius = 0;  // of a circle
  double width = 0;   // of a box
  double height = 0;

  // The distance from the centre of a point that lies in the shape.
  std::optional<double> DistanceWithin(const GeoPoint& point) const;
};

// The scores of up to nine cells of a grid that together cover the shape. No member is in two.
using GeoCover = absl::InlinedVector<ScoreRange, 9>;
GeoCover CoverShape(const GeoShape& shape);

}  // namespace spinel
