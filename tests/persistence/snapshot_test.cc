// Snapshots: whatever happens to the data meanwhile, the file has what was there at the cut.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "storage/atomic_section.h"
#include "storage/list_value.h"
#include "storage/set_value.h"
#include "storage/string_value.h"
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

std::string LongElement(uint64_t i) { return std::to_string(i) + std::string(120, 'l'); }

void ChangeList(ListValue* list, const std::function<size_t(size_t)>& number) {
  const ListEnd end = number(2) == 0 ? ListEnd::kHead : ListEnd::kTail;
  const std::string text = LongElement(number(5000));
  const size_t size = list->size();
  switch (size == 0 ? 7 : number(8)) {
    case 0:
      return list->Remove(end, std::min(size - 1, number(number(3) == 0 ? 6000 : 200)));
    case 1:
      return list->Trim(ListRange::Of(static_cast<int64_t>(number(80)), -1, size));
    case 2:
      list->Set(static_cast<int64_t>(number(size)), text);
      return;
    case 3:
      list->RemoveMatches(end, text, 2);
      return;
    case 4:
      list->Insert(number(2) == 0, text, LongElement(number(5000)));
      return;
    default: {
      const std::vector<std::string_view> many(1 + number(200), text);
      return list->Push(end, many);
    }
  }
}

TEST_CASE("A long list is written as it was, whatever becomes of its chunks") {
  const Folder folder;
  const uint64_t seed = GENERATE(range(1, 21));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto number = [&random](size_t below) { return random() % below; };
  Store store(Options());
  StoreStats stats;
  OpContext context(&stats);
  context.SetNow(kNow);
  const Key key = Store::MakeKey("list");
  {
    WriteGuard slot = store.Write(context, 0, key);
    for (uint64_t i = 0; i < 20000; ++i) {
      const std::string text = LongElement(i % 5000);
      const std::string_view element = text;
      ListValue(&slot, ListLimits(-2)).Push(ListEnd::kTail, {&element, 1});
    }
  }
  Snapshot snapshot(&store, Stepped(folder.File("dump.rdb")));
  const std::vector<std::string> expected = Content(&store);
  REQUIRE(snapshot.Start().ok());
  do {
    for (uint64_t i = 0; i < seed % 5; ++i) {
      WriteGuard slot = store.Write(context, 0, key);
      ListValue list(&slot, ListLimits(-2));
      ChangeList(&list, number);
    }
  } while (snapshot.Step());
  REQUIRE(snapshot.result().ok());
  CheckSame(ContentOfFile(folder.File("dump.rdb")), expected);
  CHECK(snapshot.progress().copied_bytes == 0);
}

TEST_CASE("A big set of which most has changed before the walk comes by") {
  const Folder folder;
  Store store(Options());
  StoreStats stats;
  OpContext context(&stats);
  context.SetNow(kNow);
  const std::string key = "big";
  const auto change = [&](bool add, int from, int to) {
    WriteGuard slot = store.Write(context, 0, Store::MakeKey(key));
    for (int i = from; i < to; ++i) {
      const std::string text = "member" + std::to_string(i);
      const std::string_view member = text;
      if (add) {
        AddMembers(&slot, {&member, 1}, SetLimits());
      } else {
        RemoveMembers(&slot, {&member, 1});
      }
    }
  };
  change(true, 0, 6000);
  const std::vector<std::string> expected = Content(&store);
  Snapshot snapshot(&store, Stepped(folder.File("dump.rdb")));
  REQUIRE(snapshot.Start().ok());
  change(false, 500, 5500);  // more names than one part of the picture's set of them takes
  change(true, 6000, 9000);
  change(true, 1000, 2000);
  const int steps_between = GENERATE(0, 20, 30);
  for (int i = 0; i < steps_between; ++i) snapshot.Step();
  change(false, 0, 300);
  change(true, 9000, 9500);
  snapshot.Wait();
  REQUIRE(snapshot.result().ok());
  CheckSame(ContentOfFile(folder.File("dump.rdb")), expected);
  CHECK(snapshot.progress().copied_bytes == 0);
}

