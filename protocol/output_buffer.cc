#include "protocol/output_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace spinel {

// A block is filled from its front to its end and never reused in part, so several segments can lie
// in it, with pins between them. Freed with its last segment.
struct OutputBuffer::Block {
  char* used;  // the end of its last segment, once that is sealed
  char* end;
  size_t segments;
  bool moved;  // scratch of AppendBuffer

  char* begin() { return reinterpret_cast<char*>(this + 1); }
  // With the header.
  size_t bytes() { return static_cast<size_t>(end - reinterpret_cast<char*>(this)); }
};

namespace {

constexpr size_t kSmallestBlock = 256;
// A vector of segments beyond this many is given back when the buffer is cleared.
constexpr size_t kKeptSegments = 4096;
// An insertion moves at most this many bytes; otherwise it splits the segment.
constexpr size_t kMaxMoved = OutputBuffer::kChunkBytes;

}  // namespace

OutputBuffer::~OutputBuffer() { FreeMemory(); }

OutputBuffer::OutputBuffer(OutputBuffer&& other) noexcept { *this = std::move(other); }

OutputBuffer& OutputBuffer::operator=(OutputBuffer&& other) noexcept {
  if (this == &other) return *this;
  FreeMemory();
  segments_.swap(other.segments_);
  head_ = std::exchange(other.head_, 0);
  tail_ = std::exchange(other.tail_, nullptr);
  limit_ = std::exchange(other.limit_, nullptr);
  size_ = std::exchange(other.size_, 0);
  held_ = std::exchange(other.held_, 0);
  return *this;
}

OutputBuffer::Block* OutputBuffer::NewBlock(size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) std::abort();
  Block* block = new (memory) Block{nullptr, static_cast<char*>(memory) + bytes, 0, false};
  block->used = block->begin();
  held_ += bytes;
  return block;
}

void OutputBuffer::Unref(Block* block) {
  if (--block->segments != 0) return;
  held_ -= block->bytes();
  std::free(block);
}

void OutputBuffer::Drop(Segment* segment) {
  if (segment->block != nullptr) {
    Unref(segment->block);
  } else if (segment->release != nullptr) {
    held_ -= segment->size;
    segment->release(segment->owner);
  }
}

void OutputBuffer::Seal() {
  if (segments_.empty()) return;
  Segment& last = segments_.back();
  if (last.block == nullptr) return;
  last.size = static_cast<size_t>(tail_ - last.data);
  last.block->used = std::max(last.block->used, tail_);
}

void OutputBuffer::ExtendLast() {
  tail_ = limit_ = nullptr;
  if (segments_.empty() || segments_.back().block == nullptr) return;
  const Segment& last = segments_.back();
  tail_ = const_cast<char*>(last.data) + last.size;
  limit_ = tail_ == last.block->used ? last.block->end : tail_;
}

void OutputBuffer::Open(Block* block) {
  ++block->segments;
  segments_.push_back({block->used, 0, block, nullptr, nullptr});
  tail_ = block->used;
  limit_ = block->end;
}

void OutputBuffer::OpenSegment(size_t size, size_t block_bytes) {
  Seal();
  // Behind a pin the block before it goes on.
  const size_t count = segments_.size();
  for (size_t back = 1; back <= 2 && back <= count; ++back) {
    Block* block = segments_[count - back].block;
    if (block == nullptr) continue;
    if (static_cast<size_t>(block->end - block->used) >= size) return Open(block);
    break;
  }
  Open(NewBlock(std::max(size + sizeof(Block), block_bytes)));
}

void OutputBuffer::AddChunk(size_t size) { OpenSegment(size, kChunkBytes); }

void OutputBuffer::AppendPinned(Pin pin) {
  if (pin.size == 0) {
    if (pin.release != nullptr) pin.release(pin.owner);
    return;
  }
  Seal();
  segments_.push_back({pin.data, pin.size, nullptr, pin.owner, pin.release});
  tail_ = limit_ = nullptr;
  size_ += pin.size;
  if (pin.release != nullptr) held_ += pin.size;
}

