#include "storage/access_clock.h"

#include "storage/random.h"

namespace spinel {

uint8_t AccessTracking::Frequency(uint32_t clock, int64_t now_ms) const {
  const uint32_t decay = decay_minutes_.load(std::memory_order_relaxed);
  const uint32_t counter = clock & 0xff;
  if (decay == 0) return static_cast<uint8_t>(counter);
  const uint32_t elapsed = (Minutes(now_ms) - (clock >> 8)) & 0xffff;
  const uint32_t periods = elapsed / decay;
  return static_cast<uint8_t>(periods >= counter ? 0 : counter - periods);
}

uint32_t AccessTracking::LfuAccessed(uint32_t clock, int64_t now_ms) const {
  uint32_t counter = Frequency(clock, now_ms);
  if (counter < 255) {
    const uint32_t base = counter > kInitialFrequency ? counter - kInitialFrequency : 0;
    const uint64_t odds = uint64_t{base} * log_factor_.load(std::memory_order_relaxed) + 1;
    if (FastRandom() % odds == 0) ++counter;
  }
  return Minutes(now_ms) << 8 | counter;
}

}  // namespace spinel
