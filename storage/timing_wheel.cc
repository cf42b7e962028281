#include "storage/timing_wheel.h"

#include <algorithm>
#include <iterator>

#include "storage/memory.h"
#include "storage/random.h"

namespace spinel {

int64_t TimingWheel::Arm(int64_t tick, uint64_t locator) {
  SpinLockHolder lock(&lock_);
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
  Chunk** list = &lists_.slots[level][slot];
  if (*list == nullptr) ++filled_slots_[level];
  Push(list, locator << kTickBits | tick_bits);
  return tick;
}

// Moves a slot's handles to an empty list.
void TimingWheel::TakeSlot(int level, int64_t slot, Chunk** list) {
  Chunk** from = &lists_.slots[level][slot];
  if (*from != nullptr) --filled_slots_[level];
  std::swap(*list, *from);
}

// Passes over ticks, before `limit`, in which nothing is due and nothing cascades: while level 0 is
// empty only the ticks matter at which a slot of level 1 comes down, and so on upwards.
void TimingWheel::SkipEmptyTicks(int64_t limit) {
  int level = 0;
  while (level < kLevels && filled_slots_[level] == 0) ++level;
  if (level == kLevels) {
    current_ = std::max(current_, limit);
  } else {
    const int64_t round = (int64_t{1} << (kSlotBits * level)) - 1;
    current_ = std::max(current_, std::min(current_ | round, limit));
  }
}

void TimingWheel::AdvanceOneTick() {
  ++current_;
  slot_taken_ = false;
  for (int level = 1; level < kLevels; ++level) {
    const int64_t below = current_ >> (kSlotBits * (level - 1)) & (kSlots - 1);
    if (below != 0) break;
    const int64_t slot = current_ >> (kSlotBits * level) & (kSlots - 1);
    TakeSlot(level, slot, &lists_.cascading[level]);
  }
}

TimingWheel::Collected TimingWheel::Collect(int64_t now_tick, Handle* out, size_t max) {
  constexpr int kMaxMoves =
      1024;  // handles cascaded or ticks passed: bounds the time under the lock
  SpinLockHolder lock(&lock_);
  size_t count = 0;
  int moves = 0;
  while (count < max) {
    uint64_t handle = 0;
    if (Pop(&lists_.due, &handle)) {
      out[count++] = {Locator(handle), current_};
      --size_;
      continue;
    }
    if (lists_.sweeping != nullptr && sweep_base_ <= current_ + 1) {
      // The slot that is being swept is the next one: what is left of it goes back.
      if (++moves > kMaxMoves) return {count, true};
      Pop(&lists_.sweeping, &handle);
      Place(SweptTick(handle), Locator(handle));
      continue;
    }
    int level = kLevels - 1;
    while (level > 0 && lists_.cascading[level] == nullptr) --level;
    if (level > 0) {
      if (++moves > kMaxMoves) return {count, true};
      Pop(&lists_.cascading[level], &handle);
      Place(FullTick(current_, handle, kSlotBits * level), Locator(handle));
    } else if (!slot_taken_) {
      TakeSlot(0, current_ & (kSlots - 1), &lists_.due);
      slot_taken_ = true;
    } else if (current_ < now_tick) {
      if (++moves > kMaxMoves) return {count, true};
      const bool sweeping = lists_.sweeping != nullptr;
      SkipEmptyTicks((sweeping ? std::min(now_tick, sweep_base_) : now_tick) - 1);
      AdvanceOneTick();
    } else {
      return {count, false};
    }
  }
  return {count, true};
}

bool TimingWheel::QuietUntil(int64_t tick) const {
  SpinLockHolder lock(&lock_);
  if (sweep_level_ != kLevels || size_ >= sweep_at_ || lists_.due != nullptr || !slot_taken_) {
    return false;
  }
  if (size_ == 0) return true;
  // Where level 0 begins anew, handles come down to it.
  if (tick >> kSlotBits != current_ >> kSlotBits) return false;
  for (int level = 1; level < kLevels; ++level) {
    if (lists_.cascading[level] != nullptr) return false;
  }
  for (int64_t next = current_ + 1; next <= tick; ++next) {
    if (lists_.slots[0][next & (kSlots - 1)] != nullptr) return false;
  }
  return true;
}

// The tick of a handle from the list that is being swept. All ticks of a slot agree above the bits
// that its level spans; at level 0 they are one tick.
int64_t TimingWheel::SweptTick(uint64_t handle) const {
  return FullTick(sweep_base_, handle, kSlotBits * sweep_level_);
}

size_t TimingWheel::CollectForSweep(Handle* out, size_t max) {
  SpinLockHolder lock(&lock_);
  if (sweep_level_ == kLevels) {
    if (size_ < sweep_at_) return 0;
    sweep_level_ = 0;
    sweep_slot_ = 0;
  }
  size_t count = 0;
  while (count < max) {
    uint64_t handle = 0;
    if (Pop(&lists_.sweeping, &handle)) {
      out[count++] = {Locator(handle), SweptTick(handle)};
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
    TakeSlot(sweep_level_, sweep_slot_++, &lists_.sweeping);
  }
  return count;
}

void TimingWheel::RequestSweep() {
  SpinLockHolder lock(&lock_);
  sweep_at_ = 0;
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
  SpinLockHolder lock(&lock_);
  auto remains = std::make_unique<Remains>(lists_);
  lists_ = Lists();
  size_ = 0;
  chunks_ = 0;
  std::fill(std::begin(filled_slots_), std::end(filled_slots_), 0);
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

bool TimingWheel::Sample(Handle* out) const {
  constexpr uint64_t kTries = 32;
  constexpr uint64_t kAll = uint64_t{kLevels} * static_cast<uint64_t>(kSlots);
  SpinLockHolder lock(&lock_);
  if (size_ == 0) return false;
  const uint64_t start = FastRandom();
  // Anywhere first; then, in a wheel that is nearly empty, all slots in turn.
  for (uint64_t i = 0; i < kTries + kAll; ++i) {
    const uint64_t number = (i < kTries ? FastRandom() : start + i) % kAll;
    const Chunk* chunk = lists_.slots[number / kSlots][number % kSlots];
    if (chunk == nullptr || chunk->count == 0) continue;
    // Only the newest of a slot's chunks can be reached without walking a list without end.
    for (uint64_t steps = FastRandom() % 8; steps > 0 && chunk->next != nullptr; --steps) {
      chunk = chunk->next;
    }
    if (chunk->count == 0) continue;
    const uint64_t handle = chunk->handles[FastRandom() % chunk->count];
    *out = {Locator(handle), 0};
    return true;
  }
  return false;
}

size_t TimingWheel::size() const {
  SpinLockHolder lock(&lock_);
  return size_;
}

size_t TimingWheel::MemoryBytes() const {
  SpinLockHolder lock(&lock_);
  return sizeof(*this) + chunks_ * sizeof(Chunk);
}

}  // namespace spinel
