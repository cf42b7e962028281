// A hash table of pointers that grows and shrinks one bucket at a time (linear hashing: W. Litwin,
// "Linear Hashing: A New Tool for File and Table Addressing", VLDB 1980), so that no insert ever
// waits for a rehash. Serves the keyspace and big collections.
//
// A bucket is one cache line: seven 16-bit tags, seven 48-bit pointers, an occupancy mask and a
// pointer to an overflow bucket. A look-up compares the seven tags at once and touches a node only
// when its tag agrees. Buckets live in small fixed-size segments, so growth moves no bucket, only
// splits one.
//
// The table does not own its nodes. `Hash(const Node&)` of the policy must answer the hash that the
// node was inserted with; it is called rarely, when tags are renewed.
//
// Threads: none of its own; the owner's lock covers every call.
#pragma once

#include <bit>
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "storage/memory.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace spinel {

struct alignas(64) Bucket {
  static constexpr int kSlots = 7;

  uint16_t tags[kSlots];
  uint8_t occupied;  // bit i: slot i holds a node
  uint8_t reserved;
  uint8_t pointers[kSlots * 6];
  uint8_t next[6];  // overflow bucket, or 0

  void* Pointer(int slot) const {
    uint64_t word;
    std::memcpy(&word, pointers + 6 * slot, 8);  // reads into the neighbour, never out of the line
    return reinterpret_cast<void*>(word & kPointerMask);
  }
  void SetPointer(int slot, const void* pointer) {
    const uint64_t word = reinterpret_cast<uint64_t>(pointer);
    assert((word & ~kPointerMask) == 0);
    std::memcpy(pointers + 6 * slot, &word, 6);
  }
  Bucket* Next() const {
    uint64_t word;
    // The last 8 bytes of the line: two of the neighbour's, and these.
    std::memcpy(&word, reinterpret_cast<const char*>(this) + sizeof(Bucket) - sizeof(word), 8);
    return reinterpret_cast<Bucket*>(word >> 16);
  }
  void SetNext(const Bucket* bucket) {
    const uint64_t word = reinterpret_cast<uint64_t>(bucket);
    std::memcpy(next, &word, 6);
  }
  // Bit i: slot i is occupied and its tag is `tag`.
  uint32_t Matches(uint16_t tag) const {
#if defined(__SSE2__)
    const __m128i line = _mm_load_si128(reinterpret_cast<const __m128i*>(this));
    const __m128i equal = _mm_cmpeq_epi16(line, _mm_set1_epi16(static_cast<int16_t>(tag)));
    const __m128i bytes = _mm_packs_epi16(equal, _mm_setzero_si128());
    return static_cast<uint32_t>(_mm_movemask_epi8(bytes)) & occupied;
#else
    uint32_t mask = 0;
    for (int i = 0; i < kSlots; ++i) mask |= static_cast<uint32_t>(tags[i] == tag) << i;
    return mask & occupied;
#endif
  }

 private:
  static constexpr uint64_t kPointerMask = (uint64_t{1} << 48) - 1;
};

static_assert(sizeof(Bucket) == 64);

template <typename Node, typename Policy>
class HashTable {
 public:
  // Where a node is. Valid until the table changes otherwise than through SetNode.
  struct Position {
    Bucket* bucket = nullptr;
    int slot = 0;

    explicit operator bool() const { return bucket != nullptr; }
    Node* node() const { return static_cast<Node*>(bucket->Pointer(slot)); }
  };

  HashTable() = default;
  ~HashTable() { FreeBuckets(); }
  HashTable(const HashTable&) = delete;
  HashTable& operator=(const HashTable&) = delete;
  HashTable(HashTable&& other) noexcept { Swap(other); }
  HashTable& operator=(HashTable&& other) noexcept {
    Swap(other);
    return *this;
  }

  void Swap(HashTable& other) noexcept {
    std::swap(segments_, other.segments_);
    std::swap(size_, other.size_);
    std::swap(split_, other.split_);
    std::swap(level_, other.level_);
    std::swap(version_, other.version_);
  }

  uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Another number after each change that makes positions invalid.
  uint32_t version() const { return version_; }

