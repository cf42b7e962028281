#include "storage/watchers.h"

#include <algorithm>

namespace spinel {

Watchers::WatchedKey* Watchers::Find(WatchedKeys* keys, int database, std::string_view name) {
  for (WatchedKey& key : *keys) {
    if (key.database == database && key.name == name) return &key;
  }
  return nullptr;
}

bool Watchers::Add(int database, uint64_t hash, std::string_view name, Flag* changed) {
  WatchedKeys& keys = keys_[hash];
  WatchedKey* key = Find(&keys, database, name);
  if (key == nullptr) {
    keys.push_back({database, std::string(name), {}});
    key = &keys.back();
  } else if (std::find(key->flags.begin(), key->flags.end(), changed) != key->flags.end()) {
    return false;
  }
  key->flags.push_back(changed);
  return true;
}

void Watchers::Remove(int database, uint64_t hash, std::string_view name, const Flag* changed) {
  const auto found = keys_.find(hash);
  if (found == keys_.end()) return;
  WatchedKeys& keys = found->second;
  WatchedKey* const key = Find(&keys, database, name);
  if (key == nullptr) return;
  const auto flag = std::find(key->flags.begin(), key->flags.end(), changed);
  if (flag != key->flags.end()) {
    *flag = key->flags.back();
    key->flags.pop_back();
  }
  if (!key->flags.empty()) return;
  keys.erase(keys.begin() + (key - keys.data()));
  if (keys.empty()) keys_.erase(found);
}

void Watchers::Touch(int database, uint64_t hash, std::string_view name) {
  const auto found = keys_.find(hash);
  if (found == keys_.end()) return;
  const WatchedKey* const key = Find(&found->second, database, name);
  if (key == nullptr) return;
  for (Flag* const changed : key->flags) changed->store(true, std::memory_order_relaxed);
}

size_t Watchers::size() const {
  size_t total = 0;
  for (const auto& [hash, keys] : keys_) total += keys.size();
  return total;
}

}  // namespace spinel
