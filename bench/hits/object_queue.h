// Queues of objects, linked through arrays that are indexed by the objects' numbers: what the
// simulated policies keep their objects in. An object is in at most one queue of a set of links.
// One thread.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace spinel::hits {

struct QueueLinks {
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  explicit QueueLinks(uint32_t objects) : newer(objects, kNone), older(objects, kNone) {}
  std::vector<uint32_t> newer;
  std::vector<uint32_t> older;
};

class ObjectQueue {
 public:
  static constexpr uint32_t kNone = QueueLinks::kNone;

  bool empty() const { return newest_ == kNone; }
  uint32_t size() const { return size_; }
  uint32_t oldest() const { return oldest_; }

  void Push(QueueLinks& links, uint32_t object) {
    links.newer[object] = kNone;
    links.older[object] = newest_;
    (newest_ == kNone ? oldest_ : links.newer[newest_]) = object;
    newest_ = object;
    ++size_;
  }

  // The object is in this queue.
  void Remove(QueueLinks& links, uint32_t object) {
    const uint32_t newer = links.newer[object];
    const uint32_t older = links.older[object];
    (newer == kNone ? newest_ : links.older[newer]) = older;
    (older == kNone ? oldest_ : links.newer[older]) = newer;
    --size_;
  }

  // The queue is not empty.
  uint32_t PopOldest(QueueLinks& links) {
    const uint32_t object = oldest_;
    Remove(links, object);
    return object;
  }

 private:
  uint32_t newest_ = kNone;
  uint32_t oldest_ = kNone;
  uint32_t size_ = 0;
};

}  // namespace spinel::hits