TEST_CASE(
    "Keys that are over at the cut are not in the file; that they end later changes nothing") {
  const Folder folder;
  Store store(Options());
  StoreStats stats;
  OpContext context(&stats);
  context.SetNow(kNow - 10);
  store.Write(context, 0, Store::MakeKey("over")).SetString("x", kNow - 5);
  store.Write(context, 0, Store::MakeKey("stays")).SetString("y", kNow + 1000);
  const std::string long_name = "big";
  {
    WriteGuard slot = store.Write(context, 0, Store::MakeKey(long_name));
    for (int i = 0; i < 5000; ++i) {
      const std::string text = "member" + std::to_string(i);
      const std::string_view member = text;
      AddMembers(&slot, {&member, 1}, SetLimits());
    }
    slot.SetExpiry(kNow + 1000);
  }
  Snapshot snapshot(&store, Stepped(folder.File("dump.rdb")));
  REQUIRE(snapshot.Start().ok());
  const int steps_before = GENERATE(0, 17, 20, 25);
  for (int i = 0; i < steps_before; ++i) snapshot.Step();
  context.SetNow(kNow + 5000);
  CHECK_FALSE(store.Read(context, 0, Store::MakeKey("stays")));
  CHECK_FALSE(store.Read(context, 0, Store::MakeKey(long_name)));
  snapshot.Wait();
  REQUIRE(snapshot.result().ok());
  const std::vector<std::string> found = ContentOfFile(folder.File("dump.rdb"));
  for (const std::string& key : found) CHECK(key.find(" over") == std::string::npos);
  CHECK(found.size() <= 2);
}

TEST_CASE("A snapshot that is cancelled leaves nothing, and the next one is whole") {
  const Folder folder;
  Store store(Options());
  RandomChanges changes(&store, 99);
  changes.Fill();
  const int steps_before = GENERATE(0, 1, 5, 20, 40, 60, 100);
  {
    Snapshot snapshot(&store, Stepped(folder.File("dump.rdb")));
    REQUIRE(snapshot.Start().ok());
    Snapshot second(&store, Stepped(folder.File("second.rdb")));
    CHECK(second.Start().message().find("already") != std::string::npos);
    for (int i = 0; i < steps_before; ++i) {
      changes.Change();
      snapshot.Step();
    }
    snapshot.Cancel();
    while (snapshot.Step()) changes.Change();
    CHECK(snapshot.result().outcome == Snapshot::Outcome::kCancelled);
    CHECK(snapshot.progress().copied_bytes == 0);
    CHECK(folder.Names().empty());
  }
  const std::vector<std::string> expected = Content(&store);
  Snapshot snapshot(&store, Stepped(folder.File("dump.rdb")));
  REQUIRE(snapshot.Start().ok());
  do {
    changes.Change();
  } while (snapshot.Step());
  REQUIRE(snapshot.result().ok());
  CheckSame(ContentOfFile(folder.File("dump.rdb")), expected);
}

// Fails at one of its calls.
class FailingFiles final : public FileSystem {
 public:
  enum class Call : uint8_t { kCreate, kWrite, kSync, kRename, kSyncFolder };
  FailingFiles(Call call, int error) : call_(call), error_(error) {}

  int Create(const std::string& path) override {
    return Fails(Call::kCreate) ? -1 : FileSystem::Create(path);
  }
  ssize_t Write(int fd, const char* data, size_t size) override {
    if (Fails(Call::kWrite)) return -1;
    // Short, and interrupted now and then.
    if (++writes_ % 3 == 0) {
      errno = EINTR;
      return -1;
    }
    return FileSystem::Write(fd, data, std::min<size_t>(size, 10000));
  }
  int Sync(int fd) override { return Fails(Call::kSync) ? -1 : FileSystem::Sync(fd); }
  int Rename(const std::string& from, const std::string& to) override {
    return Fails(Call::kRename) ? -1 : FileSystem::Rename(from, to);
  }
  int SyncFolder(const std::string& folder) override {
    return Fails(Call::kSyncFolder) ? -1 : FileSystem::SyncFolder(folder);
  }
  void Heal() { error_ = 0; }

 private:
  bool Fails(Call call) {
    if (call != call_ || error_ == 0) return false;
    errno = error_;
    return true;
  }

  const Call call_;
  int error_;
  int writes_ = 0;
};

