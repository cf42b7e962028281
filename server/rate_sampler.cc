#include "server/rate_sampler.h"

namespace spinel {

void RateSampler::Sample(int64_t now_ms, const std::array<uint64_t, kMetrics>& totals) {
  // The oldest point is the one that is about to be overwritten, or the first one taken.
  const Point oldest = filled_ < kSamples ? points_[0] : points_[next_];
  if (filled_ > 0 && now_ms > oldest.ms) {
    for (size_t i = 0; i < kMetrics; ++i) {
      // Totals fall back when statistics are reset.
      const uint64_t grown = totals[i] >= oldest.totals[i] ? totals[i] - oldest.totals[i] : 0;
      rates_[i].store(grown * 1000 / static_cast<uint64_t>(now_ms - oldest.ms),
                      std::memory_order_relaxed);
    }
  }
  points_[next_] = {now_ms, totals};
  next_ = (next_ + 1) % kSamples;
  if (filled_ < kSamples) ++filled_;
}

}  // namespace spinel
