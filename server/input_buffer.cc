#include "server/input_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace spinel {

InputBuffer::~InputBuffer() { std::free(data_); }

bool InputBuffer::Reserve(size_t bytes) {
  if (room() >= bytes) return true;
  // By half of what there is, so that little is copied again and again.
  const size_t wanted = std::max(size_ + bytes, capacity_ + capacity_ / 2);
  auto* grown = static_cast<char*>(std::realloc(data_, wanted));
  if (grown == nullptr) return false;
  data_ = grown;
  capacity_ = wanted;
  return true;
}

bool InputBuffer::Append(std::string_view bytes) {
  if (!Reserve(bytes.size())) return false;
  std::memcpy(end(), bytes.data(), bytes.size());
  Commit(bytes.size());
  return true;
}

void InputBuffer::Consume(size_t bytes) {
  size_ -= bytes;
  if (size_ == 0) {
    Free();
  } else if (bytes > 0) {
    std::memmove(data_, data_ + bytes, size_);
  }
}

void InputBuffer::Free() {
  std::free(data_);
  data_ = nullptr;
  size_ = 0;
  capacity_ = 0;
}

}  // namespace spinel
