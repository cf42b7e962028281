#include "server/eviction_policy.h"

namespace spinel {

EvictionRules RulesOf(MaxmemoryPolicy policy, int samples) {
  switch (policy) {
    case MaxmemoryPolicy::kVolatileLru:
      return {EvictBy::kIdleTime, /*volatile_only=*/true, samples};
    case MaxmemoryPolicy::kVolatileLfu:
      return {EvictBy::kFrequency, /*volatile_only=*/true, samples};
    case MaxmemoryPolicy::kVolatileRandom:
      return {EvictBy::kRandom, /*volatile_only=*/true, samples};
    case MaxmemoryPolicy::kVolatileTtl:
      return {EvictBy::kTimeToLive, /*volatile_only=*/true, samples};
    case MaxmemoryPolicy::kVolatileS3:
      return {EvictBy::kQueues, /*volatile_only=*/true, samples};
    case MaxmemoryPolicy::kAllkeysLru:
      return {EvictBy::kIdleTime, /*volatile_only=*/false, samples};
    case MaxmemoryPolicy::kAllkeysLfu:
      return {EvictBy::kFrequency, /*volatile_only=*/false, samples};
    case MaxmemoryPolicy::kAllkeysRandom:
      return {EvictBy::kRandom, /*volatile_only=*/false, samples};
    case MaxmemoryPolicy::kAllkeysS3:
      return {EvictBy::kQueues, /*volatile_only=*/false, samples};
    case MaxmemoryPolicy::kNoEviction:
      break;
  }
  return {};
}

AccessTracking::Kind AccessKindOf(MaxmemoryPolicy policy) {
  switch (RulesOf(policy, /*samples=*/1).by) {
    case EvictBy::kFrequency:
      return AccessTracking::Kind::kFrequency;
    case EvictBy::kQueues:
      return AccessTracking::Kind::kQueues;
    case EvictBy::kNothing:
    case EvictBy::kIdleTime:
    case EvictBy::kRandom:
    case EvictBy::kTimeToLive:
      break;
  }
  return AccessTracking::Kind::kRecency;
}

bool GoesByUse(MaxmemoryPolicy policy) {
  const EvictBy by = RulesOf(policy, /*samples=*/1).by;
  return by == EvictBy::kIdleTime || by == EvictBy::kFrequency;
}

}  // namespace spinel
