// The picture of a big value (docs/snapshots.md): written piece by piece while the value changes.
//
// A picture is made at the first change of the value after the cut, or when the walker comes by,
// whichever is first, and remembers what was true then: key, database, expiry, number of elements.
// From then on the value tells it of every change. What of the value is not collected yet is kept
// in the picture before it changes; whatever is new is left out. Wherever the value goes, its
// picture follows.
//
// Owner: the snapshot. Threads: Collect, Detach and what ValuePicture declares are called under the
// lock of stripe(); Write and the destructor on the snapshot's thread, without.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "persistence/byte_sink.h"
#include "persistence/rdb_writer.h"
#include "storage/big_value.h"
#include "storage/entry.h"
#include "storage/value_picture.h"

namespace spinel {

// Bytes that are kept for a snapshot and not written yet.
class KeptBytes {
 public:
  void Add(size_t bytes);
  void Subtract(size_t bytes) { now_.fetch_sub(bytes, std::memory_order_relaxed); }
  uint64_t now() const { return now_.load(std::memory_order_relaxed); }
  uint64_t most() const { return most_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> now_{0};
  std::atomic<uint64_t> most_{0};
};

class BigPicture : public ValuePicture {
 public:
  // Values beyond these are written piece by piece.
  static constexpr size_t kMaxWholeElements = 512;
  static constexpr size_t kMaxWholeBytes = 64 * 1024;
  static bool IsFor(const Entry& entry);

  struct Place {
    uint32_t stripe;
    int database;
  };
  // Expects an entry that it is for, and its stripe to be locked. `kept` outlives it.
  static std::unique_ptr<BigPicture> Make(const Entry& entry, const Place& place,
                                          const RdbWriteOptions& options, int64_t now_ms,
                                          KeptBytes* kept);
  ~BigPicture() override;

  int database() const { return place_database_; }
  uint32_t stripe() const { return stripe_.load(std::memory_order_acquire); }
  // What stands in front of the elements: expiry, type, key, their number.
  std::string_view head() const { return head_; }

  // Gets hold of the next elements, as many as may be got under one lock. False: those were the
  // last ones, and the value needs not tell of its changes any more.
  virtual bool Collect() = 0;
  // Writes what was collected.
  virtual void Write(ByteSink* sink) = 0;
  // The value does not tell of its changes any more.
  void Detach() { value_->set_picture(nullptr); }

  void MovedTo(uint32_t stripe) override { stripe_.store(stripe, std::memory_order_release); }
  void TakeOver(Entry* entry) override { entry_.reset(entry); }
  void TakeOver(BigValue* value) override { own_.reset(value); }

 protected:
  BigPicture(const Entry& entry, const Place& place, const RdbWriteOptions& options,
             KeptBytes* kept);
  BigValue* value() const { return value_; }

  const RdbWriteOptions options_;
  KeptBytes* const kept_;

 private:
  BigValue* const value_;
  std::atomic<uint32_t> stripe_;
  const int place_database_;
  std::string head_;
  // The value, once the keyspace has no use for it.
  EntryPtr entry_;
  std::unique_ptr<BigValue> own_;
};

}  // namespace spinel
