#include "storage/zset_tree.h"

#include <cassert>
#include <new>
#include <vector>

namespace spinel {
namespace {

// A leaf with fewer elements, an inner node with fewer children, looks for a neighbour to merge
// with; the result is filled so far at most that it does not split again at once.
constexpr int kSparseLeaf = 16;
constexpr int kMergedLeaf = 32;
constexpr int kSparseInner = 8;
constexpr int kMergedInner = 24;
// A full leaf shares with a neighbour that has so many elements at the most.
constexpr int kSharingLeaf = 32;
// How far Build fills leaves and inner nodes.
constexpr size_t kBuiltLeaf = 40;
constexpr size_t kBuiltInner = 28;

bool IsBefore(const ZsetNode& node, double score, std::string_view member) {
  const double own = node.score();
  return own < score || (own == score && node.member() < member);
}

// Sizes of `pieces` pieces of `total` things that differ by one at most: that of number `i`.
size_t PieceSize(size_t total, size_t pieces, size_t i) {
  return total / pieces + (i < total % pieces ? 1 : 0);
}

}  // namespace

// -- Blocks
// ----------------------------------------------------------------------------------------

ZsetTree::~ZsetTree() {
  if (root_ != nullptr) FreeBelow(root_, height_);
}

ZsetTree::Leaf* ZsetTree::NewLeaf() {
  auto* leaf = new (AllocateBytes(sizeof(Leaf))) Leaf;
  leaf->count = 0;
  leaf->reserved = 0;
  ++leaves_;
  return leaf;
}

ZsetTree::Inner* ZsetTree::NewInner() {
  auto* inner = new (AllocateBytes(sizeof(Inner))) Inner;
  inner->count = 0;
  ++inners_;
  return inner;
}

void ZsetTree::FreeLeaf(Leaf* leaf) {
  FreeBytes(leaf, sizeof(Leaf));
  --leaves_;
}

void ZsetTree::FreeInner(Inner* inner) {
  FreeBytes(inner, sizeof(Inner));
  --inners_;
}

void ZsetTree::FreeBelow(void* node, int height) {
  if (height == 0) return FreeLeaf(static_cast<Leaf*>(node));
  auto* inner = static_cast<Inner*>(node);
  for (int i = 0; i < inner->size(); ++i) FreeBelow(inner->children[i], height - 1);
  FreeInner(inner);
}

// -- Ways down
// -------------------------------------------------------------------------------------

void ZsetTree::Descend(double score, std::string_view member, Path* path) const {
  void* node = root_;
  for (int level = 0; level < height_; ++level) {
    auto* inner = static_cast<Inner*>(node);
    const int index = inner->ChildFor(score, member);
    path->steps[level] = {inner, index};
    node = inner->children[index];
  }
  path->leaf = static_cast<Leaf*>(node);
}

void ZsetTree::DescendToRank(uint64_t rank, Path* path) const {
  void* node = root_;
  for (int level = 0; level < height_; ++level) {
    auto* inner = static_cast<Inner*>(node);
    int index = 0;
    while (rank >= inner->counts[index]) rank -= inner->counts[index++];
    path->steps[level] = {inner, index};
    node = inner->children[index];
  }
  path->leaf = static_cast<Leaf*>(node);
  path->index = static_cast<int>(rank);
}

void ZsetTree::DescendTo(const ZsetNode* node, Path* path) const {
  Descend(node->score(), node->member(), path);
  path->index = path->leaf->IndexOf(node);
}

int ZsetTree::LowerBound(const Leaf& leaf, double score, std::string_view member) {
  // A search by halves would wait for one element after the other; so they are all on their way.
  for (int i = 0; i < leaf.count; ++i) __builtin_prefetch(leaf.At(i));
  int low = 0;
  for (int high = leaf.count; low < high;) {
    const int middle = (low + high) / 2;
    if (IsBefore(*leaf.At(middle), score, member)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

uint64_t ZsetTree::RankOf(const ZsetNode* node) const {
  Path path;
  DescendTo(node, &path);
  auto rank = static_cast<uint64_t>(path.index);
  for (int level = 0; level < height_; ++level) {
    const Path::Step& step = path.steps[level];
    for (int i = 0; i < step.index; ++i) rank += step.inner->counts[i];
  }
  return rank;
}

ZsetNode* ZsetTree::At(uint64_t rank) const {
  Path path;
  DescendToRank(rank, &path);
  return path.leaf->At(path.index);
}

void ZsetTree::RenewFirst(const Path& path) {
  ZsetNode* const first = path.leaf->At(0);
  for (int level = height_ - 1; level >= 0; --level) {
    const Path::Step& step = path.steps[level];
    step.inner->SetFirst(step.index, first);
    if (step.index != 0) return;
  }
}

// -- Insertion
// -------------------------------------------------------------------------------------

void ZsetTree::Build(std::span<ZsetNode* const> sorted) {
  assert(root_ == nullptr);
  if (sorted.empty()) return;
  struct Child {
    void* node;
    ZsetNode* first;
    uint64_t elements;
  };
  std::vector<Child> level;
  const size_t leaves = (sorted.size() + kBuiltLeaf - 1) / kBuiltLeaf;
  level.reserve(leaves);
  size_t at = 0;
  for (size_t i = 0; i < leaves; ++i) {
    Leaf* leaf = NewLeaf();
    const size_t n = PieceSize(sorted.size(), leaves, i);
    for (size_t j = 0; j < n; ++j) leaf->Set(static_cast<int>(j), sorted[at + j]);
    leaf->count = static_cast<uint16_t>(n);
    level.push_back({leaf, sorted[at], n});
    at += n;
  }
  while (level.size() > 1) {
    const size_t inners = (level.size() + kBuiltInner - 1) / kBuiltInner;
    std::vector<Child> above;
    above.reserve(inners);
    size_t next = 0;
    for (size_t i = 0; i < inners; ++i) {
      Inner* inner = NewInner();
      ZsetNode* const first = level[next].first;
      for (size_t n = PieceSize(level.size(), inners, i); n > 0; --n, ++next) {
        inner->Insert(inner->size(), level[next].node, level[next].first, level[next].elements);
      }
      above.push_back({inner, first, inner->Elements()});
    }
    level = std::move(above);
    ++height_;
  }
  root_ = level[0].node;
  size_ = sorted.size();
}

void ZsetTree::Insert(ZsetNode* node) {
  if (root_ == nullptr) root_ = NewLeaf();
  const double score = node->score();
  const std::string_view member = node->member();
  Path path;
  Descend(score, member, &path);
  path.index = LowerBound(*path.leaf, score, member);
  if (path.leaf->count == kLeafCapacity) {
    MakeRoom(path);
    Descend(score, member, &path);
    path.index = LowerBound(*path.leaf, score, member);
  }
  path.leaf->Insert(path.index, node);
  ++size_;
  for (int level = 0; level < height_; ++level) {
    const Path::Step& step = path.steps[level];
    ++step.inner->counts[step.index];
  }
  if (path.index == 0) RenewFirst(path);
}

bool ZsetTree::AtFront(const Path& path) const {
  for (int level = 0; level < height_; ++level) {
    if (path.steps[level].index != 0) return false;
  }
  return path.index == 0;
}

bool ZsetTree::AtBack(const Path& path) const {
  for (int level = 0; level < height_; ++level) {
    if (path.steps[level].index != path.steps[level].inner->size() - 1) return false;
  }
  return path.index == path.leaf->count;
}

// The leaf at the end of `path` is full: shares with a neighbour or splits. The path is void then.
void ZsetTree::MakeRoom(const Path& path) {
  int kept = kLeafCapacity / 2;
  if (AtBack(path)) {
    kept = kLeafCapacity - 1;
  } else if (AtFront(path)) {
    kept = 1;
  } else if (height_ > 0 && (ShareWith(path, -1) || ShareWith(path, 1))) {
    return;
  }
  Leaf* next = NewLeaf();
  const int moved = kLeafCapacity - kept;
  Leaf::MoveToNext(path.leaf, next, moved);
  if (height_ > 0) {
    const Path::Step& above = path.steps[height_ - 1];
    above.inner->counts[above.index] = static_cast<uint64_t>(kept);
  }
  AddChild(path, height_ - 1, next, next->At(0), static_cast<uint64_t>(moved));
}

// Evens out the full leaf and the one beside it (-1: before it, 1: behind), if that has room
// enough.
bool ZsetTree::ShareWith(const Path& path, int neighbour) {
  const Path::Step& above = path.steps[height_ - 1];
  const int other = above.index + neighbour;
  if (other < 0 || other >= above.inner->size()) return false;
  Leaf* const leaf = path.leaf;
  Leaf* const beside = above.inner->leaf(other);
  if (beside->count > kSharingLeaf) return false;
  const int moved = (leaf->count - beside->count) / 2;
  if (neighbour < 0) {
    Leaf::MoveToPrevious(leaf, beside, moved);
    RenewFirst(path);
  } else {
    Leaf::MoveToNext(leaf, beside, moved);
    above.inner->SetFirst(other, beside->At(0));
  }
  above.inner->counts[above.index] -= static_cast<uint64_t>(moved);
  above.inner->counts[other] += static_cast<uint64_t>(moved);
  return true;
}

void ZsetTree::AddChild(const Path& path, int level, void* child, ZsetNode* first,
                        uint64_t elements) {
  if (level < 0) {
    void* const old_root = root_;
    Inner* top = NewInner();
    ZsetNode* const lowest = height_ == 0 ? static_cast<Leaf*>(old_root)->At(0)
                                          : static_cast<Inner*>(old_root)->firsts[0];
    top->Insert(0, old_root, lowest, size_ - elements);
    top->Insert(1, child, first, elements);
    root_ = top;
    ++height_;
    assert(height_ < kMaxHeight);
    return;
  }
  const Path::Step& step = path.steps[level];
  const int at = step.index + 1;
  if (step.inner->size() < kInnerCapacity) {
    step.inner->Insert(at, child, first, elements);
    return;
  }
  // At the end of the tree the left half stays nearly full, as leaves do.
  const int kept = at == kInnerCapacity ? kInnerCapacity - 1 : at == 1 ? 2 : kInnerCapacity / 2;
  Inner* next = NewInner();
  next->Append(*step.inner, kept, kInnerCapacity - kept);
  step.inner->count = static_cast<uint64_t>(kept);
  if (at > kept) {
    next->Insert(at - kept, child, first, elements);
  } else {
    step.inner->Insert(at, child, first, elements);
  }
  const uint64_t moved = next->Elements();
  if (level > 0) path.steps[level - 1].inner->counts[path.steps[level - 1].index] -= moved;
  AddChild(path, level - 1, next, next->firsts[0], moved);
}

// -- Removal
// ---------------------------------------------------------------------------------------

void ZsetTree::Remove(const ZsetNode* node) {
  Path path;
  DescendTo(node, &path);
  RemoveFrom(&path);
}

ZsetNode* ZsetTree::RemoveAt(uint64_t rank) {
  Path path;
  DescendToRank(rank, &path);
  return RemoveFrom(&path);
}

// Removes the element at the end of the path.
ZsetNode* ZsetTree::RemoveFrom(Path* path) {
  Leaf* const leaf = path->leaf;
  ZsetNode* const node = leaf->At(path->index);
  leaf->Erase(path->index);
  --size_;
  for (int level = 0; level < height_; ++level) {
    const Path::Step& step = path->steps[level];
    --step.inner->counts[step.index];
  }
  if (leaf->count == 0) {
    FreeLeaf(leaf);
    if (height_ == 0) {
      root_ = nullptr;
    } else {
      RemoveChild(*path, height_ - 1, path->steps[height_ - 1].index);
    }
  } else {
    if (path->index == 0) RenewFirst(*path);
    if (leaf->count < kSparseLeaf && height_ > 0) MergeLeaf(*path);
  }
  return node;
}

// Takes a child that is freed already out of the path's inner node at `level`.
void ZsetTree::RemoveChild(const Path& path, int level, int child) {
  Inner* const inner = path.steps[level].inner;
  inner->Erase(child);
  if (inner->count == 0) {
    FreeInner(inner);
    if (level == 0) {
      root_ = nullptr;
      height_ = 0;
    } else {
      RemoveChild(path, level - 1, path.steps[level - 1].index);
    }
    return;
  }
  if (child == 0) {
    for (int above = level - 1; above >= 0; --above) {
      const Path::Step& step = path.steps[above];
      step.inner->SetFirst(step.index, inner->firsts[0]);
      if (step.index != 0) break;
    }
  }
  if (level == 0) return LowerRoot();
  if (inner->size() < kSparseInner) MergeInner(path, level);
}

void ZsetTree::LowerRoot() {
  while (height_ > 0 && static_cast<Inner*>(root_)->count == 1) {
    auto* top = static_cast<Inner*>(root_);
    root_ = top->children[0];
    FreeInner(top);
    --height_;
  }
}

// Merges the path's leaf with a neighbour if both fit well into one.
void ZsetTree::MergeLeaf(const Path& path) {
  const Path::Step& above = path.steps[height_ - 1];
  for (const int left : {above.index - 1, above.index}) {
    if (left < 0 || left + 1 >= above.inner->size()) continue;
    Leaf* const into = above.inner->leaf(left);
    Leaf* const from = above.inner->leaf(left + 1);
    if (into->count + from->count > kMergedLeaf) continue;
    Leaf::MoveToPrevious(from, into, from->count);
    above.inner->counts[left] += above.inner->counts[left + 1];
    FreeLeaf(from);
    RemoveChild(path, height_ - 1, left + 1);
    return;
  }
}

void ZsetTree::MergeInner(const Path& path, int level) {
  const Path::Step& above = path.steps[level - 1];
  for (const int left : {above.index - 1, above.index}) {
    if (left < 0 || left + 1 >= above.inner->size()) continue;
    Inner* const into = above.inner->inner(left);
    Inner* const from = above.inner->inner(left + 1);
    if (into->size() + from->size() > kMergedInner) continue;
    into->Append(*from, 0, from->size());
    above.inner->counts[left] += above.inner->counts[left + 1];
    FreeInner(from);
    RemoveChild(path, level - 1, left + 1);
    return;
  }
}

void ZsetTree::SetScore(ZsetNode* node, double score) {
  Path path;
  DescendTo(node, &path);
  const Leaf& leaf = *path.leaf;
  const std::string_view member = node->member();
  // Often the place stays: then nothing but the score changes. (At the front those above know it.)
  if (path.index > 0 && path.index + 1 < leaf.count &&
      IsBefore(*leaf.At(path.index - 1), score, member) &&
      !IsBefore(*leaf.At(path.index + 1), score, member)) {
    node->set_score(score);
    return;
  }
  RemoveFrom(&path);
  node->set_score(score);
  Insert(node);
}

}  // namespace spinel
