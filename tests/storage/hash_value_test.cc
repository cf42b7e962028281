#include "storage/hash_value.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>

#include "storage/store.h"

namespace spinel {
namespace {

struct Fixture {
  StoreStats stats;
  OpContext context{&stats};
  Store store{Store::Options{.stripes = 16, .databases = 2, .now_ms = 1000}};
  Fixture() { context.SetNow(1000); }
  WriteGuard Write(std::string_view name) { return store.Write(context, 0, Store::MakeKey(name)); }
};

struct ModelField {
  std::string value;
  int64_t expiry;
};
using Model = std::map<std::string, ModelField>;

void CheckEqual(const KeySlot& slot, const Model& model, int64_t now_ms) {
  REQUIRE(slot.exists() == !model.empty());
  if (!slot.exists()) return;
  const HashView hash(*slot.entry(), now_ms);
  CHECK(hash.size() == model.size());
  size_t live = 0;
  for (const auto& [name, field] : model) {
    const bool over = field.expiry != Entry::kNoExpiry && field.expiry < now_ms;
    live += over ? 0 : 1;
    HashItem item;
    REQUIRE(hash.Find(name, &item) == !over);
    if (over) continue;
    CHECK(item.name == name);
    CHECK(item.value.bytes == field.value);
    CHECK(item.expiry == field.expiry);
  }
  size_t visited = 0;
  hash.ForEach([&](const HashItem& item) {
    ++visited;
    CHECK(model.at(std::string(item.name)).value == item.value.bytes);
  });
  CHECK(visited == live);
}

TEST_CASE_METHOD(Fixture, "Hash: random changes agree with a map, through both forms") {
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    std::mt19937 random(seed);
    // Small limits, large ones, none; from the fourth on with expiries.
    const HashLimits limits = {seed % 3 == 0 ? 0u : seed % 3 == 1 ? 20u : 100'000u, 70'000};
    const bool expiries = seed > 3;
    Model model;
    int64_t now = 1000;
    for (int step = 0; step < 4000; ++step) {
      context.SetNow(now += random() % 3);
      const std::string name = "f" + std::to_string(random() % 60);
      const size_t sizes[] = {0, 3, 10, 200, 252, 300, 5000, Blob::kMinBytes + random() % 100};
      const std::string value(sizes[random() % (step % 40 == 0 ? 8 : 6)],
                              static_cast<char>('a' + random() % 26));
      WriteGuard slot = Write("h");
      const auto found = model.find(name);
      const bool over = found != model.end() && found->second.expiry != Entry::kNoExpiry &&
                        found->second.expiry < now;
      const bool there = found != model.end() && !over;
      const int64_t later = now + 1 + static_cast<int64_t>(random() % 500);
      switch (random() % (expiries ? 6 : 3)) {
        case 0:
        case 1: {
          const std::string_view pair[] = {name, value};
          const HashPairs pairs(pair);
          CHECK(HashEditor(&slot, limits).SetAll(pairs) == (there ? 0 : 1));
          model[name] = {value, Entry::kNoExpiry};
          break;
        }
        case 2:
          CHECK(HashEditor(&slot, limits).Delete(name) == there);
          if (there) model.erase(name);
          break;
        case 3: {
          const int64_t kept = there ? found->second.expiry : Entry::kNoExpiry;
          HashEditor(&slot, limits).Set(name, {value}, HashEditor::kKeepExpiry);
          model[name] = {value, kept};
          break;
        }
        case 4:
          HashEditor(&slot, limits).Set(name, {value}, later);
          model[name] = {value, later};
          break;
        case 5: {
          const int64_t expiry = random() % 2 == 0 ? later : Entry::kNoExpiry;
          CHECK(HashEditor(&slot, limits).SetExpiry(name, expiry) == there);
          if (there) model[name].expiry = expiry;
          break;
        }
      }
      if (step % 16 == 0) CheckEqual(slot, model, now);
    }
    WriteGuard slot = Write("h");
    CheckEqual(slot, model, now);
    for (const auto& [name, field] : model) HashEditor(&slot, limits).Discard(name);
    CHECK_FALSE(slot.exists());
  }
}

TEST_CASE_METHOD(Fixture, "Hash: a big one's memory is accounted for, and given back") {
  WriteGuard slot = Write("h");
  const HashLimits limits = {0, 0};
  HashEditor(&slot, limits).Set("stay", {"x"});
  const size_t before = slot->MemoryBytes();
  for (int i = 0; i < 10'000; ++i) {
    HashEditor(&slot, limits).Set("field" + std::to_string(i), {"value"}, 5000 + i);
  }
  CHECK(slot->MemoryBytes() > before + 10'000 * 32);
  CHECK(slot->MemoryBytes() < before + 10'000 * 100);
  for (int i = 0; i < 10'000; ++i) HashEditor(&slot, limits).Delete("field" + std::to_string(i));
  CHECK(slot->MemoryBytes() == before);
}

TEST_CASE("Hash field: values and expiries change in place or move, and keep what they hold") {
  HashField* field = HashField::New("name", {"value"}, Entry::kNoExpiry);
  const auto check = [&](std::string_view value, int64_t expiry) {
    CHECK(field->name() == "name");
    CHECK(field->value().bytes == value);
    CHECK(field->expiry() == expiry);
  };
  check("value", Entry::kNoExpiry);
  HashField* const first = field;
  field = HashField::WithValue(field, {"12345678"});
  CHECK(field == first);
  field = HashField::WithExpiry(field, 77);
  check("12345678", 77);
  field = HashField::WithExpiry(field, 78);
  check("12345678", 78);
  const std::string longer(500, 'l');
  field = HashField::WithValue(field, {longer});
  check(longer, 78);
  field = HashField::WithExpiry(field, Entry::kNoExpiry);
  check(longer, Entry::kNoExpiry);
  Blob* const blob = Blob::Copy("blob");
  field = HashField::WithValue(field, {blob->view(), blob});
  CHECK(field->value().blob == blob);
  check("blob", Entry::kNoExpiry);
  field = HashField::WithExpiry(field, 79);
  check("blob", 79);
  HashField::Delete(field);
}

}  // namespace
}  // namespace spinel
