#include "storage/zset_tree.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace spinel {
namespace {

struct Earlier {
  bool operator()(const ZsetNode* a, const ZsetNode* b) const {
    if (a->score() != b->score()) return a->score() < b->score();
    return a->member() < b->member();
  }
};
using Model = std::set<ZsetNode*, Earlier>;

std::vector<ZsetNode*> Forwards(const ZsetTree& tree) {
  std::vector<ZsetNode*> nodes;
  tree.ForEach(0, tree.size(), false, [&nodes](ZsetNode* node) { nodes.push_back(node); });
  return nodes;
}

void CheckSame(const ZsetTree& tree, const Model& model) {
  REQUIRE(tree.size() == model.size());
  REQUIRE(Forwards(tree) == std::vector<ZsetNode*>(model.begin(), model.end()));
}

// Ranks, places, parts in both directions, counts: all of what a tree can be asked.
void CheckQuestions(const ZsetTree& tree, std::mt19937* random) {
  const std::vector<ZsetNode*> nodes = Forwards(tree);
  for (int i = 0; i < 20 && !nodes.empty(); ++i) {
    const size_t rank = (*random)() % nodes.size();
    REQUIRE(tree.At(rank) == nodes[rank]);
    REQUIRE(tree.RankOf(nodes[rank]) == rank);
    const double score = nodes[rank]->score();
    uint64_t below = 0;
    for (const ZsetNode* node : nodes) below += node->score() < score ? 1 : 0;
    REQUIRE(tree.CountWhile([score](double s, const ZsetNode&) { return s < score; }) == below);
    const size_t count = (*random)() % (nodes.size() - rank + 1);
    std::vector<ZsetNode*> part;
    tree.ForEach(rank, count, false, [&part](ZsetNode* node) { part.push_back(node); });
    REQUIRE(std::equal(part.begin(), part.end(), nodes.begin() + static_cast<int64_t>(rank),
                       nodes.begin() + static_cast<int64_t>(rank + count)));
    std::reverse(part.begin(), part.end());
    std::vector<ZsetNode*> backwards;
    tree.ForEach(rank, count, true, [&backwards](ZsetNode* node) { backwards.push_back(node); });
    REQUIRE(backwards == part);
  }
}

void DeleteAll(const ZsetTree& tree) {
  tree.ForEach(0, tree.size(), false, [](ZsetNode* node) { ZsetNode::Delete(node); });
}

TEST_CASE("Zset tree: an empty one") {
  ZsetTree tree;
  CHECK(tree.size() == 0);
  CHECK(tree.MemoryBytes() == 0);
  CHECK(tree.CountWhile([](double, const ZsetNode&) { return true; }) == 0);
  tree.Build({});
  CHECK(Forwards(tree).empty());
}

TEST_CASE("Zset tree: random changes agree with a model") {
  // Few scores make members decide; a bias lets the tree grow over several levels and shrink again.
  const int scores = GENERATE(1, 7, 1'000'000);
  std::mt19937 random(static_cast<unsigned>(scores));
  ZsetTree tree;
  Model model;
  int serial = 0;
  const auto any = [&]() { return tree.At(random() % tree.size()); };
  const auto score = [&]() {
    return static_cast<double>(random() % static_cast<unsigned>(scores));
  };
  for (int phase = 0; phase < 6; ++phase) {
    const unsigned growth = phase % 2 == 0 ? 80 : 25;
    for (int step = 0; step < 6000; ++step) {
      const unsigned what = random() % 120;
      if (what < growth || model.empty()) {
        ZsetNode* node = ZsetNode::New(
            score(), std::to_string(random() % 1000 + 1000 * static_cast<unsigned>(serial++)));
        tree.Insert(node);
        REQUIRE(model.insert(node).second);
      } else if (what < 100) {
        const bool by_rank = random() % 2 == 0;
        ZsetNode* node = any();
        model.erase(node);
        if (by_rank) {
          REQUIRE(tree.RemoveAt(tree.RankOf(node)) == node);
        } else {
          tree.Remove(node);
        }
        ZsetNode::Delete(node);
      } else {
        ZsetNode* node = any();
        model.erase(node);
        tree.SetScore(node, random() % 2 == 0 ? score() : node->score() + 0.5);
        REQUIRE(model.insert(node).second);
      }
      if (step % 500 == 0) CheckSame(tree, model);
    }
    CheckSame(tree, model);
    CheckQuestions(tree, &random);
  }
  while (!model.empty()) {
    ZsetNode* node = random() % 2 == 0 ? *model.begin() : any();
    model.erase(node);
    tree.Remove(node);
    ZsetNode::Delete(node);
    if (model.size() % 500 == 0) CheckSame(tree, model);
  }
  CHECK(tree.size() == 0);
  CHECK(tree.MemoryBytes() == 0);
}

TEST_CASE("Zset tree: ascending, descending and random insertion leave well filled leaves") {
  const int order = GENERATE(0, 1, 2);
  std::mt19937 random(3);
  ZsetTree tree;
  constexpr int kElements = 50'000;
  for (int i = 0; i < kElements; ++i) {
    const double score = order == 0 ? i : order == 1 ? -i : static_cast<double>(random());
    tree.Insert(ZsetNode::New(score, std::to_string(i)));
  }
  CAPTURE(order);
  CHECK(tree.MemoryBytes() / kElements < (order == 2 ? 10 : 8));
  CheckQuestions(tree, &random);
  DeleteAll(tree);
}

TEST_CASE("Zset tree: popping from the ends") {
  const bool front = GENERATE(true, false);
  std::vector<ZsetNode*> sorted;
  for (int i = 0; i < 30'000; ++i) sorted.push_back(ZsetNode::New(i, "m"));
  ZsetTree tree;
  tree.Build(sorted);
  for (size_t i = 0; i < sorted.size(); ++i) {
    ZsetNode* node = tree.RemoveAt(front ? 0 : tree.size() - 1);
    REQUIRE(node == sorted[front ? i : sorted.size() - 1 - i]);
    ZsetNode::Delete(node);
  }
  CHECK(tree.MemoryBytes() == 0);
}

TEST_CASE("Zset tree: built ones of all sizes, and changed afterwards") {
  std::mt19937 random(11);
  for (const int size : {1, 2, 39, 40, 41, 80, 81, 1000, 1121, 40'000}) {
    std::vector<ZsetNode*> sorted;
    for (int i = 0; i < size; ++i)
      sorted.push_back(ZsetNode::New(std::floor(i / 3.0), std::to_string(100'000 + i)));
    ZsetTree tree;
    tree.Build(sorted);
    Model model(sorted.begin(), sorted.end());
    CheckSame(tree, model);
    CheckQuestions(tree, &random);
    for (int i = 0; i < size; ++i) {
      ZsetNode* node = ZsetNode::New(static_cast<double>(random() % 1000), std::to_string(i));
      tree.Insert(node);
      model.insert(node);
    }
    CheckSame(tree, model);
    CheckQuestions(tree, &random);
    DeleteAll(tree);
  }
}

TEST_CASE("Zset tree: infinite scores, and zero with either sign, which are one score") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ZsetTree tree;
  for (const char* member : {"a", "b"}) {
    for (const double score : {kInfinity, -kInfinity}) tree.Insert(ZsetNode::New(score, member));
  }
  tree.Insert(ZsetNode::New(-0.0, "n"));
  tree.Insert(ZsetNode::New(0.0, "m"));
  std::string order;
  tree.ForEach(0, tree.size(), false, [&order](ZsetNode* node) { order += node->member(); });
  CHECK(order == "abmnab");
  DeleteAll(tree);
}

}  // namespace
}  // namespace spinel