  // The node with this hash for which `match(const Node&)` is true.
  template <typename Match>
  Position Find(uint64_t hash, Match&& match) const {
    if (segments_ == nullptr) return {};
    const uint64_t index = IndexOf(hash);
    const uint16_t tag = Tag(hash, LevelOf(index));
    for (Bucket* bucket = At(index); bucket != nullptr; bucket = bucket->Next()) {
      for (uint32_t found = bucket->Matches(tag); found != 0; found &= found - 1) {
        const int slot = std::countr_zero(found);
        if (match(*static_cast<const Node*>(bucket->Pointer(slot)))) return {bucket, slot};
      }
    }
    return {};
  }

  // Adds a node that is not in the table. The position is valid until the next change.
  Position Insert(uint64_t hash, Node* node) {
    if (segments_ == nullptr) Create();
    ++version_;
    if (++size_ > kGrowLoad * bucket_count() / 10) Split();
    const uint64_t index = IndexOf(hash);
    return Place(At(index), Tag(hash, LevelOf(index)), node);
  }

  // Replaces the node at `position` by one with the same key.
  void SetNode(Position position, Node* node) {
    assert(position);
    position.bucket->SetPointer(position.slot, node);
  }

  // Removes the node at `position`, which was found by `hash`.
  void Erase(uint64_t hash, Position position) {
    RemoveFromChain(At(IndexOf(hash)), position);
    ++version_;
    --size_;
    if (size_ < kShrinkLoad * bucket_count() / 10 && bucket_count() > kSegmentBuckets) Merge();
  }

  // The bucket in which a hash is looked for, and its tag there. Valid until the table changes.
  struct Hint {
    const Bucket* bucket = nullptr;
    uint16_t tag = 0;
  };
  // Brings the bucket of `hash` into the cache.
  Hint PrefetchBucket(uint64_t hash) const {
    const Hint hint = HintOf(hash);
    __builtin_prefetch(hint.bucket);
    KeepPrefetch();
    return hint;
  }
  // Once the bucket is there, the node. That may be in an overflow bucket: then returns true with
  // that bucket on its way and as the hint, and wants to be called again with it.
  static bool PrefetchNode(Hint* hint) {
    if (hint->bucket == nullptr) return false;
    const uint32_t found = hint->bucket->Matches(hint->tag);
    if (found == 0) {
      hint->bucket = hint->bucket->Next();
      __builtin_prefetch(hint->bucket);
      KeepPrefetch();
      return hint->bucket != nullptr;
    }
    const char* node = static_cast<const char*>(hint->bucket->Pointer(std::countr_zero(found)));
    __builtin_prefetch(node);
    __builtin_prefetch(node + 64);
    KeepPrefetch();
    return false;
  }
  // The same for a table that may have changed since: `depth` overflow buckets behind the first.
  bool PrefetchNode(uint64_t hash, int depth = 0) const {
    Hint hint = HintOf(hash);
    for (; depth > 0 && hint.bucket != nullptr; --depth) hint.bucket = hint.bucket->Next();
    return PrefetchNode(&hint);
  }

  // One step of a scan: calls `visit(Node*)` for the nodes of one bucket group and returns the next
  // cursor; 0 begins and ends. A node that stays in the table for the whole scan is visited exactly
  // once, however the table grows or shrinks meanwhile (reverse binary iteration, P. Noordhuis).
  template <typename Visit>
  uint64_t Scan(uint64_t cursor, Visit&& visit) const {
    if (segments_ == nullptr) return 0;
    const uint64_t mask = (uint64_t{1} << level_) - 1;
    const uint64_t index = cursor & mask;
    if ((cursor & ~mask) == 0) [[likely]] {
      VisitGroup(index, visit);
    } else {
      // The table has shrunk, and this group's first part was visited when it was a group of its
      // own. The scan goes by reversed hashes: those below the reversed cursor are done.
      const uint64_t done = Reverse(cursor);
      VisitGroup(index, [&](Node* node) {
        if (Reverse(Policy::Hash(*node)) >= done) visit(node);
      });
    }
    cursor |= ~mask;
    return Reverse(Reverse(cursor) + 1);
  }

  // Whether the scan that has come to `cursor`, which is not 0, has passed the place of a node with
  // this hash.
  static bool ScanHasPassed(uint64_t cursor, uint64_t hash) {
    return Reverse(hash) < Reverse(cursor);
  }

