// A store with keys of all types and sizes, changed at random, and what is in it as text: what the
// tests of snapshots share.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/snapshot.h"
#include "storage/store.h"
#include "tests/persistence/rdb_support.h"

namespace spinel::snapshot_test {

constexpr int64_t kNow = 1'700'000'000'000;

// A folder of its own for a test's files, gone with it.
class Folder {
 public:
  Folder();
  ~Folder();
  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + '/' + name; }
  // Names in it, in order.
  std::vector<std::string> Names() const;

 private:
  std::string path_;
};

std::string ReadFile(const std::string& path);

// Every key of the store, "database: " and Describe(), in order.
std::vector<std::string> Content(Store* store);
// The same of a file; REQUIREs that it is whole.
std::vector<std::string> ContentOfFile(const std::string& path);

// Changes a store in every way that there is.
class RandomChanges {
 public:
  static constexpr int kDatabases = 3;

  RandomChanges(Store* store, uint64_t seed);

  // Keys of every type, some of them big.
  void Fill();
  // One random change. Without `whole_databases` nothing is flushed or swapped.
  void Change(bool whole_databases = true);

 private:
  std::string Name();
  std::string Text();
  size_t Number(size_t below) { return random_() % below; }
  void ChangeString(KeySlot* slot);
  void ChangeList(KeySlot* slot);
  void ChangeHash(KeySlot* slot);
  void ChangeSet(KeySlot* slot);
  void ChangeZset(KeySlot* slot);
  void ChangeKey(KeySlot* slot);
  void ChangeTwoKeys();
  void Replace(KeySlot* slot);

  Store* const store_;
  StoreStats stats_;
  OpContext context_{&stats_};
  std::mt19937_64 random_;
};

}  // namespace spinel::snapshot_test
