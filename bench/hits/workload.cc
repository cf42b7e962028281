#include "bench/hits/workload.h"

#include <algorithm>
#include <array>

#include "bench/hits/zipf.h"

namespace spinel::hits {
namespace {

// Objects of one kind are numbered from their own base, so that kinds never meet.
constexpr uint64_t kPopular = 0;
constexpr uint64_t kSeenOnce = uint64_t{1} << 40;
constexpr uint64_t kScanned = uint64_t{2} << 40;

constexpr double kOneHitShare = 0.25;
constexpr double kMixExponent = 1.0;
// A scan goes through a twentieth of as many keys as are popular, one request in two being its own,
// and a new one begins when as many requests were made as a fifth of the keys.
constexpr uint64_t kScanLengthDivisor = 20;
constexpr uint64_t kScanPeriodDivisor = 5;
// Drift: one new most popular key in so many requests; every other key moves down a rank.
constexpr uint64_t kRequestsPerBirth = 50;

// A bijection that leaves no order in the names (the finalizer of SplitMix64), so that neighbours
// in popularity are no neighbours in a server's table.
uint64_t Scramble(uint64_t number, uint64_t seed) {
  uint64_t x = number + seed * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

Trace MakeZipf(const WorkloadOptions& options, double exponent) {
  Random random(options.seed);
  const Zipf zipf(options.keys, exponent);
  Trace trace;
  for (uint64_t i = 0; i < options.requests; ++i) {
    trace.Add(Scramble(kPopular + zipf.Draw(random), options.seed));
  }
  return trace;
}

Trace MakeZipf09(const WorkloadOptions& options) { return MakeZipf(options, 0.9); }
Trace MakeZipf10(const WorkloadOptions& options) { return MakeZipf(options, 1.0); }

Trace MakeOneHit(const WorkloadOptions& options) {
  Random random(options.seed);
  const Zipf zipf(options.keys, kMixExponent);
  Trace trace;
  for (uint64_t i = 0; i < options.requests; ++i) {
    const bool once = Uniform(random) < kOneHitShare;
    trace.Add(Scramble(once ? kSeenOnce + i : kPopular + zipf.Draw(random), options.seed));
  }
  return trace;
}

Trace MakeScans(const WorkloadOptions& options) {
  Random random(options.seed);
  const Zipf zipf(options.keys, kMixExponent);
  const uint64_t length = std::max<uint64_t>(options.keys / kScanLengthDivisor, 1);
  const uint64_t period = std::max<uint64_t>(options.keys / kScanPeriodDivisor, 2 * length);
  Trace trace;
  uint64_t scanned = 0;
  for (uint64_t i = 0; i < options.requests; ++i) {
    const bool in_scan = i % period >= period - 2 * length && i % 2 == 0;
    const uint64_t object =
        in_scan ? kScanned + scanned++ % options.keys : kPopular + zipf.Draw(random);
    trace.Add(Scramble(object, options.seed));
  }
  return trace;
}

Trace MakeDrift(const WorkloadOptions& options) {
  Random random(options.seed);
  const Zipf zipf(options.keys, kMixExponent);
  Trace trace;
  for (uint64_t i = 0; i < options.requests; ++i) {
    const uint64_t youngest = options.keys + i / kRequestsPerBirth;
    trace.Add(Scramble(kPopular + youngest - zipf.Draw(random), options.seed));
  }
  return trace;
}

constexpr std::array<Workload, 5> kWorkloads = {{
    {"zipf-0.9", "Zipf, exponent 0.9", MakeZipf09},
    {"zipf-1.0", "Zipf, exponent 1.0", MakeZipf10},
    {"one-hit", "Zipf 1.0, and a quarter of the requests ask for what is never asked for again",
     MakeOneHit},
    {"scans", "Zipf 1.0, with scans of many keys in a row: a quarter of the requests", MakeScans},
    {"drift", "Zipf 1.0, with a new most popular key every 50 requests", MakeDrift},
}};

}  // namespace

std::span<const Workload> Workloads() { return kWorkloads; }

const Workload* FindWorkload(std::string_view name) {
  const auto found = std::find_if(kWorkloads.begin(), kWorkloads.end(),
                                  [&](const Workload& one) { return one.name == name; });
  return found == kWorkloads.end() ? nullptr : &*found;
}

}  // namespace spinel::hits
