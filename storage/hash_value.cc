#include "storage/hash_value.h"

#include <algorithm>
#include <array>

#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "storage/random.h"
#include "storage/store.h"

namespace spinel {

// -- Reading
// ---------------------------------------------------------------------------------------

bool HashView::Find(std::string_view name, HashItem* item) const {
  if (object_ != nullptr) {
    const auto position = object_->Find(kKeyHasher(name), name);
    if (!position) return false;
    const HashField& field = *position.node();
    if (field.ExpiredAt(now_ms_)) return false;
    *item = {field.name(), field.value(), field.expiry()};
    return true;
  }
  auto found = packed_.Find(name, 2);
  if (found == packed_.end()) return false;
  item->name = *found;
  item->value = {*++found};
  item->expiry = Entry::kNoExpiry;
  return true;
}

uint64_t HashView::Scan(uint64_t cursor, uint64_t count, Visitor visit) const {
  if (object_ == nullptr) {
    ForEach(visit);
    return 0;
  }
  const uint64_t max_steps = count > UINT64_MAX / 10 ? UINT64_MAX : count * 10;
  uint64_t seen = 0;
  for (uint64_t steps = 0; seen < count && steps < max_steps; ++steps) {
    cursor = object_->table().Scan(cursor, [&](const HashField* field) {
      ++seen;
      VisitField(*field, visit);
    });
    if (cursor == 0) break;
  }
  return cursor;
}

bool HashView::Random(HashItem* item) const {
  return RandomRepeated(1, [item](const HashItem& found) { *item = found; }) == 1;
}

std::vector<const HashField*> HashView::LiveFields() const {
  std::vector<const HashField*> fields;
  fields.reserve(object_->size());
  object_->table().ForEach([&](const HashField* field) {
    if (!field->ExpiredAt(now_ms_)) fields.push_back(field);
  });
  return fields;
}

uint64_t HashView::RandomRepeated(uint64_t count, Visitor visit) const {
  if (object_ == nullptr) {
    // A pick needs to know where the pair begins.
    absl::InlinedVector<uint16_t, 64> offsets;
    for (auto it = packed_.begin(); it != packed_.end(); ++it, ++it) {
      offsets.push_back(static_cast<uint16_t>(packed_.OffsetOf(it)));
    }
    for (uint64_t i = 0; i < count; ++i) {
      auto it = packed_.AtOffset(offsets[FastRandom() % offsets.size()]);
      HashItem item;
      item.name = *it;
      item.value.bytes = *++it;
      visit(item);
    }
    return count;
  }
  constexpr int kTries = 100;  // then nearly all fields are over: those that are not are looked for
  std::vector<const HashField*> live;
  for (uint64_t i = 0; i < count; ++i) {
    const HashField* picked = nullptr;
    for (int tries = 0; live.empty() && tries < kTries; ++tries) {
      picked = object_->table().Sample(FastRandom);
      if (!picked->ExpiredAt(now_ms_)) break;
      picked = nullptr;
    }
    if (picked == nullptr) {
      if (live.empty()) live = LiveFields();
      if (live.empty()) return 0;
      picked = live[FastRandom() % live.size()];
    }
    visit({picked->name(), picked->value(), picked->expiry()});
  }
  return count;
}

uint64_t HashView::RandomDistinct(uint64_t count, Visitor visit) const {
  const size_t fields = size();
  if (count >= fields) {
    uint64_t visited = 0;
    ForEach([&](const HashItem& item) {
      ++visited;
      visit(item);
    });
    return visited;
  }
  if (object_ == nullptr) {
    // Selection sampling (D. Knuth, "The Art of Computer Programming", vol. 2, 3.4.2, algorithm S).
    uint64_t wanted = count;
    uint64_t left = fields;
    ForEach([&](const HashItem& item) {
      if (FastRandom() % left-- >= wanted) return;
      --wanted;
      visit(item);
    });
    return count;
  }
  if (exact() && count < fields / 4) {
    // So few of so many that picks seldom meet.
    absl::flat_hash_set<const HashField*> picked;
    picked.reserve(count);
    while (picked.size() < count) {
      const HashField* field = object_->table().Sample(FastRandom);
      if (picked.insert(field).second) VisitField(*field, visit);
    }
    return count;
  }
  std::vector<const HashField*> live = LiveFields();
  const size_t taken = std::min<size_t>(count, live.size());
  for (size_t i = 0; i < taken; ++i) {
    std::swap(live[i], live[i + FastRandom() % (live.size() - i)]);
    VisitField(*live[i], visit);
  }
  return taken;
}

// -- The pairs of a request
// ------------------------------------------------------------------------

HashPairs::HashPairs(std::span<const std::string_view> pairs, BlobSource* source)
    : elements_(pairs) {
  for (size_t i = 0; i < size(); ++i) {
    const std::string_view value = elements_[2 * i + 1];
    if (value.size() < Blob::kMinBytes) [[likely]]
      continue;
    if (blobs_.empty()) blobs_.resize(size());
    blobs_[i] = TakeOrCopy(source, value);
    if (blobs_[i] == nullptr) ok_ = false;
  }
}

HashPairs::~HashPairs() {
  for (Blob* const blob : blobs_) {
    if (blob != nullptr) blob->Release();
  }
}

// -- Changing
// --------------------------------------------------------------------------------------

HashEditor::HashEditor(KeySlot* slot, const HashLimits& limits)
    : slot_(slot),
      limits_(limits),
      had_expiring_(slot->exists() && slot->entry()->HasExpiringElements()) {
  if (slot_->exists()) slot_->Touch();
}

HashEditor::~HashEditor() {
  if (HashObject* const hash = object()) {
    if (had_expiring_ || hash->HasExpiringElements()) slot_->ElementExpiryChanged(had_expiring_);
  }
  const bool empty = slot_->exists() && HashView(*slot_->entry(), slot_->now_ms()).size() == 0;
  if (empty && slot_->Delete() && changes_ > 0) --changes_;  // that counted as one
  if (changes_ > 0) slot_->MarkChanged(changes_);
}

// A new packed hash in one go, if the pairs allow it.
bool HashEditor::CreateAll(const HashPairs& pairs) {
  constexpr size_t kMaxCompared = 32;  // with more it is quicker to build than to compare all names
  if (slot_->exists() || pairs.size() > std::min(limits_.max_packed_fields, kMaxCompared)) {
    return false;
  }
  for (const std::string_view element : pairs.elements()) {
    if (!Packable(element)) return false;
  }
  if (PackedList::BytesFor(pairs.elements()) > PackedList::kMaxBytes) return false;
  for (size_t i = 1; i < pairs.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (pairs.name(i) == pairs.name(j)) return false;
    }
  }
  CreatePacked(slot_, ValueType::kHash, pairs.elements());
  changes_ += pairs.size();
  return true;
}

