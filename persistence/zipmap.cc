#include "persistence/zipmap.h"

#include <cstdint>

#include "persistence/rdb_format.h"

namespace spinel {

ZipmapCursor::ZipmapCursor(std::string_view block) : PackedCursor(block) {
  if (block.size() < 2) {
    Fail("a zipmap of at least 2 bytes");
  } else if (ByteAt(block.size() - 1) != kZipmapEnd) {
    at_ = block.size() - 1;
    Fail("the end of a zipmap");
  } else {
    at_ = 1;
  }
}

bool ZipmapCursor::ReadLength(size_t* length) {
  if (!Has(1)) return Fail("a length in a zipmap");
  *length = ByteAt(at_);
  size_t bytes = 1;
  if (*length >= kZipmapLongLength) {
    bytes = 5;
    if (*length != kZipmapLongLength || !Has(bytes)) return Fail("a length in a zipmap");
    *length = Load<uint32_t>(at_ + 1);
  }
  at_ += bytes;
  return true;
}

bool ZipmapCursor::Next(PackedItem* item) {
  if (expected_ != nullptr) return false;
  const bool is_value = seen_ % 2 == 1;
  if (at_ == block_.size() - 1) {
    if (is_value) return Fail("a value in a zipmap");
    const uint8_t count = ByteAt(0);
    if (count >= kZipmapLongLength || count == seen_ / 2) return false;
    at_ = 0;
    return Fail("a zipmap's number of fields");
  }
  size_t length = 0;
  if (!ReadLength(&length)) return false;
  size_t unused = 0;
  if (is_value) {
    if (!Has(1)) return Fail("a zipmap's count of unused bytes");
    unused = ByteAt(at_++);
  }
  if (!Has(length + unused)) return Fail("a zipmap's text within the zipmap");
  item->Set(block_.substr(at_, length));
  at_ += length + unused;
  ++seen_;
  return true;
}

}  // namespace spinel
