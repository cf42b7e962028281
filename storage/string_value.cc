#include "storage/string_value.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "storage/blob.h"

namespace spinel {
namespace {

// Strings that grow are given room to grow on, up to this much.
constexpr size_t kMaxSpare = 1024 * 1024;

size_t GrownCapacity(size_t size) { return size + std::min(size, kMaxSpare); }

}  // namespace

std::string_view StringBytes(const Entry& entry, IntegerText* text) {
  switch (entry.string_encoding()) {
    case StringEncoding::kInline:
      return entry.inline_value();
    case StringEncoding::kBlob:
      return entry.blob()->view();
    case StringEncoding::kInteger:
      break;
  }
  const auto end =
      std::to_chars(text->digits, text->digits + sizeof(text->digits), entry.integer()).ptr;
  return {text->digits, static_cast<size_t>(end - text->digits)};
}

size_t StringLength(const Entry& entry) {
  IntegerText text;
  return StringBytes(entry, &text).size();
}

std::string_view StringEncodingName(const Entry& entry) {
  constexpr size_t kMaxEmbedded = 44;  // Redis's limit for "embstr"
  switch (entry.string_encoding()) {
    case StringEncoding::kInteger:
      return "int";
    case StringEncoding::kInline:
      return entry.edited() || entry.inline_value().size() > kMaxEmbedded ? "raw" : "embstr";
    case StringEncoding::kBlob:
      break;
  }
  return "raw";
}

char* MutableString(KeySlot* slot, size_t size) {
  const bool created = !slot->exists();
  if (created) slot->SetString({}, Entry::kNoExpiry);
  Entry* entry = slot->mutable_entry();
  if (entry->string_encoding() == StringEncoding::kBlob) {
    Blob* blob = entry->blob();
    const size_t old_size = blob->size();
    if (!blob->unique() || size > blob->capacity()) {
      const size_t new_size = std::max(size, old_size);
      Blob* copy = Blob::Copy(blob->view(), size > old_size ? GrownCapacity(new_size) : new_size);
      if (copy == nullptr) return nullptr;
      blob->Release();
      entry->set_blob(copy);
      blob = copy;
    }
    if (size > old_size) {
      std::memset(blob->data() + old_size, 0, size - old_size);
      blob->set_size(size);
    }
    entry->set_edited(true);
    return blob->data();
  }

  IntegerText text;
  const std::string_view old = StringBytes(*entry, &text);
  if (std::max(size, old.size()) < Blob::kMinBytes) {
    const size_t new_size = std::max(size, old.size());
    char kept[sizeof(text.digits)];
    const bool was_integer = entry->string_encoding() == StringEncoding::kInteger;
    const size_t old_size = old.size();
    if (was_integer) std::memcpy(kept, old.data(), old_size);
    entry = Entry::ResizeInline(entry, new_size);
    slot->SetMoved(entry);
    if (was_integer) {
      std::memcpy(entry->inline_value_data(), kept, old_size);
      entry->set_string_encoding(StringEncoding::kInline);
    }
    std::memset(entry->inline_value_data() + old_size, 0, new_size - old_size);
    entry->set_edited(true);
    return entry->inline_value_data();
  }

  Blob* blob = Blob::Copy(old, GrownCapacity(size));
  if (blob == nullptr) {
    if (created) slot->Delete();
    return nullptr;
  }
  std::memset(blob->data() + old.size(), 0, size - old.size());
  blob->set_size(size);
  entry = Entry::ResizeInline(entry, sizeof(Blob*));
  slot->SetMoved(entry);
  entry->set_blob(blob);
  entry->set_string_encoding(StringEncoding::kBlob);
  entry->set_edited(true);
  return blob->data();
}

size_t AppendString(KeySlot* slot, std::string_view bytes) {
  const size_t old_size = slot->exists() ? StringLength(*slot->entry()) : 0;
  char* data = MutableString(slot, old_size + bytes.size());
  if (data == nullptr) return 0;
  std::memcpy(data + old_size, bytes.data(), bytes.size());
  slot->MarkChanged();
  return old_size + bytes.size();
}

size_t OverwriteString(KeySlot* slot, size_t offset, std::string_view bytes) {
  char* data = MutableString(slot, offset + bytes.size());
  if (data == nullptr) return 0;
  std::memcpy(data + offset, bytes.data(), bytes.size());
  slot->MarkChanged();
  return StringLength(*slot->entry());
}

}  // namespace spinel
