#include "storage/string_value.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "storage/blob.h"
#include "storage/store.h"

namespace spinel {
namespace {

// Allocations below this are quick enough to be made under a lock.
constexpr size_t kBigBytes = 128 * 1024;

// Strings that grow are given room to grow on: up to 1 MB, and an eighth, so that what appending
// costs stays in proportion to what is appended.
size_t GrownCapacity(size_t size) {
  return size + std::max(std::min(size, size_t{1024} * 1024), size / 8);
}

// What a blob for a string that becomes `size` bytes long should have room for.
size_t NewCapacity(size_t old_size, size_t size) {
  return old_size == 0 || size <= old_size ? std::max(old_size, size) : GrownCapacity(size);
}

bool FitsInPlace(const KeySlot& slot, size_t size) {
  if (!slot.exists()) return false;
  if (slot->string_encoding() != StringEncoding::kBlob || slot.KeepsOldValue()) return false;
  return slot->blob()->unique() && size <= slot->blob()->capacity();
}

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

SpareBlob::~SpareBlob() {
  if (blob_ != nullptr) blob_->Release();
  DropSource();
}

bool SpareBlob::HasCopyOf(const Blob* blob, size_t size) const {
  return blob != nullptr && copied_ == blob && blob_ != nullptr && blob_->capacity() >= size;
}

void SpareBlob::DropSource() {
  copied_ = nullptr;
  if (source_ != nullptr) std::exchange(source_, nullptr)->Release();
}

bool SpareBlob::Suffices(const KeySlot& slot, size_t size) {
  const size_t old_size = slot.exists() ? StringLength(*slot) : 0;
  const size_t needed = NewCapacity(old_size, size);
  if (needed < kBigBytes || FitsInPlace(slot, size)) return true;
  if (blob_ != nullptr && blob_->capacity() >= std::max(old_size, size)) return true;
  missing_ = needed;
  DropSource();
  if (slot.exists() && slot->string_encoding() == StringEncoding::kBlob) {
    source_ = slot->blob();
    source_->AddRef();
  }
  return false;
}

bool SpareBlob::Prepare() {
  if (blob_ != nullptr) blob_->Release();
  blob_ = Blob::Create(0, missing_);
  if (blob_ == nullptr) return false;
  size_t copied = 0;
  if (source_ != nullptr) {
    copied = source_->size();
    std::memcpy(blob_->data(), source_->data(), copied);
    copied_ = source_;
  }
  // Makes the kernel hand out the pages now.
  std::memset(blob_->data() + copied, 0, missing_ - copied);
  return true;
}

Blob* SpareBlob::Take(size_t size, size_t capacity) {
  if (blob_ == nullptr || blob_->capacity() < size) return Blob::Create(size, capacity);
  Blob* blob = std::exchange(blob_, nullptr);
  blob->set_size(size);
  return blob;
}

namespace {

// A blob with the old bytes and zeros up to `size`. `from`: the blob that the old bytes are in, if
// they are in one. nullptr: no memory.
Blob* GrownBlob(std::string_view old, size_t size, SpareBlob* spare, const Blob* from = nullptr) {
  size = std::max(size, old.size());
  const size_t capacity = NewCapacity(old.size(), size);
  const bool copied = spare != nullptr && spare->HasCopyOf(from, size);
  Blob* blob = spare != nullptr ? spare->Take(size, capacity) : Blob::Create(size, capacity);
  if (blob == nullptr) return nullptr;
  if (!old.empty() && !copied) std::memcpy(blob->data(), old.data(), old.size());
  std::memset(blob->data() + old.size(), 0, size - old.size());
  return blob;
}

char* MutableBlob(KeySlot* slot, size_t size, SpareBlob* spare) {
  Entry* entry = slot->mutable_entry();
  Blob* blob = entry->blob();
  const size_t old_size = blob->size();
  if (!blob->unique() || size > blob->capacity()) {
    Blob* grown = GrownBlob(blob->view(), size, spare, blob);
    if (grown == nullptr) return nullptr;
    if (spare != nullptr) spare->DropSource();  // the last reference is the reclaimer's
    entry->set_blob(grown);
    slot->store()->reclaimer().Release(blob);
    blob = grown;
  } else if (size > old_size) {
    std::memset(blob->data() + old_size, 0, size - old_size);
    blob->set_size(size);
  }
  return blob->data();
}

// Expects that the string is no blob and stays below Blob::kMinBytes.
char* MutableInline(KeySlot* slot, size_t size) {
  IntegerText text;
  const Entry* entry = slot->entry();
  const bool integer = entry->string_encoding() == StringEncoding::kInteger;
  const std::string_view digits = integer ? StringBytes(*entry, &text) : std::string_view();
  const size_t old_size = integer ? digits.size() : entry->inline_value().size();
  const size_t new_size = std::max(size, old_size);
  Entry* resized = Entry::ResizeInline(slot->mutable_entry(), new_size);
  slot->SetMoved(resized);
  char* data = resized->inline_value_data();
  if (integer) {
    std::memcpy(data, digits.data(), digits.size());
    resized->set_string_encoding(StringEncoding::kInline);
  }
  std::memset(data + old_size, 0, new_size - old_size);
  return data;
}

}  // namespace

char* MutableStringUncounted(KeySlot* slot, size_t size, SpareBlob* spare) {
  const bool created = !slot->exists();
  if (created) {
    if (size >= Blob::kMinBytes) {
      Blob* blob = GrownBlob({}, size, spare);
      if (blob == nullptr) return nullptr;
      slot->SetBlob(blob, Entry::kNoExpiry);
      slot->mutable_entry()->set_edited(true);
      return blob->data();
    }
    slot->SetString({}, Entry::kNoExpiry);
  }
  char* data = nullptr;
  IntegerText text;
  if (slot->entry()->string_encoding() == StringEncoding::kBlob) {
    data = MutableBlob(slot, size, spare);
  } else if (size < Blob::kMinBytes) {
    data = MutableInline(slot, size);
  } else if (Blob* blob = GrownBlob(StringBytes(*slot->entry(), &text), size, spare)) {
    slot->SetMoved(Entry::ResizeInline(slot->mutable_entry(), sizeof(Blob*)));
    slot->mutable_entry()->set_blob(blob);
    slot->mutable_entry()->set_string_encoding(StringEncoding::kBlob);
    data = blob->data();
  }
  if (data == nullptr) return nullptr;
  slot->mutable_entry()->set_edited(true);
  return data;
}

char* MutableString(KeySlot* slot, size_t size, SpareBlob* spare) {
  const bool created = !slot->exists();
  char* const data = MutableStringUncounted(slot, size, spare);
  if (data != nullptr && !created) slot->MarkChanged();
  return data;
}

size_t AppendString(KeySlot* slot, std::string_view bytes, SpareBlob* spare) {
  const size_t old_size = slot->exists() ? StringLength(*slot->entry()) : 0;
  char* data = MutableString(slot, old_size + bytes.size(), spare);
  if (data == nullptr) return 0;
  if (!bytes.empty()) std::memcpy(data + old_size, bytes.data(), bytes.size());
  return old_size + bytes.size();
}

size_t OverwriteString(KeySlot* slot, size_t offset, std::string_view bytes, SpareBlob* spare) {
  char* data = MutableString(slot, offset + bytes.size(), spare);
  if (data == nullptr) return 0;
  std::memcpy(data + offset, bytes.data(), bytes.size());
  return StringLength(*slot->entry());
}

}  // namespace spinel
