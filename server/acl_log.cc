#include "server/acl_log.h"

#include <algorithm>
#include <utility>

namespace spinel {
namespace {

constexpr size_t kCompared = 10;  // with how many of the latest a new one is compared
constexpr int64_t kSameWithinMs = 60'000;

bool Same(const AclLog::Entry& known, const AclLog::Entry& added) {
  return known.reason == added.reason && known.context == added.context &&
         added.updated_ms - known.updated_ms <= kSameWithinMs && known.object == added.object &&
         known.username == added.username;
}

}  // namespace

void AclLog::Add(Entry entry, size_t limit) {
  entry.object.resize(std::min(entry.object.size(), kMaxText));
  entry.username.resize(std::min(entry.username.size(), kMaxText));
  MutexLock lock(&mutex_);
  if (limit == 0) return entries_.clear();
  const auto end =
      entries_.begin() + static_cast<std::ptrdiff_t>(std::min(entries_.size(), kCompared));
  const auto known =
      std::find_if(entries_.begin(), end, [&](const Entry& other) { return Same(other, entry); });
  if (known != end) {
    entry.count = known->count + 1;
    entry.created_ms = known->created_ms;
    entry.id = known->id;
    entries_.erase(known);
  } else {
    entry.id = next_id_++;
  }
  entries_.push_front(std::move(entry));
  if (entries_.size() > limit) entries_.resize(limit);
}

void AclLog::Clear() {
  MutexLock lock(&mutex_);
  entries_.clear();
}

std::vector<AclLog::Entry> AclLog::Latest(size_t count) const {
  MutexLock lock(&mutex_);
  const size_t shown = std::min(count, entries_.size());
  return {entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(shown)};
}

}  // namespace spinel
