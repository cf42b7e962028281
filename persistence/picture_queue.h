// What a snapshot has been given to write: keys as they were before they changed, and pictures of
// big values.
//
// Owner: shared, because a loop that waits for room may be the last to know of it. Threads: any;
// Add and AddTable are called under a stripe's lock, WaitForRoom without any.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "persistence/big_picture.h"
#include "storage/entry.h"
#include "storage/mutex.h"
#include "storage/stripe.h"

namespace spinel {

class PictureQueue {
 public:
  // With more than that those who add wait, so that a slow disk does not fill the memory.
  static constexpr uint64_t kMaxBytes = 16 * 1024 * 1024;

  // A key of a database: its entry, or its record as it stands in the file.
  struct Item {
    int database = 0;
    EntryPtr entry;
    std::string record;
    size_t bytes = 0;  // of memory
  };

  ~PictureQueue() { Clear(); }

  // True: there is too much in it, WaitForRoom should be called.
  bool Add(Item item);
  // A table that has been taken out of a physical database, with its entries.
  void AddTable(int physical, Keyspace&& table);

  // Waits until there is room, the queue is closed, or it has been long enough: a disk that hangs
  // makes the server slow, not dead.
  void WaitForRoom();
  // Nobody waits any more.
  void Close();

  // Everything that is in it, for the snapshot's thread. False: nothing was.
  struct Content {
    std::deque<Item> items;  // grows under a stripe's lock, so without copying
    std::vector<std::pair<int, Keyspace>> tables;
  };
  bool Take(Content* content);
  // The bytes of items that were taken and are gone.
  void Free(size_t bytes);

  KeptBytes& kept() { return kept_; }

 private:
  void Clear();

  KeptBytes kept_;  // pictures' included
  Mutex mutex_;
  Condition has_room_;
  Content content_ ABSL_GUARDED_BY(mutex_);
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace spinel
