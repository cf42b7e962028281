#include "storage/tracked_keys.h"

#include <algorithm>
#include <utility>

namespace spinel {

void TrackedKeys::Add(uint64_t hash, std::string_view name, TrackingClient client,
                      TrackingTotals* totals) {
  SameHash& same = keys_[hash];
  auto key = std::find_if(same.begin(), same.end(),
                          [name](const TrackedKey& tracked) { return tracked.name == name; });
  if (key == same.end()) {
    same.push_back({std::string(name), {}});
    key = same.end() - 1;
    totals->keys.fetch_add(1, std::memory_order_relaxed);
  }
  const auto place = std::lower_bound(key->clients.begin(), key->clients.end(), client);
  if (place != key->clients.end() && *place == client) return;
  key->clients.insert(place, client);
  totals->items.fetch_add(1, std::memory_order_relaxed);
}

TrackingClients TrackedKeys::Take(uint64_t hash, std::string_view name, TrackingTotals* totals) {
  const auto found = keys_.find(hash);
  if (found == keys_.end()) return {};
  SameHash& same = found->second;
  const auto key = std::find_if(same.begin(), same.end(),
                                [name](const TrackedKey& tracked) { return tracked.name == name; });
  if (key == same.end()) return {};
  TrackingClients clients = std::move(key->clients);
  same.erase(key);
  if (same.empty()) keys_.erase(found);
  totals->keys.fetch_sub(1, std::memory_order_relaxed);
  totals->items.fetch_sub(clients.size(), std::memory_order_relaxed);
  return clients;
}

TrackingClients TrackedKeys::TakeAny(std::string* name, TrackingTotals* totals) {
  const auto any = keys_.begin();
  *name = any->second.back().name;
  return Take(any->first, *name, totals);
}

void TrackedKeys::Clear(TrackingTotals* totals) {
  for (const auto& [hash, same] : keys_) {
    for (const TrackedKey& key : same) {
      totals->keys.fetch_sub(1, std::memory_order_relaxed);
      totals->items.fetch_sub(key.clients.size(), std::memory_order_relaxed);
    }
  }
  absl::flat_hash_map<uint64_t, SameHash>().swap(keys_);
}

}  // namespace spinel
