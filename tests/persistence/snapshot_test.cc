// Snapshots: whatever happens to the data meanwhile, the file has what was there at the cut.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/persistence/snapshot_support.h"

namespace spinel {
namespace {

using namespace snapshot_test;

Store::Options Options() {
  Store::Options options;
  options.stripes = 16;
  options.databases = RandomChanges::kDatabases;
  options.now_ms = kNow;
  return options;
}

SnapshotOptions Stepped(const std::string& path) {
  SnapshotOptions options;
  options.path = path;
  options.now_ms = kNow;
  options.thread = false;
  return options;
}

void CheckSame(const std::vector<std::string>& found, const std::vector<std::string>& expected) {
  CHECK(found.size() == expected.size());
  for (size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    if (found[i] == expected[i]) continue;
    INFO(found[i].substr(0, 300));
    INFO(expected[i].substr(0, 300));
    FAIL("they differ");
  }
}

TEST_CASE("A snapshot has the moment of the cut") {
  const Folder folder;
  const uint64_t seed = GENERATE(range(1, 13));
  const int changes_per_step = GENERATE(0, 1, 20);
  CAPTURE(seed, changes_per_step);
  Store store(Options());
  RandomChanges changes(&store, seed);
  changes.Fill();
  Snapshot snapshot(&store, Stepped(folder.File("dump.rdb")));
  const std::vector<std::string> expected = Content(&store);
  REQUIRE(snapshot.Start().message() == "");
  do {
    for (int i = 0; i < changes_per_step; ++i) changes.Change(seed % 2 == 0);
  } while (snapshot.Step());
  REQUIRE(snapshot.result().message == "");
  REQUIRE(snapshot.result().ok());
  CheckSame(ContentOfFile(folder.File("dump.rdb")), expected);
  CHECK(snapshot.result().keys == expected.size());
  CHECK(snapshot.progress().copied_bytes == 0);
  CHECK(folder.Names() == std::vector<std::string>{"dump.rdb"});
}

}  // namespace
}  // namespace spinel
