// Bytes on their way to a client: a sequence of segments, some in blocks of the buffer's own, some
// pinned (a reference to an immutable value that is sent without being copied).
//
// Each loop has one as a staging area that all its connections write their replies to and that
// keeps its first block for ever, so that the hot path touches the same few cache lines; what the
// socket does not take at once moves to a buffer of the connection.
//
// Owner: a loop, a connection or a test. Threads: one at a time; pins may be released on another.
// Memory comes from malloc; when there is none the process aborts, as it would in the allocator's
// own out-of-memory path: limits on replies have to be checked before they are written.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace spinel {

// A counted reference to bytes that live elsewhere. `release(owner)` is called exactly once;
// without it the bytes are static, and MemoryBytes does not count them.
struct Pin {
  const char* data = nullptr;
  size_t size = 0;
  void* owner = nullptr;
  void (*release)(void* owner) = nullptr;
};

class OutputBuffer {
 public:
  // What a block takes from the allocator, with its header, unless more is asked for in one piece.
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
    if (bytes.empty()) return;
    char* to = Reserve(bytes.size());
    std::memcpy(to, bytes.data(), bytes.size());
    Commit(bytes.size());
  }
  // Takes over the reference.
  void AppendPinned(Pin pin);
  // Moves everything of `other` behind what is here; `other` is empty afterwards, as after Clear().
  // Pins and blocks that are at least half full change hands. The rest is copied into blocks that
  // grow with the buffer, so that a connection never holds a large block for a few bytes.
  void AppendBuffer(OutputBuffer&& other);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // A place in the buffer. Valid until bytes before it are consumed, or inserted or truncated in
  // front of it: nested marks end in the reverse order of their beginning.
  struct Mark {
    size_t segment = 0;  // its index
    size_t offset = 0;   // bytes of that segment before the mark
    size_t size = 0;     // size() at the mark
  };
  Mark mark() const;
  // Drops everything behind the mark.
  void TruncateTo(const Mark& mark);
  // Inserts bytes at the mark: for array headers whose count is known only at the end.
  void InsertAt(const Mark& mark, std::string_view bytes);

  // Fills at most `max` vectors with the front of the buffer and returns how many.
  int FillIovec(struct iovec* vectors, int max) const;
  // Drops `size` bytes (at most size()) from the front. When nothing is left this is Clear().
  void Consume(size_t size);
  // Drops everything. Keeps one block of the default size if there is one.
  void Clear();
  // Drops everything and every block: for a connection whose output is drained.
  void FreeMemory();
  // Heap bytes held: blocks, with what is unused of them, and pinned bytes that are not consumed.
  size_t MemoryBytes() const { return held_ + segments_.capacity() * sizeof(Segment); }
  // The pieces that the content lies in.
  size_t segments() const { return empty() ? 0 : segments_.size() - head_; }
  // The whole content: for tests and for small messages.
  std::string Flatten() const;

 private:
  struct Block;  // memory with a count of the segments that lie in it

  struct Segment {
    const char* data = nullptr;  // first byte that is not consumed
    size_t size = 0;             // of the open segment this is stale: see SizeOf
    Block* block = nullptr;      // null when pinned
    void* owner = nullptr;       // of a pin
    void (*release)(void* owner) = nullptr;
  };

  // Prepares for `size` bytes at tail_: in the block in use if it has room behind a pin, otherwise
  // in a new one with room for at least `block_bytes`.
  void OpenSegment(size_t size, size_t block_bytes);
  void AddChunk(size_t size);  // the out-of-line part of Reserve
  void Open(Block* block);     // a new segment where `block` is unused
  void Seal();                 // writes the open segment's size down
  void ExtendLast();           // tail_ and limit_ of the last segment, if more can be written there
  void AppendCopy(const char* data, size_t size, size_t expected);
  void AppendMoved(Segment* segment, OutputBuffer* from);
  bool InsertInPlace(const Mark& mark, std::string_view bytes);
  void Drop(Segment* segment);
  void Unref(Block* block);
  Block* NewBlock(size_t bytes);
  size_t SizeOf(const Segment& segment) const {
    const bool open = segment.block != nullptr && &segment == &segments_.back();
    return open ? static_cast<size_t>(tail_ - segment.data) : segment.size;
  }

  // The last segment is open if it lies in a block: its end is tail_.
  std::vector<Segment> segments_;
  size_t head_ = 0;        // first segment that is not wholly consumed
  char* tail_ = nullptr;   // where the next byte goes
  char* limit_ = nullptr;  // how far the open segment can grow; tail_ if not at all
  size_t size_ = 0;
  size_t held_ = 0;  // see MemoryBytes
};

}  // namespace spinel
