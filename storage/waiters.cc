#include "storage/waiters.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace spinel {

uint64_t Waiters::NextTicket() {
  static std::atomic<uint64_t> next{0};
  return next.fetch_add(1, std::memory_order_relaxed);
}

void Waiters::Add(int database, uint64_t hash, std::string_view name, uint64_t ticket,
                  std::shared_ptr<Waiter> waiter) {
  WaiterQueue* queue = Find(database, hash, name);
  if (queue == nullptr) {
    auto& keys = keys_[hash];
    keys.push_back({database, std::string(name), {}});
    queue = &keys.back().queue;
  }
  queue->emplace(ticket, std::move(waiter));
}

void Waiters::Remove(int database, uint64_t hash, std::string_view name, uint64_t ticket) {
  WaiterQueue* queue = Find(database, hash, name);
  if (queue == nullptr) return;
  queue->erase(ticket);
  RemoveIfEmpty(database, hash, name);
}

WaiterQueue* Waiters::Find(int database, uint64_t hash, std::string_view name) {
  const auto found = keys_.find(hash);
  if (found == keys_.end()) return nullptr;
  for (WaitedKey& key : found->second) {
    if (key.database == database && key.name == name) return &key.queue;
  }
  return nullptr;
}

void Waiters::RemoveIfEmpty(int database, uint64_t hash, std::string_view name) {
  const auto found = keys_.find(hash);
  if (found == keys_.end()) return;
  auto& keys = found->second;
  const auto key = std::find_if(keys.begin(), keys.end(), [&](const WaitedKey& waited) {
    return waited.database == database && waited.name == name;
  });
  if (key == keys.end() || !key->queue.empty()) return;
  keys.erase(key);
  if (keys.empty()) keys_.erase(found);
}

}  // namespace spinel
