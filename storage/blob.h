// A counted, heap-allocated byte string for values of 16 KB and up, so that a reply can be sent
// from the value itself, without a copy and without holding its stripe's lock.
//
// Its bytes may lie anywhere behind it in its block: so the buffer that a request has arrived in
// can become the value (BlobSource).
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
  // From so many bytes on freeing one may take long: jemalloc gives memory back on the way, on
  // average 14 us where many of 1 MB are freed in a row, 31 us at 2 MB, 99 at 4 MB, 500 from 8 MB
  // on. (One now and then takes less than 1 us, and having another thread do it 20.)
  static constexpr size_t kSlowToFreeBytes = 2 * 1024 * 1024;

  // A blob with room for `capacity` bytes of which `size` are in use and not initialised.
  // One reference, the caller's. nullptr: no memory.
  static Blob* Create(size_t size, size_t capacity);
  static Blob* Copy(std::string_view bytes, size_t capacity = 0);
  // Makes a blob at the beginning of a block that malloc has given: its bytes lie `offset` behind
  // it, at least sizeof(Blob), and there is room for `capacity` from there to the block's end.
  static Blob* Adopt(void* block, uint32_t offset, size_t size, size_t capacity);

  void AddRef() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Release() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) Free();
  }
  bool unique() const { return references_.load(std::memory_order_acquire) == 1; }

  char* data() { return reinterpret_cast<char*>(this) + offset_; }
  const char* data() const { return reinterpret_cast<const char*>(this) + offset_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  void set_size(size_t size) { size_ = size; }
  std::string_view view() const { return {data(), size_}; }
  // Heap bytes.
  size_t MemoryBytes() const { return SizeClass(offset_ + capacity_); }
  bool IsSlowToFree() const { return capacity_ >= kSlowToFreeBytes; }

 private:
  Blob(uint32_t offset, size_t size, size_t capacity)
      : offset_(offset), size_(size), capacity_(capacity) {}
  void Free();

  std::atomic<uint32_t> references_{1};
  uint32_t offset_;
  size_t size_;
  size_t capacity_;
};

// Bytes that may be had without a copy.
class BlobSource {
 public:
  // A blob of these bytes, with one reference, the caller's; nullptr if they are not to be had.
  // They stay where they are.
  virtual Blob* Take(std::string_view bytes) = 0;

 protected:
  ~BlobSource() = default;
};

// A blob of the bytes, from the source (which may be null) or copied. nullptr: no memory.
Blob* TakeOrCopy(BlobSource* source, std::string_view bytes);

}  // namespace spinel
