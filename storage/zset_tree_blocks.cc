// What happens within one leaf or inner node of the tree.

#include <cassert>

#include "storage/zset_tree.h"

namespace spinel {

// ------------------------------------------------------------------------

void ZsetTree::Leaf::Insert(int at, const ZsetNode* node) {
  std::memmove(pointers + 6 * (at + 1), pointers + 6 * at, 6 * static_cast<size_t>(count - at));
  Set(at, node);
  ++count;
}

void ZsetTree::Leaf::Erase(int at) {
  --count;
  std::memmove(pointers + 6 * at, pointers + 6 * (at + 1), 6 * static_cast<size_t>(count - at));
}

int ZsetTree::Leaf::IndexOf(const ZsetNode* node) const {
  int i = 0;
  while (At(i) != node) {
    ++i;
    assert(i < count);
  }
  return i;
}

void ZsetTree::Leaf::MoveToNext(Leaf* from, Leaf* to, int n) {
  const auto bytes = 6 * static_cast<size_t>(n);
  std::memmove(to->pointers + bytes, to->pointers, 6 * size_t{to->count});
  std::memcpy(to->pointers, from->pointers + 6 * (from->count - n), bytes);
  from->count = static_cast<uint16_t>(from->count - n);
  to->count = static_cast<uint16_t>(to->count + n);
}

void ZsetTree::Leaf::MoveToPrevious(Leaf* from, Leaf* to, int n) {
  const auto bytes = 6 * static_cast<size_t>(n);
  std::memcpy(to->pointers + 6 * size_t{to->count}, from->pointers, bytes);
  from->count = static_cast<uint16_t>(from->count - n);
  std::memmove(from->pointers, from->pointers + bytes, 6 * size_t{from->count});
  to->count = static_cast<uint16_t>(to->count + n);
}

void ZsetTree::Inner::Insert(int at, void* child, ZsetNode* first, uint64_t elements) {
  const auto open = [this, at](auto* array) {
    std::memmove(array + at + 1, array + at, static_cast<size_t>(size() - at) * sizeof(*array));
  };
  open(scores);
  open(firsts);
  open(children);
  open(counts);
  ++count;
  SetFirst(at, first);
  children[at] = child;
  counts[at] = elements;
}

void ZsetTree::Inner::Erase(int at) {
  --count;
  const auto close = [this, at](auto* array) {
    std::memmove(array + at, array + at + 1, static_cast<size_t>(size() - at) * sizeof(*array));
  };
  close(scores);
  close(firsts);
  close(children);
  close(counts);
}

void ZsetTree::Inner::Append(const Inner& from, int at, int n) {
  const int end = size();
  const auto copy = [end, at, n](auto* to, const auto* source) {
    std::memcpy(to + end, source + at, static_cast<size_t>(n) * sizeof(*to));
  };
  copy(scores, from.scores);
  copy(firsts, from.firsts);
  copy(children, from.children);
  copy(counts, from.counts);
  count += static_cast<uint64_t>(n);
}

uint64_t ZsetTree::Inner::Elements() const {
  uint64_t elements = 0;
  for (int i = 0; i < size(); ++i) elements += counts[i];
  return elements;
}

int ZsetTree::Inner::ChildFor(double score, std::string_view member) const {
  // Counting is quicker than a binary search: the loop has no branch to guess.
  int below = 0;
  int up_to = 0;
  for (int i = 0; i < size(); ++i) {
    below += scores[i] < score ? 1 : 0;
    up_to += scores[i] <= score ? 1 : 0;
  }
  // Where scores are equal, members decide: `below` ends behind those that are not above.
  while (below < up_to) {
    const int middle = (below + up_to) / 2;
    if (firsts[middle]->member() <= member) {
      below = middle + 1;
    } else {
      up_to = middle;
    }
  }
  return std::max(below - 1, 0);
}

}  // namespace spinel
