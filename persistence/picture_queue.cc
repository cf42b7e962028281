#include "persistence/picture_queue.h"

#include <chrono>

namespace spinel {

bool PictureQueue::Add(Item item) {
  kept_.Add(item.bytes);
  MutexLock lock(&mutex_);
  bytes_ += item.bytes;
  content_.items.push_back(std::move(item));
  return bytes_ > kMaxBytes && !closed_;
}

void PictureQueue::AddTable(int physical, Keyspace&& table) {
  MutexLock lock(&mutex_);
  content_.tables.emplace_back(physical, std::move(table));
}

void PictureQueue::WaitForRoom() {
  constexpr std::chrono::milliseconds kLongest{200};
  const auto end = std::chrono::steady_clock::now() + kLongest;
  MutexLock lock(&mutex_);
  while (bytes_ > kMaxBytes && !closed_) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= std::chrono::milliseconds::zero()) return;
    has_room_.WaitFor(&mutex_, std::chrono::ceil<std::chrono::milliseconds>(left));
  }
}

void PictureQueue::Close() {
  MutexLock lock(&mutex_);
  closed_ = true;
  has_room_.NotifyAll();
}

bool PictureQueue::Take(Content* content) {
  MutexLock lock(&mutex_);
  content->items.swap(content_.items);
  content->tables.swap(content_.tables);
  return !content->items.empty() || !content->tables.empty();
}

void PictureQueue::Free(size_t bytes) {
  kept_.Subtract(bytes);
  MutexLock lock(&mutex_);
  const bool was_full = bytes_ > kMaxBytes;
  bytes_ -= bytes;
  if (was_full && bytes_ <= kMaxBytes) has_room_.NotifyAll();
}

void PictureQueue::Clear() {
  MutexLock lock(&mutex_);
  for (auto& [physical, table] : content_.tables) {
    table.ForEach([](Entry* entry) { Entry::Delete(entry); });
  }
}

}  // namespace spinel
