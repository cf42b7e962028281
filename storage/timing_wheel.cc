#include "storage/timing_wheel.h"

#include <algorithm>

#include "storage/memory.h"

namespace spinel {
namespace {

class WheelLock {
 public:
  explicit WheelLock(SpinLock* lock) ABSL_EXCLUSIVE_LOCK_FUNCTION(lock) : lock_(lock) {
    lock_->Lock();
  }
  ~WheelLock() ABSL_UNLOCK_FUNCTION() { lock_->Unlock(); }

 private:
  SpinLock* lock_;
} ABSL_SCOPED_LOCKABLE;

}  // namespace

int64_t TimingWheel::Arm(int64_t tick, uint64_t locator) {
  WheelLock lock(&lock_);
  ++size_;
  return Place(std::max(tick, current_ + 1), locator);
}

// Expects tick >= current_; tick == current_ only before that slot is taken.
int64_t TimingWheel::Place(int64_t tick, uint64_t locator) {
  constexpr int64_t kHorizon = int64_t{1} << (kLevels * kSlotBits);
  tick = std::min(tick, current_ + kHorizon - 1);
  const int64_t distance = tick - current_;
  int level = 0;
  while (level < kLevels - 1 && distance >> (kSlotBits * (level + 1)) != 0) ++level;
  const int64_t slot = tick >> (kSlotBits * level) & (kSlots - 1);
  const uint64_t tick_bits = static_cast<uint64_t>(tick) & ((uint64_t{1} << kTickBits) - 1);
  Push(&lists_.slots[level][slot], locator << kTickBits | tick_bits);
  return tick;
}

void TimingWheel::AdvanceOneTick() {
  ++current_;
  slot_taken_ = false;
  for (int level = 1; level < kLevels; ++level) {
    const int64_t below = current_ >> (kSlotBits * (level - 1)) & (kSlots - 1);
    if (below != 0) break;
    const int64_t slot = current_ >> (kSlotBits * level) & (kSlots - 1);
    std::swap(lists_.cascading[level], lists_.slots[level][slot]);
  }
}

TimingWheel::Collected TimingWheel::Collect(int64_t now_tick, Handle* out, size_t max) {
  constexpr int kMaxMoves = 1024;  // handles cascaded or ticks passed: bounds the time under the lock
  WheelLock lock(&lock_);
  size_t count = 0;
  int moves = 0;
  while (count < max) {
    uint64_t handle;
    if (Pop(&lists_.due, &handle)) {
      out[count++] = {Locator(handle), current_};
      --size_;
      continue;
    }
    int level = kLevels - 1;
    while (level > 0 && lists_.cascading[level] == nullptr) --level;
    if (level > 0) {
      if (++moves > kMaxMoves) return {count, true};
      Pop(&lists_.cascading[level], &handle);
      Place(FullTick(current_, handle, kSlotBits * level), Locator(handle));
    } else if (!slot_taken_) {
      std::swap(lists_.due, lists_.slots[0][current_ & (kSlots - 1)]);
      slot_taken_ = true;
    } else if (current_ < now_tick) {
      if (++moves > kMaxMoves) return {count, true};
      // An empty wheel has nothing to step through.
      if (size_ == 0) current_ = now_tick - 1;
      AdvanceOneTick();
    } else {
      return {count, false};
    }
  }
  return {count, true};
}

size_t TimingWheel::CollectForSweep(Handle* out, size_t max) {
  WheelLock lock(&lock_);
  if (sweep_level_ == kLevels) {
    if (size_ < sweep_at_) return 0;
    sweep_level_ = 0;
    sweep_slot_ = 0;
  }
  size_t count = 0;
  while (count < max) {
    uint64_t handle;
    if (Pop(&lists_.sweeping, &handle)) {
      // Level 0 keeps its whole tick in the slot's number; see where sweep_base_ is set.
      const int bits = sweep_level_ == 0 ? 0 : kSlotBits * sweep_level_;
      out[count++] = {Locator(handle), FullTick(sweep_base_, handle, bits)};
      --size_;
      continue;
    }
    if (sweep_slot_ == kSlots) {
      sweep_slot_ = 0;
      if (++sweep_level_ == kLevels) {
        sweep_at_ = std::max(kMinSweep, 2 * size_);
        break;
      }
    }
    // The slot's first tick: the first one at or after current_ that maps to it.
    const int shift = kSlotBits * sweep_level_;
    const int64_t now = current_ >> shift;
    int64_t ahead = (sweep_slot_ - now) & (kSlots - 1);
    if (ahead == 0 && (sweep_level_ > 0 || slot_taken_)) ahead = kSlots;
    sweep_base_ = (now + ahead) << shift;
    std::swap(lists_.sweeping, lists_.slots[sweep_level_][sweep_slot_++]);
  }
  return count;
}

void TimingWheel::Push(Chunk** list, uint64_t handle) {
  Chunk* chunk = *list;
  if (chunk == nullptr || chunk->count == Chunk::kHandles) {
    chunk = static_cast<Chunk*>(AllocateBytes(sizeof(Chunk)));
    ++chunks_;
    chunk->next = *list;
    chunk->count = 0;
    *list = chunk;
  }
  chunk->handles[chunk->count++] = handle;
}

bool TimingWheel::Pop(Chunk** list, uint64_t* handle) {
  Chunk* chunk = *list;
  if (chunk == nullptr) return false;
  *handle = chunk->handles[--chunk->count];
  if (chunk->count == 0) {
    *list = chunk->next;
    --chunks_;
    FreeBytes(chunk, sizeof(Chunk));
  }
  return true;
}

std::unique_ptr<TimingWheel::Remains> TimingWheel::Detach() {
  WheelLock lock(&lock_);
  auto remains = std::make_unique<Remains>(lists_);
  lists_ = Lists();
  size_ = 0;
  chunks_ = 0;
  sweep_level_ = kLevels;
  sweep_at_ = kMinSweep;
  return remains;
}

TimingWheel::Remains::~Remains() {
  const auto free_list = [](Chunk* chunk) {
    while (chunk != nullptr) {
      Chunk* next = chunk->next;
      FreeBytes(chunk, sizeof(Chunk));
      chunk = next;
    }
  };
  for (auto& level : lists_.slots) {
    for (Chunk* slot : level) free_list(slot);
  }
  for (Chunk* list : lists_.cascading) free_list(list);
  free_list(lists_.due);
  free_list(lists_.sweeping);
}

size_t TimingWheel::size() const {
  WheelLock lock(&lock_);
  return size_;
}

size_t TimingWheel::MemoryBytes() const {
  WheelLock lock(&lock_);
  return sizeof(*this) + chunks_ * sizeof(Chunk);
}

}  // namespace spinel