size_t HashEditor::SetAll(const HashPairs& pairs, int64_t expiry) {
  const bool may_pack = expiry == Entry::kNoExpiry || expiry == kKeepExpiry;
  if (may_pack && CreateAll(pairs)) return pairs.size();
  if (pairs.size() > limits_.max_packed_fields) BecomeObject();
  size_t added = 0;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (Set(pairs.name(i), pairs.value(i), expiry)) ++added;
  }
  return added;
}

bool HashEditor::Set(std::string_view name, const HashField::Value& value, int64_t expiry) {
  ++changes_;
  const bool may_pack = (expiry == Entry::kNoExpiry || expiry == kKeepExpiry) && Packable(name) &&
                        Packable(value.bytes);
  if (object() == nullptr) {
    if (may_pack) {
      const Packed result = SetPacked(name, value.bytes);
      if (result != Packed::kDoesNotFit) return result == Packed::kAdded;
    }
    BecomeObject();
  }
  return SetInObject(name, value, expiry);
}

HashEditor::Packed HashEditor::SetPacked(std::string_view name, std::string_view bytes) {
  const std::array<std::string_view, 2> pair = {name, bytes};
  if (!slot_->exists()) {
    const bool fits =
        limits_.max_packed_fields > 0 && PackedList::BytesFor(pair) <= PackedList::kMaxBytes;
    if (!fits) return Packed::kDoesNotFit;
    CreatePacked(slot_, ValueType::kHash, pair);
    return Packed::kAdded;
  }
  const PackedList list(*slot_->entry());
  auto value = list.Find(name, 2);
  if (value == list.end()) {
    const size_t grown = list.bytes() + PackedList::BytesFor(pair) - PackedList::kHeaderBytes;
    if (list.count() / 2 >= limits_.max_packed_fields || grown > PackedList::kMaxBytes) {
      return Packed::kDoesNotFit;
    }
    AppendPacked(slot_, pair);
    return Packed::kAdded;
  }
  const std::string_view old = *++value;
  if (old.size() == bytes.size()) {
    const size_t at = list.OffsetOf(value) + PackedElement::HeadBytes(old.size());
    if (!bytes.empty()) std::memcpy(slot_->mutable_packed() + at, bytes.data(), bytes.size());
    return Packed::kReplaced;
  }
  const size_t old_bytes = PackedElement::Bytes(old.size());
  if (list.bytes() - old_bytes + PackedElement::Bytes(bytes.size()) > PackedList::kMaxBytes) {
    return Packed::kDoesNotFit;
  }
  SplicePacked(slot_, list.OffsetOf(value), 1, old_bytes, std::span(pair).subspan(1));
  return Packed::kReplaced;
}

