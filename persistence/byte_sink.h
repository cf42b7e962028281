// Where serialised bytes go: memory or a file, behind one buffered interface whose fast path is a
// copy into a buffer.
//
// Owner and threads: one thread at a time. Errors are latched: after one, what is written is
// dropped, and ok() is false.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>

namespace spinel {

class ByteSink {
 public:
  // What Reserve() is asked for at the most.
  static constexpr size_t kMaxReserve = 256 * 1024;

  ByteSink() = default;
  virtual ~ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;

  void Byte(uint8_t byte) {
    char* const to = Reserve(1);
    *to = static_cast<char>(byte);
    Commit(to + 1);
  }
  void Write(std::string_view bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes.size()) [[unlikely]]
      return WriteSlowly(bytes);
    if (bytes.empty()) return;
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  // A number as it lies in memory: the lowest byte first.
  template <typename Number>
  void Raw(Number number) {
    static_assert(std::is_arithmetic_v<Number>);
    char* const to = Reserve(sizeof(number));
    std::memcpy(to, &number, sizeof(number));
    Commit(to + sizeof(number));
  }

  // Room for `bytes` <= kMaxReserve bytes in a row, to be filled from its beginning; Commit() says
  // how far it was.
  char* Reserve(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) [[unlikely]]
      MakeRoom(bytes);
    return at_;
  }
  void Commit(char* end) { at_ = end; }

  // Bytes taken so far.
  uint64_t written() const { return passed_on_ + static_cast<uint64_t>(at_ - begin_); }
  // Of everything so far; 0 if the sink was made without checksum.
  virtual uint64_t Checksum() = 0;
  virtual bool ok() const { return true; }

 protected:
  // Sees to it that at least `bytes` bytes fit in at at_.
  virtual void MakeRoom(size_t bytes) = 0;
  virtual void WriteSlowly(std::string_view bytes) = 0;

  char* begin_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
  uint64_t passed_on_ = 0;  // bytes that are in the buffer no more
};

// Memory that grows. Ends the process when there is none, as the store does.
class MemorySink final : public ByteSink {
 public:
  MemorySink() = default;
  ~MemorySink() override;

  // Valid until the next write.
  std::string_view bytes() const { return {begin_, static_cast<size_t>(at_ - begin_)}; }
  // Forgets the bytes, but not the memory.
  void Clear() { at_ = begin_; }
  uint64_t Checksum() override;

 private:
  void MakeRoom(size_t bytes) override;
  void WriteSlowly(std::string_view bytes) override;
};

// A file descriptor, which stays the caller's.
class FdSink final : public ByteSink {
 public:
  explicit FdSink(int fd, bool checksum = true);

  // Writes what is buffered. False: it, or something before, could not be written.
  bool Flush();
  bool ok() const override { return error_ == 0; }
  // errno of the first failure, or 0.
  int error() const { return error_; }
  // Flushes nothing.
  uint64_t Checksum() override;

 private:
  void MakeRoom(size_t bytes) override;
  void WriteSlowly(std::string_view bytes) override;
  void WriteOut(std::string_view bytes);

  const int fd_;
  const bool with_checksum_;
  int error_ = 0;
  uint64_t crc_ = 0;  // of what has been passed on
  std::unique_ptr<char[]> buffer_;
};

}  // namespace spinel
