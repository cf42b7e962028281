#include "server/saver.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "server/eviction_policy.h"
#include "server/host_resources.h"
#include "server/log.h"
#include "server/scripts.h"
#include "server/server.h"
#include "server/version.h"

namespace spinel {
namespace {

// After a failure the next attempt waits.
constexpr int64_t kRetryMs = 5000;

// Of a snapshot that there is not.
std::string OutcomeText(const Snapshot::Result& result) {
  return result.outcome == Snapshot::Outcome::kCancelled ? "the snapshot was cancelled"
                                                         : result.message;
}

}  // namespace

std::string SnapshotPath(const Config& config) {
  return fmt::format("{}/{}", config.dir(), config.dbfilename());
}

Saver::Saver(Server* server, int64_t now_ms) : server_(server), saved_ms_(now_ms) {}

Saver::~Saver() { CancelAndWait(); }

SnapshotOptions Saver::MakeOptions(int64_t now_ms) const {
  const Config& config = server_->config();
  SnapshotOptions options;
  options.path = SnapshotPath(config);
  options.checksum = config.rdbchecksum();
  options.compress = config.rdbcompression();
  options.incremental_fsync = config.rdb_save_incremental_fsync();
  options.fields = {{"redis-ver", std::string(kRedisVersion)},
                    {"redis-bits", "64"},
                    {"ctime", std::to_string(now_ms / 1000)},
                    {"used-mem", std::to_string(ReadProcessMemory().allocated)},
                    {"aof-base", "0"}};
  options.functions = server_->scripts().LibraryCodes();
  options.access_times = GoesByUse(config.maxmemory_policy());
  options.now_ms = now_ms;
  options.changes = [server = server_] { return server->Changes(); };
  return options;
}

// Takes no stripe's lock while it holds the mutex: whoever runs a transaction, and so holds
// stripes, may ask for a report.
Saver::Begun Saver::Begin(int64_t now_ms, bool background, std::string* error,
                          std::shared_ptr<Snapshot>* begun) {
  {
    MutexLock lock(&mutex_);
    Reap();
    if (starting_ || running_.snapshot != nullptr) return Begun::kBusy;
    starting_ = true;
    last_try_ms_ = now_ms;
    ++saves_;
  }
  Release();
  auto snapshot = std::make_shared<Snapshot>(&server_->store(), MakeOptions(now_ms));
  const Status status = snapshot->Start();
  MutexLock lock(&mutex_);
  starting_ = false;
  if (background) scheduled_ = false;
  if (status.ok()) {
    running_ = {snapshot, background, now_ms};
    *begun = std::move(snapshot);
    return Begun::kYes;
  }
  LogWarning("Saving failed: {}", status.message());
  *error = status.message();
  if (background) SetLastOk(false);
  return Begun::kFailed;
}

void Saver::Release() {
  std::shared_ptr<Snapshot> over;  // goes when the mutex has been let go
  MutexLock lock(&mutex_);
  over.swap(over_);
}

Saver::Begun Saver::Save(int64_t now_ms, std::string* error) {
  std::shared_ptr<Snapshot> snapshot;
  const Begun begun = Begin(now_ms, /*background=*/false, error, &snapshot);
  if (begun != Begun::kYes) return begun;
  snapshot->Wait();
  {
    MutexLock lock(&mutex_);
    Reap();
  }
  Release();
  const Snapshot::Result result = snapshot->result();
  if (result.ok()) return Begun::kYes;
  *error = OutcomeText(result);
  return Begun::kFailed;
}

Saver::Begun Saver::SaveInBackground(int64_t now_ms, std::string* error) {
  std::shared_ptr<Snapshot> snapshot;
  const Begun begun = Begin(now_ms, /*background=*/true, error, &snapshot);
  if (begun == Begun::kYes) LogNotice("Background saving started");
  return begun;
}

void Saver::Schedule() {
  MutexLock lock(&mutex_);
  scheduled_ = true;
}

Saver::Cancelled Saver::Cancel() {
  MutexLock lock(&mutex_);
  if (running_.background && running_.snapshot->running()) {
    running_.snapshot->Cancel();
    return Cancelled::kRunning;
  }
  if (std::exchange(scheduled_, false)) return Cancelled::kScheduled;
  return Cancelled::kNothing;
}

void Saver::Abort() {
  MutexLock lock(&mutex_);
  if (running_.snapshot != nullptr) running_.snapshot->Cancel();
}

void Saver::CancelAndWait() {
  std::shared_ptr<Snapshot> snapshot;
  {
    MutexLock lock(&mutex_);
    if (!running_.background) return;
    snapshot = running_.snapshot;
    snapshot->Cancel();
  }
  snapshot->Wait();
  {
    MutexLock lock(&mutex_);
    Reap();
  }
  Release();
}

void Saver::DataFlushed(int64_t now_ms, bool inside) {
  {
    MutexLock lock(&mutex_);
    if (running_.background) running_.snapshot->Cancel();
  }
  if (server_->config().save_points().empty()) return;
  if (inside) return Schedule();
  CancelAndWait();
  std::string error;
  Save(now_ms, &error);
}

void Saver::ForgetChanges() {
  MutexLock lock(&mutex_);
  saved_changes_ = server_->Changes();
}

// -- What has become of it
// -------------------------------------------------------------------------

void Saver::Reap() {
  if (running_.snapshot == nullptr || running_.snapshot->running()) return;
  const Running ended = std::exchange(running_, {});
  over_ = ended.snapshot;
  NoteOutcome(ended);
}

void Saver::NoteOutcome(const Running& ended) {
  const Snapshot::Result result = ended.snapshot->result();
  if (ended.background) last_seconds_ = result.duration_ms / 1000;
  most_copied_bytes_ = result.most_copied_bytes;
  if (result.ok()) {
    saved_ms_ = ended.started_ms + result.duration_ms;
    saved_changes_ = result.changes;
    SetLastOk(true);
    LogNotice("Saved {} keys to {} ({:.2f} MB) in {:.3f} seconds", result.keys,
              SnapshotPath(server_->config()), static_cast<double>(result.file_bytes) / (1 << 20),
              static_cast<double>(result.duration_ms) / 1000);
  } else if (result.outcome == Snapshot::Outcome::kCancelled) {
    LogWarning("The snapshot was cancelled: {} is as it was", SnapshotPath(server_->config()));
  } else {
    LogWarning("Saving failed: {}", result.message);
    if (ended.background) SetLastOk(false);
  }
}

void Saver::SetLastOk(bool ok) {
  last_ok_.store(ok);
  UpdateTrouble();
}

// Takes no mutex: it is called with that of the configuration held.
void Saver::UpdateTrouble() {
  const Config& config = server_->config();
  server_->Set(Trouble::kSavingFails, !last_ok_.load() && config.stop_writes_on_bgsave_error() &&
                                          !config.save_points().empty());
}

std::string Saver::DuePoint(int64_t now_ms) {
  if (!last_ok_.load() && now_ms - last_try_ms_ <= kRetryMs) return {};
  if (scheduled_) return "It has been asked for";
  const auto changes = static_cast<int64_t>(server_->Changes() - saved_changes_);
  if (changes == 0) return {};
  const int64_t seconds = (now_ms - saved_ms_) / 1000;
  for (const SavePoint& point : server_->config().save_points()) {
    if (changes >= point.changes && seconds > point.seconds) {
      return fmt::format("{} changes in {} seconds", point.changes, point.seconds);
    }
  }
  return {};
}

void Saver::Cron(int64_t now_ms) {
  std::string reason;
  {
    MutexLock lock(&mutex_);
    Reap();
    if (starting_ || running_.snapshot != nullptr || server_->Has(Trouble::kLoading)) return;
    reason = DuePoint(now_ms);
  }
  Release();
  if (reason.empty()) return;
  LogNotice("{}. Saving...", reason);
  std::string error;
  SaveInBackground(now_ms, &error);
}

Saver::Report Saver::report(int64_t now_ms) {
  MutexLock lock(&mutex_);
  Reap();
  Report report;
  report.changes = server_->Changes() - saved_changes_;
  report.running = running_.snapshot != nullptr || starting_;
  report.in_background = running_.snapshot != nullptr && running_.background;
  report.last_ok = last_ok_.load();
  report.saved_ms = saved_ms_;
  report.last_seconds = last_seconds_;
  if (report.in_background) report.current_seconds = (now_ms - running_.started_ms) / 1000;
  report.saves = saves_;
  report.most_copied_bytes = most_copied_bytes_;
  if (running_.snapshot != nullptr) report.progress = running_.snapshot->progress();
  return report;
}

void Saver::ResetStatistics() {
  MutexLock lock(&mutex_);
  saves_ = 0;
}

int64_t Saver::saved_ms() {
  MutexLock lock(&mutex_);
  return saved_ms_;
}

}  // namespace spinel
