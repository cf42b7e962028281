#include "storage/zset_object.h"

#include <vector>

namespace spinel {

ZsetObject::ZsetObject(std::span<const ScoredMember> sorted) {
  std::vector<ZsetNode*> nodes;
  nodes.reserve(sorted.size());
  for (const ScoredMember& scored : sorted) {
    ZsetNode* node = ZsetNode::New(scored.score, scored.member);
    node_bytes_ += node->MemoryBytes();
    index_.Insert(HashOf(scored.member), node);
    nodes.push_back(node);
  }
  tree_.Build(nodes);
}

bool ZsetObject::Adopt(std::span<ZsetNode* const> sorted) {
  for (ZsetNode* const added : sorted) {
    const uint64_t hash = HashOf(added->member());
    if (Find(added->member(), hash) != nullptr) {
      index_.Clear();
      node_bytes_ = 0;
      for (ZsetNode* const node : sorted) ZsetNode::Delete(node);
      return false;
    }
    index_.Insert(hash, added);
    node_bytes_ += added->MemoryBytes();
  }
  tree_.Build(sorted);
  return true;
}

ZsetObject::~ZsetObject() {
  tree_.ForEach(0, tree_.size(), false, [](ZsetNode* node) { ZsetNode::Delete(node); });
}

size_t ZsetObject::MemoryBytes() const {
  return SizeClass(sizeof(*this)) + node_bytes_ + index_.MemoryBytes() + tree_.MemoryBytes();
}

BigValue* ZsetObject::Clone() const {
  std::vector<ScoredMember> members;
  members.reserve(size());
  tree_.ForEach(0, size(), false, [&members](ZsetNode* node) {
    members.push_back({node->score(), node->member()});
  });
  return new ZsetObject(members);
}

ZsetNode* ZsetObject::Find(std::string_view member, uint64_t hash) const {
  const Index::Position at =
      index_.Find(hash, [member](const ZsetNode& node) { return node.member() == member; });
  return at ? at.node() : nullptr;
}

void ZsetObject::Add(double score, std::string_view member, uint64_t hash) {
  ZsetNode* node = ZsetNode::New(score, member);
  node_bytes_ += node->MemoryBytes();
  index_.Insert(hash, node);
  tree_.Insert(node);
  if (picture() != nullptr) [[unlikely]]
    picture()->Added(hash, member);
}

void ZsetObject::Remove(ZsetNode* node, uint64_t hash) {
  KeepForPicture(*node);
  tree_.Remove(node);
  Forget(node, hash);
}

void ZsetObject::Forget(ZsetNode* node, uint64_t hash) {
  index_.Erase(hash, index_.Find(hash, [node](const ZsetNode& other) { return &other == node; }));
  node_bytes_ -= node->MemoryBytes();
  ZsetNode::Delete(node);
}

}  // namespace spinel
