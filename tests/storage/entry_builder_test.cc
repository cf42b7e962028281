#include "storage/entry_builder.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "storage/blob.h"
#include "storage/value_info.h"

namespace spinel {
namespace {

constexpr int64_t kNever = Entry::kNoExpiry;

std::vector<std::string> Members(const Entry& zset) {
  std::vector<std::string> members;
  ZsetView(zset).ForEach([&](const ScoredMember& m) { members.emplace_back(m.member); });
  return members;
}

EntryPtr Set(const std::vector<std::string>& members) {
  SetBuilder set({}, SetBuilder::Elements::kUnchecked);
  for (const std::string& member : members) set.Add(SetElement(std::string_view(member)));
  return EntryPtr(set.Build("k", kNever));
}

}  // namespace

TEST_CASE("builders: strings") {
  CHECK(EncodingName(*BuildString("k", "12", kNever)) == "int");
  CHECK(EncodingName(*BuildString("k", "012", kNever)) == "embstr");
  const EntryPtr blob = BuildString("k", std::string(Blob::kMinBytes, 'b'), 77);
  CHECK(blob->string_encoding() == StringEncoding::kBlob);
  CHECK(blob->expiry() == 77);
}

TEST_CASE("builders: a list leaves its entry when it is too big for it") {
  ListBuilder list(ListLimits(3));
  for (const char* element : {"a", "b", "c"}) list.Add(element);
  CHECK(EncodingName(*list.Finish("k", kNever)) == "listpack");
  ListBuilder more(ListLimits(3));
  for (const char* element : {"a", "b", "c", "d"}) more.Add(element);
  const EntryPtr entry = more.Finish("k", 5);
  CHECK(EncodingName(*entry) == "quicklist");
  CHECK(entry->expiry() == 5);
  std::string all;
  ListView(*entry).ForEach([&all](std::string_view element) { all += element; });
  CHECK(all == "abcd");
}

TEST_CASE("builders: hashes") {
  HashBuilder packed({2, 10}, 2);
  CHECK(packed.Add("a", {"1"}));
  CHECK(packed.Add("b", {"2"}));
  CHECK(EncodingName(*packed.Finish("k", kNever)) == "listpack");

  for (const bool expected : {false, true}) {
    HashBuilder big({2, 10}, expected ? 3 : 0);
    CHECK(big.Add("a", {"1"}));
    CHECK(big.Add("b", {"2"}, 99));
    CHECK(big.Add("c", {std::string(Blob::kMinBytes, 'c')}));
    CHECK(!big.Add("a", {"3"}));
    CHECK(big.error() == BuildError::kRepeated);
    CHECK(big.Finish("k", kNever) == nullptr);
  }
  HashBuilder twice({5, 10}, 2);
  CHECK(twice.Add("a", {"1"}));
  CHECK(twice.Add("a", {"1"}));
  CHECK(twice.Finish("k", kNever) == nullptr);
  CHECK(twice.error() == BuildError::kRepeated);

  HashBuilder expiring({5, 10}, 1);
  CHECK(expiring.Add("a", {"1"}, 99));
  CHECK(expiring.Finish("k", kNever)->HasExpiringElements());
}

TEST_CASE("builders: sets") {
  CHECK(EncodingName(*Set({"3", "1", "2"})) == "intset");
  CHECK(EncodingName(*Set({"3", "1", "x"})) == "listpack");
  CHECK(EncodingName(*Set({"3", std::string(65, 'x')})) == "hashtable");
  CHECK(Set({"3", "1", "3"}) == nullptr);
  CHECK(Set({"3", "x", "3"}) == nullptr);
  CHECK(Set({"3", std::string(65, 'x'), "3"}) == nullptr);
  CHECK(Set({"3", "3", std::string(65, 'x')}) == nullptr);
}

TEST_CASE("builders: sorted sets, whatever the order") {
  using Pairs = std::vector<std::pair<double, std::string>>;
  const auto build = [](const Pairs& pairs, size_t max_packed) {
    ZsetBuilder zset({max_packed, 64});
    for (const auto& [score, member] : pairs) zset.Add(score, member);
    return zset.Finish("k", kNever);
  };
  const std::vector<std::string> ordered = {"a", "b", "c", "d"};
  for (const size_t max_packed : {10, 4, 3, 0}) {
    for (const Pairs& pairs : {Pairs{{1, "a"}, {2, "b"}, {2, "c"}, {3, "d"}},
                               Pairs{{3, "d"}, {2, "c"}, {2, "b"}, {1, "a"}},
                               Pairs{{2, "b"}, {3, "d"}, {1, "a"}, {2, "c"}}}) {
      const EntryPtr entry = build(pairs, max_packed);
      REQUIRE(entry != nullptr);
      CHECK(Members(*entry) == ordered);
      CHECK(entry->is_object() == (max_packed < 4));
      CHECK(ZsetView(*entry).Score("c") == 2);
    }
    CHECK(build({{1, "a"}, {2, "b"}, {3, "a"}}, max_packed) == nullptr);
    CHECK(build({{1, "a"}, {1, "a"}}, max_packed) == nullptr);
  }
}

}  // namespace spinel