TEST_CASE("When a file fails the message names it and the remedy, and the next snapshot succeeds") {
  struct Case {
    FailingFiles::Call call;
    int error;
    std::string remedy;
  };
  using Call = FailingFiles::Call;
  const Case failure = GENERATE(
      Case{Call::kCreate, EACCES, "right to write to"}, Case{Call::kCreate, EROFS, "writable"},
      Case{Call::kCreate, ENOENT, "create the folder"}, Case{Call::kWrite, ENOSPC, "free space on"},
      Case{Call::kWrite, EDQUOT, "free space on"}, Case{Call::kWrite, EFBIG, "ulimit -f"},
      Case{Call::kSync, EIO, "kernel's log"}, Case{Call::kRename, EACCES, "right to write to"},
      Case{Call::kRename, EISDIR, "dbfilename"}, Case{Call::kSyncFolder, EIO, "kernel's log"});
  const Folder folder;
  Store store(Options());
  RandomChanges changes(&store, 7);
  changes.Fill();
  FailingFiles files(failure.call, failure.error);
  SnapshotOptions options = Stepped(folder.File("dump.rdb"));
  options.files = &files;
  {
    Snapshot snapshot(&store, options);
    std::string message = snapshot.Start().message();
    if (message.empty()) {
      while (snapshot.Step()) changes.Change();
      CHECK(snapshot.result().outcome == Snapshot::Outcome::kFailed);
      message = snapshot.result().message;
    } else {
      CHECK(failure.call == Call::kCreate);
    }
    INFO(message);
    CHECK(message.find(folder.path()) != std::string::npos);
    CHECK(message.find(failure.remedy) != std::string::npos);
    CHECK_FALSE(snapshot.running());
    if (failure.call != Call::kSyncFolder) CHECK(folder.Names().empty());
  }
  files.Heal();
  const std::vector<std::string> expected = Content(&store);
  Snapshot snapshot(&store, options);
  REQUIRE(snapshot.Start().ok());
  snapshot.Wait();
  REQUIRE(snapshot.result().message == "");
  CheckSame(ContentOfFile(folder.File("dump.rdb")), expected);
}

TEST_CASE("Temporary files of processes that are gone are removed") {
  const Folder folder;
  for (const char* name : {"temp-999999999.rdb", "temp-1.rdb", "temp-.rdb", "temp-12x.rdb",
                           "dump.rdb", "temp-0.rdb"}) {
    std::ofstream(folder.File(name)) << "x";
  }
  const std::string own = "temp-" + std::to_string(::getpid()) + ".rdb";
  std::ofstream(folder.File(own)) << "x";
  const bool first = ::getpid() == 1;
  CHECK(RemoveStaleSnapshots(folder.path()) == 2);
  CHECK(std::filesystem::exists(folder.File("temp-1.rdb")) == !first);
  CHECK_FALSE(std::filesystem::exists(folder.File(own)));
  CHECK_FALSE(std::filesystem::exists(folder.File("temp-999999999.rdb")));
  CHECK(std::filesystem::exists(folder.File("dump.rdb")));
  CHECK(std::filesystem::exists(folder.File("temp-12x.rdb")));
  CHECK(RemoveStaleSnapshots(folder.File("missing")) == 0);
}

TEST_CASE("What the file says about itself, and when it is over") {
  const Folder folder;
  Store store(Options());
  SnapshotOptions options = Stepped(folder.File("dump.rdb"));
  options.fields = {{"redis-ver", "7.2.0"}, {"used-mem", "123"}};
  options.functions = {"#!lua name=f\n"};
  options.changes = [] { return uint64_t{77}; };
  bool over = false;
  options.on_end = [&over] { over = true; };
  options.checksum = GENERATE(false, true);
  Snapshot snapshot(&store, options);
  REQUIRE(snapshot.Start().ok());
  CHECK(snapshot.running());
  CHECK_FALSE(over);
  snapshot.Wait();
  CHECK(over);
  CHECK_FALSE(snapshot.running());
  CHECK(snapshot.result().changes == 77);
  const std::string file = ReadFile(folder.File("dump.rdb"));
  CHECK(snapshot.result().file_bytes == file.size());
  const rdb_test::Loaded loaded = rdb_test::Load(file);
  CHECK(loaded.error == "");
  CHECK(loaded.others ==
        rdb_test::Strings{"redis-ver=7.2.0", "used-mem=123", "function #!lua name=f\n"});
}

