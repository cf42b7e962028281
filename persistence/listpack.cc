#include "persistence/listpack.h"

namespace spinel {
namespace {

constexpr size_t kMaxBackLengthBytes = 5;

}  // namespace

size_t WriteListpackBackLength(size_t bytes, char* to) {
  // The limits are Redis' own: it does not use the highest length that would fit.
  const size_t count = bytes <= 127        ? 1
                       : bytes < 16383     ? 2
                       : bytes < 2097151   ? 3
                       : bytes < 268435455 ? 4
                                           : 5;
  for (size_t i = count; i > 0; --i) {
    to[i - 1] = static_cast<char>((bytes & 127) | (i == 1 ? 0 : 128));
    bytes >>= 7;
  }
  return count;
}

// -- Reading
// ---------------------------------------------------------------------------------------

ListpackCursor::ListpackCursor(std::string_view block) : PackedCursor(block) {
  if (block.size() < kListpackHeaderBytes + 1) {
    Fail("a listpack of at least 7 bytes");
  } else if (Load<uint32_t>(0) != block.size()) {
    Fail("a listpack that names its own size");
  } else if (ByteAt(block.size() - 1) != kListpackEnd) {
    at_ = block.size() - 1;
    Fail("the end of a listpack");
  } else {
    at_ = kListpackHeaderBytes;
  }
}

bool ListpackCursor::AtEnd() {
  const uint16_t count = Load<uint16_t>(4);
  if (count != kListpackManyElements && count != seen_) {
    at_ = 4;
    return Fail("a listpack's number of elements");
  }
  return false;
}

bool ListpackCursor::Next(PackedItem* item) {
  if (expected_ != nullptr) return false;
  if (at_ == block_.size() - 1) return AtEnd();
  size_t bytes = 0;
  if (!ReadElement(ByteAt(at_), item, &bytes)) return false;
  char back[kMaxBackLengthBytes];
  const size_t back_bytes = WriteListpackBackLength(bytes, back);
  if (!Has(bytes + back_bytes) || std::memcmp(block_.data() + at_ + bytes, back, back_bytes) != 0) {
    at_ += bytes;
    return Fail("the length of the listpack's element in front");
  }
  at_ += bytes + back_bytes;
  ++seen_;
  return true;
}

bool ListpackCursor::ReadText(size_t head, size_t size, PackedItem* item, size_t* bytes) {
  if (!Has(head) || !Has(head + size)) return Fail("a listpack's text within the listpack");
  item->Set(block_.substr(at_ + head, size));
  *bytes = head + size;
  return true;
}

// `*bytes`: of the element without its length at the end.
bool ListpackCursor::ReadElement(uint8_t form, PackedItem* item, size_t* bytes) {
  const auto number = [&](size_t size, auto load) {
    if (!Has(1 + size)) return Fail("a listpack's integer within the listpack");
    item->Set(static_cast<int64_t>(load()));
    *bytes = 1 + size;
    return true;
  };
  if (form < kListpackText6) return number(0, [form] { return int64_t{form}; });
  if (form < kListpackInt13) return ReadText(1, form & 0x3fu, item, bytes);
  if (form < kListpackText12) {
    return number(1, [&] {
      const int64_t value = (form & 0x1f) << 8 | ByteAt(at_ + 1);
      return value >= 1 << 12 ? value - (1 << 13) : value;
    });
  }
  if (form < kListpackText32) {
    if (!Has(2)) return Fail("a listpack's text within the listpack");
    return ReadText(2, (form & 0xfu) << 8 | ByteAt(at_ + 1), item, bytes);
  }
  switch (form) {
    case kListpackText32:
      if (!Has(5)) return Fail("a listpack's text within the listpack");
      return ReadText(5, Load<uint32_t>(at_ + 1), item, bytes);
    case kListpackInt16:
      return number(2, [&] { return Load<int16_t>(at_ + 1); });
    case kListpackInt24:
      return number(3, [&] { return Load24(at_ + 1); });
    case kListpackInt32:
      return number(4, [&] { return Load<int32_t>(at_ + 1); });
    case kListpackInt64:
      return number(8, [&] { return Load<int64_t>(at_ + 1); });
    default:
      return Fail("an element of a listpack");
  }
}

// -- Writing
// ---------------------------------------------------------------------------------------

void ListpackWriter::AddLongText(std::string_view text) {
  const size_t size = text.size();
  char* const begin = at_;
  if (size < 4096) {
    *at_++ = static_cast<char>(kListpackText12 | size >> 8);
    *at_++ = static_cast<char>(size);
  } else {
    *at_++ = static_cast<char>(kListpackText32);
    const auto length = static_cast<uint32_t>(size);
    std::memcpy(at_, &length, sizeof(length));
    at_ += sizeof(length);
  }
  std::memcpy(at_, text.data(), size);
  at_ += size;
  at_ += WriteListpackBackLength(static_cast<size_t>(at_ - begin), at_);
}

void ListpackWriter::AddNumber(uint8_t form, int64_t value, size_t bytes) {
  *at_ = static_cast<char>(form);
  std::memcpy(at_ + 1, &value, bytes);
  at_[1 + bytes] = static_cast<char>(1 + bytes);
  at_ += 2 + bytes;
}

void ListpackWriter::AddInteger(int64_t value) {
  ++count_;
  if (value >= 0 && value <= 127) {
    AddNumber(static_cast<uint8_t>(value), 0, 0);
  } else if (value >= -4096 && value <= 4095) {
    const auto bits = static_cast<uint64_t>(value) & 0x1fff;
    AddNumber(static_cast<uint8_t>(kListpackInt13 | bits >> 8), static_cast<int64_t>(bits), 1);
  } else if (value >= INT16_MIN && value <= INT16_MAX) {
    AddNumber(kListpackInt16, value, 2);
  } else if (value >= -(1 << 23) && value < 1 << 23) {
    AddNumber(kListpackInt24, value, 3);
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    AddNumber(kListpackInt32, value, 4);
  } else {
    AddNumber(kListpackInt64, value, 8);
  }
}

char* ListpackWriter::Finish() {
  *at_++ = static_cast<char>(kListpackEnd);
  const auto bytes = static_cast<uint32_t>(at_ - begin_);
  const auto count =
      count_ < kListpackManyElements ? static_cast<uint16_t>(count_) : kListpackManyElements;
  std::memcpy(begin_, &bytes, sizeof(bytes));
  std::memcpy(begin_ + sizeof(bytes), &count, sizeof(count));
  return at_;
}

}  // namespace spinel
