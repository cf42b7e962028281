// NX, XX, GT and LT of EXPIRE and HEXPIRE and their relatives.
#pragma once

#include <cstdint>

#include "protocol/arg_reader.h"

namespace spinel {

struct ExpireConditions {
  bool missing = false;  // NX: only without an expiry
  bool present = false;  // XX: only with one
  bool greater = false;  // GT, LT: only if the new one is later or earlier; none is infinitely late
  bool less = false;

  // `current` may be Entry::kNoExpiry, `wanted` not.
  bool Hold(int64_t current, int64_t wanted) const;
};

// Reads all that is left; latches errors.
ExpireConditions ReadExpireConditions(ArgReader& args);

}  // namespace spinel
