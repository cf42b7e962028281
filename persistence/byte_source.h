// Where serialised bytes come from: memory or a file, both of a known size, so that no length in
// them can ask for more than there is.
//
// Owner and threads: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace spinel {

class ByteSource {
 public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Of the next byte, and how many there are from there on.
  uint64_t offset() const { return size_ - remaining(); }
  uint64_t remaining() const { return behind_ + static_cast<uint64_t>(end_ - at_); }

  // The next `bytes` bytes in a row, valid until the next call. nullptr: there are not as many, or
  // they cannot be read (error()); none is consumed.
  const char* Take(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes && !Fill(bytes)) [[unlikely]]
      return nullptr;
    const char* const taken = at_;
    at_ += bytes;
    return taken;
  }
  // What can be taken without asking for more; it may be less than there is. Valid until the next
  // call.
  std::string_view window() const { return {at_, static_cast<size_t>(end_ - at_)}; }
  // Copies them. False: as nullptr above, but some may be consumed.
  bool Read(char* to, size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) [[unlikely]]
      return ReadSlowly(to, bytes);
    if (bytes > 0) std::memcpy(to, at_, bytes);
    at_ += bytes;
    return true;
  }

  // Of everything consumed so far; 0 if the source was made without checksum.
  virtual uint64_t Checksum() = 0;
  // errno of a read that failed, or 0.
  virtual int error() const { return 0; }

 protected:
  // Sees to it that at least `bytes` bytes lie in a row at at_.
  virtual bool Fill(size_t bytes) = 0;
  virtual bool ReadSlowly(char* to, size_t bytes) = 0;

  const char* at_ = nullptr;
  const char* end_ = nullptr;
  uint64_t behind_ = 0;  // bytes that the buffer has not got yet
  uint64_t size_ = 0;
};

// Bytes that outlive the source.
class MemorySource final : public ByteSource {
 public:
  // `base`: the offset of the first byte.
  explicit MemorySource(std::string_view bytes, bool checksum = true, uint64_t base = 0);
  uint64_t Checksum() override;

 private:
  bool Fill(size_t) override { return false; }
  bool ReadSlowly(char*, size_t) override { return false; }

  const bool with_checksum_;
  uint64_t crc_ = 0;
  const char* summed_;  // crc_ is of what is in front of it
};

// A file descriptor, which stays the caller's, to be read from its position on.
class FdSource final : public ByteSource {
 public:
  // `size`: bytes of the file from there on.
  FdSource(int fd, uint64_t size, bool checksum = true);

  uint64_t Checksum() override;
  int error() const override { return error_; }

 private:
  bool Fill(size_t bytes) override;
  bool ReadSlowly(char* to, size_t bytes) override;
  // Reads at least `min` and at most `max` bytes; returns how many, or fewer than `min` on failure.
  size_t ReadFile(char* to, size_t min, size_t max);
  void SumUp();

  const int fd_;
  const bool with_checksum_;
  int error_ = 0;
  uint64_t crc_ = 0;
  const char* summed_ = nullptr;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
};

}  // namespace spinel
