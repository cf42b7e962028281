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

constexpr size_t kBatchKeys = 256;  // some 100 us of a loop's time, if they are small
constexpr size_t kBatchBytes = 2 * RdbReader::kMaxRawBytes;
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
  Status status = ReadFile(std::exchange(fd_, -1), Repeated::kRefuse, /*leaves_raw=*/true,
                           [this](Item item) { return Enqueue(std::move(item)); });
  Drain();
  if (stop_.load()) return;
  {
    MutexLock lock(&mutex_);
    if (!refused_.empty()) status = Status::Error(Explain(refused_));
  }
  if (status.ok()) {
    Conclude();
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
  Status status = ReadFile(fd, repeated, /*leaves_raw=*/false, [&](Item item) {
    if (InsertItem(loop, &item, repeated)) return true;
    MutexLock lock(&mutex_);
    refused = std::exchange(refused_, {});
    return false;
  });
  if (!refused.empty()) return Status::Error(Explain(refused));
  if (status.ok()) Conclude();
  return status;
}

// -- The file
// --------------------------------------------------------------------------------------

// Closes the file.
Status Loading::ReadFile(int fd, Repeated repeated, bool leaves_raw, const Take& take) {
  functions_.clear();
  expired_later_.store(0);
  empty_later_.store(0);
  RdbReadOptions options;
  options.limits = ValueLimitsOf(*server_);
  options.databases = static_cast<uint64_t>(server_->store().databases());
  options.now_ms = started_ms_.load();
  options.leaves_raw = leaves_raw;
  reported_ms_ = UnixMilliseconds();
  LogNotice("Loading {} ({:.2f} MB)", path_, Megabytes(total_bytes_.load()));

  FdSource source(fd, total_bytes_.load());
  RdbReader reader(&source, options);
  RdbRecord record;
  bool more = true;
  for (uint64_t records = 0; more && reader.Next(&record); ++records) {
    if (records == 0) value_options_ = reader.value_options();  // before the first is handed on
    more = TakeRecord(&record, take) && !stop_.load(std::memory_order_relaxed);
    if (records % kKeysPerLook == 0) Report(reader, UnixMilliseconds());
  }
  close(fd);
  if (!more) return {};  // whoever wants no more knows why
  if (Status status = reader.status(); !status.ok())
    return Status::Error(Explain(status.message()));
  loaded_bytes_.store(total_bytes_.load());
  counts_ = reader.counts();
  has_checksum_ = reader.has_checksum();
  return LoadFunctions(repeated);
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
    case RdbRecord::Kind::kKey:
    case RdbRecord::Kind::kRaw: {
      const bool raw = record->kind == RdbRecord::Kind::kRaw;
      const std::string_view key = raw ? record->raw.key : record->entry->key();
      const AccessTracking& tracking = server_->store().access_tracking();
      return take({.database = static_cast<int>(record->database),
                   .hash = Store::MakeKey(key).hash,
                   .access_clock = AccessClockOf(*record, tracking, started_ms_.load()),
                   .entry = std::move(record->entry),
                   .raw = raw ? record->raw : RdbRawValue()});
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

void Loading::Conclude() {
  const uint64_t expired = expired_later_.load();
  const uint64_t empty = empty_later_.load();
  keys_loaded_.store(counts_.keys - expired - empty);
  keys_expired_.store(counts_.expired_keys + expired);
  const int64_t ms = UnixMilliseconds() - started_ms_.load();
  LogNotice(
      "Loaded {} keys from {} in {:.3f} seconds; left out: {} that had expired, {} without "
      "elements{}",
      keys_loaded_.load(), path_, static_cast<double>(ms) / 1000, keys_expired_.load(),
      counts_.empty_keys + empty,
      has_checksum_ ? "" : ". It has no checksum, so damage may have gone unnoticed");
}

// -- Into the store
// --------------------------------------------------------------------------------

void Loading::Batch::Reserve() {
  items.reserve(kBatchKeys);
  bytes.reserve(kBatchBytes);
}

bool Loading::Batch::HasRoomFor(const Item& item) const {
  return items.size() < kBatchKeys &&
         bytes.size() + item.raw.key.size() + item.raw.bytes.size() <= kBatchBytes;
}

std::string_view Loading::Batch::Keep(std::string_view view) {
  const size_t begin = bytes.size();
  bytes.append(view);
  return std::string_view(bytes).substr(begin);
}

void Loading::Batch::Add(Item item) {
  if (item.entry == nullptr) {
    item.raw.key = Keep(item.raw.key);
    item.raw.bytes = Keep(item.raw.bytes);
  }
  items.push_back(std::move(item));
}

// A key's stripe is always the same loop's, so that loops do not meet at a lock.
bool Loading::Enqueue(Item item) {
  const size_t loop = (item.hash >> kCommonStripeShift) % batches_.size();
  Batch& batch = batches_[loop];
  bool wanted = true;
  if (!batch.empty() && !batch.HasRoomFor(item)) wanted = Send(loop);
  if (item.entry == nullptr && !batch.HasRoomFor(item)) {  // the key is that long
    if (!BuildItem(&item)) return false;
    if (item.entry == nullptr) return wanted;
  }
  batch.Reserve();
  batch.Add(std::move(item));
  return wanted;
}

// False: no more are wanted.
bool Loading::Send(size_t loop) {
  bool wanted;
  {
    MutexLock lock(&mutex_);
    const int most = kBatchesPerLoop * static_cast<int>(batches_.size());
    while (waiting_ >= most && !stop_.load()) room_.Wait(&mutex_);
    ++waiting_;
    wanted = refused_.empty();
  }
  auto batch = std::make_shared<Batch>(std::exchange(batches_[loop], Batch()));
  const int index = static_cast<int>(loop);
  server_->runtime().Post(index, [this, index, batch] { Insert(index, batch.get()); });
  return wanted;
}

// On a loop.
void Loading::Insert(int loop, Batch* batch) {
  constexpr size_t kAhead = 16;
  Store& store = server_->store();
  std::vector<Item>& items = batch->items;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i % kAhead == 0) {
      for (size_t j = i; j < std::min(i + kAhead, items.size()); ++j) {
        store.PrefetchBucket(items[j].database, {{}, items[j].hash});
      }
    }
    if (items[i].entry == nullptr && !BuildItem(&items[i])) break;
    if (items[i].entry == nullptr) continue;
    if (!InsertItem(&server_->runtime().loop(loop), &items[i], Repeated::kRefuse)) break;
  }
  MutexLock lock(&mutex_);
  --waiting_;
  room_.NotifyAll();
}

