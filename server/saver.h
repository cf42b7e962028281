// The server's snapshots: who asked for one, what became of the last, and when the next is due.
// (How one is taken is persistence/snapshot.h; docs/persistence.md is for operators.)
//
// Owner: the Server. Threads: any. A mutex guards what is said here; nobody holds it while a
// snapshot is being taken.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "persistence/snapshot.h"
#include "persistence/status.h"
#include "storage/mutex.h"

namespace spinel {

class Config;
class Server;

// The file that the configuration names.
std::string SnapshotPath(const Config& config);

class Saver {
 public:
  Saver(Server* server, int64_t now_ms);
  ~Saver();  // cancels what runs
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;

  enum class Begun : uint8_t { kYes, kBusy, kFailed };

  // Takes a snapshot and returns when the file is there. On a loop this stops the loop. kBusy:
  // another one runs. kFailed: `*error` says why, and what to do.
  Begun Save(int64_t now_ms, std::string* error);
  // The same, but returns as soon as the moment that it shows has been.
  Begun SaveInBackground(int64_t now_ms, std::string* error);
  // Has one taken as soon as that is possible.
  void Schedule();
  enum class Cancelled : uint8_t { kRunning, kScheduled, kNothing };
  // Ends what runs in the background, or else what is scheduled.
  Cancelled Cancel();
  // Ends what runs, SAVE included.
  void Abort();
  // Ends what runs in the background and waits for its end.
  void CancelAndWait();

  // FLUSHALL has emptied everything: what is being saved is not wanted any more, and where save
  // points are set the file is emptied, too. `inside`: in a transaction or script.
  void DataFlushed(int64_t now_ms, bool inside);
  // The data is what the file holds: it has just been loaded.
  void ForgetChanges();

  // Notices what has ended, and begins what is due. Called by the first loop from time to time.
  void Cron(int64_t now_ms);
  // After the options that decide about refusing writes have changed.
  void UpdateTrouble();

  struct Report {
    uint64_t changes = 0;  // since the last snapshot
    bool running = false;
    bool in_background = false;
    bool last_ok = true;
    int64_t saved_ms = 0;            // when the last was taken, or the start
    int64_t last_seconds = -1;       // how long the last one in the background took
    int64_t current_seconds = -1;    // how long the present one has
    uint64_t saves = 0;              // since the start or ResetStatistics
    uint64_t most_copied_bytes = 0;  // by the last one, because of writers
    Snapshot::Progress progress;     // of the one that runs
  };
  Report report(int64_t now_ms);
  void ResetStatistics();
  int64_t saved_ms();

 private:
  struct Running {
    std::shared_ptr<Snapshot> snapshot;
    bool background = false;
    int64_t started_ms = 0;
  };

  Begun Begin(int64_t now_ms, bool background, std::string* error,
              std::shared_ptr<Snapshot>* begun);
  SnapshotOptions MakeOptions(int64_t now_ms) const;
  // Destroys the last snapshot. Expects that this thread holds no stripe, nor the mutex.
  void Release();
  // If what runs has ended: notes what has become of it.
  void Reap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteOutcome(const Running& ended) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The save point that has been reached, as text; empty: none.
  std::string DuePoint(int64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetLastOk(bool ok) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Server* const server_;
  Mutex mutex_;
  Running running_ ABSL_GUARDED_BY(mutex_);
  bool starting_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<Snapshot> over_ ABSL_GUARDED_BY(mutex_);  // has ended, is to be destroyed
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t saved_ms_ ABSL_GUARDED_BY(mutex_);
  int64_t last_try_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t last_seconds_ ABSL_GUARDED_BY(mutex_) = -1;
  uint64_t saves_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t most_copied_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t saved_changes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> last_ok_{true};
};

}  // namespace spinel
