#include "server/command_context.h"

namespace spinel {

LockedKeys CommandContext::LockKeys() const {
  std::vector<int> indexes;
  ExtractKeys(*command_->spec, args_, &indexes);
  absl::InlinedVector<Key, 16> keys;
  keys.reserve(indexes.size());
  for (const int index : indexes) keys.push_back(key(static_cast<size_t>(index)));
  return LockedKeys(&store(), &op(), session_->db(), locking_, std::move(keys));
}

}  // namespace spinel