  // Calls `visit(Position)` for every node whose hash may begin with the given low bits: its bucket
  // is that of `hash`, and its tag agrees as far as `known_bits` low bits of the hash tell. Expects
  // that `visit` does not change the table.
  template <typename Visit>
  void VisitCandidates(uint64_t hash, int known_bits, Visit&& visit) const {
    if (segments_ == nullptr) return;
    const uint64_t index = IndexOf(hash);
    const int shift = TagShift(LevelOf(index));
    const int bits = known_bits - shift;
    const uint16_t mask = bits >= 16  ? 0xffff
                          : bits <= 0 ? 0
                                      : static_cast<uint16_t>((1u << bits) - 1);
    const uint16_t tag = static_cast<uint16_t>(hash >> shift) & mask;
    for (Bucket* bucket = At(index); bucket != nullptr; bucket = bucket->Next()) {
      for (uint32_t used = bucket->occupied; used != 0; used &= used - 1) {
        const int slot = std::countr_zero(used);
        if ((bucket->tags[slot] & mask) == tag) visit(Position{bucket, slot});
      }
    }
  }

  // Any node, chosen with `random`: uniform over buckets, which is near enough to uniform over
  // nodes. nullptr when the table is empty.
  template <typename Random>
  Node* Sample(Random&& random) const {
    if (size_ == 0) return nullptr;
    // Most draws are refused, and each is a miss of the cache: some are made at once.
    constexpr int kDraws = 4;
    const Bucket* drawn[kDraws];
    for (;;) {
      for (const Bucket*& bucket : drawn) {
        bucket = At(random() % bucket_count());
        __builtin_prefetch(bucket);
      }
      for (const Bucket* bucket : drawn) {
        const int length = ChainLength(bucket);
        // Accept a bucket in proportion to its length, so that each node has the same chance.
        if (length == 0 || static_cast<int>(random() % kSampleBound) >= length) continue;
        return NthOfChain(bucket, static_cast<int>(random() % static_cast<uint64_t>(length)));
      }
    }
  }

  uint64_t bucket_count() const { return (uint64_t{1} << level_) + split_; }

