// The order of a big sorted set: a B+ tree of nodes by score, then by member, in which every inner
// node knows how many elements lie below each child, so that ranks cost O(log n) both ways.
//
// Leaves are blocks of 256 bytes with up to 42 pointers of 48 bits. A leaf that is full first
// shares with a neighbour, and one that grows at the end of the tree splits at its end, so that
// leaves stay well filled: 7 to 9 bytes per element, by the order of insertion. Inner nodes keep a
// copy of each child's lowest score, so that a descent reads no element unless scores are equal.
//
// The tree does not own its elements. Scores are never NaN; no two elements are equal in score and
// member. Threads: none of its own; the owner's lock covers every call.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "storage/zset_node.h"

namespace spinel {

class ZsetTree {
 public:
  ZsetTree() = default;
  ~ZsetTree();
  ZsetTree(const ZsetTree&) = delete;
  ZsetTree& operator=(const ZsetTree&) = delete;

  uint64_t size() const { return size_; }
  // Heap bytes, without the elements.
  size_t MemoryBytes() const { return leaves_ * sizeof(Leaf) + inners_ * SizeClass(sizeof(Inner)); }

  // Fills an empty tree with elements that are in order.
  void Build(std::span<ZsetNode* const> sorted);
  void Insert(ZsetNode* node);
  void Remove(const ZsetNode* node);
  // Removes the element of a rank < size() and returns it.
  ZsetNode* RemoveAt(uint64_t rank);
  // Gives an element of the tree another score, and so another place.
  void SetScore(ZsetNode* node, double score);

  // Ranks count from 0. Expects an element of the tree, a rank < size().
  uint64_t RankOf(const ZsetNode* node) const;
  ZsetNode* At(uint64_t rank) const;
  // How many elements at the front satisfy `before(double score, const ZsetNode&)`, which no
  // element may do behind one that does not.
  template <typename Before>
  uint64_t CountWhile(Before&& before) const;

  // Calls `visit(ZsetNode*)` for `count` elements from rank `begin`, or, backwards, from the last
  // of them to the first. Expects them to exist. The visitor does not change the tree, but may free
  // the element if nothing is done with the tree afterwards.
  template <typename Visit>
  void ForEach(uint64_t begin, uint64_t count, bool backwards, Visit&& visit) const;

 private:
  static constexpr int kLeafCapacity = 42;
  static constexpr int kInnerCapacity = 31;
  // 31 children of 16 elements: 2^64 elements would fit in 14 levels.
  static constexpr int kMaxHeight = 24;

  struct Leaf {
    uint16_t count;
    uint16_t reserved;  // read together with the first pointer
    uint8_t pointers[kLeafCapacity * 6];

    ZsetNode* At(int i) const {
      uint64_t word;
      std::memcpy(&word, reinterpret_cast<const char*>(this) + 2 + 6 * i, 8);
      return reinterpret_cast<ZsetNode*>(word >> 16);
    }
    void Set(int i, const ZsetNode* node) {
      const auto word = reinterpret_cast<uint64_t>(node);
      std::memcpy(pointers + 6 * i, &word, 6);
    }
    void Insert(int at, const ZsetNode* node);
    void Erase(int at);
    int IndexOf(const ZsetNode* node) const;
    // Moves `n` elements, from the end of `from` to the front of `to`, or from front to end.
    static void MoveToNext(Leaf* from, Leaf* to, int n);
    static void MoveToPrevious(Leaf* from, Leaf* to, int n);
  };
  static_assert(sizeof(Leaf) == 256);

  struct Inner {
    uint64_t count;
    double scores[kInnerCapacity];  // of each child's first element
    ZsetNode* firsts[kInnerCapacity];
    void* children[kInnerCapacity];
    uint64_t counts[kInnerCapacity];  // elements below each child

    int size() const { return static_cast<int>(count); }
    Leaf* leaf(int i) const { return static_cast<Leaf*>(children[i]); }
    Inner* inner(int i) const { return static_cast<Inner*>(children[i]); }
    void SetFirst(int i, ZsetNode* node) {
      firsts[i] = node;
      scores[i] = node->score();
    }
    void Insert(int at, void* child, ZsetNode* first, uint64_t elements);
    void Erase(int at);
    // Appends `n` children of `from`, starting with number `at`.
    void Append(const Inner& from, int at, int n);
    // The child in which a key is or would be.
    int ChildFor(double score, std::string_view member) const;
    uint64_t Elements() const;
  };

  // The way from the root to a place in a leaf.
  struct Path {
    struct Step {
      Inner* inner;
      int index;
    };
    Step steps[kMaxHeight];
    Leaf* leaf;
    int index;
  };

  Leaf* NewLeaf();
  Inner* NewInner();
  void FreeLeaf(Leaf* leaf);
  void FreeInner(Inner* inner);
  void FreeBelow(void* node, int height);

