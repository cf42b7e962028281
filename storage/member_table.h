// Members of sets as nodes of a hash table: the bytes of a PackedElement, so that a member of a
// packed list can be a node where it lies.
//
// MemberTable does not own its nodes; BigSet, the form of a big set, owns a table and its nodes,
// one allocation each.
//
// Owner: of a BigSet its Entry. Threads: the stripe's lock is held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/big_value.h"
#include "storage/hash_table.h"
#include "storage/key_hash.h"
#include "storage/memory.h"
#include "storage/packed_list.h"
#include "storage/value_picture.h"

namespace spinel {

class SetMember {
 public:
  SetMember() = delete;

  std::string_view bytes() const {
    return PackedElement::Read(reinterpret_cast<const char*>(this));
  }
  // The member that lies at `at` as a PackedElement. Tables hand out nodes that are not const;
  // nobody writes to them.
  static SetMember* At(const char* at) {
    return reinterpret_cast<SetMember*>(const_cast<char*>(at));
  }

  static SetMember* New(std::string_view bytes) {
    char* const block = static_cast<char*>(AllocateBytes(PackedElement::Bytes(bytes.size())));
    PackedElement::Write(block, bytes);
    return At(block);
  }
  static void Delete(SetMember* member) {
    FreeBytes(member, PackedElement::Bytes(member->bytes().size()));
  }
  size_t MemoryBytes() const { return SizeClass(PackedElement::Bytes(bytes().size())); }
};

struct SetMemberHash {
  static uint64_t Hash(const SetMember& member) { return kKeyHasher(member.bytes()); }
};

class MemberTable : public HashTable<SetMember, SetMemberHash> {
 public:
  Position FindMember(uint64_t hash, std::string_view bytes) const {
    return Find(hash, [bytes](const SetMember& member) { return member.bytes() == bytes; });
  }
  // The position of a node that is in the table.
  Position PositionOf(uint64_t hash, const SetMember* node) const {
    return Find(hash, [node](const SetMember& member) { return &member == node; });
  }
};

class BigSet final : public BigValue {
 public:
  ~BigSet() override;

  size_t size() const override { return table_.size(); }
  size_t MemoryBytes() const override;
  BigSet* Clone() const override;
  void Prefetch(uint64_t hash, ElementHint hint) const override {
    if (hint == ElementHint::kPlace) {
      table_.PrefetchBucket(hash);
    } else {
      table_.PrefetchNode(hash, hint == ElementHint::kElement ? 0 : 1);
    }
  }

  bool Contains(std::string_view bytes) const {
    return static_cast<bool>(table_.FindMember(kKeyHasher(bytes), bytes));
  }
  // False: it is there.
  bool Add(std::string_view bytes);
  // Adds what is known not to be there.
  void AddNew(std::string_view bytes) { Insert(kKeyHasher(bytes), bytes); }
  // False: it is not there.
  bool Remove(std::string_view bytes);
  // Removes a member of the table, which is gone afterwards.
  void Remove(SetMember* member);

  const MemberTable& table() const { return table_; }
  // For a snapshot.
  static PictureElement ElementOf(const SetMember& member) { return {.name = member.bytes()}; }

 private:
  void Insert(uint64_t hash, std::string_view bytes);
  void Erase(uint64_t hash, MemberTable::Position position);

  MemberTable table_;
  size_t member_bytes_ = 0;  // heap bytes of the nodes
};

}  // namespace spinel
