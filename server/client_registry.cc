#include "server/client_registry.h"

#include <algorithm>
#include <vector>

#include "server/session.h"

namespace spinel {

void ClientRegistry::Add(Session* session) {
  MutexLock lock(&mutex_);
  sessions_.emplace(session->id, session);
  count_.store(sessions_.size(), std::memory_order_relaxed);
}

void ClientRegistry::Remove(Session* session) {
  MutexLock lock(&mutex_);
  sessions_.erase(session->id);
  count_.store(sessions_.size(), std::memory_order_relaxed);
}

void ClientRegistry::ForEach(absl::FunctionRef<void(Session&)> visit) {
  MutexLock lock(&mutex_);
  std::vector<Session*> ordered;
  ordered.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) ordered.push_back(session);
  std::sort(ordered.begin(), ordered.end(),
            [](const Session* a, const Session* b) { return a->id < b->id; });
  for (Session* session : ordered) visit(*session);
}

uint64_t MemoryOf(const Session& session) {
  return sizeof(Session) + session.query_buffer_capacity.load(std::memory_order_relaxed) +
         session.queued_bytes.load(std::memory_order_relaxed) +
         session.listed_bytes.load(std::memory_order_relaxed) +
         session.output_pending.load(std::memory_order_relaxed);
}

ClientTotals ClientRegistry::Totals() {
  ClientTotals totals;
  MutexLock lock(&mutex_);
  for (const auto& [id, session] : sessions_) {
    if (session->closing.load(std::memory_order_relaxed)) continue;
    ++totals.count;
    if (session->subscribed()) ++totals.subscribed;
    if (session->watched.load(std::memory_order_relaxed) > 0) ++totals.watching;
    if (session->paused.load(std::memory_order_relaxed) ||
        session->waiting.load(std::memory_order_relaxed)) {
      ++totals.blocked;
    }
    totals.memory += MemoryOf(*session);
  }
  return totals;
}

bool ClientRegistry::Visit(uint64_t id, absl::FunctionRef<void(Session&)> visit) {
  MutexLock lock(&mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return false;
  visit(*found->second);
  return true;
}

}  // namespace spinel