  // Calls `visit(Node*)` for every node of bucket `index` < bucket_count() (0 when never filled).
  template <typename Visit>
  void VisitBucket(uint64_t index, Visit&& visit) const {
    if (segments_ != nullptr) VisitChain(index, visit);
  }
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    if (segments_ == nullptr) return;
    for (uint64_t i = 0; i < bucket_count(); ++i) VisitChain(i, visit);
  }

  // Forgets all nodes and frees the buckets.
  void Clear() {
    FreeBuckets();
    segments_ = nullptr;
    size_ = 0;
    split_ = 0;
    level_ = 0;
    ++version_;
  }

  // Heap bytes of the table itself, without the nodes. Overflow buckets are estimated.
  size_t MemoryBytes() const {
    if (segments_ == nullptr) return 0;
    return SegmentCount() * sizeof(Bucket) * kSegmentBuckets + DirectoryCapacity() * sizeof(void*) +
           size_ * 5 / 2;
  }

 private:
  static constexpr int kSegmentShift = 4;
  static constexpr uint64_t kSegmentBuckets = uint64_t{1} << kSegmentShift;
  // Nodes per ten buckets. 6.3 of 7 slots, counted over the primary buckets, costs 13.6 bytes per
  // node with overflow and 1.15 buckets per look-up, whatever the phase of growth.
  static constexpr uint64_t kGrowLoad = 63;
  static constexpr uint64_t kShrinkLoad = 28;
  static constexpr int kSampleBound = 16;

  // Where in the hash the tag is taken from: the window always holds the bit by which the bucket
  // splits next and at least eight bits above it, and moves only at every eighth level, so that a
  // split normally needs no node's hash.
  static constexpr int TagShift(int level) { return level < 4 ? 0 : ((level + 4) & ~7) - 4; }
  static uint16_t Tag(uint64_t hash, int level) {
    return static_cast<uint16_t>(hash >> TagShift(level));
  }

  // GCC takes a function that only prefetches for one without effects, and drops the calls of it.
  static void KeepPrefetch() { asm volatile(""); }

  int LevelOf(uint64_t index) const {
    return level_ + static_cast<int>(index < split_ || index >> level_ != 0);
  }
  uint64_t IndexOf(uint64_t hash) const {
    const uint64_t index = hash & ((uint64_t{1} << level_) - 1);
    return index >= split_ ? index : hash & ((uint64_t{2} << level_) - 1);
  }
  Hint HintOf(uint64_t hash) const {
    if (segments_ == nullptr) return {};
    const uint64_t index = IndexOf(hash);
    return {At(index), Tag(hash, LevelOf(index))};
  }
  Bucket* At(uint64_t index) const {
    return segments_[index >> kSegmentShift] + (index & (kSegmentBuckets - 1));
  }

  size_t SegmentCount() const { return (bucket_count() + kSegmentBuckets - 1) >> kSegmentShift; }
  // The directory doubles; its capacity follows from the number of segments.
  size_t DirectoryCapacity() const { return std::bit_ceil(SegmentCount()); }

  void Create() {
    segments_ = static_cast<Bucket**>(std::malloc(sizeof(Bucket*)));
    if (segments_ == nullptr) throw std::bad_alloc();
    segments_[0] = static_cast<Bucket*>(AllocateLines(kSegmentBuckets * sizeof(Bucket)));
  }

  void FreeBuckets() {
    if (segments_ == nullptr) return;
    for (uint64_t i = 0; i < bucket_count(); ++i) FreeOverflow(At(i));
    for (size_t i = 0, n = SegmentCount(); i < n; ++i) FreeLines(segments_[i]);
    std::free(segments_);
  }

  static void FreeOverflow(Bucket* bucket) {
    for (Bucket* next = bucket->Next(); next != nullptr;) {
      Bucket* after = next->Next();
      FreeLines(next);
      next = after;
    }
    bucket->SetNext(nullptr);
  }

  static Position Place(Bucket* bucket, uint16_t tag, Node* node) {
    for (;;) {
      const int slot = std::countr_one(static_cast<unsigned>(bucket->occupied));
      if (slot < Bucket::kSlots) {
        bucket->tags[slot] = tag;
        bucket->SetPointer(slot, node);
        bucket->occupied = static_cast<uint8_t>(bucket->occupied | 1u << slot);
        return {bucket, slot};
      }
      Bucket* next = bucket->Next();
      if (next == nullptr) {
        next = static_cast<Bucket*>(AllocateLines(sizeof(Bucket)));
        bucket->SetNext(next);
      }
      bucket = next;
    }
  }

  // Fills the hole with a node of the chain's last bucket, so that overflow buckets stay few.
  static void RemoveFromChain(Bucket* first, Position hole) {
    Bucket* before = nullptr;
    Bucket* last = first;
    for (Bucket* next = last->Next(); next != nullptr; next = last->Next()) {
      before = last;
      last = next;
    }
    assert(last->occupied != 0);  // no bucket of a chain is empty
    const int moved = std::bit_width(static_cast<unsigned>(last->occupied)) - 1;
    if (last != hole.bucket) {
      hole.bucket->tags[hole.slot] = last->tags[moved];
      hole.bucket->SetPointer(hole.slot, last->Pointer(moved));
      last->occupied = static_cast<uint8_t>(last->occupied & ~(1u << moved));
    } else {
      last->occupied = static_cast<uint8_t>(last->occupied & ~(1u << hole.slot));
    }
    if (last->occupied == 0 && before != nullptr) {
      before->SetNext(nullptr);
      FreeLines(last);
    }
  }

  // Splits bucket `split_` into itself and bucket 2^level + split_.
  void Split() {
    const uint64_t from = split_;
    const uint64_t to = from + (uint64_t{1} << level_);
    if ((to & (kSegmentBuckets - 1)) == 0) AddSegment(to >> kSegmentShift);
    Bucket* const source = At(from);
    Bucket* const target = At(to);
    const Bucket old = *source;
    source->occupied = 0;
    source->SetNext(nullptr);
    const int shift = TagShift(level_);
    const int new_shift = TagShift(level_ + 1);
    const uint16_t bit = static_cast<uint16_t>(1u << (level_ - shift));
    const Bucket* bucket = &old;
    while (bucket != nullptr) {
      for (uint32_t used = bucket->occupied; used != 0; used &= used - 1) {
        const int slot = std::countr_zero(used);
        Node* node = static_cast<Node*>(bucket->Pointer(slot));
        const uint16_t tag = bucket->tags[slot];
        const uint16_t new_tag =
            shift == new_shift ? tag : static_cast<uint16_t>(Policy::Hash(*node) >> new_shift);
        Place((tag & bit) != 0 ? target : source, new_tag, node);
      }
      Bucket* next = bucket->Next();
      if (bucket != &old) FreeLines(const_cast<Bucket*>(bucket));
      bucket = next;
    }
    if (++split_ == uint64_t{1} << level_) {
      split_ = 0;
      ++level_;
    }
  }

  // Undoes the latest split.
  void Merge() {
    if (split_ == 0) {
      --level_;
      split_ = uint64_t{1} << level_;
    }
    --split_;
    const uint64_t from = split_ + (uint64_t{1} << level_);
    const int shift = TagShift(level_ + 1);
    const int new_shift = TagShift(level_);
    Bucket* const target = At(split_);
    Bucket* const source = At(from);
    assert(source != nullptr);
    if (shift != new_shift) RenewTags(target, new_shift);
    for (Bucket* bucket = source; bucket != nullptr; bucket = bucket->Next()) {
      for (uint32_t used = bucket->occupied; used != 0; used &= used - 1) {
        const int slot = std::countr_zero(used);
        Node* node = static_cast<Node*>(bucket->Pointer(slot));
        const uint16_t tag = shift == new_shift
                                 ? bucket->tags[slot]
                                 : static_cast<uint16_t>(Policy::Hash(*node) >> new_shift);
        Place(target, tag, node);
      }
    }
    FreeOverflow(source);
    source->occupied = 0;
    if ((from & (kSegmentBuckets - 1)) == 0) RemoveSegment(from >> kSegmentShift);
  }

  static void RenewTags(Bucket* bucket, int shift) {
    for (; bucket != nullptr; bucket = bucket->Next()) {
      for (uint32_t used = bucket->occupied; used != 0; used &= used - 1) {
        const int slot = std::countr_zero(used);
        bucket->tags[slot] = static_cast<uint16_t>(
            Policy::Hash(*static_cast<Node*>(bucket->Pointer(slot))) >> shift);
      }
    }
  }

  static int ChainLength(const Bucket* bucket) {
    int length = 0;
    for (; bucket != nullptr; bucket = bucket->Next()) {
      length += std::popcount(static_cast<unsigned>(bucket->occupied));
    }
    return length;
  }
  static Node* NthOfChain(const Bucket* bucket, int nth) {
    for (;; bucket = bucket->Next()) {
      const int here = std::popcount(static_cast<unsigned>(bucket->occupied));
      if (nth >= here) {
        nth -= here;
        continue;
      }
      uint32_t used = bucket->occupied;
      while (nth-- > 0) used &= used - 1;
      return static_cast<Node*>(bucket->Pointer(std::countr_zero(used)));
    }
  }

  void ResizeDirectory(size_t capacity) {
    auto* grown = static_cast<Bucket**>(std::realloc(segments_, capacity * sizeof(Bucket*)));
    if (grown == nullptr) throw std::bad_alloc();
    segments_ = grown;
  }
  void AddSegment(size_t number) {
    if (std::has_single_bit(number)) ResizeDirectory(2 * number);
    segments_[number] = static_cast<Bucket*>(AllocateLines(kSegmentBuckets * sizeof(Bucket)));
  }
  void RemoveSegment(size_t number) {
    FreeLines(segments_[number]);
    if (std::has_single_bit(number)) ResizeDirectory(number);
  }

  // All nodes whose hash has the `level_` low bits of `index`: the bucket and, if it has been split
  // at this level, the other half.
  template <typename Visit>
  void VisitGroup(uint64_t index, Visit&& visit) const {
    VisitChain(index, visit);
    if (index < split_) VisitChain(index | uint64_t{1} << level_, visit);
  }
  template <typename Visit>
  void VisitChain(uint64_t index, Visit&& visit) const {
    for (const Bucket* bucket = At(index); bucket != nullptr; bucket = bucket->Next()) {
      for (uint32_t used = bucket->occupied; used != 0; used &= used - 1) {
        visit(static_cast<Node*>(bucket->Pointer(std::countr_zero(used))));
      }
    }
  }

  static uint64_t Reverse(uint64_t bits) {
    bits = (bits >> 1 & 0x5555555555555555) | (bits & 0x5555555555555555) << 1;
    bits = (bits >> 2 & 0x3333333333333333) | (bits & 0x3333333333333333) << 2;
    bits = (bits >> 4 & 0x0f0f0f0f0f0f0f0f) | (bits & 0x0f0f0f0f0f0f0f0f) << 4;
    return __builtin_bswap64(bits);
  }

  Bucket** segments_ = nullptr;
  uint64_t size_ = 0;
  uint64_t split_ = 0;  // buckets below this one are split already in this round
  int level_ = 0;       // 2^level buckets at the start of this round
  uint32_t version_ = 0;
};

}  // namespace spinel
