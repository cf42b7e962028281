#include "storage/hash_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace spinel {
namespace {

struct Node {
  uint64_t hash;
  mutable uint32_t seen = 0;
};
struct NodeHash {
  static uint64_t Hash(const Node& node) { return node.hash; }
};
using Table = HashTable<Node, NodeHash>;

uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

Table::Position FindNode(const Table& table, const Node& node) {
  return table.Find(node.hash, [&node](const Node& found) { return &found == &node; });
}

uint64_t CountNodes(const Table& table) {
  uint64_t count = 0;
  table.ForEach([&count](Node*) { ++count; });
  return count;
}

std::vector<Node> MakeNodes(size_t count, uint64_t seed = 1) {
  std::vector<Node> nodes(count);
  for (size_t i = 0; i < count; ++i) nodes[i].hash = Mix(seed << 40 | i);
  return nodes;
}

}  // namespace

TEST_CASE("HashTable: an empty table answers everything", "[storage]") {
  Table table;
  CHECK(table.size() == 0);
  CHECK(table.empty());
  CHECK_FALSE(table.Find(1, [](const Node&) { return true; }));
  CHECK(table.Scan(0, [](Node*) { FAIL("nothing to visit"); }) == 0);
  CHECK(table.Sample([] { return uint64_t{0}; }) == nullptr);
  CHECK(table.MemoryBytes() == 0);
  table.VisitBucket(0, [](Node*) { FAIL("nothing to visit"); });
  table.PrefetchBucket(1);
  table.PrefetchNode(1);
  table.Clear();
}

TEST_CASE("HashTable: hints follow a chain as far as a node may lie in it", "[storage]") {
  Table table;
  std::vector<Node> nodes(Bucket::kSlots + 1);
  // All in one bucket, whatever the level: they differ in what tags are made of.
  for (size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].hash = i << 12;
    table.Insert(nodes[i].hash, &nodes[i]);
  }
  CHECK_FALSE(table.PrefetchNode(nodes.front().hash));
  CHECK(table.PrefetchNode(nodes.back().hash));
  CHECK_FALSE(table.PrefetchNode(nodes.back().hash, 1));
  const uint64_t nowhere = nodes.size() << 12;
  CHECK(table.PrefetchNode(nowhere));
  CHECK_FALSE(table.PrefetchNode(nowhere, 1));
  CHECK_FALSE(table.PrefetchNode(nowhere, 2));
}

TEST_CASE("HashTable: grows and shrinks one bucket at a time, every node is found throughout",
          "[storage]") {
  constexpr size_t kNodes = 1'000'000;
  std::vector<Node> nodes = MakeNodes(kNodes);
  Table table;
  uint64_t buckets = table.bucket_count();
  bool one_at_a_time = true;
  bool found = true;
  for (size_t i = 0; i < kNodes; ++i) {
    const Table::Position position = table.Insert(nodes[i].hash, &nodes[i]);
    found = found && position.node() == &nodes[i];
    one_at_a_time = one_at_a_time && table.bucket_count() - buckets <= 1;
    buckets = table.bucket_count();
    // An old node, then one that is not there.
    found = found && FindNode(table, nodes[Mix(i) % (i + 1)]);
    found = found && !table.Find(~nodes[i].hash, [](const Node&) { return false; });
  }
  CHECK(one_at_a_time);
  CHECK(found);
  CHECK(table.size() == kNodes);
  CHECK(CountNodes(table) == kNodes);
  // 6.3 nodes per bucket.
  CHECK(buckets * 63 / 10 >= kNodes);
  CHECK(buckets * 6 <= kNodes);
  CHECK(table.MemoryBytes() < kNodes * 16);

  for (size_t i = 0; i < kNodes; ++i) {
    const Table::Position position = FindNode(table, nodes[i]);
    if (!position) {
      found = false;
      break;
    }
    table.Erase(nodes[i].hash, position);
    one_at_a_time = one_at_a_time && buckets - table.bucket_count() <= 1;
    buckets = table.bucket_count();
    if (i + 1 < kNodes) found = found && FindNode(table, nodes[i + 1 + Mix(i) % (kNodes - i - 1)]);
  }
  CHECK(one_at_a_time);
  CHECK(found);
  CHECK(table.empty());
  CHECK(table.bucket_count() <= 16);
  CHECK(CountNodes(table) == 0);
}