  // To the leaf of a key; the index in the leaf is left open.
  void Descend(double score, std::string_view member, Path* path) const;
  void DescendToRank(uint64_t rank, Path* path) const;
  void DescendTo(const ZsetNode* node, Path* path) const;
  static int LowerBound(const Leaf& leaf, double score, std::string_view member);

  // The first element of a leaf has changed: tells those above.
  void RenewFirst(const Path& path);
  void MakeRoom(const Path& path);
  bool ShareWith(const Path& path, int neighbour);
  bool AtFront(const Path& path) const;
  bool AtBack(const Path& path) const;
  // Adds a child behind the one that the path goes through at `level`, whose count is up to date.
  void AddChild(const Path& path, int level, void* child, ZsetNode* first, uint64_t elements);
  ZsetNode* RemoveFrom(Path* path);
  void RemoveChild(const Path& path, int level, int child);
  void MergeLeaf(const Path& path);
  void MergeInner(const Path& path, int level);
  void LowerRoot();

  template <typename Visit>
  static void VisitForward(const void* node, int height, uint64_t* skip, uint64_t* left,
                           Visit& visit);
  template <typename Visit>
  static void VisitBackward(const void* node, int height, uint64_t* skip, uint64_t* left,
                            Visit& visit);

  void* root_ = nullptr;  // a leaf if height_ is 0
  int height_ = 0;        // levels of inner nodes
  uint64_t size_ = 0;
  uint64_t leaves_ = 0;
  uint64_t inners_ = 0;
};

template <typename Before>
uint64_t ZsetTree::CountWhile(Before&& before) const {
  if (root_ == nullptr) return 0;
  uint64_t passed = 0;
  const void* node = root_;
  for (int level = height_; level > 0; --level) {
    const auto* inner = static_cast<const Inner*>(node);
    // The last child whose first element is still `before`: the end lies in it.
    int low = 0;
    for (int high = inner->size(); high - low > 1;) {
      const int middle = (low + high) / 2;
      (before(inner->scores[middle], *inner->firsts[middle]) ? low : high) = middle;
    }
    for (int i = 0; i < low; ++i) passed += inner->counts[i];
    node = inner->children[low];
  }
  const auto* leaf = static_cast<const Leaf*>(node);
  int low = 0;
  for (int high = leaf->count; low < high;) {
    const int middle = (low + high) / 2;
    const ZsetNode* at = leaf->At(middle);
    if (before(at->score(), *at)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return passed + static_cast<uint64_t>(low);
}

template <typename Visit>
void ZsetTree::ForEach(uint64_t begin, uint64_t count, bool backwards, Visit&& visit) const {
  if (count == 0) return;
  uint64_t skip = backwards ? size_ - begin - count : begin;
  if (backwards) {
    VisitBackward(root_, height_, &skip, &count, visit);
  } else {
    VisitForward(root_, height_, &skip, &count, visit);
  }
}

template <typename Visit>
void ZsetTree::VisitForward(const void* node, int height, uint64_t* skip, uint64_t* left,
                            Visit& visit) {
  if (height > 0) {
    const auto* inner = static_cast<const Inner*>(node);
    int i = 0;
    uint64_t rest = *skip;
    while (rest >= inner->counts[i]) rest -= inner->counts[i++];
    *skip = rest;
    for (; i < inner->size() && *left > 0; ++i) {
      VisitForward(inner->children[i], height - 1, skip, left, visit);
    }
    return;
  }
  const auto* leaf = static_cast<const Leaf*>(node);
  const int begin = static_cast<int>(*skip);
  const int end = static_cast<int>(std::min<uint64_t>(leaf->count, *skip + *left));
  for (int i = begin; i < end; ++i) __builtin_prefetch(leaf->At(i));
  *left -= static_cast<uint64_t>(end - begin);
  *skip = 0;
  for (int i = begin; i < end; ++i) visit(leaf->At(i));
}

template <typename Visit>
void ZsetTree::VisitBackward(const void* node, int height, uint64_t* skip, uint64_t* left,
                             Visit& visit) {
  if (height > 0) {
    const auto* inner = static_cast<const Inner*>(node);
    int i = inner->size() - 1;
    uint64_t rest = *skip;
    while (rest >= inner->counts[i]) rest -= inner->counts[i--];
    *skip = rest;
    for (; i >= 0 && *left > 0; --i) {
      VisitBackward(inner->children[i], height - 1, skip, left, visit);
    }
    return;
  }
  const auto* leaf = static_cast<const Leaf*>(node);
  const int end = leaf->count - static_cast<int>(*skip);
  const int begin = static_cast<int>(end - std::min<int64_t>(end, static_cast<int64_t>(*left)));
  for (int i = begin; i < end; ++i) __builtin_prefetch(leaf->At(i));
  *left -= static_cast<uint64_t>(end - begin);
  *skip = 0;
  for (int i = end - 1; i >= begin; --i) visit(leaf->At(i));
}

}  // namespace spinel
