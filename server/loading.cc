#include "server/loading.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "server/event_loop.h"
#include "server/library_restore.h"
#include "server/log.h"
#include "server/saver.h"
#include "server/server.h"
#include "server/value_limits.h"

namespace spinel {
namespace {

constexpr size_t kBatchKeys = 256;      // some 100 us of a loop's time
constexpr int kBatchesPerLoop = 8;      // that wait at the most
constexpr uint64_t kKeysPerLook = 256;  // between two looks at the clock
// A store has 1024 stripes or more, told by the highest bits of a key's hash.
constexpr int kCommonStripeShift = 54;

double Megabytes(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

uint64_t NumberOf(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

Loading::Loading(Server* server) : server_(server) {}

Loading::~Loading() {
  Stop();
  if (fd_ >= 0) close(fd_);
}

std::string Loading::Explain(std::string_view message) const {
  return fmt::format(
      "Can't load the snapshot {}: {}. Remedy: put an intact copy of it there, or move it away to "
      "start without its data; redis-check-rdb tells more.",
      path_, message);
}

Status Loading::OpenFile(int64_t now_ms, int* fd) {
  *fd = -1;
  path_ = SnapshotPath(server_->config());
  const int opened = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0 && errno == ENOENT) return {};
  struct stat facts {};
  if (opened < 0 || fstat(opened, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    const std::string reason = opened >= 0 ? "it is not a file" : std::strerror(errno);
    if (opened >= 0) close(opened);
    return Status::Error(fmt::format(
        "Can't load the snapshot {}: {}. Remedy: make it readable for the server's user, or name "
        "another one by 'dir' and 'dbfilename'.",
        path_, reason));
  }
  posix_fadvise(opened, 0, 0, POSIX_FADV_SEQUENTIAL);
  total_bytes_.store(static_cast<uint64_t>(facts.st_size));
  loaded_bytes_.store(0);
  used_memory_.store(0);
  started_ms_.store(now_ms);
  *fd = opened;
  return {};
}

Status Loading::Open() {
  Status status = OpenFile(UnixMilliseconds(), &fd_);
  if (status.ok() && fd_ >= 0) server_->Set(Trouble::kLoading, true);
  return status;
}

void Loading::Start(std::function<void(const Status&)> done) {
  if (fd_ < 0) return done(Status());
  thread_ = std::thread([this, done = std::move(done)] { Run(done); });
}

void Loading::Stop() {
  {
    MutexLock lock(&mutex_);
    stop_.store(true);
  }
  room_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void Loading::Run(const std::function<void(const Status&)>& done) {
  batches_.resize(static_cast<size_t>(server_->runtime().loops()));
  Status status = ReadFile(std::exchange(fd_, -1), Repeated::kRefuse,
                           [this](Item item) { return Enqueue(std::move(item)); });
  Drain();
  if (stop_.load()) return;
  {
    MutexLock lock(&mutex_);
    if (!refused_.empty()) status = Status::Error(Explain(refused_));
  }
  if (status.ok()) {
    server_->saver().ForgetChanges();
    server_->Set(Trouble::kLoading, false);
  }
  done(status);
}

Status Loading::LoadHere(LoopState* loop, Repeated repeated) {
  int fd = -1;
  if (Status status = OpenFile(loop->op.now_ms, &fd); !status.ok()) return status;
  if (fd < 0) return Status::Error(fmt::format("There is no snapshot {}", path_));
  std::string refused;
  Status status = ReadFile(fd, repeated, [&](Item item) {
    if (InsertItem(loop, &item, repeated)) return true;
    MutexLock lock(&mutex_);
    refused = std::exchange(refused_, {});
    return false;
  });
  return refused.empty() ? status : Status::Error(Explain(refused));
}

// -- The file
// --------------------------------------------------------------------------------------

// Closes the file.
Status Loading::ReadFile(int fd, Repeated repeated, const Take& take) {
  functions_.clear();
  RdbReadOptions options;
  options.limits = ValueLimitsOf(*server_);
  options.databases = static_cast<uint64_t>(server_->store().databases());
  options.now_ms = started_ms_.load();
  reported_ms_ = UnixMilliseconds();
  LogNotice("Loading {} ({:.2f} MB)", path_, Megabytes(total_bytes_.load()));

  FdSource source(fd, total_bytes_.load());
  RdbReader reader(&source, options);
  RdbRecord record;
  bool more = true;
  for (uint64_t records = 0; more && reader.Next(&record); ++records) {
    more = TakeRecord(&record, take) && !stop_.load(std::memory_order_relaxed);
    if (records % kKeysPerLook == 0) Report(reader, UnixMilliseconds());
  }
  close(fd);
  if (!more) return {};  // whoever wants no more knows why
  if (Status status = reader.status(); !status.ok())
    return Status::Error(Explain(status.message()));
  loaded_bytes_.store(total_bytes_.load());
  keys_loaded_.store(reader.counts().keys);
  keys_expired_.store(reader.counts().expired_keys);
  if (Status status = LoadFunctions(repeated); !status.ok()) return status;
  LogOutcome(reader);
  return {};
}

Status Loading::LoadFunctions(Repeated repeated) {
  const auto codes = std::exchange(functions_, {});
  const std::string error = RestoreLibraries(
      &server_->scripts(), codes,
      repeated == Repeated::kReplace ? LibraryPolicy::kReplace : LibraryPolicy::kAppend);
  if (error.empty()) return {};
  return Status::Error(Explain(fmt::format("a library of functions can't be loaded: {}", error)));
}

bool Loading::TakeRecord(RdbRecord* record, const Take& take) {
  switch (record->kind) {
    case RdbRecord::Kind::kKey: {
      const AccessTracking& tracking = server_->store().access_tracking();
      record->entry->set_access_clock(AccessClockOf(*record, tracking, started_ms_.load()));
      const uint64_t hash = Store::MakeKey(record->entry->key()).hash;
      return take({static_cast<int>(record->database), hash, std::move(record->entry)});
    }
    case RdbRecord::Kind::kAux:
      NoteAux(*record);
      return true;
    case RdbRecord::Kind::kFunction:
      functions_.push_back(std::move(record->text));
      return true;
    case RdbRecord::Kind::kSkipped:
      LogWarning("{} holds what this server does not have, and passes over: {}", path_,
                 record->text);
      return true;
    case RdbRecord::Kind::kSizes:  // tables grow by small steps: no room is to be made
      return true;
  }
  return true;
}

void Loading::NoteAux(const RdbRecord& record) {
  if (record.name == "used-mem") {
    used_memory_.store(NumberOf(record.text));
  } else if (record.name == "ctime") {
    LogNotice("The snapshot is {} seconds old",
              std::max<int64_t>(
                  started_ms_.load() / 1000 - static_cast<int64_t>(NumberOf(record.text)), 0));
  } else if (record.name == "redis-ver" || record.name == "valkey-ver") {
    LogNotice("It was written by version {}", record.text);
  }
}

// Tells INFO, and once a second the log, how far it is.
void Loading::Report(const RdbReader& reader, int64_t now_ms) {
  loaded_bytes_.store(reader.offset(), std::memory_order_relaxed);
  if (now_ms - reported_ms_ < 1000) return;
  reported_ms_ = now_ms;
  const Progress now = progress(now_ms);
  LogNotice("Loading: {:.1f}% ({:.2f} of {:.2f} MB), {} keys, {} seconds to go", now.percent,
            Megabytes(now.loaded_bytes), Megabytes(now.total_bytes), reader.counts().keys,
            now.eta_seconds);
}

Loading::Progress Loading::progress(int64_t now_ms) const {
  Progress progress;
  progress.started_ms = started_ms_.load(std::memory_order_relaxed);
  progress.total_bytes = total_bytes_.load(std::memory_order_relaxed);
  progress.loaded_bytes = loaded_bytes_.load(std::memory_order_relaxed);
  progress.used_memory = used_memory_.load(std::memory_order_relaxed);
  const auto total = static_cast<double>(progress.total_bytes);
  const auto loaded = static_cast<double>(progress.loaded_bytes);
  const auto seconds =
      static_cast<double>(std::max<int64_t>(now_ms - progress.started_ms, 0)) / 1000;
  if (total > 0) progress.percent = loaded / total * 100;
  // At first there is nothing to tell by.
  progress.eta_seconds =
      seconds < 1 || loaded == 0 ? 1 : static_cast<int64_t>(seconds * (total - loaded) / loaded);
  return progress;
}

void Loading::LogOutcome(const RdbReader& reader) const {
  const RdbReader::Counts& counts = reader.counts();
  const int64_t ms = UnixMilliseconds() - started_ms_.load();
  LogNotice(
      "Loaded {} keys from {} in {:.3f} seconds; left out: {} that had expired, {} without "
      "elements{}",
      counts.keys, path_, static_cast<double>(ms) / 1000, counts.expired_keys, counts.empty_keys,
      reader.has_checksum() ? "" : ". It has no checksum, so damage may have gone unnoticed");
}

// -- Into the store
// --------------------------------------------------------------------------------

// A key's stripe is always the same loop's, so that loops do not meet at a lock.
bool Loading::Enqueue(Item item) {
  const size_t loop = (item.hash >> kCommonStripeShift) % batches_.size();
  batches_[loop].push_back(std::move(item));
  if (batches_[loop].size() < kBatchKeys) return true;
  Send(loop);
  MutexLock lock(&mutex_);
  return refused_.empty();
}

void Loading::Send(size_t loop) {
  {
    MutexLock lock(&mutex_);
    const int most = kBatchesPerLoop * static_cast<int>(batches_.size());
    while (waiting_ >= most && !stop_.load()) room_.Wait(&mutex_);
    ++waiting_;
  }
  auto batch = std::make_shared<Batch>(std::move(batches_[loop]));
  batches_[loop].clear();
  batches_[loop].reserve(kBatchKeys);
  const int index = static_cast<int>(loop);
  server_->runtime().Post(index, [this, index, batch] { Insert(index, batch.get()); });
}

// On a loop.
void Loading::Insert(int loop, Batch* batch) {
  constexpr size_t kAhead = 16;
  Store& store = server_->store();
  for (size_t i = 0; i < batch->size(); ++i) {
    if (i % kAhead == 0) {
      for (size_t j = i; j < std::min(i + kAhead, batch->size()); ++j) {
        const Item& ahead = (*batch)[j];
        store.PrefetchBucket(ahead.database, {ahead.entry->key(), ahead.hash});
      }
    }
    if (!InsertItem(&server_->runtime().loop(loop), &(*batch)[i], Repeated::kRefuse)) break;
  }
  MutexLock lock(&mutex_);
  --waiting_;
  room_.NotifyAll();
}

// False: it is there already.
bool Loading::InsertItem(LoopState* loop, Item* item, Repeated repeated) {
  const Key key{item->entry->key(), item->hash};
  WriteGuard slot = server_->store().Write(loop->op, item->database, key);
  if (slot.exists() && repeated == Repeated::kRefuse) {
    FailInsert(*item);
    return false;
  }
  // Nothing has changed: it is as it was saved.
  slot.PutUncounted(item->entry.release());
  return true;
}

void Loading::FailInsert(const Item& item) {
  MutexLock lock(&mutex_);
  if (!refused_.empty()) return;
  refused_ = fmt::format("key '{}' is in database {} twice", item.entry->key(), item.database);
}

// Sends what is left and waits until all of it is in the store.
void Loading::Drain() {
  for (size_t i = 0; i < batches_.size(); ++i) {
    if (!batches_[i].empty() && !stop_.load()) Send(i);
  }
  MutexLock lock(&mutex_);
  while (waiting_ > 0 && !stop_.load()) room_.Wait(&mutex_);
}

}  // namespace spinel
