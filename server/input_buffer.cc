#include "server/input_buffer.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

namespace spinel {
namespace {

// Requests that follow each other differ by that much.
constexpr size_t kRenewedRoom = 128;
// What is given away has at most this part of it that is not the value.
constexpr size_t kWasteShare = 16;

}  // namespace

InputBuffer::~InputBuffer() { Free(); }

bool InputBuffer::Reserve(size_t bytes) {
  if (room() >= bytes) return true;
  // By half of what there is, so that little is copied again and again.
  return Resize(std::max(size_ + bytes, capacity_ + capacity_ / 2));
}

bool InputBuffer::Resize(size_t capacity) {
  assert(given_ == nullptr && capacity >= size_);
  if (capacity > std::numeric_limits<size_t>::max() - kHeader) return false;
  char* const block = data_ == nullptr ? nullptr : data_ - kHeader;
  auto* const resized = static_cast<char*>(std::realloc(block, kHeader + capacity));
  if (resized == nullptr) return false;
  data_ = resized + kHeader;
  capacity_ = capacity;
  return true;
}

void InputBuffer::Commit(size_t bytes) {
  size_ += bytes;
  peak_ = std::max(peak_, size_);
}

bool InputBuffer::Append(std::string_view bytes) {
  if (!Reserve(bytes.size())) return false;
  std::memcpy(end(), bytes.data(), bytes.size());
  Commit(bytes.size());
  return true;
}

bool InputBuffer::Consume(size_t bytes, Room room) {
  if (given_ != nullptr) return Renew(bytes, room);
  size_ -= bytes;
  if (size_ == 0) {
    if (room == Room::kFree) Free();
  } else if (bytes > 0) {
    std::memmove(data_, data_ + bytes, size_);
  }
  return true;
}

// Moves what is left to memory of its own. Who has sent one big value may send another.
bool InputBuffer::Renew(size_t consumed, Room room) {
  InputBuffer fresh;
  const std::string_view rest(data_ + consumed, size_ - consumed);
  if (room == Room::kKeep) fresh.Reserve(std::max(consumed + kRenewedRoom, rest.size()));
  const bool kept = rest.empty() || fresh.Append(rest);
  Free();
  std::swap(data_, fresh.data_);
  std::swap(size_, fresh.size_);
  std::swap(capacity_, fresh.capacity_);
  return kept;
}

void InputBuffer::Free() {
  if (given_ != nullptr) {
    given_->Release();
  } else if (data_ != nullptr) {
    std::free(data_ - kHeader);
  }
  given_ = nullptr;
  data_ = nullptr;
  size_ = 0;
  capacity_ = 0;
}

void InputBuffer::ShrinkTo(size_t capacity) {
  capacity = std::max(capacity, size_);
  if (given_ != nullptr || capacity >= capacity_) return;
  if (capacity == 0) {
    Free();
  } else {
    Resize(capacity);
  }
}

size_t InputBuffer::TakePeak() { return std::exchange(peak_, size_); }

Blob* InputBuffer::Take(std::string_view bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(data_);
  const auto at = reinterpret_cast<uintptr_t>(bytes.data());
  if (given_ != nullptr || bytes.size() < Blob::kMinBytes || bytes.size() > size_) return nullptr;
  if (at < begin || at - begin > size_ - bytes.size()) return nullptr;
  if (capacity_ - bytes.size() > bytes.size() / kWasteShare) return nullptr;
  const size_t offset = at - begin;
  given_ = Blob::Adopt(data_ - kHeader, static_cast<uint32_t>(kHeader + offset), bytes.size(),
                       capacity_ - offset);
  given_->AddRef();
  return given_;
}

}  // namespace spinel
