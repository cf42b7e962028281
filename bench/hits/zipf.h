// Ranks 1 to n, rank k drawn with a probability that is proportional to 1 / k^exponent.
//
// Rejection-inversion: W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from
// monotone discrete distributions", ACM TOMACS 6(3), 1996. No table, so that a footprint of any
// size costs nothing; about one draw in twenty is repeated. Immutable: threads may share one.
#pragma once

#include <cstdint>
#include <random>

namespace spinel::hits {

// Its sequence for a seed is fixed by the C++ standard, so a seed means the same trace everywhere.
using Random = std::mt19937_64;

// Uniform in [0, 1), from the 53 high bits of one draw (std::uniform_real_distribution differs
// between libraries).
inline double Uniform(Random& random) { return static_cast<double>(random() >> 11) * 0x1.0p-53; }

class Zipf {
 public:
  // ranks > 0, exponent >= 0 (0 draws every rank alike).
  Zipf(uint64_t ranks, double exponent);

  uint64_t Draw(Random& random) const;

 private:
  double Density(double x) const;
  double Integral(double x) const;  // of the density, from 1 to x
  double InverseIntegral(double area) const;

  double ranks_;
  double exponent_;
  double area_of_first_;  // where the area of rank 1 begins
  double area_of_all_;
  double surely_accepted_;  // a draw this close below its rank needs no test
};

}  // namespace spinel::hits
