#include "storage/packed_list.h"

#include "storage/key_slot.h"

namespace spinel {
namespace {

void StoreCount(char* block, size_t count) {
  const auto stored = static_cast<uint16_t>(count);
  std::memcpy(block, &stored, sizeof(stored));
}

}  // namespace

void CreatePacked(KeySlot* slot, ValueType type, std::span<const std::string_view> elements,
                  int64_t expiry) {
  const size_t bytes = PackedList::BytesFor(elements);
  assert(bytes <= PackedList::kMaxBytes);
  Entry* entry = Entry::NewPacked(slot->key().name, type, CollectionEncoding::kPacked, bytes,
                                  expiry != Entry::kNoExpiry);
  if (expiry != Entry::kNoExpiry) entry->set_expiry(expiry);
  char* const block = entry->inline_value_data();
  StoreCount(block, elements.size());
  char* to = block + PackedList::kHeaderBytes;
  for (const std::string_view element : elements) to = PackedElement::Write(to, element);
  slot->PutUncounted(entry);
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
  StoreCount(block, count);
}

void AppendPacked(KeySlot* slot, std::span<const std::string_view> added) {
  SplicePacked(slot, PackedList(*slot->entry()).bytes(), 0, 0, added);
}

}  // namespace spinel
