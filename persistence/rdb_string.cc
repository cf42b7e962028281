#include "persistence/rdb_string.h"

#include <lzf.h>

#include <bit>
#include <cstring>
#include <limits>
#include <memory>

#include "persistence/rdb_format.h"
#include "storage/integer_set.h"

namespace spinel {
namespace {

constexpr size_t kMaxLengthBytes = 9;

// False: it is not one, or needs more than 32 bits.
bool ReadShortInteger(std::string_view text, int64_t* value) {
  if (text.empty() || text.size() > kRdbMaxIntegerText) return false;
  if ((text[0] < '0' || text[0] > '9') && text[0] != '-') return false;
  return ReadCanonicalInteger(text, value) && *value >= INT32_MIN && *value <= INT32_MAX;
}

template <typename Integer>
void WriteEncoded(ByteSink* sink, RdbStringEncoding encoding, int64_t value) {
  sink->Byte(static_cast<uint8_t>(kRdbLengthEncoded | static_cast<uint8_t>(encoding)));
  sink->Raw(static_cast<Integer>(value));
}

// Expects 32 bits to do.
void WriteShortInteger(ByteSink* sink, int64_t value) {
  if (value >= INT8_MIN && value <= INT8_MAX) {
    WriteEncoded<int8_t>(sink, RdbStringEncoding::kInt8, value);
  } else if (value >= INT16_MIN && value <= INT16_MAX) {
    WriteEncoded<int16_t>(sink, RdbStringEncoding::kInt16, value);
  } else {
    WriteEncoded<int32_t>(sink, RdbStringEncoding::kInt32, value);
  }
}

// Room for what is compressed, kept from one string to the next unless it is a lot.
class CompressRoom {
 public:
  char* Get(size_t bytes) {
    if (bytes > capacity_) {
      room_.reset(new char[bytes]);
      capacity_ = bytes;
    }
    return room_.get();
  }
  void GiveBackMuch() {
    constexpr size_t kMuch = 1024 * 1024;
    if (capacity_ <= kMuch) return;
    room_.reset();
    capacity_ = 0;
  }

 private:
  std::unique_ptr<char[]> room_;
  size_t capacity_ = 0;
};

}  // namespace

bool WriteRdbCompressed(ByteSink* sink, std::string_view bytes) {
  thread_local CompressRoom room;
  constexpr size_t kLeastSaving = 4;
  if (bytes.size() < kRdbMinCompressed || bytes.size() > std::numeric_limits<uint32_t>::max()) {
    return false;
  }
  const auto size = static_cast<unsigned>(bytes.size());
  const auto capacity = static_cast<unsigned>(bytes.size() - kLeastSaving);
  char* const to = room.Get(capacity);
  const unsigned compressed = lzf_compress(bytes.data(), size, to, capacity);
  if (compressed > 0) {
    sink->Byte(kRdbLengthEncoded | static_cast<uint8_t>(RdbStringEncoding::kLzf));
    WriteRdbLength(sink, compressed);
    WriteRdbLength(sink, size);
    sink->Write({to, compressed});
  }
  room.GiveBackMuch();
  return compressed > 0;
}

size_t SpellRdbLength(uint64_t length, char* to) {
  if (length < 1u << 6) {
    to[0] = static_cast<char>(kRdbLength6 | length);
    return 1;
  }
  if (length < 1u << 14) {
    to[0] = static_cast<char>(kRdbLength14 | length >> 8);
    to[1] = static_cast<char>(length);
    return 2;
  }
  if (length <= std::numeric_limits<uint32_t>::max()) {
    to[0] = static_cast<char>(kRdbLength32);
    const uint32_t big_endian = __builtin_bswap32(static_cast<uint32_t>(length));
    std::memcpy(to + 1, &big_endian, sizeof(big_endian));
    return 5;
  }
  to[0] = static_cast<char>(kRdbLength64);
  const uint64_t big_endian = __builtin_bswap64(length);
  std::memcpy(to + 1, &big_endian, sizeof(big_endian));
  return kMaxLengthBytes;
}

void WriteRdbLength(ByteSink* sink, uint64_t length) {
  char* const to = sink->Reserve(kMaxLengthBytes);
  sink->Commit(to + SpellRdbLength(length, to));
}

void WriteRdbBytes(ByteSink* sink, std::string_view bytes, bool compress) {
  if (compress && WriteRdbCompressed(sink, bytes)) return;
  WriteRdbLength(sink, bytes.size());
  sink->Write(bytes);
}

void WriteRdbString(ByteSink* sink, std::string_view text, bool compress) {
  int64_t value;
  if (ReadShortInteger(text, &value)) {
    WriteShortInteger(sink, value);
  } else {
    WriteRdbBytes(sink, text, compress);
  }
}

void WriteRdbInteger(ByteSink* sink, int64_t value) {
  if (value >= INT32_MIN && value <= INT32_MAX) return WriteShortInteger(sink, value);
  char room[kIntegerChars];
  WriteRdbBytes(sink, WriteInteger(value, room), /*compress=*/false);
}

}  // namespace spinel
