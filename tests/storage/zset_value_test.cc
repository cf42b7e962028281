#include "storage/zset_value.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "storage/store.h"

namespace spinel {
namespace {

using Outcome = ZsetAddResult::Outcome;
using Pair = std::pair<double, std::string>;

struct Fixture {
  StoreStats stats;
  OpContext context{&stats};
  Store store{Store::Options{.stripes = 16, .databases = 2, .now_ms = 1000}};
  Fixture() { context.SetNow(1000); }
  WriteGuard Write(std::string_view name) { return store.Write(context, 0, Store::MakeKey(name)); }
};

std::vector<Pair> Members(const KeySlot& slot, bool backwards = false) {
  std::vector<Pair> members;
  const ZsetView view(slot.entry());
  view.ForEach({0, view.size()}, backwards, [&members](const ScoredMember& scored) {
    members.emplace_back(scored.score, scored.member);
  });
  return members;
}

// What the type is compared with: scores by member, and the set's order.
struct Model {
  std::map<std::string, double> scores;
  std::set<Pair> order;

  void Put(const std::string& member, double score) {
    Remove(member);
    scores[member] = score;
    order.insert({score, member});
  }
  bool Remove(const std::string& member) {
    const auto found = scores.find(member);
    if (found == scores.end()) return false;
    order.erase({found->second, member});
    scores.erase(found);
    return true;
  }
};

void CheckSame(const KeySlot& slot, const Model& model) {
  REQUIRE(slot.exists() == !model.order.empty());
  const std::vector<Pair> expected(model.order.begin(), model.order.end());
  REQUIRE(Members(slot) == expected);
  REQUIRE(Members(slot, true) == std::vector<Pair>(expected.rbegin(), expected.rend()));
  const ZsetView view(slot.entry());
  for (size_t rank = 0; rank < expected.size(); rank += 1 + expected.size() / 10) {
    const auto place = view.Find(expected[rank].second);
    REQUIRE(place.has_value());
    REQUIRE(place->rank == rank);
    REQUIRE(place->score == expected[rank].first);
    const ScoreRange range{expected[rank].first, expected[rank].first + 3, true, false};
    const auto begin = model.order.upper_bound({range.min, std::string(100, '\xff')});
    const auto end = model.order.upper_bound({range.max, std::string(100, '\xff')});
    REQUIRE(view.Ranks(range).begin ==
            static_cast<uint64_t>(std::distance(model.order.begin(), begin)));
    REQUIRE(view.Ranks(range).count == static_cast<uint64_t>(std::distance(begin, end)));
  }
}

TEST_CASE_METHOD(Fixture, "Sorted set: random changes agree with a model, across the limits") {
  const uint64_t max_packed = GENERATE(0, 10, 128, 100'000);
  const ZsetLimits limits{.max_packed = max_packed, .max_packed_bytes = 20};
  std::mt19937 random(static_cast<unsigned>(max_packed));
  Model model;
  for (int step = 0; step < 6000; ++step) {
    WriteGuard slot = Write("k");
    const uint64_t changes = stats.changes.Get();
    const std::string member = "m" + std::to_string(random() % 400);
    const double score = static_cast<double>(random() % 50) / (random() % 2 == 0 ? 1 : 8);
    const unsigned what = random() % 100;
    if (what < 60) {
      const bool known = model.scores.contains(member);
      const bool same = known && model.scores[member] == score;
      const ZsetAddResult result = AddMember(&slot, limits, {score, member}, {});
      REQUIRE(result.outcome == (!known ? Outcome::kAdded
                                 : same ? Outcome::kSame
                                        : Outcome::kUpdated));
      REQUIRE(stats.changes.Get() == changes + (same ? 0 : 1));
      model.Put(member, score);
    } else if (what < 93 || !slot.exists()) {
      const bool removed = slot.exists() && RemoveMember(&slot, member);
      REQUIRE(removed == model.Remove(member));
      REQUIRE(stats.changes.Get() == changes + (removed ? 1 : 0));
    } else {
      const uint64_t size = model.order.size();
      const uint64_t begin = random() % size;
      const uint64_t count = std::min<uint64_t>(size - begin, random() % (what == 99 ? 400 : 20));
      if (what < 96) {
        RemoveRange(&slot, {begin, count});
        const auto first = std::next(model.order.begin(), static_cast<int64_t>(begin));
        const std::vector<Pair> gone(first, std::next(first, static_cast<int64_t>(count)));
        for (const Pair& pair : gone) model.Remove(pair.second);
      } else {
        const bool highest = what % 2 == 0;
        PopMembers(&slot, count, highest, [&](const ScoredMember& scored) {
          const Pair pair = highest ? *model.order.rbegin() : *model.order.begin();
          REQUIRE(pair == Pair(scored.score, scored.member));
          model.Remove(pair.second);
        });
      }
      REQUIRE(stats.changes.Get() == changes + count);
    }
    if (step % 50 == 0) CheckSame(slot, model);
  }
  CheckSame(Write("k"), model);
}

TEST_CASE_METHOD(Fixture, "Sorted set: a packed one grows up to its entry's end, and beyond") {
  const ZsetLimits limits{.max_packed = 1'000'000, .max_packed_bytes = 1'000'000};
  WriteGuard slot = Write("k");
  Model model;
  while (model.order.size() < 4000) {
    const std::string member = "member:" + std::to_string(model.order.size());
    AddMember(&slot, limits, {0.5, member}, {});
    model.Put(member, 0.5);
    if (!slot->is_object() && PackedZset(*slot).bytes() > PackedList::kMaxBytes - 25) {
      // A score that needs no more room still fits; one that needs more makes it an object.
      AddMember(&slot, limits, {7.25, member}, {});
      model.Put(member, 7.25);
      REQUIRE(!slot->is_object());
    }
  }
  CHECK(slot->is_object());
  CheckSame(slot, model);
}

TEST_CASE_METHOD(Fixture, "Sorted set: a copy shares nothing, and its bytes are known") {
  const ZsetLimits limits{.max_packed = 4, .max_packed_bytes = 20};
  Entry* copy = nullptr;
  std::vector<Pair> before;
  {
    WriteGuard slot = Write("k");
    for (int i = 0; i < 1000; ++i) {
      const std::string member = std::to_string(i) + "x";
      AddMember(&slot, limits, {static_cast<double>(i % 10), member}, {});
    }
    before = Members(slot);
    copy = Entry::Clone(*slot, "copy");
    const size_t bytes = slot->object()->MemoryBytes();
    CHECK(bytes > 1000 * 32);
    CHECK(bytes < 1000 * 80);
    RemoveRange(&slot, {100, 900});
    CHECK(slot->object()->MemoryBytes() < bytes / 4);
  }
  WriteGuard other = Write("copy");
  other.Put(copy);
  CHECK(Members(other) == before);
  RemoveRange(&other, {0, 1000});
  CHECK(!other.exists());
}

TEST_CASE_METHOD(Fixture, "Sorted set: stored members may lie in what they replace") {
  const ZsetLimits limits{.max_packed = GENERATE(size_t{0}, size_t{128}), .max_packed_bytes = 20};
  WriteGuard slot = Write("k");
  for (const char* member : {"a", "b", "c"}) AddMember(&slot, limits, {1, member}, {});
  std::vector<ScoredMember> kept;
  ZsetView(*slot).ForEach({1, 2}, false, [&](const ScoredMember& m) { kept.push_back(m); });
  const uint64_t changes = stats.changes.Get();
  StoreMembers(&slot, limits, kept);
  CHECK(stats.changes.Get() == changes + 1);
  CHECK(Members(slot) == std::vector<Pair>{{1, "b"}, {1, "c"}});
  StoreMembers(&slot, limits, {});
  CHECK(!slot.exists());
  CHECK(stats.changes.Get() == changes + 2);
  StoreMembers(&slot, limits, {});
  CHECK(stats.changes.Get() == changes + 2);
}

}  // namespace
}  // namespace spinel
