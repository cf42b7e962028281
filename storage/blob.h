// A counted, heap-allocated byte string for values of 16 KB and up, so that a reply can be sent
// from the value itself, without a copy and without holding its stripe's lock.
//
// Bytes may be changed in place only by the holder of the stripe's lock, and only while nobody else
// has a reference (unique()). References are taken under that lock and may be dropped on any
// thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/memory.h"

namespace spinel {

class Blob {
 public:
  // Values of this many bytes and more are blobs.
  static constexpr size_t kMinBytes = 16 * 1024;

  static constexpr size_t kBigBytes = 256 * 1024;

  // A blob with room for `capacity` bytes of which `size` are in use and not initialised.
  // One reference, the caller's. nullptr: no memory.
  static Blob* Create(size_t size, size_t capacity);
  static Blob* Copy(std::string_view bytes, size_t capacity = 0);

  void AddRef() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Release() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) Free();
  }
  bool unique() const { return references_.load(std::memory_order_acquire) == 1; }

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  void set_size(size_t size) { size_ = size; }
  std::string_view view() const { return {data(), size_}; }
  // Heap bytes.
  size_t MemoryBytes() const { return SizeClass(sizeof(Blob) + capacity_); }
  // Whether freeing it may take long: the allocator gives such blocks back to the kernel.
  bool IsBig() const { return capacity_ >= kBigBytes; }

 private:
  Blob(size_t size, size_t capacity) : size_(size), capacity_(capacity) {}
  void Free();

  std::atomic<uint32_t> references_{1};
  size_t size_;
  size_t capacity_;
};

}  // namespace spinel