void OutputBuffer::AppendCopy(const char* data, size_t size, size_t expected) {
  if (static_cast<size_t>(limit_ - tail_) < size) {
    // Doubling up to the default size: small remains stay small, long queues get few blocks.
    const size_t grown = std::min(std::max(size_, kSmallestBlock), kChunkBytes);
    OpenSegment(size, std::max(grown, std::min(expected + sizeof(Block), kChunkBytes)));
  }
  std::memcpy(tail_, data, size);
  Commit(size);
}

void OutputBuffer::AppendMoved(Segment* segment, OutputBuffer* from) {
  Seal();
  segments_.push_back(*segment);
  size_ += segment->size;
  size_t bytes = 0;
  if (Block* block = segment->block; block == nullptr) {
    bytes = segment->release != nullptr ? segment->size : 0;
  } else if (!block->moved) {
    block->moved = true;  // counted once, however many segments it has
    bytes = block->bytes();
  }
  held_ += bytes;
  from->held_ -= bytes;
  *segment = Segment{};
  ExtendLast();
}

void OutputBuffer::AppendBuffer(OutputBuffer&& other) {
  if (&other == this) return;
  other.Seal();
  const auto is_moved = [](const Segment& segment) {
    return segment.block == nullptr || segment.size >= segment.block->bytes() / 2;
  };
  size_t to_copy = 0;
  for (size_t i = other.head_; i < other.segments_.size(); ++i) {
    if (!is_moved(other.segments_[i])) to_copy += other.segments_[i].size;
  }
  const size_t first_new = segments_.size();
  for (size_t i = other.head_; i < other.segments_.size(); ++i) {
    Segment& segment = other.segments_[i];
    if (segment.size == 0) continue;
    if (is_moved(segment)) {
      AppendMoved(&segment, &other);
    } else {
      AppendCopy(segment.data, segment.size, to_copy);
      to_copy -= segment.size;
    }
  }
  for (size_t i = first_new; i < segments_.size(); ++i) {
    if (segments_[i].block != nullptr) segments_[i].block->moved = false;
  }
  other.Clear();
}

OutputBuffer::Mark OutputBuffer::mark() const {
  if (segments_.empty()) return {0, 0, size_};
  return {segments_.size() - 1, SizeOf(segments_.back()), size_};
}

void OutputBuffer::TruncateTo(const Mark& mark) {
  if (mark.size == size_) return;
  Seal();
  // A mark in front of everything may have been set before there was a segment at all.
  size_t kept = mark.segment + 1;
  if (mark.offset == 0 && segments_[mark.segment].block == nullptr) kept = mark.segment;
  for (size_t i = kept; i < segments_.size(); ++i) Drop(&segments_[i]);
  segments_.resize(kept);
  size_ = mark.size;
  if (kept > 0 && segments_.back().block != nullptr) {
    Segment& last = segments_.back();
    last.size = mark.offset;
    last.block->used = const_cast<char*>(last.data) + last.size;
  }
  ExtendLast();
}

// Moves what follows the mark in its segment, if there is room behind it.
bool OutputBuffer::InsertInPlace(const Mark& mark, std::string_view bytes) {
  Segment& segment = segments_[mark.segment];
  if (segment.block == nullptr) return false;
  const bool last = mark.segment + 1 == segments_.size();
  const size_t size = SizeOf(segment);
  char* end = const_cast<char*>(segment.data) + size;
  char* limit = segment.block->end;
  if (last) {
    limit = limit_;
  } else if (end != segment.block->used || segment.block == segments_.back().block) {
    limit = end;  // others lie behind it
  }
  const size_t moved = size - mark.offset;
  if (static_cast<size_t>(limit - end) < bytes.size() || moved > kMaxMoved) return false;
  char* at = end - moved;
  std::memmove(at + bytes.size(), at, moved);
  std::memcpy(at, bytes.data(), bytes.size());
  if (last) {
    tail_ += bytes.size();
  } else {
    segment.size += bytes.size();
    segment.block->used = end + bytes.size();
  }
  return true;
}

