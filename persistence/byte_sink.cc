#include "persistence/byte_sink.h"

#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <new>

#include "persistence/crc64.h"

namespace spinel {

MemorySink::~MemorySink() { std::free(begin_); }

uint64_t MemorySink::Checksum() { return Crc64(0, bytes()); }

void MemorySink::MakeRoom(size_t bytes) {
  constexpr size_t kFirstBytes = 1024;
  const auto used = static_cast<size_t>(at_ - begin_);
  const size_t capacity = std::max({kFirstBytes, 2 * used, used + bytes});
  char* const grown = static_cast<char*>(std::realloc(begin_, capacity));
  if (grown == nullptr) throw std::bad_alloc();
  begin_ = grown;
  at_ = grown + used;
  end_ = grown + capacity;
}

void MemorySink::WriteSlowly(std::string_view bytes) {
  MakeRoom(bytes.size());
  std::memcpy(at_, bytes.data(), bytes.size());
  at_ += bytes.size();
}

FdSink::FdSink(int fd, bool checksum)
    : fd_(fd), with_checksum_(checksum), buffer_(new char[kMaxReserve]) {
  begin_ = at_ = buffer_.get();
  end_ = begin_ + kMaxReserve;
}

bool FdSink::Flush() {
  WriteOut({begin_, static_cast<size_t>(at_ - begin_)});
  at_ = begin_;
  return ok();
}

uint64_t FdSink::Checksum() {
  if (!with_checksum_) return 0;
  return Crc64(crc_, {begin_, static_cast<size_t>(at_ - begin_)});
}

void FdSink::MakeRoom(size_t bytes) {
  assert(bytes <= kMaxReserve);
  Flush();
}

void FdSink::WriteSlowly(std::string_view bytes) {
  Flush();
  if (bytes.size() >= kMaxReserve) return WriteOut(bytes);
  std::memcpy(at_, bytes.data(), bytes.size());
  at_ += bytes.size();
}

void FdSink::WriteOut(std::string_view bytes) {
  passed_on_ += bytes.size();
  if (error_ != 0) return;
  if (with_checksum_) crc_ = Crc64(crc_, bytes);
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      error_ = errno;
      return;
    }
    if (count == 0) {  // not what POSIX has regular files do, but no reason to spin
      error_ = EIO;
      return;
    }
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

}  // namespace spinel
