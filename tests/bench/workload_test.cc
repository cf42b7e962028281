#include "bench/hits/workload.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string_view>
#include <vector>

#include "bench/hits/zipf.h"

namespace spinel::hits {
namespace {

WorkloadOptions Small(uint64_t seed = 1) {
  return {.keys = 1000, .requests = 20'000, .seed = seed};
}

Trace Make(std::string_view name, const WorkloadOptions& options) {
  const Workload* const workload = FindWorkload(name);
  REQUIRE(workload != nullptr);
  return workload->make(options);
}

// By number: how often each object is asked for.
std::vector<uint32_t> Counts(const Trace& trace) {
  std::vector<uint32_t> counts(trace.footprint());
  for (const uint32_t object : trace.requests()) ++counts[object];
  return counts;
}

double ShareSeenOnce(const Trace& trace) {
  double once = 0;
  for (const uint32_t count : Counts(trace)) once += count == 1 ? 1 : 0;
  return once / static_cast<double>(trace.size());
}

TEST_CASE("Zipf: every rank is drawn as often as its share says") {
  constexpr int kDraws = 50'000;
  for (const double exponent : {0.0, 0.5, 0.9, 1.0, 1.2, 2.0}) {
    for (const uint64_t ranks : {1, 2, 10, 50}) {
      std::vector<double> drawn(ranks + 1);
      Random random(7);
      const Zipf zipf(ranks, exponent);
      for (int i = 0; i < kDraws; ++i) {
        const uint64_t rank = zipf.Draw(random);
        ++drawn.at(rank);
      }
      CHECK(drawn[0] == 0);
      double sum = 0;
      for (uint64_t k = 1; k <= ranks; ++k) sum += std::pow(static_cast<double>(k), -exponent);
      double chi_square = 0;
      for (uint64_t k = 1; k <= ranks; ++k) {
        const double expected = kDraws * std::pow(static_cast<double>(k), -exponent) / sum;
        chi_square += (drawn[k] - expected) * (drawn[k] - expected) / expected;
      }
      INFO("exponent " << exponent << ", " << ranks << " ranks");
      // Five standard deviations above the mean of that distribution. The seed is fixed.
      const auto freedom = static_cast<double>(ranks - 1);
      CHECK(chi_square <= freedom + 5 * std::sqrt(2 * freedom) + 1e-9);
    }
  }
}

TEST_CASE("Zipf: a large footprint reaches its last ranks") {
  Random random(3);
  const Zipf zipf(1'000'000'000, 0.9);
  uint64_t most = 0;
  for (int i = 0; i < 10'000; ++i) most = std::max(most, zipf.Draw(random));
  CHECK(most > 900'000'000);
  CHECK(most <= 1'000'000'000);
}

TEST_CASE("Workloads: a seed makes a trace, another seed another one") {
  for (const Workload& workload : Workloads()) {
    INFO(workload.name);
    const Trace trace = workload.make(Small());
    const Trace again = workload.make(Small());
    CHECK(trace.size() == 20'000);
    CHECK(trace.requests() == again.requests());
    CHECK(trace.objects() == again.objects());
    CHECK(trace.objects() != workload.make(Small(2)).objects());
  }
  CHECK(FindWorkload("none") == nullptr);
}

// So that a change of a generator, which would make figures incomparable, does not go unnoticed.
TEST_CASE("Workloads: the beginning of a trace is always the same") {
  std::vector<uint64_t> begin;
  for (const Workload& workload : Workloads()) {
    const Trace trace = workload.make(Small());
    begin.push_back(trace.objects()[0]);
    begin.push_back(trace.objects()[1]);
  }
  CHECK(begin == std::vector<uint64_t>{0xb24febf273a4a840, 0x1beff07a550abd12,  // zipf-0.9
                                       0xb3fc2e960a56f2cf, 0x58faa9d2d700a93f,  // zipf-1.0
                                       0x1fdd7128f310c389, 0x6d65027660c4cdc5,  // one-hit
                                       0xb3fc2e960a56f2cf,
                                       0x58faa9d2d700a93f,  // scans begins as zipf-1.0
                                       0x1a8d3176e8b974f0, 0x37e9697b9534bd06});  // drift
}

TEST_CASE("Workloads: zipf asks for the most popular key as often as its rank says") {
  double sum = 0;
  for (int k = 1; k <= 1000; ++k) sum += 1.0 / k;
  const std::vector<uint32_t> counts = Counts(Make("zipf-1.0", Small()));
  const double most = *std::max_element(counts.begin(), counts.end());
  CHECK(most / 20'000 == Approx(1 / sum).epsilon(0.05));
  CHECK(counts.size() <= 1000);
}

TEST_CASE("Workloads: a quarter of one-hit is seen once") {
  CHECK(ShareSeenOnce(Make("zipf-1.0", Small())) < 0.01);
  CHECK(ShareSeenOnce(Make("one-hit", Small())) == Approx(0.25).margin(0.02));
}

TEST_CASE("Workloads: a quarter of scans goes through keys in a row") {
  WorkloadOptions options = Small();
  options.requests = 4'000;  // a scan of 50 in 200: not yet round
  CHECK(ShareSeenOnce(Make("scans", options)) > 0.25);
  CHECK(Make("scans", options).footprint() > 1000);
  // Every second request in the second half of a period is the scan's, and none comes twice.
  const Trace trace = Make("scans", options);
  const std::vector<uint32_t> counts = Counts(trace);
  for (size_t i = 100; i < 200; i += 2) CHECK(counts[trace.requests()[i]] == 1);
}

TEST_CASE("Workloads: drift replaces what is popular") {
  const Trace trace = Make("drift", Small());
  const auto popular = [&](size_t from) {
    std::vector<uint32_t> counts(trace.footprint());
    for (size_t i = from; i < from + 1000; ++i) ++counts[trace.requests()[i]];
    return std::max_element(counts.begin(), counts.end()) - counts.begin();
  };
  CHECK(popular(0) != popular(10'000));
  // 400 keys were born.
  CHECK(trace.footprint() > 1000);
  CHECK(trace.footprint() <= 1400);
}

}  // namespace
}  // namespace spinel::hits
