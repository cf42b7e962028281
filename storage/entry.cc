#include "storage/entry.h"

#include <new>

#include "storage/big_value.h"
#include "storage/blob.h"

namespace spinel {

Entry* Entry::Allocate(std::string_view key, ValueType type, uint8_t encoding, size_t value_size,
                       bool with_expiry) {
  assert(value_size <= kMaxInlineValue);
  void* block = AllocateBytes(TotalBytes(key.size(), value_size, with_expiry));
  Entry* entry = new (block) Entry;
  entry->type_encoding_ = static_cast<uint8_t>(static_cast<uint8_t>(type) | encoding << 4);
  entry->flags_ = with_expiry ? kHasExpiry : 0;
  entry->access_[0] = entry->access_[1] = entry->access_[2] = 0;
  entry->value_size_ = static_cast<uint16_t>(value_size);
  char* at = entry->base() + entry->key_offset();
  if (with_expiry) std::memset(entry->base() + kHeaderBytes, 0, 8);
  if (key.size() >= kLongKey) {
    entry->key_size_ = kLongKey;
    const auto size = static_cast<uint32_t>(key.size());
    std::memcpy(at, &size, sizeof(size));
    at += sizeof(size);
  } else {
    entry->key_size_ = static_cast<uint8_t>(key.size());
  }
  if (!key.empty()) std::memcpy(at, key.data(), key.size());
  return entry;
}

Entry* Entry::AllocateString(std::string_view key, StringEncoding encoding, size_t value_size,
                             bool with_expiry) {
  return Allocate(key, ValueType::kString, static_cast<uint8_t>(encoding), value_size, with_expiry);
}

Entry* Entry::NewString(std::string_view key, std::string_view value, bool with_expiry) {
  Entry* entry = AllocateString(key, StringEncoding::kInline, value.size(), with_expiry);
  if (!value.empty()) std::memcpy(entry->inline_value_data(), value.data(), value.size());
  return entry;
}

Entry* Entry::NewInteger(std::string_view key, int64_t value, bool with_expiry) {
  Entry* entry = AllocateString(key, StringEncoding::kInteger, 8, with_expiry);
  entry->set_integer(value);
  return entry;
}

Entry* Entry::NewBlob(std::string_view key, Blob* blob, bool with_expiry) {
  Entry* entry = AllocateString(key, StringEncoding::kBlob, 8, with_expiry);
  entry->set_blob(blob);
  return entry;
}

Entry* Entry::NewPacked(std::string_view key, ValueType type, CollectionEncoding encoding,
                        size_t bytes, bool with_expiry) {
  return Allocate(key, type, static_cast<uint8_t>(encoding), bytes, with_expiry);
}

Entry* Entry::NewObject(std::string_view key, ValueType type, BigValue* object, bool with_expiry) {
  Entry* entry = Allocate(key, type, static_cast<uint8_t>(CollectionEncoding::kObject),
                          sizeof(object), with_expiry);
  entry->set_object(object);
  return entry;
}

void Entry::Delete(Entry* entry) {
  if (entry->is_blob()) {
    entry->blob()->Release();
  } else if (entry->is_object()) {
    delete entry->object();
  }
  FreeBytes(entry, entry->total_bytes());
}

void Entry::CopyMetadata(const Entry& from) {
  std::memcpy(access_, from.access_, sizeof(access_));
  set_edited(from.edited());
  set_epoch(from.epoch());
  if (has_expiry_field() && from.has_expiry_field()) {
    flags_ |= from.flags_ & (kFarExpiry | kArmed);
    std::memcpy(base() + kHeaderBytes, from.base() + kHeaderBytes, 8);
  }
}

Entry* Entry::WithExpiryField(Entry* entry, bool with_expiry) {
  if (entry->has_expiry_field() == with_expiry) return entry;
  Entry* moved =
      Allocate(entry->key(), entry->type(), entry->encoding(), entry->value_size_, with_expiry);
  std::memcpy(moved->inline_value_data(), entry->inline_value().data(), entry->value_size_);
  moved->CopyMetadata(*entry);
  FreeBytes(entry, entry->total_bytes());
  return moved;
}

Entry* Entry::WithKey(Entry* entry, std::string_view key) {
  Entry* moved = Allocate(key, entry->type(), entry->encoding(), entry->value_size_,
                          entry->has_expiry_field());
  std::memcpy(moved->inline_value_data(), entry->inline_value().data(), entry->value_size_);
  moved->CopyMetadata(*entry);
  moved->flags_ &= static_cast<uint8_t>(~kArmed);  // the handle that is out names the old key
  FreeBytes(entry, entry->total_bytes());
  return moved;
}

Entry* Entry::Clone(const Entry& entry, std::string_view key) {
  // Blobs are changed in place only while unique, so two entries may share one.
  if (entry.is_blob()) entry.blob()->AddRef();
  Entry* clone =
      Allocate(key, entry.type(), entry.encoding(), entry.value_size_, entry.has_expiry_field());
  std::memcpy(clone->inline_value_data(), entry.inline_value().data(), entry.value_size_);
  if (entry.is_object()) clone->set_object(entry.object()->Clone());
  clone->CopyMetadata(entry);
  clone->flags_ &= static_cast<uint8_t>(~kArmed);
  return clone;
}

Entry* Entry::ResizeInline(Entry* entry, size_t size) {
  assert(size <= kMaxInlineValue);
  const size_t old_total = entry->total_bytes();
  const size_t new_total = old_total - entry->value_size_ + size;
  if (SizeClass(old_total) == SizeClass(new_total)) {
    entry->value_size_ = static_cast<uint16_t>(size);
    return entry;
  }
  Entry* moved =
      Allocate(entry->key(), entry->type(), entry->encoding(), size, entry->has_expiry_field());
  const size_t kept = size < entry->value_size_ ? size : entry->value_size_;
  std::memcpy(moved->inline_value_data(), entry->inline_value().data(), kept);
  moved->CopyMetadata(*entry);
  FreeBytes(entry, old_total);
  return moved;
}

void Entry::set_expiry(int64_t unix_ms) {
  assert(has_expiry_field());
  if (unix_ms < 0) unix_ms = 0;  // over all the same, and the word has no room for a sign
  uint64_t word;
  if (unix_ms > kMaxWheelExpiry) {
    flags_ = static_cast<uint8_t>((flags_ | kFarExpiry) & ~kArmed);
    word = static_cast<uint64_t>(unix_ms);
  } else {
    const uint16_t tick = armed() ? armed_tick() : uint16_t{0};
    flags_ = static_cast<uint8_t>(flags_ & ~kFarExpiry);
    word = static_cast<uint64_t>(unix_ms) << 16 | tick;
  }
  std::memcpy(base() + kHeaderBytes, &word, sizeof(word));
}

size_t Entry::MemoryBytes() const {
  const size_t own = SizeClass(total_bytes());
  if (is_blob()) return own + blob()->MemoryBytes();
  return is_object() ? own + object()->MemoryBytes() : own;
}

bool Entry::ObjectExpires() const { return object()->HasExpiringElements(); }

bool Entry::IsBig() const {
  if (is_blob()) return blob()->IsSlowToFree();
  return is_object() &&
         (object()->size() > BigValue::kSlowToFree || object()->MemoryBytes() >= Blob::kBigBytes);
}

}  // namespace spinel
