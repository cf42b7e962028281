// Zipmaps: what Redis kept small hashes in before 2.6. Read only.
#pragma once

#include <cstddef>
#include <string_view>

#include "persistence/packed_cursor.h"

namespace spinel {

// Names and values by turns; all of them are texts.
class ZipmapCursor : public PackedCursor {
 public:
  explicit ZipmapCursor(std::string_view block);
  bool Next(PackedItem* item);

 private:
  bool ReadLength(size_t* length);

  size_t seen_ = 0;
};

}  // namespace spinel