// Threads move amounts between accounts, by two locks or by all, while snapshots follow each
// other.
TEST_CASE("Transfers are in a snapshot whole or not at all") {
  constexpr int kAccounts = 200;
  constexpr int64_t kEach = 1000;
  const Folder folder;
  Store::Options store_options = Options();
  store_options.stripes = 64;
  Store store(store_options);
  StoreStats stats;
  OpContext context(&stats);
  context.SetNow(kNow);
  const auto name_of = [](uint64_t i) { return "account" + std::to_string(i); };
  for (int i = 0; i < kAccounts; ++i) {
    const std::string name = name_of(static_cast<uint64_t>(i));
    store.Write(context, 0, Store::MakeKey(name)).SetInteger(kEach, Entry::kNoExpiry);
  }
  std::atomic<bool> stop{false};
  const auto transfer = [&](uint64_t seed) {
    StoreStats own_stats;
    OpContext own(&own_stats);
    own.SetNow(kNow);
    std::mt19937_64 random(seed);
    while (!stop.load()) {
      const std::string from_name = name_of(random() % kAccounts);
      const std::string to_name = name_of(random() % kAccounts);
      if (from_name == to_name) continue;
      const Key keys[] = {Store::MakeKey(from_name), Store::MakeKey(to_name)};
      const auto amount = static_cast<int64_t>(random() % 10);
      {
        const AtomicSection section(&store, &own, keys, random() % 50 == 0);
        KeySlot from = store.Slot(own, 0, keys[0]);
        from.ChangeInteger(from->integer() - amount);
        KeySlot to = store.Slot(own, 0, keys[1]);
        to.ChangeInteger(to->integer() + amount);
      }
      store.FinishServing(own);
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 2; ++i) threads.emplace_back(transfer, i);
  for (int round = 0; round < 20; ++round) {
    SnapshotOptions options = Stepped(folder.File("dump.rdb"));
    options.thread = true;
    Snapshot snapshot(&store, options);
    REQUIRE(snapshot.Start().ok());
    snapshot.Wait();
    REQUIRE(snapshot.result().ok());
    const std::vector<std::string> accounts = ContentOfFile(folder.File("dump.rdb"));
    CHECK(accounts.size() == kAccounts);
    int64_t sum = 0;
    for (const std::string& account : accounts) {
      std::string number = account.substr(account.rfind(' ') + 1);
      number.erase(std::remove(number.begin(), number.end(), '"'), number.end());
      sum += std::stoll(number);
    }
    CHECK(sum == kAccounts * kEach);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("Threads change everything while snapshots are taken and cancelled") {
  const Folder folder;
  Store store(Options());
  RandomChanges(&store, 1).Fill();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 2; ++i) {
    threads.emplace_back([&store, &stop, i] {
      RandomChanges changes(&store, i + 10);
      while (!stop.load()) changes.Change();
    });
  }
  for (int round = 0; round < 12; ++round) {
    SnapshotOptions options = Stepped(folder.File("dump.rdb"));
    options.thread = true;
    Snapshot snapshot(&store, options);
    REQUIRE(snapshot.Start().ok());
    if (round % 3 == 2) snapshot.Cancel();
    snapshot.Wait();
    if (snapshot.result().ok()) ContentOfFile(folder.File("dump.rdb"));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("A store of one thread takes locks only while a snapshot is there") {
  const Folder folder;
  Store::Options store_options = Options();
  store_options.one_thread = true;
  Store store(store_options);
  RandomChanges changes(&store, 5);
  changes.Fill();
  StoreStats stats;
  OpContext context(&stats);
  context.SetNow(kNow);
  for (int round = 0; round < 6; ++round) {
    const std::vector<std::string> expected = Content(&store);
    SnapshotOptions options = Stepped(folder.File("dump.rdb"));
    options.thread = true;
    Snapshot snapshot(&store, options);
    if (round % 2 == 0) {
      REQUIRE(snapshot.Start().ok());
    } else {
      const AtomicSection section(&store, &context, {}, /*everything=*/true);
      REQUIRE(snapshot.Start().ok());
    }
    while (snapshot.running()) changes.Change();
    REQUIRE(snapshot.result().ok());
    CheckSame(ContentOfFile(folder.File("dump.rdb")), expected);
  }
}

}  // namespace
}  // namespace spinel
