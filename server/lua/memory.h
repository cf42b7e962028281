// Memory for Lua: a limit on what one state may hold, and a buffer whose bytes count against it.
//
// Owner: as each says. Threads: the loop's that runs the state.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "server/lua/lua.h"

namespace spinel {

// The allocator of one Lua state: keeps some of the small blocks that are freed, because every run
// of a script takes and leaves a dozen of them. Owner: the Interpreter, longer than the state.
class LuaMemory {
 public:
  LuaMemory(size_t limit, void* owner) : limit_(limit), owner_(owner) {}
  ~LuaMemory();
  LuaMemory(const LuaMemory&) = delete;
  LuaMemory& operator=(const LuaMemory&) = delete;

  // What the state holds; and that with the free blocks.
  size_t used() const { return used_; }
  size_t held() const { return used_ + kept_; }
  // Once the state holds more than `bytes`, its collector begins at once and then follows the usual
  // pace, whatever pace was set.
  void Watch(lua_State* lua, size_t bytes) {
    watcher_ = lua;
    watch_ = bytes;
  }
  bool watches() const { return watcher_ != nullptr; }
  void* owner() const { return owner_; }
  // A lua_Alloc; `self` is a LuaMemory.
  static void* Allocate(void* self, void* block, size_t old_size, size_t new_size);

 private:
  static constexpr size_t kStep = 16;  // bytes between two sizes of small blocks
  static constexpr size_t kSmallSizes = 16;
  static constexpr size_t kMostKept = 512 << 10;

  struct FreeBlock {
    FreeBlock* next;
  };

  static bool IsSmall(size_t size) { return size <= kStep * kSmallSizes; }
  static size_t SizeClass(size_t size) { return (size - 1) / kStep; }
  void* Take(size_t size);
  void Release(void* block, size_t size);
  void* Resize(void* block, size_t old_size, size_t new_size);

  const size_t limit_;
  void* const owner_;
  size_t used_ = 0;
  size_t kept_ = 0;  // bytes in `free_`
  size_t watch_ = 0;
  lua_State* watcher_ = nullptr;  // null: nothing is watched for
  FreeBlock* free_[kSmallSizes] = {};
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