void OutputBuffer::InsertAt(const Mark& mark, std::string_view bytes) {
  if (mark.size == size_) return Append(bytes);
  if (bytes.empty()) return;
  if (InsertInPlace(mark, bytes)) {
    size_ += bytes.size();
    return;
  }
  Seal();
  Block* block = NewBlock(sizeof(Block) + bytes.size());
  std::memcpy(block->begin(), bytes.data(), bytes.size());
  block->used = block->end;
  block->segments = 1;
  const Segment inserted{block->begin(), bytes.size(), block, nullptr, nullptr};
  Segment& segment = segments_[mark.segment];
  const auto at = segments_.begin() + static_cast<std::ptrdiff_t>(mark.segment);
  if (mark.offset == 0) {
    segments_.insert(at, inserted);
  } else if (mark.offset == segment.size) {
    segments_.insert(at + 1, inserted);
  } else {
    // Both halves stay where they are and share the block. Marks are at a pin's ends only.
    Segment rest = segment;
    rest.data += mark.offset;
    rest.size -= mark.offset;
    segment.size = mark.offset;
    ++segment.block->segments;
    segments_.insert(at + 1, {inserted, rest});
  }
  size_ += bytes.size();
}

int OutputBuffer::FillIovec(struct iovec* vectors, int max) const {
  int count = 0;
  for (size_t i = head_; i < segments_.size() && count < max; ++i) {
    const size_t size = SizeOf(segments_[i]);
    if (size == 0) continue;
    vectors[count].iov_base = const_cast<char*>(segments_[i].data);
    vectors[count].iov_len = size;
    ++count;
  }
  return count;
}

void OutputBuffer::Consume(size_t size) {
  if (size >= size_) return Clear();
  size_ -= size;
  while (true) {
    Segment& segment = segments_[head_];
    const size_t available = SizeOf(segment);
    if (available > size) {
      segment.data += size;
      segment.size -= size;  // meaningless in the open segment, whose end is tail_
      if (segment.block == nullptr && segment.release != nullptr) held_ -= size;
      break;
    }
    size -= available;
    Drop(&segment);
    segment = Segment{};
    ++head_;
  }
  // The consumed front is erased once it is the larger part, so that a queue that never drains
  // stays bounded at a constant cost per segment.
  if (head_ >= 32 && head_ * 2 >= segments_.size()) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void OutputBuffer::Clear() {
  Block* kept = nullptr;
  for (Segment& segment : segments_) {
    if (kept == nullptr && segment.block != nullptr && segment.block->bytes() == kChunkBytes) {
      kept = segment.block;
      ++kept->segments;
    }
    Drop(&segment);
  }
  segments_.clear();
  if (segments_.capacity() > kKeptSegments) std::vector<Segment>().swap(segments_);
  head_ = 0;
  size_ = 0;
  tail_ = limit_ = nullptr;
  if (kept == nullptr) return;
  // A block that moved to another buffer in part is not ours any more.
  if (kept->segments == 1) {
    kept->used = kept->begin();
    Open(kept);
  }
  Unref(kept);
}

void OutputBuffer::FreeMemory() {
  for (Segment& segment : segments_) Drop(&segment);
  std::vector<Segment>().swap(segments_);
  head_ = 0;
  size_ = 0;
  held_ = 0;
  tail_ = limit_ = nullptr;
}

std::string OutputBuffer::Flatten() const {
  std::string result;
  result.reserve(size_);
  for (size_t i = head_; i < segments_.size(); ++i) {
    result.append(segments_[i].data, SizeOf(segments_[i]));
  }
  return result;
}

}  // namespace spinel
