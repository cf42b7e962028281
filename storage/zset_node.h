// A member of a big sorted set with its score: one allocation of score (8 bytes), length, member.
//
// Owner: a ZsetObject. Threads: as its owner's.
#pragma once

#include <new>
#include <string_view>

#include "storage/memory.h"
#include "storage/packed_list.h"

namespace spinel {

class ZsetNode {
 public:
  static ZsetNode* New(double score, std::string_view member) {
    void* block = AllocateBytes(sizeof(ZsetNode) + PackedElement::Bytes(member.size()));
    auto* node = new (block) ZsetNode(score);
    PackedElement::Write(node->element(), member);
    return node;
  }
  static void Delete(ZsetNode* node) { FreeBytes(node, node->total_bytes()); }

  double score() const { return score_; }
  // Only for a node that is in no tree, or by the tree.
  void set_score(double score) { score_ = score; }
  std::string_view member() const {
    return PackedElement::Read(reinterpret_cast<const char*>(this + 1));
  }
  // Heap bytes.
  size_t MemoryBytes() const { return SizeClass(total_bytes()); }

 private:
  explicit ZsetNode(double score) : score_(score) {}
  char* element() { return reinterpret_cast<char*>(this + 1); }
  size_t total_bytes() const { return sizeof(ZsetNode) + PackedElement::Bytes(member().size()); }

  double score_;
};

static_assert(sizeof(ZsetNode) == 8);

}  // namespace spinel
