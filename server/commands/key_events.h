// What handlers tell of keys (KeySlot::Notify), where it takes more than a word.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/key_slot.h"

namespace spinel {

// After a result was stored: an empty one has removed the key, if it `existed`.
inline void NotifyStored(const KeySlot& slot, int64_t event_class, std::string_view event,
                         bool existed) {
  if (slot.exists()) {
    slot.Notify(event_class, event);
  } else if (existed) {
    slot.Notify(kNotifyGeneric, "del");
  }
}

// A key that replaces another one counts as new, as if that had been deleted first (RENAME, COPY,
// RESTORE). What is put where nothing was tells so itself.
inline void NotifyReplaced(const KeySlot& slot, bool existed) {
  if (existed) slot.Notify(kNotifyNew, "new");
}

}  // namespace spinel
