// Elements of big values, copied quickly under a lock, to be written to a file later without.
//
// Owner: a picture of a big value. Threads: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "persistence/byte_sink.h"
#include "storage/entry.h"
#include "storage/value_picture.h"

namespace spinel {

class ElementLog {
 public:
  // What an element has beside its name.
  enum class Form : uint8_t { kName, kField, kExpiringField, kScored };

  explicit ElementLog(Form form) : form_(form) {}
  ~ElementLog() { Clear(); }
  ElementLog(const ElementLog&) = delete;
  ElementLog& operator=(const ElementLog&) = delete;

  // Copies the element; of a blob it takes a reference.
  void Add(const PictureElement& element);
  // Writes all elements as an RDB file has them.
  void WriteTo(ByteSink* sink, bool compress) const;
  void Clear();
  void Swap(ElementLog* other);

  uint64_t count() const { return count_; }
  // Heap bytes, with those of the blobs.
  size_t bytes() const { return bytes_; }
  // Bytes that were copied.
  size_t copied_bytes() const { return copied_bytes_; }

 private:
  Form form_;
  uint64_t count_ = 0;
  size_t bytes_ = 0;
  size_t copied_bytes_ = 0;
  // Each element lies in one block. Blocks do not move: copying a long log would take long.
  std::deque<std::string> blocks_;
  std::vector<Blob*> blobs_;
};

}  // namespace spinel
