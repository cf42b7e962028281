#include "storage/set_value.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "absl/container/flat_hash_set.h"
#include "storage/random.h"

namespace spinel {
namespace {

// Below this share of members that stay, those are copied and the old set is dropped.
constexpr size_t kFewStay = 5;
// From this share of members that are wanted, all are walked over.
constexpr size_t kManyWanted = 3;

// Decides for things that come one by one which are among a random selection; every selection of
// that size has the same chance (selection sampling: D. Knuth, TAOCP volume 2, 3.4.2, algorithm S).
class Selection {
 public:
  Selection(size_t wanted, size_t total) : wanted_(wanted), left_(total) {}

  bool Next() {
    const bool chosen = FastRandom() % left_ < wanted_;
    --left_;
    wanted_ -= chosen ? 1 : 0;
    return chosen;
  }

 private:
  size_t wanted_;
  size_t left_;
};

bool FitsPacked(size_t count, size_t block_bytes, size_t member_bytes, const SetLimits& limits) {
  return count < limits.max_packed && member_bytes <= limits.max_packed_bytes &&
         block_bytes + PackedElement::Bytes(member_bytes) <= PackedList::kMaxBytes;
}

void AppendMember(std::string* elements, std::string_view member) {
  const size_t old_size = elements->size();
  elements->resize(old_size + PackedElement::Bytes(member.size()));
  PackedElement::Write(elements->data() + old_size, member);
}

std::vector<std::string_view> ViewsOf(const std::string& elements) {
  std::vector<std::string_view> views;
  for (const char* at = elements.data(); at != elements.data() + elements.size();) {
    views.push_back(PackedElement::Read(at));
    at = views.back().data() + views.back().size();
  }
  return views;
}

// Replaces a set in place by a packed list of the PackedElements in `elements`.
void BecomePackedList(KeySlot* slot, const std::string& elements) {
  char* const block = slot->BecomePacked(CollectionEncoding::kPacked, PackedList::kHeaderBytes);
  std::memset(block, 0, PackedList::kHeaderBytes);
  AppendPacked(slot, ViewsOf(elements));
}

// Replaces a set in place by an object.
BigSet* BecomeBigSet(KeySlot* slot) {
  auto big = std::make_unique<BigSet>();
  SetView(slot->entry()).ForEach([&](std::string_view member) { big->AddNew(member); });
  slot->BecomeObject(big.get());
  return big.release();
}

void AddToBig(KeySlot* slot, std::string_view member) { BecomeBigSet(slot)->AddNew(member); }

// -- Adding
// ----------------------------------------------------------------------------------------

bool AddToPacked(KeySlot* slot, std::string_view member, const SetLimits& limits) {
  const PackedList list(*slot->entry());
  if (list.Find(member, 1) != list.end()) return false;
  if (FitsPacked(list.count(), list.bytes(), member.size(), limits)) {
    AppendPacked(slot, {&member, 1});
  } else {
    AddToBig(slot, member);
  }
  return true;
}

// The member is no integer.
void AddTextToIntegers(KeySlot* slot, std::string_view member, const SetLimits& limits) {
  const IntegerSetView view(*slot->entry());
  std::string elements;
  char room[kIntegerChars];
  bool fits = view.count() < limits.max_packed;
  for (size_t i = 0, n = view.count(); i < n && fits; ++i) {
    const std::string_view text = WriteInteger(view.at(i), room);
    fits = FitsPacked(i, PackedList::kHeaderBytes + elements.size(), text.size(), limits);
    AppendMember(&elements, text);
  }
  if (fits &&
      FitsPacked(view.count(), PackedList::kHeaderBytes + elements.size(), member.size(), limits)) {
    AppendMember(&elements, member);
    BecomePackedList(slot, elements);
  } else {
    AddToBig(slot, member);
  }
}

bool AddToIntegers(KeySlot* slot, std::string_view member, const SetLimits& limits) {
  int64_t value;
  if (!ReadCanonicalInteger(member, &value)) {
    AddTextToIntegers(slot, member, limits);
    return true;
  }
  const IntegerSetView view(*slot->entry());
  if (view.count() < limits.max_integers && view.HasRoomFor(value)) {
    return InsertInteger(slot, value);
  }
  if (view.Contains(value)) return false;
  AddToBig(slot, member);
  return true;
}

bool AddMember(KeySlot* slot, std::string_view member, const SetLimits& limits) {
  switch (slot->entry()->collection_encoding()) {
    case CollectionEncoding::kIntegers:
      return AddToIntegers(slot, member, limits);
    case CollectionEncoding::kPacked:
      return AddToPacked(slot, member, limits);
    case CollectionEncoding::kObject:
      break;
  }
  return slot->object<BigSet>()->Add(member);
}

// Makes the key a set of `first`, in the encoding for a set that gets `count` members.
void CreateWith(KeySlot* slot, std::string_view first, size_t count, const SetLimits& limits) {
  int64_t value;
  if (count <= limits.max_integers && ReadCanonicalInteger(first, &value)) {
    return CreateIntegerSet(slot, {&value, 1});
  }
  if (count <= limits.max_packed && FitsPacked(0, PackedList::kHeaderBytes, first.size(), limits)) {
    return CreatePacked(slot, ValueType::kSet, {&first, 1});
  }
  auto big = std::make_unique<BigSet>();
  big->AddNew(first);
  slot->PutObject(ValueType::kSet, big.release());
}

// A set that may get too big for its encoding changes it once, not on the way.
void ConvertFor(KeySlot* slot, size_t count, const SetLimits& limits) {
  const SetView set(slot->entry());
  if ((set.is_packed() && count > limits.max_packed) ||
      (set.is_integers() && count > limits.max_integers)) {
    BecomeBigSet(slot);
  }
}

// -- Removing
// --------------------------------------------------------------------------------------

bool RemoveSetMember(KeySlot* slot, std::string_view member) {
  const SetView set(slot->entry());
  if (set.is_integers()) {
    int64_t value;
    return ReadCanonicalInteger(member, &value) && EraseInteger(slot, value);
  }
  if (!set.is_packed()) return slot->object<BigSet>()->Remove(member);
  const PackedList list = set.packed();
  const PackedList::Iterator it = list.Find(member, 1);
  if (it == list.end()) return false;
  SplicePacked(slot, list.OffsetOf(it), 1, PackedElement::Bytes(member.size()), {});
  return true;
}

// The key is gone with its last member. Counts `removed` changes.
void FinishRemoving(KeySlot* slot, size_t removed) {
  const size_t left = SetView(slot->entry()).size();
  if (left == 0) {
    slot->Delete();  // counts one
    --removed;
  }
  slot->MarkChanged(removed);
}

void PopFromIntegers(KeySlot* slot, size_t count, SetView::ElementVisitor visit) {
  const IntegerSetView view(*slot->entry());
  if (count == 1) {
    const size_t index = FastRandom() % view.count();
    visit(SetElement(view.at(index)));
    return EraseIntegerAt(slot, index);
  }
  Selection selection(count, view.count());
  FilterIntegers(slot, [&](int64_t value) {
    if (!selection.Next()) return true;
    visit(SetElement(value));
    return false;
  });
}

void PopFromPacked(KeySlot* slot, size_t count, SetView::ElementVisitor visit) {
  const PackedList list(*slot->entry());
  if (count == 1) {
    const PackedList::Iterator it = list.At(FastRandom() % list.count());
    visit(SetElement(*it));
    return SplicePacked(slot, list.OffsetOf(it), 1, PackedElement::Bytes((*it).size()), {});
  }
  Selection selection(count, list.count());
  std::string kept;
  for (const std::string_view member : list) {
    if (selection.Next()) {
      visit(SetElement(member));
    } else {
      AppendMember(&kept, member);
    }
  }
  BecomePackedList(slot, kept);
}

void PopFromBig(KeySlot* slot, size_t count, const SetLimits& limits,
                SetView::ElementVisitor visit) {
  auto* const big = slot->object<BigSet>();
  if ((big->size() - count) * kFewStay > count) {
    // The table shrinks with its members, so a sample does not become more expensive.
    for (; count > 0; --count) {
      SetMember* const member = big->table().Sample(FastRandom);
      visit(SetElement(member->bytes()));
      big->Remove(member);
    }
    return;
  }
  Selection selection(count, big->size());
  SetBuilder rest(limits);
  big->table().ForEach([&](const SetMember* member) {
    const SetElement element(member->bytes());
    selection.Next() ? visit(element) : rest.Add(element);
  });
  rest.StoreUncounted(slot, slot->expiry());
}

}  // namespace

// -- Reading
// ---------------------------------------------------------------------------------------

size_t SetView::size() const {
  if (entry_ == nullptr) return 0;
  if (is_integers()) return integers().count();
  if (is_packed()) return packed().count();
  return big().size();
}

bool SetView::Contains(std::string_view member) const {
  if (entry_ == nullptr) return false;
  if (is_integers()) {
    int64_t value;
    return ReadCanonicalInteger(member, &value) && integers().Contains(value);
  }
  if (!is_packed()) return big().Contains(member);
  const PackedList list = packed();
  return list.Find(member, 1) != list.end();
}

bool SetView::Contains(const SetElement& element) const {
  if (element.is_integer() && is_integers()) return integers().Contains(element.integer());
  char room[kIntegerChars];
  return Contains(element.Bytes(room));
}

SetElement SetView::Sample() const {
  if (is_integers()) {
    const IntegerSetView view = integers();
    return SetElement(view.at(FastRandom() % view.count()));
  }
  if (is_packed()) {
    const PackedList list = packed();
    return SetElement(*list.At(FastRandom() % list.count()));
  }
  return SetElement(big().table().Sample(FastRandom)->bytes());
}

void SetView::SampleMany(size_t count, ElementVisitor visit) const {
  const size_t total = size();
  if (count == 1) return visit(Sample());
  if (is_packed() || count > total / kManyWanted) {
    Selection selection(count, total);
    return ForEachElement([&](const SetElement& element) {
      if (selection.Next()) visit(element);
    });
  }
  if (is_integers()) {
    absl::flat_hash_set<size_t> taken;
    while (taken.size() < count) {
      const size_t index = FastRandom() % total;
      if (taken.insert(index).second) visit(SetElement(integers().at(index)));
    }
    return;
  }
  absl::flat_hash_set<const SetMember*> taken;
  while (taken.size() < count) {
    const SetMember* const member = big().table().Sample(FastRandom);
    if (taken.insert(member).second) visit(SetElement(member->bytes()));
  }
}

uint64_t SetView::Scan(uint64_t cursor, uint64_t count, ElementVisitor visit) const {
  if (empty() || is_integers() || is_packed()) {
    ForEachElement(visit);
    return 0;
  }
  constexpr uint64_t kBucketsPerMember = 10;
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  uint64_t buckets = count > kMax / kBucketsPerMember ? kMax : count * kBucketsPerMember;
  uint64_t seen = 0;
  do {
    cursor = big().table().Scan(cursor, [&](const SetMember* member) {
      ++seen;
      visit(SetElement(member->bytes()));
    });
  } while (cursor != 0 && seen < count && --buckets > 0);
  return cursor;
}

// -- Changing
// --------------------------------------------------------------------------------------

size_t AddMembers(KeySlot* slot, std::span<const std::string_view> members,
                  const SetLimits& limits) {
  size_t added = 0;
  if (slot->exists()) {
    ConvertFor(slot, members.size(), limits);
  } else {
    CreateWith(slot, members.front(), members.size(), limits);
    members = members.subspan(1);
    added = 1;
  }
  for (const std::string_view member : members) added += AddMember(slot, member, limits) ? 1 : 0;
  slot->MarkChanged(added);
  return added;
}

size_t RemoveMembers(KeySlot* slot, std::span<const std::string_view> members) {
  size_t left = SetView(slot->entry()).size();
  size_t removed = 0;
  for (const std::string_view member : members) {
    if (!RemoveSetMember(slot, member)) continue;
    ++removed;
    if (--left == 0) break;
  }
  if (removed > 0) FinishRemoving(slot, removed);
  return removed;
}

void PopMembers(KeySlot* slot, size_t count, const SetLimits& limits,
                SetView::ElementVisitor visit) {
  const SetView set(slot->entry());
  if (count == set.size()) {
    set.ForEachElement(visit);
    slot->Delete();  // counts one
    return slot->MarkChanged(count - 1);
  }
  if (set.is_integers()) {
    PopFromIntegers(slot, count, visit);
  } else if (set.is_packed()) {
    PopFromPacked(slot, count, visit);
  } else {
    PopFromBig(slot, count, limits, visit);
  }
  slot->MarkChanged(count);
}

// -- Building
// --------------------------------------------------------------------------------------

void SetBuilder::Add(const SetElement& element) {
  ++size_;
  if (is_integers_) {
    int64_t value = element.integer();
    if (element.is_integer() || ReadCanonicalInteger(element.text(), &value)) {
      return AddInteger(value);
    }
    LeaveIntegers();
  }
  char room[kIntegerChars];
  AddText(element.Bytes(room));
}

void SetBuilder::AddInteger(int64_t value) {
  integers_.push_back(value);
  widest_ = std::max(widest_, IntegerSetView::WidthOf(value));
  const bool fits =
      IntegerSetView::kHeaderBytes + integers_.size() * widest_ <= Entry::kMaxInlineValue;
  if (integers_.size() > limits_.max_integers || !fits) LeaveIntegers();
}

void SetBuilder::LeaveIntegers() {
  is_integers_ = false;
  char room[kIntegerChars];
  for (const int64_t value : integers_) AddText(WriteInteger(value, room));
  integers_ = {};
}

void SetBuilder::AddText(std::string_view text) {
  if (big_ == nullptr) {
    if (FitsPacked(packed_count_, PackedList::kHeaderBytes + packed_.size(), text.size(),
                   limits_)) {
      ++packed_count_;
      return AppendMember(&packed_, text);
    }
    big_ = std::make_unique<BigSet>();
    for (const std::string_view member : ViewsOf(packed_)) AddToBigSet(member);
    packed_ = {};
  }
  AddToBigSet(text);
}

void SetBuilder::AddToBigSet(std::string_view text) {
  if (!unchecked_) return big_->AddNew(text);
  if (!big_->Add(text)) repeated_ = true;
}

void SetBuilder::Store(KeySlot* slot, int64_t expiry) {
  if (size_ == 0) {
    slot->Delete();
    return;
  }
  StoreUncounted(slot, expiry);
  slot->MarkChanged();
}

void SetBuilder::StoreUncounted(KeySlot* slot, int64_t expiry) {
  slot->PutUncounted(Build(slot->key().name, expiry));
}

Entry* SetBuilder::Build(std::string_view key, int64_t expiry) {
  if (repeated_) return nullptr;
  Entry* entry = nullptr;
  if (is_integers_) {
    entry = BuildIntegers(key, expiry);
  } else if (big_ == nullptr) {
    entry = BuildPacked(key, expiry);
  } else {
    entry = Entry::NewObject(key, ValueType::kSet, big_.release(), expiry != Entry::kNoExpiry);
  }
  if (entry != nullptr && expiry != Entry::kNoExpiry) entry->set_expiry(expiry);
  return entry;
}

Entry* SetBuilder::BuildIntegers(std::string_view key, int64_t expiry) {
  if (!std::is_sorted(integers_.begin(), integers_.end())) {
    std::sort(integers_.begin(), integers_.end());
  }
  if (unchecked_ && std::adjacent_find(integers_.begin(), integers_.end()) != integers_.end()) {
    return nullptr;
  }
  return NewIntegerSet(key, integers_, expiry != Entry::kNoExpiry);
}

Entry* SetBuilder::BuildPacked(std::string_view key, int64_t expiry) {
  if (unchecked_ && HasRepeats(packed_, packed_count_, 1)) return nullptr;
  return spinel::BuildPacked(key, ValueType::kSet, packed_count_, packed_, expiry).release();
}

}  // namespace spinel
