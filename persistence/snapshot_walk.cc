// The work of a snapshot's thread: walks over the keys, writes what it finds and what it is given.

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

#include "persistence/snapshot_impl.h"
#include "storage/guards.h"

namespace spinel {

bool Snapshot::Impl::Step() {
  if (phase_ == Phase::kOver || !running()) return false;
  Yield();
  GiveUpIfNecessary();
  if (given_up()) LetPicturesGo();
  const bool had_some = WriteQueue();
  switch (phase_) {
    case Phase::kKeys:
      if (!WalkKeys()) phase_ = Phase::kBigValues;
      WriteCollected();
      break;
    case Phase::kBigValues:
      // From here on nothing but tables to be freed is given to us.
      if (!WritePicture() && !had_some) EndWalk();
      break;
    case Phase::kFile:
      Finish();
      return false;
    case Phase::kOver:
      return false;
  }
  bytes_.store(file_.written(), std::memory_order_relaxed);
  return true;
}

// An event loop that shares the CPU would wait for the end of a time slice otherwise: some ms.
// Where others want all of the CPU we stay for half as long as they did, so that the snapshot gets
// on.
void Snapshot::Impl::Yield() {
  using Clock = std::chrono::steady_clock;
  constexpr Clock::duration kShortest = std::chrono::microseconds(50);
  const Clock::time_point now = Clock::now();
  if (!options_.thread || now < next_yield_) return;
  std::this_thread::yield();
  const Clock::time_point back = Clock::now();
  next_yield_ = back + std::max(kShortest, (back - now) / 2);
}

// -- The file
// --------------------------------------------------------------------------------------

void Snapshot::Impl::BeginFile() {
  writer_ = std::make_unique<RdbWriter>(&file_, write_options_);
  writer_->Begin();
  for (const auto& [name, value] : options_.fields) writer_->Aux(name, value);
  for (const std::string& code : options_.functions) writer_->Function(code);
}

void Snapshot::Impl::SelectDatabase(int database) {
  if (database == selected_) return;
  selected_ = database;
  const auto number = static_cast<size_t>(database);
  if (announced_[number]) return writer_->ReturnToDatabase(number);
  announced_[number] = true;
  writer_->SelectDatabase(number, databases_[number].keys, databases_[number].expiring);
}

void Snapshot::Impl::WriteItem(const PictureQueue::Item& item) {
  if (given_up() || (item.entry != nullptr && !Counts(*item.entry))) return;
  SelectDatabase(item.database);
  if (item.entry != nullptr) {
    writer_->Record(*item.entry, options_.now_ms);
  } else {
    file_.Write(item.record);
  }
  keys_.fetch_add(1, std::memory_order_relaxed);
}

// What others have given us. False: nothing.
bool Snapshot::Impl::WriteQueue() {
  if (!queue_->Take(&content_)) return false;
  for (PictureQueue::Item& item : content_.items) {
    WriteItem(item);
    Yield();
    const size_t bytes = item.bytes;
    item = {};
    queue_->Free(bytes);
  }
  content_.items.clear();
  for (auto& [physical, table] : content_.tables) WriteTable(physical, &table);
  content_.tables.clear();
  return true;
}

// A table that nobody else has any more.
void Snapshot::Impl::WriteTable(int physical, Keyspace* table) {
  table->ForEach([&](Entry* entry) {
    if (entry->is_object() && entry->object()->picture() != nullptr) {
      return entry->object()->picture()->TakeOver(entry);
    }
    PictureQueue::Item item;
    item.database = DatabaseOf(physical);
    item.entry.reset(entry);
    if (entry->epoch() != epoch_) WriteItem(item);
  });
}

// -- Keys
// ------------------------------------------------------------------------------------------

// Under the stripe's lock.
void Snapshot::Impl::Collect(int database, uint32_t stripe, const Entry& entry) {
  if (given_up() || !Counts(entry)) return;
  if (BigPicture::IsFor(entry)) return AddPicture(stripe, database, entry);
  collected_.push_back(CopyOf(database, entry));
}

// Collects some keys. False: those were the last.
bool Snapshot::Impl::WalkKeys() {
  using Clock = std::chrono::steady_clock;
  constexpr auto kLongest = std::chrono::microseconds(30);
  constexpr int kLookAtClock = 8;  // keys
  constexpr int kMaxKeys = 256;
  constexpr int kMaxStripes = 64;  // without keys, before the queue is looked at
  for (int stripes = 0; stripes < kMaxStripes && collected_.empty(); ++stripes) {
    if (static_cast<size_t>(database_) == databases_.size()) return false;
    int seen = 0;
    const auto begin = Clock::now();
    cursor_ = store_->WalkStripe(stripe_, physical_[static_cast<size_t>(database_)], cursor_,
                                 [&](Entry* entry) {
                                   if (entry != nullptr) Collect(database_, stripe_, *entry);
                                   if (++seen % kLookAtClock != 0) return true;
                                   return seen < kMaxKeys && Clock::now() - begin < kLongest;
                                 });
    if (cursor_ != 0) continue;
    if (++stripe_ < store_->stripes()) continue;
    stripe_ = 0;
    ++database_;
  }
  return true;
}

void Snapshot::Impl::WriteCollected() {
  for (const PictureQueue::Item& item : collected_) {
    WriteItem(item);
    Yield();
  }
  collected_.clear();
}

// -- Big values
// ------------------------------------------------------------------------------------

std::unique_ptr<BigPicture> Snapshot::Impl::NextPicture() {
  MutexLock lock(&mutex_);
  if (pictures_.empty()) return nullptr;
  auto next = std::move(pictures_.front());
  pictures_.pop_front();
  return next;
}

namespace {

// Runs `work` under the lock of the stripe in which the picture's value lives. The value may move
// until the lock is held.
template <typename Work>
auto WithValueLocked(Store* store, const BigPicture& picture, Work&& work) {
  for (;;) {
    const uint32_t stripe = picture.stripe();
    const StripeLock lock(store->PictureLock(stripe));
    if (picture.stripe() == stripe) return work();
  }
}

}  // namespace

// A piece of a value. False: there are no more.
bool Snapshot::Impl::WritePicture() {
  if (picture_ == nullptr) {
    picture_ = NextPicture();
    if (picture_ == nullptr) return false;
    SelectDatabase(picture_->database());
    file_.Write(picture_->head());
  }
  const bool more = WithValueLocked(store_, *picture_, [this] {
    if (picture_->Collect()) return true;
    picture_->Detach();
    return false;
  });
  picture_->Write(&file_);
  if (more) return true;
  picture_.reset();
  keys_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

// Of a snapshot that is given up.
void Snapshot::Impl::LetPicturesGo() {
  if (picture_ == nullptr) picture_ = NextPicture();
  while (picture_ != nullptr) {
    WithValueLocked(store_, *picture_, [this] { picture_->Detach(); });
    picture_ = NextPicture();
  }
}

// Every key is in the picture, or was when we gave up: nobody need tell us of changes any more.
void Snapshot::Impl::EndWalk() {
  store_->DetachSnapshot();
  queue_->Close();
  WriteQueue();
  phase_ = Phase::kFile;
}

}  // namespace spinel
