#include "storage/geohash.h"

#include <algorithm>
#include <cmath>

namespace spinel {
namespace {

constexpr double kMaxLongitude = 180;
constexpr double kMaxLatitude = 85.05112878;  // of EPSG:3857, the square map
constexpr double kEarthRadius = 6372797.560856;
constexpr double kHalfMap = 20037726.37;  // half the width of that map at the equator
constexpr double kDegree = M_PI / 180;
constexpr unsigned kMaxSteps = 26;  // bits of either coordinate

double Radians(double degrees) { return degrees * kDegree; }
double Degrees(double radians) { return radians / kDegree; }

// -- Bits
// -----------------------------------------------------------------------------------------

// Moves bit i to bit 2i, by halves, quarters and so on.
uint64_t Spread(uint32_t bits) {
  uint64_t spread = bits;
  spread = (spread | spread << 16) & 0x0000ffff0000ffff;
  spread = (spread | spread << 8) & 0x00ff00ff00ff00ff;
  spread = (spread | spread << 4) & 0x0f0f0f0f0f0f0f0f;
  spread = (spread | spread << 2) & 0x3333333333333333;
  return (spread | spread << 1) & 0x5555555555555555;
}

// The way back, for the even bits.
uint32_t Gather(uint64_t bits) {
  bits &= 0x5555555555555555;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits >> 4) & 0x00ff00ff00ff00ff;
  bits = (bits | bits >> 8) & 0x0000ffff0000ffff;
  return static_cast<uint32_t>(bits | bits >> 16);
}

// -- The grid
// -------------------------------------------------------------------------------------

// A cell of the grid with 2^steps columns and rows.
struct Cell {
  uint32_t column = 0;
  uint32_t row = 0;

  uint64_t bits() const { return Spread(row) | Spread(column) << 1; }
};

struct Interval {
  double min = 0;
  double max = 0;
};

uint32_t IndexOf(double degrees, double limit, unsigned steps) {
  const double part = (degrees - -limit) / (limit - -limit);
  return static_cast<uint32_t>(part * static_cast<double>(uint64_t{1} << steps));
}

Cell CellOf(const GeoPoint& point, unsigned steps) {
  return {IndexOf(point.longitude, kMaxLongitude, steps),
          IndexOf(point.latitude, kMaxLatitude, steps)};
}

Interval IntervalOf(uint32_t index, double limit, unsigned steps) {
  const auto cells = static_cast<double>(uint64_t{1} << steps);
  const double span = limit - -limit;
  return {-limit + index / cells * span, -limit + (index + 1) / cells * span};
}
Interval LongitudesOf(const Cell& cell, unsigned steps) {
  return IntervalOf(cell.column, kMaxLongitude, steps);
}
Interval LatitudesOf(const Cell& cell, unsigned steps) {
  return IntervalOf(cell.row, kMaxLatitude, steps);
}

double MiddleOf(const Interval& interval, double limit) {
  return std::clamp((interval.min + interval.max) / 2, -limit, limit);
}

// The cell next to it; the map has no edges.
uint32_t Next(uint32_t index, int step, unsigned steps) {
  if (step == 0) return index;
  return (index + static_cast<uint32_t>(step)) & static_cast<uint32_t>((uint64_t{1} << steps) - 1);
}
Cell Neighbour(const Cell& cell, int east, int north, unsigned steps) {
  return {Next(cell.column, east, steps), Next(cell.row, north, steps)};
}

// What is cast to an integer may be any score. Redis leaves the result to the machine; this is what
// x86 makes of it.
uint64_t BitsOfScore(double score) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (score >= -kTwo63 && score < kTwo63) {
    return static_cast<uint64_t>(static_cast<int64_t>(score));
  }
  if (score >= kTwo63 && score < 2 * kTwo63) return static_cast<uint64_t>(score);
  return score > 0 ? 0 : uint64_t{1} << 63;
}

// -- Shapes
// ---------------------------------------------------------------------------------------

struct Bounds {
  Interval longitudes;
  Interval latitudes;
};

// The box around a shape. Parallels become shorter towards the poles: the longer side counts.
Bounds BoundsOf(const GeoShape& shape) {
  const double half_height = shape.is_box ? shape.height / 2 : shape.radius;
  const double half_width = shape.is_box ? shape.width / 2 : shape.radius;
  const auto& [longitude, latitude] = shape.center;
  const double north = Degrees(half_height / kEarthRadius);
  const double edge = latitude < 0 ? latitude - north : latitude + north;
  const double east = Degrees(half_width / kEarthRadius / std::cos(Radians(edge)));
  return {{longitude - east, longitude + east}, {latitude - north, latitude + north}};
}

// How fine a grid may be so that nine cells reach `radius` far.
unsigned StepsFor(double radius, double latitude) {
  if (radius == 0) return kMaxSteps;
  int steps = 1;
  while (radius < kHalfMap) {
    radius *= 2;
    ++steps;
  }
  steps -= 2;
  // Cells are narrower towards the poles.
  if (latitude > 66 || latitude < -66) --steps;
  if (latitude > 80 || latitude < -80) --steps;
  return static_cast<unsigned>(std::clamp<int>(steps, 1, kMaxSteps));
}

