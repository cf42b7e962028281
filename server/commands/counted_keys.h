// Keys that follow their number: "ZINTER numkeys key [key ...]", "LMPOP numkeys key ...", and the
// same behind a destination or a timeout.
#pragma once

#include <cstddef>
#include <vector>

#include "protocol/numbers.h"
#include "server/command.h"

namespace spinel {

// A KeyExtractor for rows: the number is argument kCount, the keys follow; argument kDestination is
// a key too unless that is 0.
template <size_t kCount, size_t kDestination = 0>
bool CountedKeys(CommandArgs args, std::vector<int>* indexes) {
  int64_t count = 0;
  if (args.size() <= kCount || !ParseInt64(args[kCount], &count)) return false;
  if (count < 1 || static_cast<uint64_t>(count) > args.size() - kCount - 1) return false;
  if (kDestination != 0) indexes->push_back(static_cast<int>(kDestination));
  for (int64_t i = 1; i <= count; ++i) {
    indexes->push_back(static_cast<int>(kCount) + static_cast<int>(i));
  }
  return true;
}

}  // namespace spinel