// Only few low bits of these hashes vary, so that long chains form; the upper bits tell the nodes
// of a chain apart wherever the tag window lies.
TEST_CASE("HashTable: chains of overflow buckets, in growth and in shrinking", "[storage]") {
  constexpr size_t kNodes = 600;
  std::vector<Node> nodes(kNodes);
  for (size_t i = 0; i < kNodes; ++i) nodes[i].hash = Mix(i) << 32 | (i % 3);
  Table table;
  for (Node& node : nodes) table.Insert(node.hash, &node);
  CHECK(CountNodes(table) == kNodes);
  bool found = true;
  for (const Node& node : nodes) found = found && FindNode(table, node);
  CHECK(found);
  std::mt19937 random(7);
  std::vector<size_t> order(kNodes);
  for (size_t i = 0; i < kNodes; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), random);
  for (size_t i = 0; i < kNodes; ++i) {
    table.Erase(nodes[order[i]].hash, FindNode(table, nodes[order[i]]));
    for (size_t j = i + 1; j < kNodes; ++j) found = found && FindNode(table, nodes[order[j]]);
  }
  CHECK(found);
  CHECK(table.empty());
}

TEST_CASE("HashTable: nodes with the same hash are told apart by the caller", "[storage]") {
  std::vector<Node> nodes(40, Node{0x123456789abcdef0});
  Table table;
  for (Node& node : nodes) table.Insert(node.hash, &node);
  for (Node& node : nodes) CHECK(FindNode(table, node).node() == &node);
  for (Node& node : nodes) table.Erase(node.hash, FindNode(table, node));
  CHECK(table.empty());
}

// The window from which tags are taken moves at levels 4, 12 and 20 (2^20 buckets, 6.6 million
// nodes). The last of these is within reach because a node is nothing but its number, and because
// low bits in sequence keep neighbours in one cache line.
struct Numbered {};
struct NumberedHash {
  static uint64_t Hash(const Numbered& node) {
    const auto number = reinterpret_cast<uintptr_t>(&node);
    return Mix(number) << 24 | (number / 8 & 0xffffff);
  }
};

TEST_CASE("HashTable: tags are renewed where their window moves", "[storage]") {
  using NumberTable = HashTable<Numbered, NumberedHash>;
  // Pointers that are never followed.
  const auto node = [](uint64_t i) { return reinterpret_cast<Numbered*>(i * 8 + 8); };
  const auto find = [&](const NumberTable& table, uint64_t i) {
    return table.Find(NumberedHash::Hash(*node(i)),
                      [&](const Numbered& found) { return &found == node(i); });
  };
  const auto [level, stride] = GENERATE(std::pair{4, 1}, std::pair{12, 1}, std::pair{20, 997});
  CAPTURE(level);
  NumberTable table;
  // Until well into the round after the one in which the window has moved.
  const uint64_t wanted = (uint64_t{5} << level) / 4;
  uint64_t count = 0;
  while (table.bucket_count() < wanted) {
    table.Insert(NumberedHash::Hash(*node(count)), node(count));
    ++count;
  }
  bool found = true;
  for (uint64_t i = 0; i < count; i += static_cast<uint64_t>(stride)) {
    found = found && find(table, i).node() == node(i);
  }
  CHECK(found);
  // And back over the boundary.
  const uint64_t few = (uint64_t{3} << level) / 4;
  while (table.bucket_count() > std::max<uint64_t>(few, 16) && count > 0) {
    --count;
    const auto position = find(table, count);
    if (!position) {
      found = false;
      break;
    }
    table.Erase(NumberedHash::Hash(*node(count)), position);
  }
  for (uint64_t i = 0; i < count; i += static_cast<uint64_t>(stride)) {
    found = found && find(table, i).node() == node(i);
  }
  CHECK(found);
  CHECK(table.size() == count);
}

