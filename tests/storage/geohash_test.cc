#include "storage/geohash.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace spinel {
namespace {

const GeoPoint kPalermo = {13.361389, 38.115556};
const GeoPoint kCatania = {15.087269, 37.502669};

std::string Name(const GeoPoint& point) {
  const auto name = GeoHashName(point);
  return {name.data(), name.size()};
}

GeoPoint RandomPoint(std::mt19937_64* random) {
  return {std::uniform_real_distribution(-180.0, 180.0)(*random),
          std::uniform_real_distribution(-85.0, 85.0)(*random)};
}

}  // namespace

// The numbers are Redis 7.0's.
TEST_CASE("Geohash: scores, positions, names and distances are those of Redis") {
  CHECK(GeoScore(kPalermo) == 3479099956230698);
  CHECK(GeoScore(kCatania) == 3479447370796909);
  const GeoPoint palermo = GeoPointOf(3479099956230698);
  CHECK(palermo.longitude == 13.36138933897018433);
  CHECK(palermo.latitude == 38.11555639549629859);
  CHECK(Name(palermo) == "sqc8b49rny0");
  CHECK(GeoDistance(palermo, GeoPointOf(3479447370796909)) == Approx(166274.1516).margin(0.00005));
  CHECK(GeoDistance({10, 20}, {10, 21}) == Approx(111226.3).margin(0.1));
  CHECK(GeoScore({180, 85.05112878}) == 13510798882111488);
  CHECK(GeoScore({-180, -85.05112878}) == 0);
}

TEST_CASE("Geohash: the map's edges, and scores that are no positions") {
  CHECK(IsGeoPoint({180, 85.05112878}));
  CHECK_FALSE(IsGeoPoint({180.0001, 0}));
  CHECK_FALSE(IsGeoPoint({0, -85.06}));
  CHECK_FALSE(IsGeoPoint({std::numeric_limits<double>::quiet_NaN(), 0}));
  CHECK_FALSE(IsGeoPoint({0, std::numeric_limits<double>::infinity()}));
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double score : {-5.0, 1e300, -1e300, 9223372036854775808.0, infinity, -infinity}) {
    CHECK(IsGeoPoint(GeoPointOf(score)));
  }
  CHECK(Name(GeoPointOf(-5)) == "bp05b5048p0");
  CHECK(Name(GeoPointOf(1e300)) == "00bh0hbj200");
}

TEST_CASE("Geohash: a cover holds every point of its shape once") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 400; ++round) {
    GeoShape shape;
    shape.center = RandomPoint(&random);
    shape.center.latitude *= 0.7;  // near the poles the cover is not complete, in Redis neither
    shape.center.longitude *= 0.7;
    shape.is_box = round % 2 == 0;
    shape.radius = shape.width = std::pow(10.0, static_cast<double>(random() % 6));
    shape.height = shape.width / 3;
    const GeoCover cover = CoverShape(shape);
    REQUIRE(cover.size() <= 9);
    for (int i = 0; i < 50; ++i) {
      const double reach = shape.width / 100000;
      GeoPoint point = shape.center;
      point.longitude += std::uniform_real_distribution(-reach, reach)(random);
      point.latitude += std::uniform_real_distribution(-reach, reach)(random);
      if (!IsGeoPoint(point)) continue;
      const auto score = static_cast<double>(GeoScore(point));
      if (!shape.DistanceWithin(GeoPointOf(score)).has_value()) continue;
      int holders = 0;
      for (const ScoreRange& range : cover) {
        holders += !range.Below(score) && !range.Above(score) ? 1 : 0;
      }
      CHECK(holders == 1);
    }
  }
}

TEST_CASE("Geohash: shapes of any size are covered") {
  for (const double size : {0.0, 1e-9, 1e8, 1e300, std::numeric_limits<double>::infinity()}) {
    for (const bool is_box : {false, true}) {
      GeoShape shape;
      shape.center = {1, 1};
      shape.is_box = is_box;
      shape.radius = shape.width = shape.height = size;
      CHECK(CoverShape(shape).size() >= 1);
    }
  }
}

}  // namespace spinel
