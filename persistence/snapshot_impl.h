// How a snapshot is taken: the part of snapshot.h that its users need not see.
//
// Owner: its Snapshot. Threads: what SnapshotHook declares is called by whoever changes the store,
// under a stripe's lock; Step on the snapshot's thread; the rest as snapshot.h says.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "persistence/big_picture.h"
#include "persistence/picture_queue.h"
#include "persistence/rdb_writer.h"
#include "persistence/snapshot.h"
#include "persistence/snapshot_file.h"
#include "storage/mutex.h"
#include "storage/snapshot_hook.h"
#include "storage/store.h"

namespace spinel {

class Snapshot::Impl final : public SnapshotHook {
 public:
  Impl(Store* store, SnapshotOptions options);
  ~Impl() override;

  Status Start();
  void Wait();
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool running() const { return running_.load(std::memory_order_acquire); }
  Progress progress() const;
  Result result() const;
  bool Step();

  void Keep(const OpContext& context, uint32_t stripe, int physical, Entry* entry) override;
  void TakeEntry(const OpContext& context, int physical, Entry* entry) override;
  void TakeTable(int physical, Keyspace&& table) override;

 private:
  enum class Phase : uint8_t { kKeys, kBigValues, kFile, kOver };

  void Cut(std::span<const Store::DatabaseInfo> databases);
  // `arena`: of the thread that has started it.
  void Run(unsigned arena);
  // Whether the file is given up; what has been kept so far is let go.
  bool given_up() const { return given_up_.load(std::memory_order_relaxed); }
  void GiveUpIfNecessary();

  // Whether a key belongs into the file.
  bool Counts(const Entry& entry) const { return !entry.ExpiredAt(options_.now_ms); }
  int DatabaseOf(int physical) const { return logical_[static_cast<size_t>(physical)]; }
  // `taken`: the same entry, if the picture is to own it.
  void AddPicture(uint32_t stripe, int database, const Entry& entry, Entry* taken = nullptr);
  void Add(const OpContext& context, PictureQueue::Item item);
  // The entry's record, quickly: nothing is compressed.
  std::string RecordOf(const Entry& entry) const;
  PictureQueue::Item CopyOf(int database, const Entry& entry) const;

  void BeginFile();
  void SelectDatabase(int database);
  void WriteItem(const PictureQueue::Item& item);
  bool WriteQueue();
  void WriteTable(int physical, Keyspace* table);
  bool WalkKeys();
  void Collect(int database, uint32_t stripe, const Entry& entry);
  void WriteCollected();
  bool WritePicture();
  std::unique_ptr<BigPicture> NextPicture();
  void LetPicturesGo();
  void EndWalk();
  // Called often, and holding nothing: lets whoever waits for this CPU have it.
  void Yield();
  void Finish();

  Store* const store_;
  const SnapshotOptions options_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  SnapshotFile file_;
  RdbWriteOptions write_options_;
  std::unique_ptr<RdbWriter> writer_;
  std::thread thread_;

  // As they were at the cut.
  std::array<uint8_t, Store::kMaxDatabases> logical_{};  // of a physical database
  std::vector<int> physical_;                            // of a logical one
  std::vector<Store::DatabaseInfo> databases_;
  uint64_t total_keys_ = 0;
  uint64_t changes_ = 0;
  bool epoch_ = false;  // of entries that are in the picture

  // Where the walk is.
  Phase phase_ = Phase::kKeys;
  int database_ = 0;
  uint32_t stripe_ = 0;
  uint64_t cursor_ = 0;
  std::vector<PictureQueue::Item> collected_;
  int selected_ = -1;  // the database whose keys the file has now
  std::vector<bool> announced_;
  std::unique_ptr<BigPicture> picture_;  // whose value is being written
  PictureQueue::Content content_;
  std::chrono::steady_clock::time_point next_yield_ = begun_;

  const std::shared_ptr<PictureQueue> queue_;
  mutable Mutex mutex_;
  Condition over_;
  std::deque<std::unique_ptr<BigPicture>> pictures_ ABSL_GUARDED_BY(mutex_);
  Result result_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> keys_{0};
  std::atomic<uint64_t> bytes_{0};
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> given_up_{false};
  std::atomic<bool> running_{false};
};

}  // namespace spinel
