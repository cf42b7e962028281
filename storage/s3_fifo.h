// The queues of the S3 eviction policies: which keys are newcomers, and whom to remember of those
// that had to go. After J. Yang, Y. Zhang, Z. Qiu, Y. Yue, K. V. Rashmi, "FIFO queues are all you
// need for cache eviction", SOSP 2023; docs/eviction.md says where this differs.
//
// A new key is a newcomer, unless it is remembered. Newcomers stand in real queues, a tenth of all
// keys; all others are in the main queue, which is no structure at all: each key's access clock
// says when it was put there (S3Clock), and the evictor samples. A use is a store into that clock.
// Memory: 4 bytes for each newcomer and 2 for each one that is remembered, of whom there are nine
// for ten keys: some 2.5 bytes per key.
//
// Owner: the Store. Threads: any. Stripes are dealt out to groups by number, and each group has a
// lock of its own, which is taken under a stripe's lock and never the other way round.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/access_clock.h"
#include "storage/spin_lock.h"

namespace spinel {

class S3Fifo {
 public:
  S3Fifo(AccessTracking* tracking, uint32_t stripes);

  // A key comes into a stripe of so many keys. Returns its access clock.
  uint32_t Admit(uint64_t hash, uint32_t stripe, uint64_t stripe_keys);

  // One whose turn it is to stay or to go. It may be gone, or be no newcomer any more.
  struct Newcomer {
    uint32_t stripe;
    uint64_t hash;  // the low bits
  };
  static constexpr int kHashBits = 24;  // of a newcomer's hash that are known
  // False: there are no more newcomers than there may be.
  bool TakeNewcomer(Newcomer* out);
  // A newcomer had to go.
  void Remember(uint64_t hash, uint32_t stripe);

  // Forgets everything: another policy begins, or ends.
  void Clear();
  size_t MemoryBytes() const;

 private:
  static constexpr uint32_t kGroups = 16;

  // The last that had to go, by 16 bits of their hashes; a set forgets its oldest.
  class Ghosts {
   public:
    static constexpr size_t kSetSize = 8;
    using Set = std::array<uint16_t, kSetSize>;  // newest first; 0: nobody

    // How many sets so many keys need; 0: those that are there will do.
    size_t SetsFor(double keys) const;
    // Forgets everybody. What it was is in `sets` afterwards.
    void Exchange(std::vector<Set>* sets) { sets_.swap(*sets); }
    void Add(uint64_t hash);
    // False: it is not there.
    bool Remove(uint64_t hash);
    size_t MemoryBytes() const { return sets_.capacity() * sizeof(Set); }

   private:
    Set& SetOf(uint64_t hash) { return sets_[(hash >> 20 & 0xffffffff) * sets_.size() >> 32]; }
    static uint16_t Fingerprint(uint64_t hash) {
      const auto bits = static_cast<uint16_t>(hash);
      return bits == 0 ? 1 : bits;
    }

    std::vector<Set> sets_;
  };

  struct alignas(64) Group {
    mutable SpinLock lock;
    std::atomic<uint32_t> waiting{0};       // newcomers, those included that have gone otherwise
    std::atomic<uint32_t> share{1};         // newcomers that there may be, in parts of a key
    double keys ABSL_GUARDED_BY(lock) = 0;  // estimated
    uint32_t admitted ABSL_GUARDED_BY(lock) = 0;  // since the group last moved the time on
    // Number of the stripe in the group, then the low bits of the hash; oldest first.
    std::deque<uint32_t> newcomers ABSL_GUARDED_BY(lock);
    Ghosts ghosts ABSL_GUARDED_BY(lock);
  };

  AccessTracking* const tracking_;
  const double stripes_per_group_;
  std::array<Group, kGroups> groups_;
};

}  // namespace spinel
