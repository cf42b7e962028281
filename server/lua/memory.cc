#include "server/lua/memory.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace spinel {
namespace {

constexpr int kUsualPause = 200;  // Lua's own: a collection begins when twice as much is held

}  // namespace

LuaMemory::~LuaMemory() {
  for (FreeBlock* block : free_) {
    while (block != nullptr) std::free(std::exchange(block, block->next));
  }
}

void* LuaMemory::Take(size_t size) {
  if (!IsSmall(size)) return std::malloc(size);
  const size_t size_class = SizeClass(size);
  FreeBlock*& first = free_[size_class];
  const size_t bytes = (size_class + 1) * kStep;
  if (first == nullptr) return std::malloc(bytes);
  kept_ -= bytes;
  return std::exchange(first, first->next);
}

// A block may be larger than its size says.
void LuaMemory::Release(void* block, size_t size) {
  if (!IsSmall(size) || kept_ >= kMostKept) return std::free(block);
  const size_t size_class = SizeClass(size);
  free_[size_class] = new (block) FreeBlock{free_[size_class]};
  kept_ += (size_class + 1) * kStep;
}

// Shrinking never fails.
void* LuaMemory::Resize(void* block, size_t old_size, size_t new_size) {
  if (!IsSmall(old_size) && !IsSmall(new_size)) {
    void* const moved = std::realloc(block, new_size);
    return moved == nullptr && new_size < old_size ? block : moved;
  }
  if (IsSmall(old_size) && IsSmall(new_size) && SizeClass(old_size) == SizeClass(new_size)) {
    return block;
  }
  void* const moved = Take(new_size);
  if (moved == nullptr) return new_size < old_size ? block : nullptr;
  std::memcpy(moved, block, std::min(old_size, new_size));
  Release(block, old_size);
  return moved;
}

void* LuaMemory::Allocate(void* self, void* block, size_t old_size, size_t new_size) {
  auto* memory = static_cast<LuaMemory*>(self);
  if (block == nullptr) old_size = 0;
  if (new_size == 0) {
    memory->used_ -= old_size;
    if (old_size != 0) memory->Release(block, old_size);
    return nullptr;
  }
  if (new_size > old_size && memory->used_ + (new_size - old_size) > memory->limit_) return nullptr;
  void* const moved =
      old_size == 0 ? memory->Take(new_size) : memory->Resize(block, old_size, new_size);
  if (moved == nullptr) return nullptr;
  memory->used_ += new_size - old_size;
  if (memory->used_ > memory->watch_ && memory->watcher_ != nullptr) [[unlikely]] {
    // Neither allocates or collects: they set numbers.
    lua_State* const lua = std::exchange(memory->watcher_, nullptr);
    lua_gc(lua, LUA_GCSETPAUSE, kUsualPause);
    lua_gc(lua, LUA_GCRESTART, 0);
  }
  return moved;
}

void LuaBuffer::Grow(size_t size) {
  constexpr size_t kFirst = 256;
  const size_t wanted = std::max({kFirst, capacity_ * 2, size_ + size});
  void* moved = allocate_(context_, data_, capacity_, wanted);
  if (moved == nullptr) luaL_error(lua_, "not enough memory");
  data_ = static_cast<char*>(moved);
  capacity_ = wanted;
}

}  // namespace spinel
