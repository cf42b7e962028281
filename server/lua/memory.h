// Memory for Lua: a limit on what one state may hold, and a buffer whose bytes count against it.
//
// Owner: as each says. Threads: the loop's that runs the state.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "server/lua/lua.h"

namespace spinel {

// The allocator of one Lua state. Owner: the Interpreter, longer than the state.
class LuaMemory {
 public:
  LuaMemory(size_t limit, void* owner) : limit_(limit), owner_(owner) {}
  LuaMemory(const LuaMemory&) = delete;
  LuaMemory& operator=(const LuaMemory&) = delete;

  size_t used() const { return used_; }
  void* owner() const { return owner_; }
  // A lua_Alloc; `self` is a LuaMemory.
  static void* Allocate(void* self, void* block, size_t old_size, size_t new_size);

 private:
  const size_t limit_;
  void* const owner_;
  size_t used_ = 0;
};

// Bytes that become a Lua string. Freed also when an error passes by. Growing beyond the state's
// limit is a Lua error.
class LuaBuffer {
 public:
  explicit LuaBuffer(lua_State* lua) : lua_(lua), allocate_(lua_getallocf(lua, &context_)) {}
  ~LuaBuffer() { allocate_(context_, data_, capacity_, 0); }
  LuaBuffer(const LuaBuffer&) = delete;
  LuaBuffer& operator=(const LuaBuffer&) = delete;

  // Room for `size` bytes at the end, to be filled and then committed.
  char* Reserve(size_t size) {
    if (capacity_ - size_ < size) Grow(size);
    return data_ + size_;
  }
  void Commit(size_t size) { size_ += size; }
  void Append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(Reserve(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void Append(char byte) {
    *Reserve(1) = byte;
    ++size_;
  }
  // Drops bytes from the end.
  void Drop(size_t size) { size_ -= size; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }
  void Push() const { lua_pushlstring(lua_, data_ == nullptr ? "" : data_, size_); }

 private:
  void Grow(size_t size);

  lua_State* const lua_;
  void* context_ = nullptr;
  const lua_Alloc allocate_;
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace spinel
