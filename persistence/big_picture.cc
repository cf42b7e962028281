#include "persistence/big_picture.h"

#include <algorithm>
#include <cassert>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "persistence/element_log.h"
#include "persistence/list_picture.h"
#include "persistence/rdb_string.h"
#include "storage/hash_object.h"
#include "storage/member_table.h"
#include "storage/zset_object.h"

namespace spinel {
namespace {

// Collected under one lock.
constexpr size_t kCollectBytes = 32 * 1024;
constexpr uint64_t kCollectElements = 256;

struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return kKeyHasher(name); }
};

// Names, and how they are found. When there are many they are kept in parts, so that an insertion,
// which is made under a lock, never moves more than some thousand of them.
class NameSet {
 public:
  // `hash`: kKeyHasher of the name. False: it is there already.
  bool Insert(uint64_t hash, std::string_view name) {
    if (parts_.size() == 1 && parts_[0].size() == kMaxOfOnePart) Split();
    Part* const part = PartOf(hash);
    if (part->contains(name)) return false;
    part->emplace(name);
    return true;
  }
  // False: it is not there.
  bool Erase(uint64_t hash, std::string_view name) {
    Part* const part = PartOf(hash);
    const auto found = part->find(name);
    if (found == part->end()) return false;
    part->erase(found);
    return true;
  }

 private:
  using Part = absl::flat_hash_set<std::string, NameHash, std::equal_to<>>;
  static constexpr size_t kMaxOfOnePart = 1024;
  static constexpr int kPartBits = 9;

  // By the highest bits: a part's own order goes by the others.
  Part* PartOf(uint64_t hash) { return &parts_[parts_.size() == 1 ? 0 : hash >> (64 - kPartBits)]; }
  void Split() {
    Part all = std::exchange(parts_[0], {});
    parts_.resize(size_t{1} << kPartBits);
    while (!all.empty()) {
      auto node = all.extract(all.begin());
      Part* const part = PartOf(kKeyHasher(node.value()));
      part->insert(std::move(node));
    }
  }

  std::vector<Part> parts_ = std::vector<Part>(1);
};

const MemberTable& TableOf(const BigSet& set) { return set.table(); }
const HashObject::Table& TableOf(const HashObject& hash) { return hash.table(); }
const ZsetObject::Index& TableOf(const ZsetObject& zset) { return zset.index(); }

// A value whose elements lie in a hash table. The walk goes by the table's scan, so what has been
// collected is told by an element's hash; only of those that are not, the ones that have changed
// or are new need to be remembered.
template <typename Object>
class TablePicture final : public BigPicture {
 public:
  TablePicture(const Entry& entry, const Place& place, const RdbWriteOptions& options,
               KeptBytes* kept, ElementLog::Form form)
      : BigPicture(entry, place, options, kept),
        kept_log_(form),
        collected_(form),
        elements_(entry.object()->size()) {}
  ~TablePicture() override { kept_->Subtract(kept_log_.bytes() + set_aside_bytes_); }

  bool Collect() override {
    assert(!done_);
    collected_.Clear();
    collected_.Swap(&kept_log_);
    kept_->Subtract(collected_.bytes());
    const size_t stop_at = collected_.copied_bytes() + kCollectBytes;
    for (uint64_t seen = 0; seen < kCollectElements && collected_.copied_bytes() < stop_at;) {
      cursor_ = TableOf(object()).Scan(cursor_, [&](const auto* node) {
        ++seen;
        const PictureElement element = Object::ElementOf(*node);
        if (!LeaveOut(element.name)) collected_.Add(element);
      });
      if (cursor_ != 0) continue;
      done_ = true;
      break;
    }
    counted_ += collected_.count();
    assert(counted_ <= elements_ && (!done_ || counted_ == elements_));
    return !done_;
  }

  void Write(ByteSink* sink) override {
    collected_.WriteTo(sink, options_.compress);
    collected_.Clear();
  }