// Whether the neighbours of the cell reach the bounds.
bool Covers(const Cell& cell, unsigned steps, const Bounds& bounds) {
  return LatitudesOf(Neighbour(cell, 0, 1, steps), steps).max >= bounds.latitudes.max &&
         LatitudesOf(Neighbour(cell, 0, -1, steps), steps).min <= bounds.latitudes.min &&
         LongitudesOf(Neighbour(cell, 1, 0, steps), steps).max >= bounds.longitudes.max &&
         LongitudesOf(Neighbour(cell, -1, 0, steps), steps).min <= bounds.longitudes.min;
}

ScoreRange ScoresOf(const Cell& cell, unsigned steps) {
  const unsigned shift = 2 * (kMaxSteps - steps);
  const uint64_t bits = cell.bits();
  return {.min = static_cast<double>(bits << shift),
          .max = static_cast<double>((bits + 1) << shift),
          .max_open = true};
}

double MeridianDistance(double latitude, double other) {
  return kEarthRadius * std::fabs(Radians(other) - Radians(latitude));
}

}  // namespace

bool IsGeoPoint(const GeoPoint& point) {
  return point.longitude >= -kMaxLongitude && point.longitude <= kMaxLongitude &&
         point.latitude >= -kMaxLatitude && point.latitude <= kMaxLatitude;
}

uint64_t GeoScore(const GeoPoint& point) { return CellOf(point, kMaxSteps).bits(); }

GeoPoint GeoPointOf(double score) {
  const uint64_t bits = BitsOfScore(score);
  const Cell cell = {Gather(bits >> 1), Gather(bits)};
  return {MiddleOf(LongitudesOf(cell, kMaxSteps), kMaxLongitude),
          MiddleOf(LatitudesOf(cell, kMaxSteps), kMaxLatitude)};
}

// The haversine formula.
double GeoDistance(const GeoPoint& a, const GeoPoint& b) {
  const double v = std::sin((Radians(b.longitude) - Radians(a.longitude)) / 2);
  if (v == 0) return MeridianDistance(a.latitude, b.latitude);
  const double latitude_a = Radians(a.latitude);
  const double latitude_b = Radians(b.latitude);
  const double u = std::sin((latitude_b - latitude_a) / 2);
  const double square = u * u + std::cos(latitude_a) * std::cos(latitude_b) * v * v;
  return 2 * kEarthRadius * std::asin(std::sqrt(square));
}

// Names are made from the whole range of latitudes. They have five bits a letter: 52 bits make ten
// letters, and the last is always 0.
std::array<char, 11> GeoHashName(const GeoPoint& point) {
  constexpr char kLetters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  const Cell cell = {IndexOf(point.longitude, 180, kMaxSteps),
                     IndexOf(point.latitude, 90, kMaxSteps)};
  const uint64_t bits = cell.bits();
  std::array<char, 11> name;
  for (unsigned i = 0; i < 10; ++i) name[i] = kLetters[bits >> (52 - (i + 1) * 5) & 0x1f];
  name[10] = kLetters[0];
  return name;
}

std::optional<double> GeoShape::DistanceWithin(const GeoPoint& point) const {
  if (is_box) {
    if (MeridianDistance(point.latitude, center.latitude) > height / 2) return std::nullopt;
    const GeoPoint beside = {center.longitude, point.latitude};
    if (GeoDistance(point, beside) > width / 2) return std::nullopt;
  }
  const double distance = GeoDistance(center, point);
  if (!is_box && distance > radius) return std::nullopt;
  return distance;
}

GeoCover CoverShape(const GeoShape& shape) {
  const Bounds bounds = BoundsOf(shape);
  const double reach =
      shape.is_box
          ? std::sqrt(shape.width / 2 * (shape.width / 2) + shape.height / 2 * (shape.height / 2))
          : shape.radius;
  unsigned steps = StepsFor(reach, shape.center.latitude);
  Cell center = CellOf(shape.center, steps);
  if (steps > 1 && !Covers(center, steps, bounds)) center = CellOf(shape.center, --steps);

  // Cells beyond the bounds are left out, unless the grid is so coarse that they meet behind the
  // map's edge.
  const Interval longitudes = LongitudesOf(center, steps);
  const Interval latitudes = LatitudesOf(center, steps);
  const auto is_needed = [&](int east, int north) {
    if (steps < 2) return true;
    return !(north < 0 && latitudes.min < bounds.latitudes.min) &&
           !(north > 0 && latitudes.max > bounds.latitudes.max) &&
           !(east < 0 && longitudes.min < bounds.longitudes.min) &&
           !(east > 0 && longitudes.max > bounds.longitudes.max);
  };
  // East and north of the centre, in the order in which Redis looks.
  constexpr int kPlaces[][2] = {{0, 0}, {0, 1},  {0, -1}, {1, 0},  {-1, 0},
                                {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
  GeoCover cover;
  for (const auto& [east, north] : kPlaces) {
    if (!is_needed(east, north)) continue;
    const ScoreRange scores = ScoresOf(Neighbour(center, east, north, steps), steps);
    // With very few cells, neighbours on either side are the same one.
    const bool known = std::any_of(cover.begin(), cover.end(), [&](const ScoreRange& other) {
      return other.min == scores.min;
    });
    if (!known) cover.push_back(scores);
  }
  return cover;
}

}  // namespace spinel
