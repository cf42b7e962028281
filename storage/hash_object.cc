#include "storage/hash_object.h"

#include "storage/memory.h"

namespace spinel {

HashObject::~HashObject() {
  table_.ForEach([](HashField* field) { HashField::Delete(field); });
}

namespace {

// About the heap bytes of a B-tree set of so many elements: its nodes are three quarters full on
// the average, and a tree of one leaf has a smaller one while it is small.
size_t TreeBytes(size_t elements, size_t element_bytes) {
  constexpr size_t kNode = 256;
  constexpr size_t kHeader = 16;  // of a node
  constexpr size_t kSet = 32;     // the set itself
  const size_t capacity = (kNode - kHeader) / element_bytes;
  if (elements <= capacity) return kSet + SizeClass(kHeader + elements * element_bytes);
  const size_t leaves = (elements + capacity * 3 / 4 - 1) / (capacity * 3 / 4);
  const size_t inner_bytes = SizeClass(kNode + (capacity + 1) * sizeof(void*));
  return kSet + leaves * kNode + (leaves + capacity - 1) / capacity * inner_bytes;
}

}  // namespace

size_t HashObject::MemoryBytes() const {
  const size_t index =
      expiring_ == nullptr ? 0 : TreeBytes(expiring(), sizeof(ExpiryIndex::value_type));
  return SizeClass(sizeof(HashObject)) + table_.MemoryBytes() + field_bytes_ + index;
}

BigValue* HashObject::Clone() const {
  auto* const clone = new HashObject;
  table_.ForEach([clone](HashField* field) {
    const HashField::Value value = field->value();
    // Blobs in hashes are never changed, so two hashes may share one.
    if (value.blob != nullptr) value.blob->AddRef();
    clone->Insert(HashFieldHash::Hash(*field), field->name(), value, field->expiry());
  });
  return clone;
}

bool HashObject::AllExpired(int64_t now_ms) const {
  return expiring() == table_.size() && expiring_ != nullptr && expiring_->rbegin()->first < now_ms;
}

size_t HashObject::RemoveExpired(int64_t now_ms, size_t max) {
  size_t removed = 0;
  while (removed < max && expiring_ != nullptr && expiring_->begin()->first < now_ms) {
    HashField* const over = expiring_->begin()->second;
    const uint64_t hash = HashFieldHash::Hash(*over);
    Erase(hash, table_.Find(hash, [over](const HashField& field) { return &field == over; }));
    ++removed;
  }
  return removed;
}

void HashObject::Insert(uint64_t hash, std::string_view name, const HashField::Value& value,
                        int64_t expiry) {
  HashField* const field = HashField::New(name, value, expiry);
  table_.Insert(hash, field);
  field_bytes_ += field->MemoryBytes();
  if (expiry != Entry::kNoExpiry) AddToIndex(field);
  if (picture() != nullptr) [[unlikely]]
    picture()->Added(hash, name);
}

void HashObject::SetValue(Table::Position position, const HashField::Value& value) {
  HashField* const old = position.node();
  KeepForPicture(*old);
  const bool indexed = old->has_expiry();
  if (indexed) RemoveFromIndex(old);
  field_bytes_ -= old->MemoryBytes();
  HashField* const field = HashField::WithValue(old, value);
  field_bytes_ += field->MemoryBytes();
  table_.SetNode(position, field);
  if (indexed) AddToIndex(field);
}

void HashObject::SetExpiry(Table::Position position, int64_t expiry) {
  HashField* const old = position.node();
  if (old->expiry() == expiry) return;
  KeepForPicture(*old);
  if (old->has_expiry()) RemoveFromIndex(old);
  field_bytes_ -= old->MemoryBytes();
  HashField* const field = HashField::WithExpiry(old, expiry);
  field_bytes_ += field->MemoryBytes();
  table_.SetNode(position, field);
  if (expiry != Entry::kNoExpiry) AddToIndex(field);
}

void HashObject::Erase(uint64_t hash, Table::Position position) {
  HashField* const field = position.node();
  KeepForPicture(*field);
  if (field->has_expiry()) RemoveFromIndex(field);
  table_.Erase(hash, position);
  field_bytes_ -= field->MemoryBytes();
  HashField::Delete(field);
}

PictureElement HashObject::ElementOf(const HashField& field) {
  const HashField::Value value = field.value();
  return {.name = field.name(), .value = value.bytes, .blob = value.blob, .expiry = field.expiry()};
}

void HashObject::KeepForPicture(const HashField& field) {
  if (picture() == nullptr) [[likely]]
    return;
  picture()->BeforeChange(HashFieldHash::Hash(field), ElementOf(field));
}

void HashObject::AddToIndex(HashField* field) {
  if (expiring_ == nullptr) expiring_ = std::make_unique<ExpiryIndex>();
  expiring_->insert({field->expiry(), field});
}

void HashObject::RemoveFromIndex(HashField* field) {
  expiring_->erase({field->expiry(), field});
  if (expiring_->empty()) expiring_.reset();
}

}  // namespace spinel
