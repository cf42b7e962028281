#include "bench/hits/zipf.h"

#include <algorithm>
#include <cmath>

namespace spinel::hits {
namespace {

constexpr double kSmall = 1e-8;

// (e^x - 1) / x and log(1 + x) / x, which are 1 at 0.
double ExpRatio(double x) { return std::abs(x) > kSmall ? std::expm1(x) / x : 1 + x / 2; }
double LogRatio(double x) { return std::abs(x) > kSmall ? std::log1p(x) / x : 1 - x / 2; }

}  // namespace

Zipf::Zipf(uint64_t ranks, double exponent)
    : ranks_(static_cast<double>(ranks)),
      exponent_(exponent),
      area_of_first_(Integral(1.5) - 1),
      area_of_all_(Integral(ranks_ + 0.5)),
      surely_accepted_(2 - InverseIntegral(Integral(2.5) - Density(2))) {}

double Zipf::Density(double x) const { return std::exp(-exponent_ * std::log(x)); }

// (x^(1 - exponent) - 1) / (1 - exponent), written so that an exponent of 1 is nothing special.
double Zipf::Integral(double x) const {
  const double log_x = std::log(x);
  return ExpRatio((1 - exponent_) * log_x) * log_x;
}

double Zipf::InverseIntegral(double area) const {
  const double t = std::max(area * (1 - exponent_), -1.0);
  return std::exp(LogRatio(t) * area);
}

uint64_t Zipf::Draw(Random& random) const {
  while (true) {
    const double area = area_of_all_ + Uniform(random) * (area_of_first_ - area_of_all_);
    const double x = InverseIntegral(area);
    const double rank = std::clamp(std::floor(x + 0.5), 1.0, ranks_);
    if (rank - x <= surely_accepted_ || area >= Integral(rank + 0.5) - Density(rank)) {
      return static_cast<uint64_t>(rank);
    }
  }
}

}  // namespace spinel::hits