bool HashEditor::SetInObject(std::string_view name, const HashField::Value& value, int64_t expiry) {
  HashObject* const hash = object();
  if (value.blob != nullptr) value.blob->AddRef();
  const uint64_t key_hash = kKeyHasher(name);
  const auto position = hash->Find(key_hash, name);
  if (!position) {
    hash->Insert(key_hash, name, value, expiry == kKeepExpiry ? Entry::kNoExpiry : expiry);
    return true;
  }
  const bool over = position.node()->ExpiredAt(slot_->now_ms());
  if (over) {
    slot_->CountExpiredElements(1);
    slot_->Notify(kNotifyHash, "hexpired");
  }
  Blob* const old = position.node()->value().blob;
  hash->SetValue(position, value);
  if (old != nullptr) slot_->store()->reclaimer().Release(old);
  if (expiry != kKeepExpiry) {
    hash->SetExpiry(position, expiry);
  } else if (over) {
    hash->SetExpiry(position, Entry::kNoExpiry);
  }
  return over;
}

bool HashEditor::Remove(std::string_view name, bool also_over) {
  if (!slot_->exists()) return false;
  if (HashObject* const hash = object()) {
    const uint64_t key_hash = kKeyHasher(name);
    const auto position = hash->Find(key_hash, name);
    if (!position) return false;
    if (!also_over && position.node()->ExpiredAt(slot_->now_ms())) return false;
    hash->Erase(key_hash, position);
  } else {
    const PackedList list(*slot_->entry());
    const auto found = list.Find(name, 2);
    if (found == list.end()) return false;
    auto end = found;
    ++ ++end;
    const size_t begin = list.OffsetOf(found);
    SplicePacked(slot_, begin, 2, list.OffsetOf(end) - begin, {});
  }
  ++changes_;
  return true;
}

bool HashEditor::SetExpiry(std::string_view name, int64_t expiry) {
  HashItem item;
  if (!Find(name, &item)) return false;
  ++changes_;
  if (item.expiry == expiry) return true;
  BecomeObject();
  object()->SetExpiry(object()->Find(kKeyHasher(name), name), expiry);
  return true;
}

void HashEditor::BecomeObject() {
  if (object() != nullptr) return;
  auto* const hash = new HashObject;
  if (!slot_->exists()) {
    slot_->PutObject(ValueType::kHash, hash);
    return;
  }
  HashView(*slot_->entry(), slot_->now_ms()).ForEach([hash](const HashItem& item) {
    hash->Insert(kKeyHasher(item.name), item.name, item.value, Entry::kNoExpiry);
  });
  slot_->BecomeObject(hash);
}

}  // namespace spinel
