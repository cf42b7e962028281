#include "storage/hash_field.h"

#include "storage/memory.h"

namespace spinel {

void HashField::WriteValue(char* to, const Value& value) {
  if (value.blob == nullptr) {
    PackedElement::Write(to, value.bytes);
    return;
  }
  *to = static_cast<char>(kMark);
  std::memcpy(to + 1, &value.blob, sizeof(value.blob));
}

char* HashField::WriteExpiry(char* to, int64_t expiry) {
  if (expiry == Entry::kNoExpiry) return to;
  *to = static_cast<char>(kMark);
  std::memcpy(to + 1, &expiry, sizeof(expiry));
  return to + kExpiryBytes;
}

HashField* HashField::New(std::string_view field, const Value& value, int64_t expiry) {
  const size_t expiry_bytes = expiry == Entry::kNoExpiry ? 0 : kExpiryBytes;
  const size_t size = expiry_bytes + PackedElement::Bytes(field.size()) + ValueBytes(value);
  char* const block = static_cast<char*>(AllocateBytes(size));
  WriteValue(PackedElement::Write(WriteExpiry(block, expiry), field), value);
  return reinterpret_cast<HashField*>(block);
}

void HashField::Delete(HashField* field) {
  const size_t size = field->total_bytes();
  if (Blob* const blob = field->value().blob) blob->Release();
  FreeBytes(field, size);
}

HashField* HashField::WithValue(HashField* field, const Value& value) {
  const size_t kept = field->value_offset();
  const size_t old_size = field->total_bytes();
  const size_t new_size = kept + ValueBytes(value);
  char* block = field->base();
  if (SizeClass(old_size) != SizeClass(new_size)) {
    block = static_cast<char*>(AllocateBytes(new_size));
    std::memcpy(block, field->base(), kept);
    FreeBytes(field, old_size);
  }
  WriteValue(block + kept, value);
  return reinterpret_cast<HashField*>(block);
}

HashField* HashField::WithExpiry(HashField* field, int64_t expiry) {
  const size_t old_offset = field->body_offset();
  const size_t old_size = field->total_bytes();
  const size_t new_offset = expiry == Entry::kNoExpiry ? 0 : kExpiryBytes;
  if (SizeClass(old_size) != SizeClass(old_size - old_offset + new_offset)) {
    HashField* const moved = New(field->name(), field->value(), expiry);
    FreeBytes(field, old_size);
    return moved;
  }
  char* const block = field->base();
  std::memmove(block + new_offset, block + old_offset, old_size - old_offset);
  WriteExpiry(block, expiry);
  return field;
}

size_t HashField::MemoryBytes() const {
  const Blob* const blob = value().blob;
  return SizeClass(total_bytes()) + (blob != nullptr ? blob->MemoryBytes() : 0);
}

}  // namespace spinel
