#include "storage/entry_builder.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "storage/blob.h"
#include "storage/integer_set.h"
#include "storage/packed_list.h"
#include "storage/zset_packed.h"

namespace spinel {
namespace {

EntryPtr WithExpiry(Entry* entry, int64_t expiry) {
  if (expiry != Entry::kNoExpiry) entry->set_expiry(expiry);
  return EntryPtr(entry);
}

void AppendElement(std::string* elements, std::string_view element) {
  const size_t old_size = elements->size();
  elements->resize(old_size + PackedElement::Bytes(element.size()));
  PackedElement::Write(elements->data() + old_size, element);
}

}  // namespace

EntryPtr BuildString(std::string_view key, std::string_view bytes, int64_t expiry) {
  int64_t value;
  if (bytes.size() <= kIntegerChars && ReadCanonicalInteger(bytes, &value)) {
    return BuildInteger(key, value, expiry);
  }
  if (bytes.size() < Blob::kMinBytes) {
    return WithExpiry(Entry::NewString(key, bytes, expiry != Entry::kNoExpiry), expiry);
  }
  Blob* const blob = Blob::Copy(bytes);
  return blob == nullptr ? nullptr : BuildBlob(key, blob, expiry);
}

EntryPtr BuildInteger(std::string_view key, int64_t value, int64_t expiry) {
  return WithExpiry(Entry::NewInteger(key, value, expiry != Entry::kNoExpiry), expiry);
}

EntryPtr BuildBlob(std::string_view key, Blob* blob, int64_t expiry) {
  return WithExpiry(Entry::NewBlob(key, blob, expiry != Entry::kNoExpiry), expiry);
}

EntryPtr BuildObject(std::string_view key, ValueType type, BigValue* object, int64_t expiry) {
  return WithExpiry(Entry::NewObject(key, type, object, expiry != Entry::kNoExpiry), expiry);
}

// -- Lists
// -----------------------------------------------------------------------------------------

void ListBuilder::Add(std::string_view element) {
  ++size_;
  if (object_ == nullptr) {
    const size_t old_size = packed_.size();
    const size_t new_size = old_size + ListElement::Bytes(element.size());
    if (size_ <= limits_.max_count &&
        PackedList::kHeaderBytes + new_size <= std::min(limits_.max_bytes, PackedList::kMaxBytes)) {
      packed_.resize(new_size);
      ListElement::Write(packed_.data() + old_size, element);
      return;
    }
    object_ = std::make_unique<ListObject>(
        ListRun{packed_.data(), packed_.data() + packed_.size(), size_ - 1});
    packed_ = {};
  }
  object_->PushBack(element, limits_);
}

EntryPtr ListBuilder::Finish(std::string_view key, int64_t expiry) {
  assert(size_ > 0);
  if (object_ != nullptr) return BuildObject(key, ValueType::kList, object_.release(), expiry);
  return BuildPacked(key, ValueType::kList, size_, packed_, expiry);
}

// -- Hashes
// ----------------------------------------------------------------------------------------

HashBuilder::HashBuilder(const HashLimits& limits, size_t expected) : limits_(limits) {
  if (expected > limits.max_packed_fields) object_ = std::make_unique<HashObject>();
}

bool HashBuilder::Fits(std::string_view name, std::string_view value) const {
  return size_ < limits_.max_packed_fields && name.size() <= limits_.max_packed_bytes &&
         value.size() <= limits_.max_packed_bytes && value.size() < Blob::kMinBytes &&
         PackedList::kHeaderBytes + packed_.size() + PackedElement::Bytes(name.size()) +
                 PackedElement::Bytes(value.size()) <=
             PackedList::kMaxBytes;
}

bool HashBuilder::Add(std::string_view name, const HashField::Value& value, int64_t expiry) {
  if (error_ != BuildError::kNone) {
    if (value.blob != nullptr) value.blob->Release();
    return false;
  }
  if (object_ == nullptr) {
    if (value.blob == nullptr && expiry == Entry::kNoExpiry && Fits(name, value.bytes)) {
      AppendElement(&packed_, name);
      AppendElement(&packed_, value.bytes);
      ++size_;
      return true;
    }
    if (!LeavePacked()) {
      if (value.blob != nullptr) value.blob->Release();
      return false;
    }
  }
  if (!AddToObject(name, value, expiry)) return false;
  ++size_;
  return true;
}

// Always takes over the blob.
bool HashBuilder::AddToObject(std::string_view name, HashField::Value value, int64_t expiry) {
  const uint64_t hash = kKeyHasher(name);
  if (object_->Find(hash, name)) {
    error_ = BuildError::kRepeated;
    if (value.blob != nullptr) value.blob->Release();
    return false;
  }
  if (value.blob == nullptr && value.bytes.size() >= Blob::kMinBytes) {
    value.blob = Blob::Copy(value.bytes);
    if (value.blob == nullptr) {
      error_ = BuildError::kNoMemory;
      return false;
    }
  }
  object_->Insert(hash, name, value, expiry);
  return true;
}

bool HashBuilder::LeavePacked() {
  object_ = std::make_unique<HashObject>();
  for (const char* at = packed_.data(); at != packed_.data() + packed_.size();) {
    const std::string_view name = PackedElement::Read(at);
    const std::string_view value = PackedElement::Read(name.data() + name.size());
    at = value.data() + value.size();
    if (!AddToObject(name, {value}, Entry::kNoExpiry)) return false;
  }
  packed_ = {};
  return true;
}

EntryPtr HashBuilder::Finish(std::string_view key, int64_t expiry) {
  assert(size_ > 0 || error_ != BuildError::kNone);
  if (error_ != BuildError::kNone) return nullptr;
  if (object_ != nullptr) return BuildObject(key, ValueType::kHash, object_.release(), expiry);
  if (HasRepeats(packed_, 2 * size_, 2)) {
    error_ = BuildError::kRepeated;
    return nullptr;
  }
  return BuildPacked(key, ValueType::kHash, 2 * size_, packed_, expiry);
}

// -- Sorted sets
// -----------------------------------------------------------------------------------

ZsetBuilder::~ZsetBuilder() {
  for (ZsetNode* const node : nodes_) ZsetNode::Delete(node);
}

bool ZsetBuilder::Fits(size_t count, size_t bytes, std::string_view member) const {
  return count <= limits_.max_packed && member.size() <= limits_.max_packed_bytes &&
         PackedList::kHeaderBytes + bytes + PackedZset::MaxPairBytes(member.size()) <=
             PackedList::kMaxBytes;
}

void ZsetBuilder::AppendPacked(double score, std::string_view member) {
  last_score_ = score;
  last_member_ = packed_.size();
  AppendElement(&packed_, member);
  AppendElement(&packed_, PackedScore(score).bytes());
}

void ZsetBuilder::Add(double score, std::string_view member) {
  ++size_;
  if (is_packed_) {
    const bool in_order =
        packed_.empty() ||
        ScoredMember{last_score_, PackedElement::Read(packed_.data() + last_member_)} <
            ScoredMember{score, member};
    if (in_order && Fits(size_, packed_.size(), member)) return AppendPacked(score, member);
    LeavePacked();
  }
  nodes_.push_back(ZsetNode::New(score, member));
}

void ZsetBuilder::LeavePacked() {
  is_packed_ = false;
  for (const char* at = packed_.data(); at != packed_.data() + packed_.size();) {
    const std::string_view member = PackedElement::Read(at);
    const std::string_view score = PackedElement::Read(member.data() + member.size());
    at = score.data() + score.size();
    nodes_.push_back(ZsetNode::New(PackedScore::Read(score), member));
  }
  packed_ = {};
}

void ZsetBuilder::Sort() {
  const auto before = [](const ZsetNode* a, const ZsetNode* b) {
    return ScoredMember{a->score(), a->member()} < ScoredMember{b->score(), b->member()};
  };
  if (std::is_sorted(nodes_.rbegin(), nodes_.rend(), before)) {
    std::reverse(nodes_.begin(), nodes_.end());
  } else if (!std::is_sorted(nodes_.begin(), nodes_.end(), before)) {
    std::sort(nodes_.begin(), nodes_.end(), before);
  }
}

bool ZsetBuilder::PackNodes() {
  size_t count = 0;
  for (const ZsetNode* const node : nodes_) {
    if (!Fits(++count, packed_.size(), node->member())) return false;
    AppendPacked(node->score(), node->member());
  }
  return true;
}

EntryPtr ZsetBuilder::Finish(std::string_view key, int64_t expiry) {
  assert(size_ > 0);
  if (!is_packed_) {
    Sort();
    is_packed_ = size_ <= limits_.max_packed && PackNodes();
  }
  if (is_packed_) {
    if (!HasRepeats(packed_, 2 * size_, 2)) {
      return BuildPacked(key, ValueType::kSortedSet, 2 * size_, packed_, expiry);
    }
    error_ = BuildError::kRepeated;
    return nullptr;
  }
  auto object = std::make_unique<ZsetObject>();
  std::vector<ZsetNode*> nodes;
  nodes.swap(nodes_);
  if (!object->Adopt(nodes)) {
    error_ = BuildError::kRepeated;
    return nullptr;
  }
  return BuildObject(key, ValueType::kSortedSet, object.release(), expiry);
}

}  // namespace spinel
