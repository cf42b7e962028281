// One moment's picture of a store, written to a file while the store goes on. See
// docs/snapshots.md.
//
//   Snapshot snapshot(&store, {.path = "/data/dump.rdb"});
//   if (Status status = snapshot.Start(); !status.ok()) ... status.message() says what to do
//   ... later: snapshot.running(), snapshot.progress(); at the end snapshot.result()
//
// Owner: whoever starts it. Threads: the constructor, Start, Step and the destructor belong to one
// thread of those that use the store, for a store with `one_thread` to that thread; everything else
// may be called from any. Start expects that this thread holds no stripe's lock, or every one
// (AtomicSection); Wait and the destructor that it holds none. A store with `one_thread` takes
// locks until the Snapshot is destroyed: that should be soon after its end. The store outlives it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "persistence/file_system.h"
#include "persistence/status.h"
#include "storage/store.h"

namespace spinel {

struct SnapshotOptions {
  std::string path;  // of the finished file; a temporary one beside it is renamed to that
  bool checksum = true;
  bool compress = true;
  bool incremental_fsync = true;
  bool access_times = false;  // idle times or frequencies are written with each key
  // About the file (RdbWriter::Aux), and the code of libraries of functions.
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::string> functions;
  int64_t now_ms = 0;  // Unix time of the cut: what is over by then is not written
  // Called at the cut, with everything locked: the number of changes so far. May be empty.
  std::function<uint64_t()> changes;
  // Called once it is over, on the thread that wrote; running() is false by then. May be empty.
  std::function<void()> on_end;
  // For tests: without a thread Step() is called instead; and where files fail.
  bool thread = true;
  FileSystem* files = FileSystem::Real();
};

class Snapshot {
 public:
  struct Progress {
    uint64_t keys = 0;          // of the data set that are written
    uint64_t total_keys = 0;    // at the cut
    uint64_t bytes = 0;         // of the file so far
    uint64_t copied_bytes = 0;  // kept in memory because they have been changed since the cut
    uint64_t most_copied_bytes = 0;
    int64_t started_ms = 0;  // options.now_ms
  };
  enum class Outcome : uint8_t { kSaved, kCancelled, kFailed };
  struct Result {
    Outcome outcome = Outcome::kFailed;
    std::string message;  // of a failure: file, cause and remedy
    uint64_t file_bytes = 0;
    int64_t duration_ms = 0;
    uint64_t changes = 0;  // what options.changes answered
    uint64_t keys = 0;     // written
    uint64_t most_copied_bytes = 0;
    bool ok() const { return outcome == Outcome::kSaved; }
  };

  Snapshot(Store* store, SnapshotOptions options);
  // Cancels it if it runs, and waits for its end.
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // Opens the temporary file, makes the cut and starts a thread. At most once. An error names file
  // and remedy; while another snapshot of this store runs it is refused.
  Status Start();
  // Until it is over. May be called from a loop: nothing is waited for that this thread would do.
  void Wait();
  // It ends soon, and the temporary file is removed.
  void Cancel();
  bool running() const;
  Progress progress() const;
  // Expects that it was started and is over.
  Result result() const;

  // With `thread` false: a bounded piece of the work. False: it is over.
  bool Step();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Removes temporary files of snapshots in the folder whose process is gone. Call it before this
// process starts a snapshot of its own. Returns how many there were.
size_t RemoveStaleSnapshots(const std::string& folder);

}  // namespace spinel
