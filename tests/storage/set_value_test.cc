#include "storage/set_value.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "storage/store.h"
#include "storage/value_info.h"

namespace spinel {
namespace {

using Model = std::set<std::string, std::less<>>;

struct Fixture {
  StoreStats stats;
  OpContext context{&stats};
  Store store{Store::Options{.stripes = 16, .databases = 2, .now_ms = 1000}};
  SetLimits limits;

  Fixture() { context.SetNow(1000); }
  WriteGuard Write(std::string_view name) { return store.Write(context, 0, Store::MakeKey(name)); }
  size_t Add(std::string_view name, const std::vector<std::string>& members) {
    const std::vector<std::string_view> views(members.begin(), members.end());
    WriteGuard slot = Write(name);
    return AddMembers(&slot, views, limits);
  }
  size_t Remove(std::string_view name, const std::vector<std::string>& members) {
    const std::vector<std::string_view> views(members.begin(), members.end());
    WriteGuard slot = Write(name);
    return RemoveMembers(&slot, views);
  }
  std::string Encoding(std::string_view name) {
    WriteGuard slot = Write(name);
    return slot.exists() ? std::string(EncodingName(*slot)) : "none";
  }
};

Model Members(const KeySlot& slot) {
  Model members;
  const SetView set(slot.entry());
  set.ForEach([&](std::string_view member) {
    CHECK(members.emplace(member).second);
    CHECK(set.Contains(member));
  });
  CHECK(set.size() == members.size());
  return members;
}

std::vector<std::string> Range(int first, int count, const std::string& prefix = "") {
  std::vector<std::string> members;
  for (int i = first; i < first + count; ++i) members.push_back(prefix + std::to_string(i));
  return members;
}

TEST_CASE("Set: only the canonical form of an integer is one") {
  for (const char* text : {"0", "7", "-1", "9223372036854775807", "-9223372036854775808"}) {
    int64_t value = 1;
    char room[kIntegerChars];
    CHECK(ReadCanonicalInteger(text, &value));
    CHECK(WriteInteger(value, room) == text);
  }
  for (const char* text :
       {"", "-", "-0", "00", "01", "+1", " 1", "1 ", "1a", "0x1", "9223372036854775808",
        "-9223372036854775809", "123456789012345678901"}) {
    int64_t value = 1;
    CHECK_FALSE(ReadCanonicalInteger(text, &value));
    CHECK(value == 1);
  }
}

TEST_CASE_METHOD(Fixture, "Set: integers widen and stay sorted") {
  std::mt19937_64 random(1);
  std::set<int64_t> model;
  for (int i = 0; i < 400; ++i) {
    const int bits = i < 100 ? 50 : i < 200 ? 35 : 1;
    const auto value = static_cast<int64_t>(random()) >> bits;
    CHECK(Add("k", {std::to_string(value)}) == (model.insert(value).second ? 1 : 0));
  }
  const WriteGuard slot = Write("k");
  REQUIRE(slot->collection_encoding() == CollectionEncoding::kIntegers);
  const IntegerSetView view(*slot);
  REQUIRE(view.count() == model.size());
  CHECK(view.width() == 8);
  size_t index = 0;
  for (const int64_t value : model) {
    CHECK(view.at(index) == value);
    CHECK(view.Find(value).index == index);
    ++index;
  }
}

TEST_CASE_METHOD(Fixture, "Set: a wider integer below or above all others moves them") {
  for (const char* wide : {"-40000", "40000", "-5000000000", "5000000000"}) {
    Add(wide, {"1", "-1", "30000", wide});
    CHECK(Members(Write(wide)) == Model{"1", "-1", "30000", wide});
    CHECK(Remove(wide, {wide, "2"}) == 1);
    CHECK(Members(Write(wide)) == Model{"1", "-1", "30000"});
  }
}

TEST_CASE_METHOD(Fixture, "Set: encodings change at the limits") {
  limits = {.max_integers = 5, .max_packed = 3, .max_packed_bytes = 4};
  Add("i", Range(0, 5));
  CHECK(Encoding("i") == "intset");
  Add("i", {"5"});
  CHECK(Encoding("i") == "hashtable");
  CHECK(Members(Write("i")).size() == 6);

  Add("p", {"a"});
  Add("p", {"b"});
  Add("p", {"c"});
  CHECK(Encoding("p") == "listpack");
  CHECK(Add("p", {"c"}) == 0);
  CHECK(Encoding("p") == "listpack");
  Add("p", {"d"});
  CHECK(Encoding("p") == "hashtable");

  Add("long", {"abcd"});
  CHECK(Encoding("long") == "listpack");
  Add("long", {"abcde"});
  CHECK(Encoding("long") == "hashtable");
  Add("longer", {"abcde"});
  CHECK(Encoding("longer") == "hashtable");

  Add("mixed", {"1", "2"});
  Add("mixed", {"a"});
  CHECK(Encoding("mixed") == "listpack");
  CHECK(Members(Write("mixed")) == Model{"1", "2", "a"});
  Add("many", {"1", "2", "3"});
  Add("many", {"a"});
  CHECK(Encoding("many") == "hashtable");
  Add("wide", {"12345"});
  Add("wide", {"a"});
  CHECK(Encoding("wide") == "hashtable");
  CHECK(Members(Write("wide")) == Model{"12345", "a"});
}

TEST_CASE_METHOD(Fixture, "Set: an addition of many chooses the encoding for all of them") {
  limits = {.max_integers = 5, .max_packed = 3, .max_packed_bytes = 4};
  Add("a", {"x", "x", "x", "x"});
  CHECK(Encoding("a") == "hashtable");
  Add("b", {"1", "1", "1", "1", "1", "1"});
  CHECK(Encoding("b") == "hashtable");
  Add("c", {"1"});
  Add("c", Range(0, 6));
  CHECK(Encoding("c") == "hashtable");
  CHECK(Members(Write("c")).size() == 6);
}

TEST_CASE_METHOD(Fixture, "Set: a block in place stays below its limit whatever the settings") {
  limits = {.max_integers = 1'000'000, .max_packed = 1'000'000, .max_packed_bytes = 1'000'000};
  std::vector<std::string> wide;
  for (int64_t i = 0; i < 9000; ++i) wide.push_back(std::to_string(i * 1'000'000'000'000));
  CHECK(Add("i", {wide.begin(), wide.begin() + 8191}) == 8191);
  CHECK(Encoding("i") == "intset");
  CHECK(Add("i", wide) == 9000 - 8191);
  CHECK(Encoding("i") == "hashtable");
  CHECK(Members(Write("i")).size() == 9000);

  CHECK(Add("p", {std::string(65000, 'x'), "y"}) == 2);
  CHECK(Encoding("p") == "listpack");
  CHECK(Add("p", {std::string(600, 'z')}) == 1);
  CHECK(Encoding("p") == "hashtable");
  CHECK(Add("b", {std::string(70000, 'x')}) == 1);
  CHECK(Encoding("b") == "hashtable");

  // Integers that get narrow ones' room, and text beside many of them.
  Add("n", Range(0, 30000));
  CHECK(Encoding("n") == "intset");
  Add("n", {"100000"});
  CHECK(Encoding("n") == "hashtable");
  Add("t", Range(10000, 20000));
  Add("t", {"text"});
  CHECK(Encoding("t") == "hashtable");
  CHECK(Members(Write("t")).size() == 20001);
}

TEST_CASE_METHOD(Fixture, "Set: changes are counted, and no empty set stays") {
  Add("k", {"a", "b", "a"});
  CHECK(stats.changes.Get() == 2);
  Add("k", {"a"});
  CHECK(stats.changes.Get() == 2);
  CHECK(Remove("k", {"x"}) == 0);
  CHECK(stats.changes.Get() == 2);
  CHECK(Remove("k", {"a", "b", "a"}) == 2);
  CHECK(stats.changes.Get() == 4);
  CHECK(Encoding("k") == "none");
}

// One random step on the set and its model, which agree afterwards.
void Step(Fixture* fixture, Model* model, std::mt19937* random, int universe) {
  const auto member = [&] {
    const int number = static_cast<int>((*random)() % static_cast<unsigned>(universe));
    return number % 3 == 0 ? "m" + std::to_string(number) : std::to_string(number * 1000);
  };
  std::vector<std::string> members;
  for (unsigned i = 0, n = 1 + (*random)() % 5; i < n; ++i) members.push_back(member());
  switch ((*random)() % 8) {
    case 0:
    case 1:
      if (!model->empty()) {
        size_t removed = 0;
        for (const std::string& m : members) removed += model->erase(m);
        CHECK(fixture->Remove("k", members) == removed);
      }
      break;
    case 2: {
      if (model->empty()) break;
      const size_t count = 1 + (*random)() % std::min<size_t>(model->size(), 7);
      WriteGuard slot = fixture->Write("k");
      size_t popped = 0;
      char room[kIntegerChars];
      PopMembers(&slot, count, fixture->limits, [&](const SetElement& element) {
        popped += model->erase(std::string(element.Bytes(room)));
      });
      CHECK(popped == count);
      break;
    }
    default: {
      size_t added = 0;
      for (const std::string& m : members) added += model->insert(m).second ? 1 : 0;
      CHECK(fixture->Add("k", members) == added);
    }
  }
}

TEST_CASE_METHOD(Fixture, "Set: random changes agree with a model in every encoding") {
  std::mt19937 random(11);
  for (const SetLimits& l : {SetLimits{}, SetLimits{20, 30, 64}, SetLimits{0, 0, 0},
                             SetLimits{1000, 10, 64}, SetLimits{5, 1000, 3}}) {
    limits = l;
    for (const int universe : {10, 60, 400, 3000}) {
      Model model;
      for (int step = 0; step < 1500; ++step) {
        Step(this, &model, &random, universe);
        if (step % 50 == 0) CHECK(Members(Write("k")) == model);
      }
      CHECK(Members(Write("k")) == model);
      const std::vector<std::string> all(model.begin(), model.end());
      if (!all.empty()) Remove("k", all);
      CHECK(Encoding("k") == "none");
    }
  }
}

// How often each member came up when `draw` was called 20,000 times, in units of what is expected.
template <typename Draw>
void CheckFair(const Model& members, size_t per_draw, Draw&& draw) {
  constexpr int kDraws = 20'000;
  std::map<std::string, int> seen;
  for (int i = 0; i < kDraws; ++i) draw([&](std::string_view m) { ++seen[std::string(m)]; });
  const double expected =
      kDraws * static_cast<double>(per_draw) / static_cast<double>(members.size());
  double chi_square = 0;
  for (const std::string& member : members) {
    chi_square += (seen[member] - expected) * (seen[member] - expected) / expected;
  }
  const auto freedom = static_cast<double>(members.size() - 1);
  CHECK(chi_square < freedom + 5 * std::sqrt(2 * freedom));
  CHECK(seen.size() == members.size());
}

TEST_CASE_METHOD(Fixture, "Set: samples are fair in every encoding") {
  Add("integers", Range(0, 100));
  Add("packed", Range(0, 100, "m"));
  Add("big", Range(0, 200, "m"));
  for (const char* name : {"integers", "packed", "big"}) {
    const WriteGuard slot = Write(name);
    const SetView set(slot.entry());
    const Model members = Members(slot);
    CheckFair(members, 1, [&](auto&& see) {
      char room[kIntegerChars];
      see(set.Sample().Bytes(room));
    });
    for (const size_t count : {1, 5, 60, 99}) {
      Model drawn;
      CheckFair(members, count, [&](auto&& see) {
        char room[kIntegerChars];
        size_t visited = 0;
        set.SampleMany(count, [&](const SetElement& element) {
          see(element.Bytes(room));
          ++visited;
        });
        if (visited != count) FAIL("not as many as wanted");
      });
    }
  }
}

TEST_CASE_METHOD(Fixture, "Set: popping is complete, without doubles, and keeps the expiry") {
  for (const int total : {3, 100, 1000}) {
    for (const char* prefix : {"", "m"}) {
      for (const size_t count :
           {size_t{1}, size_t{2}, static_cast<size_t>(total) - 1, static_cast<size_t>(total)}) {
        Add("k", Range(0, total, prefix));
        WriteGuard slot = Write("k");
        slot.SetExpiry(5000);
        Model left = Members(slot);
        const uint64_t changes = stats.changes.Get();
        char room[kIntegerChars];
        size_t popped = 0;
        PopMembers(&slot, count, limits, [&](const SetElement& element) {
          popped += left.erase(std::string(element.Bytes(room)));
        });
        CHECK(popped == count);
        CHECK(stats.changes.Get() - changes == count);
        CHECK(slot.exists() == !left.empty());
        if (slot.exists()) {
          CHECK(Members(slot) == left);
          CHECK(slot.expiry() == 5000);
        }
        slot.Delete();
      }
    }
  }
}

TEST_CASE_METHOD(Fixture, "Set: a scan sees every member that stays, while others come and go") {
  Add("k", Range(0, 2000, "stay"));
  Add("k", Range(0, 2000, "go"));
  std::multiset<std::string> seen;
  uint64_t cursor = 0;
  int calls = 0;
  do {
    WriteGuard slot = Write("k");
    char room[kIntegerChars];
    cursor = SetView(slot.entry()).Scan(cursor, 10, [&](const SetElement& element) {
      seen.emplace(element.Bytes(room));
    });
    const std::string gone = "go" + std::to_string(calls * 3);
    const std::string_view members[] = {gone};
    RemoveMembers(&slot, members);
    ++calls;
  } while (cursor != 0);
  CHECK(calls > 100);
  for (const std::string& member : Range(0, 2000, "stay")) CHECK(seen.count(member) == 1);
  CHECK(seen.count("go1") == 1);
}

TEST_CASE_METHOD(Fixture, "Set: a copy shares nothing, and memory is accounted") {
  Add("k", Range(0, 1000, "m"));
  WriteGuard slot = Write("k");
  const SetView set(slot.entry());
  BigSet* const copy = set.big().Clone();
  CHECK(copy->size() == 1000);
  CHECK(copy->MemoryBytes() == set.big().MemoryBytes());
  const size_t before = copy->MemoryBytes();
  CHECK(copy->Remove("m5"));
  CHECK_FALSE(copy->Remove("m5"));
  CHECK(copy->MemoryBytes() < before);
  CHECK(set.Contains("m5"));
  delete copy;
}

TEST_CASE_METHOD(Fixture, "Set: hints are for big sets, and change nothing") {
  Add("packed", {"a"});
  Add("big", Range(0, 300, "m"));
  const uint64_t hashes[] = {kKeyHasher("m1"), kKeyHasher("none")};
  for (const ElementHint hint :
       {ElementHint::kPlace, ElementHint::kElement, ElementHint::kFarElement}) {
    CHECK(store.PrefetchElements(0, Store::MakeKey("big"), hashes, hint));
    CHECK_FALSE(store.PrefetchElements(0, Store::MakeKey("packed"), hashes, hint));
    CHECK_FALSE(store.PrefetchElements(0, Store::MakeKey("none"), hashes, hint));
    CHECK_FALSE(store.PrefetchElements(1, Store::MakeKey("big"), hashes, hint));
  }
  CHECK(Members(Write("big")).size() == 300);
}

TEST_CASE_METHOD(Fixture, "Set: a builder chooses the smallest encoding") {
  limits = {.max_integers = 5, .max_packed = 3, .max_packed_bytes = 4};
  const auto build = [&](const std::vector<std::string>& members) {
    SetBuilder builder(limits);
    for (const std::string& member : members) builder.Add(SetElement(std::string_view(member)));
    WriteGuard slot = Write("k");
    builder.Store(&slot);
    CHECK(Members(slot) == Model(members.begin(), members.end()));
  };
  build({"5", "3", "1", "2", "4"});
  CHECK(Encoding("k") == "intset");
  build(Range(0, 6));
  CHECK(Encoding("k") == "hashtable");
  build({"1", "a", "2"});
  CHECK(Encoding("k") == "listpack");
  build({"1", "a", "2", "3"});
  CHECK(Encoding("k") == "hashtable");
  build({"1", "abcde"});
  CHECK(Encoding("k") == "hashtable");
  build({});
  CHECK(Encoding("k") == "none");
}

}  // namespace
}  // namespace spinel