// Leaves it without an entry if there is nothing to put into the store.
bool Loading::BuildItem(Item* item) {
  std::string message;
  switch (BuildRawValue(item->raw, value_options_, &item->entry, &message)) {
    case RdbValueReader::Outcome::kFailed:
      Refuse(std::move(message));
      return false;
    case RdbValueReader::Outcome::kEmpty:
      empty_later_.fetch_add(1, std::memory_order_relaxed);
      return true;
    case RdbValueReader::Outcome::kExpired:
      expired_later_.fetch_add(1, std::memory_order_relaxed);
      return true;
    case RdbValueReader::Outcome::kValue:
      return true;
  }
  return true;
}

// False: it is there already.
bool Loading::InsertItem(LoopState* loop, Item* item, Repeated repeated) {
  item->entry->set_access_clock(item->access_clock);
  const Key key{item->entry->key(), item->hash};
  WriteGuard slot = server_->store().Write(loop->op, item->database, key);
  if (slot.exists() && repeated == Repeated::kRefuse) {
    Refuse(fmt::format("key '{}' is in database {} twice", key.name, item->database));
    return false;
  }
  // Nothing has changed: it is as it was saved.
  slot.PutUncounted(item->entry.release());
  return true;
}

void Loading::Refuse(std::string why) {
  MutexLock lock(&mutex_);
  if (refused_.empty()) refused_ = std::move(why);
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
