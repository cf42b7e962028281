#include "persistence/intset.h"

#include "persistence/rdb_format.h"

namespace spinel {

IntsetCursor::IntsetCursor(std::string_view block) : PackedCursor(block) {
  if (block.size() < kIntsetHeaderBytes) {
    Fail("an intset of at least 8 bytes");
    return;
  }
  width_ = Load<uint32_t>(0);
  const uint64_t count = Load<uint32_t>(4);
  if (width_ != 2 && width_ != 4 && width_ != 8) {
    Fail("integers of 2, 4 or 8 bytes");
  } else if (kIntsetHeaderBytes + count * width_ != block.size()) {
    at_ = 4;
    Fail("an intset's number of integers");
  } else {
    at_ = kIntsetHeaderBytes;
  }
}

bool IntsetCursor::Next(PackedItem* item) {
  if (expected_ != nullptr || at_ == block_.size()) return false;
  const int64_t value = width_ == 2   ? Load<int16_t>(at_)
                        : width_ == 4 ? Load<int32_t>(at_)
                                      : Load<int64_t>(at_);
  if (at_ > kIntsetHeaderBytes && value <= previous_) {
    return Fail("an integer above the one in front");
  }
  previous_ = value;
  item->Set(value);
  at_ += width_;
  return true;
}

}  // namespace spinel
