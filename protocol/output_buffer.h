// Bytes on their way to a client: a sequence of chunks, some owned, some pinned (a reference to an
// immutable value that is sent without being copied).
//
// Each loop has one as a staging area that all its connections write their replies to and that keeps
// its first chunk for ever, so that the hot path touches the same few cache lines; what the socket
// does not take at once moves to a buffer of the connection.
//
// Owner: a loop, a connection or a test. Threads: one at a time; pins may be released on another.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace spinel {

// A counted reference to bytes that live elsewhere. `release(owner)` is called exactly once.
struct Pin {
  const char* data = nullptr;
  size_t size = 0;
  void* owner = nullptr;
  void (*release)(void* owner) = nullptr;
};

class OutputBuffer {
 public:
  static constexpr size_t kChunkBytes = 64 * 1024;

  OutputBuffer() = default;
  ~OutputBuffer();
  OutputBuffer(OutputBuffer&& other) noexcept;
  OutputBuffer& operator=(OutputBuffer&& other) noexcept;

  // Room for `size` contiguous bytes, to be filled and then committed (at most `size` of them).
  char* Reserve(size_t size) {
    if (static_cast<size_t>(limit_ - tail_) < size) AddChunk(size);
    return tail_;
  }
  void Commit(size_t size) {
    tail_ += size;
    size_ += size;
  }
  void Append(std::string_view bytes) {
    char* to = Reserve(bytes.size());
    std::memcpy(to, bytes.data(), bytes.size());
    Commit(bytes.size());
  }
  // Takes over the reference.
  void AppendPinned(Pin pin);
  // Moves everything of `other` behind what is here; `other` is empty afterwards.
  void AppendBuffer(OutputBuffer&& other);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // A place in the buffer, valid until bytes before it are consumed.
  struct Mark {
    size_t chunk = 0;   // index of the chunk
    size_t offset = 0;  // bytes of that chunk before the mark
    size_t size = 0;    // size() at the mark
  };
  Mark mark() const;
  // Drops everything behind the mark.
  void TruncateTo(const Mark& mark);
  // Inserts bytes at the mark: for array headers whose count is known only at the end.
  void InsertAt(const Mark& mark, std::string_view bytes);

  // Fills at most `max` vectors with the front of the buffer and returns how many.
  int FillIovec(struct iovec* vectors, int max) const;
  // Drops `size` bytes from the front.
  void Consume(size_t size);
  // Drops everything. Keeps one chunk of the default size if there is one.
  void Clear();
  // Heap bytes held: the chunks' capacity and the pinned bytes.
  size_t MemoryBytes() const;
  // The whole content: for tests and for small messages.
  std::string Flatten() const;

 private:
  struct Chunk {
    char* begin = nullptr;       // owned memory, or null when pinned
    size_t capacity = 0;
    const char* data = nullptr;  // first byte that is not consumed
    size_t size = 0;             // of the last chunk this is stale: see tail_
    Pin pin;
  };

  void AddChunk(size_t at_least);
  void SealTail();  // writes the tail's size into its chunk
  void FreeChunk(Chunk* chunk);

  std::vector<Chunk> chunks_;
  size_t head_ = 0;        // first chunk that is not wholly consumed
  char* tail_ = nullptr;   // where the next byte goes, in the last chunk if that is owned
  char* limit_ = nullptr;  // the end of the last chunk
  size_t size_ = 0;
};

}  // namespace spinel
