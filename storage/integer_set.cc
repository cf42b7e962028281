#include "storage/integer_set.h"

#include <algorithm>
#include <charconv>

#include "storage/key_slot.h"

namespace spinel {
namespace {

constexpr size_t kHeaderBytes = IntegerSetView::kHeaderBytes;

// Writes integer number `index` of a block whose integers are `width` bytes wide.
void StoreInteger(char* block, size_t width, size_t index, int64_t value) {
  char* const at = block + kHeaderBytes + index * width;
  if (width == 2) {
    const auto narrow = static_cast<int16_t>(value);
    std::memcpy(at, &narrow, sizeof(narrow));
  } else if (width == 4) {
    const auto narrow = static_cast<int32_t>(value);
    std::memcpy(at, &narrow, sizeof(narrow));
  } else {
    std::memcpy(at, &value, sizeof(value));
  }
}

// Rewrites the block for wider integers and adds `value`, which is the widest: it lies below or
// above all others.
void InsertWider(KeySlot* slot, int64_t value) {
  const size_t width = IntegerSetView::WidthOf(value);
  const size_t count = IntegerSetView(*slot->entry()).count();
  const size_t shift = value < 0 ? 1 : 0;
  char* const block = slot->ResizePacked(kHeaderBytes + (count + 1) * width);
  // What was there is in its place still, narrow. From the end, so that nothing is overwritten
  // unread.
  const IntegerSetView narrow({block, kHeaderBytes + (count + 1) * width});
  for (size_t i = count; i-- > 0;) StoreInteger(block, width, i + shift, narrow.at(i));
  StoreInteger(block, width, shift == 1 ? 0 : count, value);
  block[0] = static_cast<char>(width);
}

}  // namespace

bool ReadCanonicalInteger(std::string_view text, int64_t* value) {
  if (text.empty() || text.size() > kIntegerChars) return false;
  const bool negative = text.front() == '-';
  const std::string_view digits = negative ? text.substr(1) : text;
  if (digits.empty() || digits.front() < '0' || digits.front() > '9') return false;
  if (digits.front() == '0' && text.size() > 1) return false;
  const char* const end = text.data() + text.size();
  int64_t parsed;
  const auto [rest, error] = std::from_chars(text.data(), end, parsed);
  if (error != std::errc() || rest != end) return false;
  *value = parsed;
  return true;
}

std::string_view WriteInteger(int64_t value, char (&room)[kIntegerChars]) {
  const char* const end = std::to_chars(room, room + kIntegerChars, value).ptr;
  return {room, static_cast<size_t>(end - room)};
}

int64_t IntegerSetView::at(size_t index) const {
  switch (width()) {
    case 2:
      return Load<int16_t>(index);
    case 4:
      return Load<int32_t>(index);
    default:
      return Load<int64_t>(index);
  }
}

template <typename Integer>
IntegerSetView::Place IntegerSetView::FindAs(int64_t value) const {
  const size_t count = (block_.size() - kHeaderBytes) / sizeof(Integer);
  size_t first = 0;
  for (size_t left = count; left > 0;) {
    const size_t half = left / 2;
    const bool below = Load<Integer>(first + half) < value;
    first = below ? first + half + 1 : first;
    left = below ? left - half - 1 : half;
  }
  return {first, first < count && Load<Integer>(first) == value};
}

IntegerSetView::Place IntegerSetView::Find(int64_t value) const {
  switch (width()) {
    case 2:
      return FindAs<int16_t>(value);
    case 4:
      return FindAs<int32_t>(value);
    default:
      return FindAs<int64_t>(value);
  }
}

bool IntegerSetView::HasRoomFor(int64_t value) const {
  const size_t wide = std::max(width(), WidthOf(value));
  return kHeaderBytes + (count() + 1) * wide <= Entry::kMaxInlineValue;
}

size_t IntegerSetView::BytesFor(std::span<const int64_t> sorted) {
  if (sorted.empty()) return kHeaderBytes;
  const size_t width = std::max(WidthOf(sorted.front()), WidthOf(sorted.back()));
  return kHeaderBytes + sorted.size() * width;
}

Entry* NewIntegerSet(std::string_view key, std::span<const int64_t> sorted, bool with_expiry) {
  const size_t bytes = IntegerSetView::BytesFor(sorted);
  const size_t width = sorted.empty() ? 2 : (bytes - kHeaderBytes) / sorted.size();
  Entry* const entry =
      Entry::NewPacked(key, ValueType::kSet, CollectionEncoding::kIntegers, bytes, with_expiry);
  char* const block = entry->inline_value_data();
  block[0] = static_cast<char>(width);
  for (size_t i = 0; i < sorted.size(); ++i) StoreInteger(block, width, i, sorted[i]);
  return entry;
}

void CreateIntegerSet(KeySlot* slot, std::span<const int64_t> sorted, int64_t expiry) {
  const bool with_expiry = expiry != Entry::kNoExpiry;
  Entry* const entry = NewIntegerSet(slot->key().name, sorted, with_expiry);
  if (with_expiry) entry->set_expiry(expiry);
  slot->PutUncounted(entry);
}

bool InsertInteger(KeySlot* slot, int64_t value) {
  const IntegerSetView view(*slot->entry());
  assert(view.HasRoomFor(value));
  const size_t width = view.width();
  if (IntegerSetView::WidthOf(value) > width) {
    InsertWider(slot, value);
    return true;
  }
  const IntegerSetView::Place place = view.Find(value);
  if (place.found) return false;
  const size_t count = view.count();
  char* const block = slot->ResizePacked(kHeaderBytes + (count + 1) * width);
  char* const at = block + kHeaderBytes + place.index * width;
  std::memmove(at + width, at, (count - place.index) * width);
  StoreInteger(block, width, place.index, value);
  return true;
}

bool EraseInteger(KeySlot* slot, int64_t value) {
  const IntegerSetView::Place place = IntegerSetView(*slot->entry()).Find(value);
  if (place.found) EraseIntegerAt(slot, place.index);
  return place.found;
}

void EraseIntegerAt(KeySlot* slot, size_t index) {
  const IntegerSetView view(*slot->entry());
  const size_t width = view.width();
  const size_t count = view.count();
  char* const block = slot->mutable_packed();
  char* const at = block + kHeaderBytes + index * width;
  std::memmove(at, at + width, (count - index - 1) * width);
  slot->ResizePacked(kHeaderBytes + (count - 1) * width);
}

void FilterIntegers(KeySlot* slot, absl::FunctionRef<bool(int64_t)> keep) {
  const IntegerSetView view(*slot->entry());
  const size_t width = view.width();
  const size_t count = view.count();
  char* const block = slot->mutable_packed();
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    const int64_t value = view.at(i);
    if (keep(value)) StoreInteger(block, width, kept++, value);
  }
  slot->ResizePacked(kHeaderBytes + kept * width);
}

}  // namespace spinel