  void BeforeChange(uint64_t hash, const PictureElement& element) override {
    if (HasPassed(hash) || !SetAside(hash, element.name)) return;
    const size_t before = kept_log_.bytes();
    kept_log_.Add(element);
    kept_->Add(kept_log_.bytes() - before);
  }
  void Added(uint64_t hash, std::string_view name) override {
    if (!HasPassed(hash)) SetAside(hash, name);
  }

 private:
  static constexpr size_t kNameBytes = sizeof(std::string) + 2;

  const Object& object() const { return static_cast<const Object&>(*value()); }
  bool HasPassed(uint64_t hash) const {
    return done_ || (cursor_ != 0 && HashTable<int, void>::ScanHasPassed(cursor_, hash));
  }
  // The walker is to pass over this element. False: that is known.
  bool SetAside(uint64_t hash, std::string_view name) {
    if (!set_aside_.Insert(hash, name)) return false;
    set_aside_bytes_ += kNameBytes + name.size();
    kept_->Add(kNameBytes + name.size());
    return true;
  }
  bool LeaveOut(std::string_view name) {
    if (set_aside_bytes_ == 0 || !set_aside_.Erase(kKeyHasher(name), name)) return false;
    set_aside_bytes_ -= kNameBytes + name.size();
    kept_->Subtract(kNameBytes + name.size());
    return true;
  }

  ElementLog kept_log_;  // elements that have been changed before the walker came to them
  ElementLog collected_;
  NameSet set_aside_;  // their names, and those of new elements that the walker will come to
  size_t set_aside_bytes_ = 0;
  const uint64_t elements_;  // at the cut
  uint64_t counted_ = 0;     // collected so far
  uint64_t cursor_ = 0;
  bool done_ = false;
};

}  // namespace

void KeptBytes::Add(size_t bytes) {
  const uint64_t now = now_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  uint64_t most = most_.load(std::memory_order_relaxed);
  while (now > most && !most_.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
  }
}

bool BigPicture::IsFor(const Entry& entry) {
  if (!entry.is_object()) return false;
  const BigValue& value = *entry.object();
  // A list is copied by chunks, whatever is in them.
  const bool many = entry.type() != ValueType::kList && value.size() > kMaxWholeElements;
  return many || value.MemoryBytes() > kMaxWholeBytes;
}

BigPicture::BigPicture(const Entry& entry, const Place& place, const RdbWriteOptions& options,
                       KeptBytes* kept)
    : options_(options),
      kept_(kept),
      value_(entry.object()),
      stripe_(place.stripe),
      place_database_(place.database) {}

BigPicture::~BigPicture() = default;

std::unique_ptr<BigPicture> BigPicture::Make(const Entry& entry, const Place& place,
                                             const RdbWriteOptions& options, int64_t now_ms,
                                             KeptBytes* kept) {
  using Form = ElementLog::Form;
  std::unique_ptr<BigPicture> picture;
  uint64_t length = entry.object()->size();
  switch (entry.type()) {
    case ValueType::kSet:
      picture = std::make_unique<TablePicture<BigSet>>(entry, place, options, kept, Form::kName);
      break;
    case ValueType::kHash: {
      const Form form = entry.HasExpiringElements() ? Form::kExpiringField : Form::kField;
      picture = std::make_unique<TablePicture<HashObject>>(entry, place, options, kept, form);
      break;
    }
    case ValueType::kSortedSet:
      picture =
          std::make_unique<TablePicture<ZsetObject>>(entry, place, options, kept, Form::kScored);
      break;
    default:
      assert(entry.type() == ValueType::kList);
      picture = std::make_unique<ListPicture>(entry, place, options, kept);
      length = static_cast<const ListObject*>(entry.object())->chunks();
  }
  MemorySink sink;
  RdbWriter(&sink, options).Head(entry, now_ms);
  WriteRdbLength(&sink, length);
  picture->head_ = sink.bytes();
  entry.object()->set_picture(picture.get());
  return picture;
}

}  // namespace spinel
