// A big sorted set: a tree for the order and a hash table to find members in.
//
// Owner: its Entry. Threads: as BigValue says.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "storage/big_value.h"
#include "storage/hash_table.h"
#include "storage/key_hash.h"
#include "storage/value_picture.h"
#include "storage/zset_range.h"
#include "storage/zset_tree.h"

namespace spinel {

class ZsetObject final : public BigValue {
 public:
  struct NodeHash {
    static uint64_t Hash(const ZsetNode& node) { return kKeyHasher(node.member()); }
  };
  using Index = HashTable<ZsetNode, NodeHash>;

  ZsetObject() = default;
  // Members in order, each once; they are copied.
  explicit ZsetObject(std::span<const ScoredMember> sorted);
  ~ZsetObject() override;

  // Takes over nodes that are in order, into an empty set. False: a member is there twice; the set
  // is empty again and the nodes are gone.
  bool Adopt(std::span<ZsetNode* const> sorted);

  size_t size() const override { return tree_.size(); }
  size_t MemoryBytes() const override;
  BigValue* Clone() const override;
  void Prefetch(uint64_t hash, ElementHint hint) const override {
    if (hint == ElementHint::kPlace) {
      index_.PrefetchBucket(hash);
    } else {
      index_.PrefetchNode(hash, hint == ElementHint::kElement ? 0 : 1);
    }
  }

  // The member's hash, which the calls below take.
  static uint64_t HashOf(std::string_view member) { return kKeyHasher(member); }

  // nullptr: it is not a member.
  ZsetNode* Find(std::string_view member, uint64_t hash) const;
  // Expects that it is no member yet.
  void Add(double score, std::string_view member, uint64_t hash);
  void SetScore(ZsetNode* node, double score) {
    KeepForPicture(*node);
    tree_.SetScore(node, score);
  }
  void Remove(ZsetNode* node, uint64_t hash);
  // Removes the member of a rank < size(); calls `visit(const ZsetNode&)` before it is gone.
  template <typename Visit>
  void RemoveAt(uint64_t rank, Visit&& visit) {
    ZsetNode* node = tree_.RemoveAt(rank);
    KeepForPicture(*node);
    visit(*node);
    Forget(node, HashOf(node->member()));
  }

  const ZsetTree& tree() const { return tree_; }
  const Index& index() const { return index_; }
  // For a snapshot.
  static PictureElement ElementOf(const ZsetNode& node) {
    return {.name = node.member(), .score = node.score()};
  }

 private:
  // Called before a member gets another score or goes.
  void KeepForPicture(const ZsetNode& node) {
    if (picture() != nullptr) [[unlikely]]
      picture()->BeforeChange(HashOf(node.member()), ElementOf(node));
  }
  // Takes a node that is in the tree no more out of the index and frees it.
  void Forget(ZsetNode* node, uint64_t hash);

  ZsetTree tree_;
  Index index_;
  size_t node_bytes_ = 0;
};

}  // namespace spinel
