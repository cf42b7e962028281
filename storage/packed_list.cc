#include "storage/packed_list.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "storage/key_slot.h"

namespace spinel {
void CreatePacked(KeySlot* slot, ValueType type, std::span<const std::string_view> elements,
                  int64_t expiry) {
  const size_t bytes = PackedList::BytesFor(elements);
  assert(bytes <= PackedList::kMaxBytes);
  Entry* entry = Entry::NewPacked(slot->key().name, type, CollectionEncoding::kPacked, bytes,
                                  expiry != Entry::kNoExpiry);
  if (expiry != Entry::kNoExpiry) entry->set_expiry(expiry);
  char* const block = entry->inline_value_data();
  StorePackedCount(block, elements.size());
  char* to = block + PackedList::kHeaderBytes;
  for (const std::string_view element : elements) to = PackedElement::Write(to, element);
  slot->PutUncounted(entry);
}

EntryPtr BuildPacked(std::string_view key, ValueType type, size_t count, std::string_view elements,
                     int64_t expiry) {
  assert(PackedList::kHeaderBytes + elements.size() <= PackedList::kMaxBytes);
  Entry* const entry =
      Entry::NewPacked(key, type, CollectionEncoding::kPacked,
                       PackedList::kHeaderBytes + elements.size(), expiry != Entry::kNoExpiry);
  char* const block = entry->inline_value_data();
  StorePackedCount(block, count);
  if (!elements.empty()) {
    std::memcpy(block + PackedList::kHeaderBytes, elements.data(), elements.size());
  }
  if (expiry != Entry::kNoExpiry) entry->set_expiry(expiry);
  return EntryPtr(entry);
}

bool HasRepeats(std::string_view elements, size_t count, size_t stride) {
  constexpr size_t kFew = 16;  // are compared each with each
  std::string_view few[kFew];
  absl::flat_hash_set<std::string_view> many;
  const bool is_few = count <= kFew * stride;
  if (!is_few) many.reserve(count / stride);
  size_t index = 0;
  size_t kept = 0;
  for (const char* at = elements.data(); at != elements.data() + elements.size(); ++index) {
    const std::string_view element = PackedElement::Read(at);
    at = element.data() + element.size();
    if (index % stride != 0) continue;
    if (is_few) {
      if (std::find(few, few + kept, element) != few + kept) return true;
      few[kept++] = element;
    } else if (!many.insert(element).second) {
      return true;
    }
  }
  return false;
}

void SplicePacked(KeySlot* slot, size_t offset, size_t removed, size_t removed_bytes,
                  std::span<const std::string_view> added) {
  const PackedList list(*slot->entry());
  const size_t old_bytes = list.bytes();
  const size_t count = list.count() - removed + added.size();
  const size_t added_bytes = PackedList::BytesFor(added) - PackedList::kHeaderBytes;
  const size_t new_bytes = old_bytes - removed_bytes + added_bytes;
  const size_t tail = old_bytes - offset - removed_bytes;
  assert(new_bytes <= PackedList::kMaxBytes && offset + removed_bytes <= old_bytes);
  char* block;
  if (new_bytes > old_bytes) {
    block = slot->ResizePacked(new_bytes);
    std::memmove(block + offset + added_bytes, block + offset + removed_bytes, tail);
  } else {
    block = slot->mutable_packed();
    std::memmove(block + offset + added_bytes, block + offset + removed_bytes, tail);
    block = slot->ResizePacked(new_bytes);
  }
  char* to = block + offset;
  for (const std::string_view element : added) to = PackedElement::Write(to, element);
  StorePackedCount(block, count);
}

void AppendPacked(KeySlot* slot, std::span<const std::string_view> added) {
  SplicePacked(slot, PackedList(*slot->entry()).bytes(), 0, 0, added);
}

}  // namespace spinel
