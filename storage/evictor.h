// Chooses keys that make room and removes them: the eviction policies. See docs/eviction.md.
//
// Keys are sampled. The best candidates of all samples so far stay in a pool (S. Sanfilippo, Redis
// 3.0), so that the choice gets better than the few samples of one call could make it; a candidate
// that was used since is dropped when its turn comes. The S3 policies have queues of newcomers in
// front of that: see s3_fifo.h.
//
// Owner: a loop has one, so that any loop evicts from any stripe. Threads: the owner's. Expects no
// stripe to be held by this thread, and holds one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "storage/store.h"

namespace spinel {

enum class EvictBy : uint8_t {
  kNothing,
  kIdleTime,
  kFrequency,
  kRandom,
  kTimeToLive,
  kQueues,  // the Store's S3Fifo
};

struct EvictionRules {
  EvictBy by = EvictBy::kNothing;
  bool volatile_only = false;  // keys with an expiry
  int samples = 5;
};

class Evictor {
 public:
  explicit Evictor(Store* store) : store_(store) {}

  enum class Result : uint8_t {
    kEvicted,
    kMissed,   // what was chosen has gone or was used meanwhile: call again
    kNothing,  // no key may go
  };
  // Removes one key. Bounded work: at most some dozens of stripes are looked at, unless hardly any
  // key is left.
  Result EvictOne(const OpContext& context, const EvictionRules& rules);

 private:
  static constexpr size_t kPoolSize = 16;
  static constexpr int kMaxSamples = 64;

  struct Candidate {
    uint64_t hash;
    uint64_t score;  // the greatest goes first
    int physical;
  };
  struct Effort {
    int wanted;     // keys
    bool thorough;  // look at every bucket if need be
  };

  uint64_t Score(const Entry& entry, EvictBy by, int64_t now_ms) const;
  // Puts samples into the pool. False: there is no key to be found.
  bool Fill(const OpContext& context, const EvictionRules& rules);
  // Looks at keys of a stripe, up to so many; how many there were.
  int SampleStripe(const OpContext& context, const EvictionRules& rules, uint32_t number,
                   Effort effort);
  int SampleTable(const OpContext& context, const EvictionRules& rules, Database* database,
                  int physical, Effort effort);
  // The same for keys that the timing wheels know.
  int SampleWheels(const OpContext& context, const EvictionRules& rules, int wanted);
  void Offer(const OpContext& context, const EvictionRules& rules, const Entry& entry,
             int physical);
  // The best of the pool goes, if it is what it was.
  Result EvictCandidate(const OpContext& context, const EvictionRules& rules);
  // Decides about a newcomer.
  Result EvictNewcomer(const OpContext& context, const EvictionRules& rules,
                       const S3Fifo::Newcomer& newcomer);
  Result EvictFromQueues(const OpContext& context, const EvictionRules& rules);
  Result Remove(const OpContext& context, Stripe* stripe, int physical, Entry* entry);

  Store* const store_;
  std::array<Candidate, kPoolSize> pool_;  // ascending by score
  size_t pooled_ = 0;
  EvictionRules rules_;  // that the pool was filled by
};

}  // namespace spinel
