#include "persistence/ziplist.h"

#include "persistence/rdb_format.h"

namespace spinel {

ZiplistCursor::ZiplistCursor(std::string_view block)
    : PackedCursor(block), previous_(kZiplistHeaderBytes) {
  if (block.size() < kZiplistHeaderBytes + 1) {
    Fail("a ziplist of at least 11 bytes");
  } else if (Load<uint32_t>(0) != block.size()) {
    Fail("a ziplist that names its own size");
  } else if (ByteAt(block.size() - 1) != kZiplistEnd) {
    at_ = block.size() - 1;
    Fail("the end of a ziplist");
  } else {
    at_ = kZiplistHeaderBytes;
  }
}

bool ZiplistCursor::AtEnd() {
  const uint16_t count = Load<uint16_t>(8);
  if (count != kZiplistManyElements && count != seen_) {
    at_ = 8;
    return Fail("a ziplist's number of elements");
  }
  if (Load<uint32_t>(4) != previous_) {
    at_ = 4;
    return Fail("where a ziplist's last element begins");
  }
  return false;
}

bool ZiplistCursor::Next(PackedItem* item) {
  if (expected_ != nullptr) return false;
  if (at_ == block_.size() - 1) return AtEnd();
  const size_t begin = at_;
  if (!SkipPreviousLength() || !ReadElement(item)) return false;
  previous_ = begin;
  previous_bytes_ = at_ - begin;
  ++seen_;
  return true;
}

bool ZiplistCursor::SkipPreviousLength() {
  constexpr const char* kExpected = "the length of the ziplist's element in front";
  size_t length = ByteAt(at_);
  size_t bytes = 1;
  if (length >= kZiplistLongPrevious) {
    bytes = 5;
    if (length != kZiplistLongPrevious || !Has(bytes)) return Fail(kExpected);
    length = Load<uint32_t>(at_ + 1);
  }
  if (length != previous_bytes_) return Fail(kExpected);
  at_ += bytes;
  return true;
}

bool ZiplistCursor::ReadText(size_t head, size_t size, PackedItem* item) {
  if (!Has(head + size)) return Fail("a ziplist's text within the ziplist");
  item->Set(block_.substr(at_ + head, size));
  at_ += head + size;
  return true;
}

bool ZiplistCursor::ReadElement(PackedItem* item) {
  if (!Has(1)) return Fail("an element of a ziplist");
  const uint8_t form = ByteAt(at_);
  switch (form >> 6) {
    case 0:
      return ReadText(1, form, item);
    case 1:
      if (!Has(2)) return Fail("a ziplist's text within the ziplist");
      return ReadText(2, (form & 0x3fu) << 8 | ByteAt(at_ + 1), item);
    case 2:
      if (!Has(5)) return Fail("a ziplist's text within the ziplist");
      return ReadText(5, LoadBigEndian32(at_ + 1), item);
    default:
      return ReadNumber(form, item);
  }
}

bool ZiplistCursor::ReadNumber(uint8_t form, PackedItem* item) {
  const auto number = [&](size_t size, auto load) {
    if (!Has(1 + size)) return Fail("a ziplist's integer within the ziplist");
    item->Set(static_cast<int64_t>(load()));
    at_ += 1 + size;
    return true;
  };
  switch (form) {
    case kZiplistInt8:
      return number(1, [&] { return Load<int8_t>(at_ + 1); });
    case kZiplistInt16:
      return number(2, [&] { return Load<int16_t>(at_ + 1); });
    case kZiplistInt24:
      return number(3, [&] { return Load24(at_ + 1); });
    case kZiplistInt32:
      return number(4, [&] { return Load<int32_t>(at_ + 1); });
    case kZiplistInt64:
      return number(8, [&] { return Load<int64_t>(at_ + 1); });
    default:
      break;
  }
  if (form < kZiplistIntFirst || form > kZiplistIntLast) return Fail("an element of a ziplist");
  return number(0, [form] { return form - kZiplistIntFirst; });
}

}  // namespace spinel
