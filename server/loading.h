// Reading a snapshot into the store: at the start, while clients are told to wait, and for DEBUG
// RELOAD. See docs/persistence.md.
//
// At the start one thread reads the file and finds where each value ends; the loops, which have
// little else to do then, build the values and put them into the store, each those of its own
// stripes. (The thread builds only what is big or rare.) Batches wait for a loop in bounded number,
// so that memory does not grow with the file.
//
// Owner: the Server. Threads: Open, Start and Stop are main's; LoadHere a loop's; the rest any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "persistence/rdb_reader.h"
#include "persistence/status.h"
#include "storage/entry.h"
#include "storage/mutex.h"

namespace spinel {

class Server;
struct LoopState;

class Loading {
 public:
  explicit Loading(Server* server);
  ~Loading();
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;

  // Looks for the snapshot that the configuration names. If there is one, clients are told to wait
  // from here on, until Start has loaded it; none is fine: the server starts empty.
  Status Open();
  // Begins to load what Open has found, by a thread of its own and the loops, which have to run.
  // `done` is called when that is over, on the thread; at once if there is nothing to load.
  void Start(std::function<void(const Status&)> done);
  // Ends it soon if it runs, and waits for that: `done` is not called then.
  void Stop();

  // How keys and libraries of functions are treated that are there already.
  enum class Repeated : uint8_t { kRefuse, kReplace };
  // Loads the snapshot on this thread, which is the loop's, into what the store holds. Expects that
  // clients are told to wait.
  Status LoadHere(LoopState* loop, Repeated repeated);

  struct Progress {
    int64_t started_ms = 0;  // Unix time
    uint64_t total_bytes = 0;
    uint64_t loaded_bytes = 0;
    uint64_t used_memory = 0;  // of the server that wrote the file, when it did
    double percent = 0;
    int64_t eta_seconds = 0;
  };
  // Meaningful while the server says Trouble::kLoading.
  Progress progress(int64_t now_ms) const;
  // Of the last file that was loaded.
  uint64_t keys_loaded() const { return keys_loaded_.load(std::memory_order_relaxed); }
  uint64_t keys_expired() const { return keys_expired_.load(std::memory_order_relaxed); }

 private:
  // A key on its way into the store.
  struct Item {
    int database;
    uint64_t hash;
    uint32_t access_clock;
    EntryPtr entry;   // null: it is yet to be built
    RdbRawValue raw;  // from this; its key and bytes are the batch's
  };
  struct Batch {
    std::vector<Item> items;
    std::string bytes;  // never grows beyond what was reserved

    bool empty() const { return items.empty(); }
    void Reserve();
    bool HasRoomFor(const Item& item) const;
    void Add(Item item);
    // Copies them and returns the copy.
    std::string_view Keep(std::string_view view);
  };
  // Takes a key; false: no more are wanted.
  using Take = std::function<bool(Item item)>;

  // The file, opened and counted; not found: *fd is -1.
  Status OpenFile(int64_t now_ms, int* fd);
  void Run(const std::function<void(const Status&)>& done);
  Status ReadFile(int fd, Repeated repeated, bool leaves_raw, const Take& take);
  // Once all of it is in the store.
  void Conclude();
  Status LoadFunctions(Repeated repeated);
  bool TakeRecord(RdbRecord* record, const Take& take);
  void NoteAux(const RdbRecord& record);
  void Report(const RdbReader& reader, int64_t now_ms);
  std::string Explain(std::string_view message) const;

  // Batches for the loops.
  bool Enqueue(Item item);
  bool Send(size_t loop);
  void Insert(int loop, Batch* batch);
  // False: it could not be built.
  bool BuildItem(Item* item);
  bool InsertItem(LoopState* loop, Item* item, Repeated repeated);
  void Drain();
  void Refuse(std::string why);

  Server* const server_;
  std::string path_;
  int fd_ = -1;  // what Open found
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::vector<std::string> functions_;
  std::vector<Batch> batches_;             // being filled, by loop
  RdbValueReader::Options value_options_;  // for what the loops build
  RdbReader::Counts counts_;               // of what was read
  bool has_checksum_ = false;
  std::atomic<uint64_t> expired_later_{0};  // counted as keys, and left out by the loops
  std::atomic<uint64_t> empty_later_{0};

  mutable Mutex mutex_;
  Condition room_;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;      // batches on their way
  std::string refused_ ABSL_GUARDED_BY(mutex_);  // why a key could not be put in

  std::atomic<int64_t> started_ms_{0};
  std::atomic<uint64_t> total_bytes_{0};
  std::atomic<uint64_t> loaded_bytes_{0};
  std::atomic<uint64_t> used_memory_{0};
  std::atomic<uint64_t> keys_loaded_{0};
  std::atomic<uint64_t> keys_expired_{0};
  int64_t reported_ms_ = 0;
};

}  // namespace spinel
