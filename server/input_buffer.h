// What a connection has received and could not execute yet.
//
// A request that is hardly more than one big value is not copied: the buffer becomes the value
// (Take), and the connection gets a new one.
//
// Owner: a Connection. Threads: its loop's.
#pragma once

#include <cstddef>
#include <string_view>

#include "storage/blob.h"

namespace spinel {

// Bytes received that do not make a whole request yet.
class InputBuffer final : public BlobSource {
 public:
  // What becomes of the memory that the data no longer needs.
  enum class Room : uint8_t { kFree, kKeep };

  InputBuffer() = default;
  ~InputBuffer();
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;

  char* data() { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t capacity() const { return capacity_; }

  // Room for at least `bytes` behind the data; no more than that in the beginning. False: no
  // memory.
  bool Reserve(size_t bytes);
  char* end() { return data_ + size_; }
  size_t room() const { return capacity_ - size_; }
  void Commit(size_t bytes);
  bool Append(std::string_view bytes);
  // Drops bytes from the front. kFree: frees the memory with the last one. False: no memory for
  // the bytes behind those that were given away; they are lost.
  bool Consume(size_t bytes, Room room);
  // Drops all.
  void Free();
  // Gives room back beyond `capacity` bytes, or all of it if there is no data. For capacities that
  // can't be had nothing changes.
  void ShrinkTo(size_t capacity);
  // The most bytes that were held since this was last called.
  size_t TakePeak();

  // Gives the memory away if `bytes` are most of it. The data stays where it is, to be read only,
  // up to the next Consume, which must drop all of `bytes`.
  Blob* Take(std::string_view bytes) override;

 private:
  // The data begins behind room for a Blob.
  static constexpr size_t kHeader = sizeof(Blob);

  bool Resize(size_t capacity);
  bool Renew(size_t consumed, Room room);

  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t peak_ = 0;
  Blob* given_ = nullptr;  // what the memory has become; a reference
};

}  // namespace spinel