TEST_CASE("HashTable: Scan visits a node that stays exactly once, whatever happens meanwhile",
          "[storage]") {
  constexpr size_t kStaying = 2000;
  constexpr size_t kPassing = 30000;
  const std::string way = GENERATE(as<std::string>{}, "growth", "shrinking", "both, at random");
  CAPTURE(way);
  for (uint32_t seed = 0; seed < 8; ++seed) {
    std::vector<Node> staying = MakeNodes(kStaying, 2 + seed);
    std::vector<Node> passing = MakeNodes(kPassing, 100 + seed);
    std::vector<bool> in(kPassing, false);
    Table table;
    const auto set = [&](size_t i, bool present) {
      if (in[i] == present) return;
      in[i] = present;
      if (present) {
        table.Insert(passing[i].hash, &passing[i]);
      } else {
        table.Erase(passing[i].hash, FindNode(table, passing[i]));
      }
    };
    for (Node& node : staying) table.Insert(node.hash, &node);
    if (way != "growth") {
      for (size_t i = 0; i < kPassing; ++i) set(i, true);
    }
    std::mt19937 random(seed);
    size_t next = 0;
    uint64_t cursor = 0;
    uint64_t steps = 0;
    bool rising = false;
    do {
      cursor = table.Scan(cursor, [](Node* node) { ++node->seen; });
      // The table's size changes by up to a factor of 16 within a scan.
      if (random() % 64 == 0) rising = !rising;
      for (uint32_t n = random() % 128; n > 0; --n) {
        if (way == "both, at random") {
          set(random() % kPassing, random() % 8 == 0 ? !rising : rising);
        } else if (next < kPassing) {
          set(next++, way == "growth");
        }
      }
      ++steps;
    } while (cursor != 0 && steps < 10'000'000);
    CHECK(cursor == 0);
    size_t missed = 0;
    size_t repeated = 0;
    for (const Node& node : staying) {
      missed += node.seen == 0;
      repeated += node.seen > 1;
    }
    CHECK(missed == 0);
    CHECK(repeated == 0);
  }
}

TEST_CASE("HashTable: Sample gives every node the same chance", "[storage]") {
  constexpr size_t kNodes = 1000;
  constexpr uint32_t kDraws = 400 * kNodes;
  std::vector<Node> nodes = MakeNodes(kNodes);
  Table table;
  for (Node& node : nodes) table.Insert(node.hash, &node);
  std::mt19937_64 random(3);
  for (uint32_t i = 0; i < kDraws; ++i) ++table.Sample(random)->seen;
  // The standard deviation of a count is 20.
  const auto [low, high] = std::minmax_element(
      nodes.begin(), nodes.end(), [](const Node& a, const Node& b) { return a.seen < b.seen; });
  CHECK(low->seen > 300);
  CHECK(high->seen < 500);
}

TEST_CASE("HashTable: Sample of a table that was big finds the last node", "[storage]") {
  std::vector<Node> nodes = MakeNodes(10000);
  Table table;
  for (Node& node : nodes) table.Insert(node.hash, &node);
  for (size_t i = 1; i < nodes.size(); ++i) table.Erase(nodes[i].hash, FindNode(table, nodes[i]));
  std::mt19937_64 random(3);
  CHECK(table.Sample(random) == &nodes[0]);
}

TEST_CASE("HashTable: VisitCandidates finds a node by the low bits of its hash", "[storage]") {
  for (const size_t count : {1u, 50u, 700u, 5000u, 60000u}) {
    std::vector<Node> nodes = MakeNodes(count);
    Table table;
    for (Node& node : nodes) table.Insert(node.hash, &node);
    uint64_t candidates = 0;
    uint64_t found = 0;
    for (const Node& node : nodes) {
      table.VisitCandidates(node.hash & 0xffffff, 24, [&](Table::Position position) {
        ++candidates;
        found += position.node() == &node;
      });
    }
    CHECK(found == count);
    // Few others: the tag tells at least 12 known bits (the window reaches up to bit 28).
    CHECK(candidates < count + count / 50 + 2);
  }
}

TEST_CASE("HashTable: Clear, move and swap", "[storage]") {
  std::vector<Node> nodes = MakeNodes(5000);
  Table table;
  for (Node& node : nodes) table.Insert(node.hash, &node);
  Table other(std::move(table));
  CHECK(other.size() == nodes.size());
  CHECK(FindNode(other, nodes[17]));
  table.Clear();
  CHECK(table.empty());
  table.Insert(nodes[0].hash, &nodes[0]);
  table.Swap(other);
  CHECK(table.size() == nodes.size());
  CHECK(other.size() == 1);
  table.Clear();
  CHECK(table.MemoryBytes() == 0);
  table.Insert(nodes[1].hash, &nodes[1]);
  CHECK(FindNode(table, nodes[1]));
}

}  // namespace spinel
