#include "persistence/byte_source.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "persistence/crc64.h"

namespace spinel {

namespace {

constexpr size_t kBufferBytes = 256 * 1024;

}  // namespace

MemorySource::MemorySource(std::string_view bytes, bool checksum, uint64_t base)
    : with_checksum_(checksum) {
  at_ = summed_ = bytes.data();
  end_ = at_ + bytes.size();
  size_ = base + bytes.size();
}

uint64_t MemorySource::Checksum() {
  if (!with_checksum_) return 0;
  crc_ = Crc64(crc_, {summed_, static_cast<size_t>(at_ - summed_)});
  summed_ = at_;
  return crc_;
}

FdSource::FdSource(int fd, uint64_t size, bool checksum)
    : fd_(fd), with_checksum_(checksum), buffer_(new char[kBufferBytes]), capacity_(kBufferBytes) {
  at_ = end_ = summed_ = buffer_.get();
  behind_ = size_ = size;
}

uint64_t FdSource::Checksum() {
  SumUp();
  return crc_;
}

void FdSource::SumUp() {
  if (with_checksum_) crc_ = Crc64(crc_, {summed_, static_cast<size_t>(at_ - summed_)});
  summed_ = at_;
}

size_t FdSource::ReadFile(char* to, size_t min, size_t max) {
  size_t done = 0;
  while (done < min) {
    const ssize_t count = ::read(fd_, to + done, max - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) error_ = errno;
    if (count <= 0) break;  // 0: the file has become shorter
    done += static_cast<size_t>(count);
  }
  behind_ -= done;
  return done;
}

bool FdSource::Fill(size_t bytes) {
  if (bytes > remaining()) return false;
  SumUp();
  const auto kept = static_cast<size_t>(end_ - at_);
  if (bytes > capacity_) {
    auto grown = std::make_unique<char[]>(bytes);
    std::memcpy(grown.get(), at_, kept);
    buffer_ = std::move(grown);
    capacity_ = bytes;
  } else if (kept > 0) {
    std::memmove(buffer_.get(), at_, kept);
  }
  const size_t max = static_cast<size_t>(std::min<uint64_t>(capacity_ - kept, behind_));
  const size_t read = ReadFile(buffer_.get() + kept, bytes - kept, max);
  at_ = summed_ = buffer_.get();
  end_ = at_ + kept + read;
  return kept + read >= bytes;
}

bool FdSource::ReadSlowly(char* to, size_t bytes) {
  if (bytes > remaining()) return false;
  const auto here = static_cast<size_t>(end_ - at_);
  if (bytes - here < kBufferBytes) {
    const char* const from = Take(bytes);
    if (from == nullptr) return false;
    std::memcpy(to, from, bytes);
    return true;
  }
  std::memcpy(to, at_, here);
  at_ = end_;
  SumUp();
  const size_t left = bytes - here;
  if (ReadFile(to + here, left, left) < left) return false;
  if (with_checksum_) crc_ = Crc64(crc_, {to + here, left});
  return true;
}

}  // namespace spinel
