#include "storage/member_table.h"

namespace spinel {

BigSet::~BigSet() {
  table_.ForEach([](SetMember* member) { SetMember::Delete(member); });
}

size_t BigSet::MemoryBytes() const {
  return SizeClass(sizeof(*this)) + table_.MemoryBytes() + member_bytes_;
}

BigSet* BigSet::Clone() const {
  auto* clone = new BigSet;
  table_.ForEach([clone](const SetMember* member) { clone->AddNew(member->bytes()); });
  return clone;
}

bool BigSet::Add(std::string_view bytes) {
  const uint64_t hash = kKeyHasher(bytes);
  if (table_.FindMember(hash, bytes)) return false;
  Insert(hash, bytes);
  return true;
}

bool BigSet::Remove(std::string_view bytes) {
  const uint64_t hash = kKeyHasher(bytes);
  const MemberTable::Position position = table_.FindMember(hash, bytes);
  if (!position) return false;
  Erase(hash, position);
  return true;
}

void BigSet::Remove(SetMember* member) {
  const uint64_t hash = SetMemberHash::Hash(*member);
  Erase(hash, table_.PositionOf(hash, member));
}

void BigSet::Insert(uint64_t hash, std::string_view bytes) {
  SetMember* const member = SetMember::New(bytes);
  member_bytes_ += member->MemoryBytes();
  table_.Insert(hash, member);
  if (picture() != nullptr) [[unlikely]]
    picture()->Added(hash, bytes);
}

void BigSet::Erase(uint64_t hash, MemberTable::Position position) {
  SetMember* const member = position.node();
  if (picture() != nullptr) [[unlikely]]
    picture()->BeforeChange(hash, ElementOf(*member));
  member_bytes_ -= member->MemoryBytes();
  table_.Erase(hash, position);
  SetMember::Delete(member);
}

}  // namespace spinel
