// Ziplists: what Redis kept small collections in before 7.0. Read only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "persistence/packed_cursor.h"

namespace spinel {

class ZiplistCursor : public PackedCursor {
 public:
  explicit ZiplistCursor(std::string_view block);
  bool Next(PackedItem* item);

 private:
  bool SkipPreviousLength();
  bool ReadElement(PackedItem* item);
  bool ReadText(size_t head, size_t size, PackedItem* item);
  bool ReadNumber(uint8_t form, PackedItem* item);
  bool AtEnd();

  size_t seen_ = 0;
  size_t previous_ = 0;        // where the element in front begins
  size_t previous_bytes_ = 0;  // and its size
};

}  // namespace spinel
