#include "persistence/snapshot_impl.h"

#include <pthread.h>
#include <sched.h>

#include <cassert>

#include "storage/arena.h"

namespace spinel {

Snapshot::Impl::Impl(Store* store, SnapshotOptions options)
    : store_(store),
      options_(std::move(options)),
      file_({options_.path, options_.checksum, options_.incremental_fsync, options_.files}),
      queue_(std::make_shared<PictureQueue>()) {}

Snapshot::Impl::~Impl() {
  Cancel();
  Wait();
  if (thread_.joinable()) thread_.join();
  store_->StopSharing();
}

// -- Beginning and end
// -----------------------------------------------------------------------------

Status Snapshot::Impl::Start() {
  assert(!thread_.joinable() && !running());
  if (!store_->ReserveSnapshot()) {
    return Status::Error(
        "a snapshot of this data set is being written already: wait for its end or cancel it");
  }
  if (Status status = file_.Open(); !status.ok()) {
    store_->EndSnapshot();
    return status;
  }
  running_.store(true, std::memory_order_release);
  store_->BeginSnapshot(this,
                        [this](std::span<const Store::DatabaseInfo> databases) { Cut(databases); });
  BeginFile();
  if (options_.thread) thread_ = std::thread([this, arena = ThreadArena()] { Run(arena); });
  return {};
}

// With everything locked.
void Snapshot::Impl::Cut(std::span<const Store::DatabaseInfo> databases) {
  databases_.assign(databases.begin(), databases.end());
  announced_.resize(databases_.size());
  write_options_ = {.version = kRdbVersion,
                    .compress = options_.compress,
                    .use = options_.access_times ? &store_->access_tracking() : nullptr};
  for (size_t i = 0; i < databases_.size(); ++i) {
    const int physical = store_->PhysicalDatabase(static_cast<int>(i));
    physical_.push_back(physical);
    logical_[static_cast<size_t>(physical)] = static_cast<uint8_t>(i);
    total_keys_ += databases_[i].keys;
    if (databases_[i].with_expiring_elements > 0) write_options_.version = kRdbVersionValkey;
  }
  epoch_ = store_->PictureEpoch();
  if (options_.changes) changes_ = options_.changes();
}

void Snapshot::Impl::Run(unsigned arena) {
  // The writer must not take a loop's CPU away.
  const sched_param no_priority{};
  pthread_setschedparam(pthread_self(), SCHED_BATCH, &no_priority);
  pthread_setname_np(pthread_self(), "snapshot");
  UseArena(arena);
  while (Step()) {
  }
}

void Snapshot::Impl::Wait() {
  if (!options_.thread) {
    while (Step()) {
    }
    return;
  }
  MutexLock lock(&mutex_);
  while (running()) over_.Wait(&mutex_);
}

Snapshot::Progress Snapshot::Impl::progress() const {
  Progress progress;
  progress.keys = keys_.load(std::memory_order_relaxed);
  progress.total_keys = total_keys_;
  progress.bytes = bytes_.load(std::memory_order_relaxed);
  progress.copied_bytes = queue_->kept().now();
  progress.most_copied_bytes = queue_->kept().most();
  progress.started_ms = options_.now_ms;
  return progress;
}

Snapshot::Result Snapshot::Impl::result() const {
  MutexLock lock(&mutex_);
  return result_;
}

void Snapshot::Impl::GiveUpIfNecessary() {
  if (given_up() || (!cancelled_.load(std::memory_order_relaxed) && file_.ok())) return;
  given_up_.store(true, std::memory_order_relaxed);
  queue_->Close();
  file_.Abandon();
}

void Snapshot::Impl::Finish() {
  Result result;
  if (!given_up()) {
    writer_->End();
    bytes_.store(file_.written(), std::memory_order_relaxed);
    const Status status = file_.Finish();
    if (status.ok()) result.outcome = Outcome::kSaved;
  } else if (file_.ok()) {
    result.outcome = Outcome::kCancelled;
  }
  if (result.outcome == Outcome::kFailed) result.message = file_.status().message();
  result.file_bytes = file_.written();
  result.duration_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::steady_clock::now() - begun_)
                           .count();
  result.changes = changes_;
  result.keys = keys_.load(std::memory_order_relaxed);
  result.most_copied_bytes = queue_->kept().most();
  phase_ = Phase::kOver;
  store_->EndSnapshot();
  {
    MutexLock lock(&mutex_);
    result_ = std::move(result);
    running_.store(false, std::memory_order_release);
    over_.NotifyAll();
  }
  if (options_.on_end) options_.on_end();
}

// -- What the store tells
// --------------------------------------------------------------------------

std::string Snapshot::Impl::RecordOf(const Entry& entry) const {
  RdbWriteOptions options = write_options_;
  options.compress = false;
  MemorySink sink;
  RdbWriter(&sink, options).Record(entry, options_.now_ms);
  return std::string(sink.bytes());
}

PictureQueue::Item Snapshot::Impl::CopyOf(int database, const Entry& entry) const {
  PictureQueue::Item item;
  item.database = database;
  if (entry.is_object()) {
    item.record = RecordOf(entry);
    item.bytes = item.record.capacity();
  } else {
    item.entry.reset(Entry::Clone(entry, entry.key()));
    item.bytes = item.entry->MemoryBytes();
  }
  return item;
}

void Snapshot::Impl::AddPicture(uint32_t stripe, int database, const Entry& entry, Entry* taken) {
  auto picture =
      BigPicture::Make(entry, {stripe, database}, write_options_, options_.now_ms, &queue_->kept());
  if (taken != nullptr) picture->TakeOver(taken);
  MutexLock lock(&mutex_);
  pictures_.push_back(std::move(picture));
}

void Snapshot::Impl::Add(const OpContext& context, PictureQueue::Item item) {
  constexpr size_t kFew = 8;  // a command that changes many keys waits once, not for each
  if (!queue_->Add(std::move(item)) || !options_.thread) return;
  if (context.unlocked.size() >= kFew) return;
  context.unlocked.push_back([queue = queue_] { queue->WaitForRoom(); });
}

void Snapshot::Impl::Keep(const OpContext& context, uint32_t stripe, int physical, Entry* entry) {
  if (given_up() || !Counts(*entry)) return;
  const int database = DatabaseOf(physical);
  if (BigPicture::IsFor(*entry)) return AddPicture(stripe, database, *entry);
  Add(context, CopyOf(database, *entry));
}

void Snapshot::Impl::TakeEntry(const OpContext& context, int physical, Entry* entry) {
  if (!given_up() && Counts(*entry) && BigPicture::IsFor(*entry)) {
    // It waits for its turn, and nobody for it. No stripe has it any more: any lock will do.
    return AddPicture(0, DatabaseOf(physical), *entry, entry);
  }
  PictureQueue::Item item;
  item.database = DatabaseOf(physical);
  item.entry.reset(entry);
  item.bytes = entry->MemoryBytes();
  Add(context, std::move(item));
}

void Snapshot::Impl::TakeTable(int physical, Keyspace&& table) {
  queue_->AddTable(physical, std::move(table));
}

}  // namespace spinel
