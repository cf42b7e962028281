#include "server/lua/memory.h"

#include <algorithm>
#include <cstdlib>

namespace spinel {

void* LuaMemory::Allocate(void* self, void* block, size_t old_size, size_t new_size) {
  auto* memory = static_cast<LuaMemory*>(self);
  if (block == nullptr) old_size = 0;
  if (new_size == 0) {
    memory->used_ -= old_size;
    std::free(block);
    return nullptr;
  }
  // Shrinking never fails.
  if (new_size > old_size && memory->used_ + (new_size - old_size) > memory->limit_) return nullptr;
  void* moved = std::realloc(block, new_size);
  if (moved != nullptr) memory->used_ += new_size - old_size;
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
