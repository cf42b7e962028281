// What a connection has received and could not execute yet.
//
// Owner: a Connection. Threads: its loop's.
#pragma once

#include <cstddef>
#include <string_view>

namespace spinel {

// Bytes received that do not make a whole request yet.
class InputBuffer {
 public:
  InputBuffer() = default;
  ~InputBuffer();
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;

  char* data() { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t capacity() const { return capacity_; }

  // Room for at least `bytes` behind the data. False: no memory.
  bool Reserve(size_t bytes);
  char* end() { return data_ + size_; }
  size_t room() const { return capacity_ - size_; }
  void Commit(size_t bytes) { size_ += bytes; }
  bool Append(std::string_view bytes);
  // Drops bytes from the front; frees the memory with the last one.
  void Consume(size_t bytes);
  // Drops all.
  void Free();

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace spinel
