// Intsets: what Redis keeps small sets of integers in, and writes them as.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "persistence/packed_cursor.h"

namespace spinel {

// Integers in ascending order, each once.
class IntsetCursor : public PackedCursor {
 public:
  explicit IntsetCursor(std::string_view block);
  bool Next(PackedItem* item);

 private:
  size_t width_ = 0;
  int64_t previous_ = 0;
};

}  // namespace spinel
