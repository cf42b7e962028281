#include "server/command_context.h"

namespace spinel {

absl::InlinedVector<Key, 16> CommandContext::Keys() const {
  std::vector<int> indexes;
  ExtractKeys(*command_->spec, args_, &indexes);
  absl::InlinedVector<Key, 16> keys;
  keys.reserve(indexes.size());
  for (const int index : indexes) keys.push_back(key(static_cast<size_t>(index)));
  return keys;
}

LockedKeys CommandContext::LockKeys() const {
  return LockedKeys(&store(), &op(), session_->db(), use(), locking_, Keys());
}

LockedKeys CommandContext::LockEverything() const {
  return LockedKeys(&store(), &op(), session_->db(), use(), locking_, Keys(), /*everything=*/true);
}

}  // namespace spinel
