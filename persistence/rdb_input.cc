#include "persistence/rdb_input.h"

#include <fmt/format.h>
#include <lzf.h>

#include <cstring>
#include <limits>
#include <utility>

#include "persistence/rdb_format.h"

namespace spinel {
namespace {

constexpr uint64_t kMaxElementBytes = std::numeric_limits<uint32_t>::max();
// What three bytes of LZF become at the most is 264 bytes.
constexpr uint64_t kMaxCompression = 88;

}  // namespace

bool RdbInput::FailAt(uint64_t offset, std::string_view expected) {
  if (failed()) return false;
  if (source_->error() != 0) {
    message_ = fmt::format("offset {}: {}", source_->offset(), std::strerror(source_->error()));
  } else {
    message_ = fmt::format("offset {}: expected {}", offset, expected);
    if (source_->remaining() == 0) message_ += ", and the data ends";
  }
  return false;
}

bool RdbInput::FailWith(std::string message) {
  if (!failed()) message_ = std::move(message);
  return false;
}

void RdbInput::AddContext(std::string_view context) {
  message_ = fmt::format("{}: {}", context, message_);
}

bool RdbInput::FailIn(const RdbString& string, const PackedCursor& cursor) {
  const uint64_t inside = cursor.error_offset();
  if (string.is_raw()) {
    const auto head = source_->offset() - string.bytes().size();
    return FailWith(fmt::format("offset {}: expected {}", head + inside, cursor.expected()));
  }
  return FailWith(fmt::format("offset {}: in what is compressed there, at byte {}: expected {}",
                              string.offset(), inside, cursor.expected()));
}

bool RdbInput::Skip(size_t bytes) {
  item_ = source_->offset();
  return source_->Take(bytes) != nullptr || Fail("bytes that are passed over");
}

bool RdbInput::ReadLength(uint64_t* length, bool* is_encoded) {
  *is_encoded = false;
  item_ = source_->offset();
  uint8_t first;
  if (!source_->Read(reinterpret_cast<char*>(&first), 1)) return Fail("a length");
  switch (first & kRdbLengthMask) {
    case kRdbLength6:
      *length = first;
      return true;
    case kRdbLength14: {
      uint8_t second;
      if (!source_->Read(reinterpret_cast<char*>(&second), 1)) return Fail("a length of 2 bytes");
      *length = (first & ~kRdbLengthMask & 0xffu) << 8 | second;
      return true;
    }
    case kRdbLengthEncoded:
      *is_encoded = true;
      *length = first & ~kRdbLengthMask & 0xffu;
      return true;
    default:
      break;
  }
  if (first == kRdbLength32) {
    uint32_t big_endian;
    if (!source_->Read(reinterpret_cast<char*>(&big_endian), 4)) return Fail("a length of 5 bytes");
    *length = __builtin_bswap32(big_endian);
    return true;
  }
  if (first != kRdbLength64) return Fail("a length");
  uint64_t big_endian;
  if (!source_->Read(reinterpret_cast<char*>(&big_endian), 8)) return Fail("a length of 9 bytes");
  *length = __builtin_bswap64(big_endian);
  return true;
}

bool RdbInput::Length(uint64_t* length) {
  bool is_encoded;
  if (!ReadLength(length, &is_encoded)) return false;
  return !is_encoded || Fail("a length");
}

bool RdbInput::Count(size_t min_bytes, uint64_t* count) {
  if (!Length(count)) return false;
  if (*count <= source_->remaining() / min_bytes) return true;
  return Fail(fmt::format("a number of elements that the {} bytes left can hold, not {}",
                          source_->remaining(), *count));
}

bool RdbInput::ReadString(RdbString* string, bool may_be_blob) {
  string->Drop();
  string->is_raw_ = false;
  uint64_t length;
  bool is_encoded;
  if (!ReadLength(&length, &is_encoded)) return false;
  string->offset_ = item_;
  if (!is_encoded) return ReadRaw(length, string, may_be_blob);
  switch (static_cast<RdbStringEncoding>(length)) {
    case RdbStringEncoding::kInt8:
      return ReadInteger(1, string);
    case RdbStringEncoding::kInt16:
      return ReadInteger(2, string);
    case RdbStringEncoding::kInt32:
      return ReadInteger(4, string);
    case RdbStringEncoding::kLzf:
      return ReadCompressed(string, may_be_blob);
  }
  return Fail("a string");
}

bool RdbInput::ReadInteger(size_t bytes, RdbString* string) {
  int32_t bits = 0;
  if (!source_->Read(reinterpret_cast<char*>(&bits), bytes)) return Fail("an integer");
  const int64_t value = bytes == 1   ? static_cast<int8_t>(bits)
                        : bytes == 2 ? static_cast<int16_t>(bits)
                                     : bits;
  string->bytes_ = WriteInteger(value, string->digits_);
  return true;
}

char* RdbInput::RoomFor(uint64_t size, RdbString* string, bool may_be_blob) {
  if (!may_be_blob || size < Blob::kMinBytes) {
    string->scratch_.resize(size);
    string->bytes_ = string->scratch_;
    return string->scratch_.data();
  }
  string->blob_ = Blob::Create(size, size);
  if (string->blob_ == nullptr) {
    FailWith(fmt::format("offset {}: no memory for a string of {} bytes", item_, size));
    return nullptr;
  }
  string->bytes_ = string->blob_->view();
  return string->blob_->data();
}

bool RdbInput::ReadRaw(uint64_t size, RdbString* string, bool may_be_blob) {
  if (size > source_->remaining()) {
    return Fail(fmt::format("a string that the {} bytes left can hold, not one of {}",
                            source_->remaining(), size));
  }
  if (may_be_blob && size >= Blob::kMinBytes) {
    char* const to = RoomFor(size, string, may_be_blob);
    if (to == nullptr) return false;
    return source_->Read(to, size) || Fail("a string");
  }
  if (size > kMaxElementBytes) return Fail("a string of less than 4 GB");
  const char* const bytes = source_->Take(size);
  if (bytes == nullptr) return Fail("a string");
  string->bytes_ = {bytes, static_cast<size_t>(size)};
  string->is_raw_ = true;
  return true;
}

bool RdbInput::ReadCompressed(RdbString* string, bool may_be_blob) {
  const uint64_t begin = item_;
  uint64_t compressed;
  uint64_t size;
  if (!Length(&compressed) || !Length(&size)) return false;
  item_ = begin;
  if (compressed > source_->remaining() || compressed > kMaxElementBytes) {
    return Fail(fmt::format("a compressed string that the {} bytes left can hold, not one of {}",
                            source_->remaining(), compressed));
  }
  if (size == 0 || size > kMaxElementBytes || size > compressed * kMaxCompression) {
    return Fail(fmt::format("a size that {} compressed bytes can have, not {}", compressed, size));
  }
  const char* const from = source_->Take(compressed);
  if (from == nullptr) return Fail("a compressed string");
  char* const to = RoomFor(size, string, may_be_blob);
  if (to == nullptr) return false;
  const unsigned done =
      lzf_decompress(from, static_cast<unsigned>(compressed), to, static_cast<unsigned>(size));
  return done == size || Fail("a compressed string that is whole");
}

}  // namespace spinel
