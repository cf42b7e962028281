#include "storage/packed_list.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "storage/big_value.h"
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

std::vector<std::string> Elements(const KeySlot& slot) {
  std::vector<std::string> elements;
  const PackedList list(*slot.entry());
  for (const std::string_view element : list) elements.emplace_back(element);
  CHECK(elements.size() == list.count());
  return elements;
}

TEST_CASE_METHOD(Fixture, "Packed list: lengths of every form are read back") {
  for (const size_t size : {0, 1, 251, 252, 253, 65000}) {
    const std::string element(size, 'x');
    WriteGuard slot = Write("k");
    const std::string_view elements[] = {element, "end"};
    CreatePacked(&slot, ValueType::kList, elements, 5000);
    CHECK(Elements(slot) == std::vector<std::string>{element, "end"});
    CHECK(slot.expiry() == 5000);
  }
  std::string block(6 + 70000, '\0');
  const std::string big(70000, 'b');
  char* end = PackedElement::Write(block.data(), big);
  CHECK(static_cast<size_t>(end - block.data()) == PackedElement::Bytes(big.size()));
  CHECK(PackedElement::Read(block.data()) == big);
}

TEST_CASE_METHOD(Fixture, "Packed list: random splices agree with a vector") {
  std::mt19937 random(7);
  std::vector<std::string> model;
  {
    WriteGuard slot = Write("k");
    CreatePacked(&slot, ValueType::kHash, {});
  }
  for (int step = 0; step < 3000; ++step) {
    WriteGuard slot = Write("k");
    const size_t at = random() % (model.size() + 1);
    const size_t removed = std::min<size_t>(random() % 3, model.size() - at);
    std::vector<std::string> added(model.size() > 60 ? 0 : random() % 3);
    for (auto& text : added) text.assign(random() % 300, static_cast<char>('a' + random() % 26));
    const PackedList list(*slot.entry());
    const auto from = list.At(at);
    auto to = from;
    for (size_t i = 0; i < removed; ++i) ++to;
    const std::vector<std::string_view> views(added.begin(), added.end());
    SplicePacked(&slot, list.OffsetOf(from), removed, list.OffsetOf(to) - list.OffsetOf(from),
                 views);
    const auto place = model.begin() + static_cast<std::ptrdiff_t>(at);
    model.erase(place, place + static_cast<std::ptrdiff_t>(removed));
    model.insert(model.begin() + static_cast<std::ptrdiff_t>(at), added.begin(), added.end());
    REQUIRE(Elements(slot) == model);
  }
}

TEST_CASE_METHOD(Fixture, "Packed list: an element is found at its stride only") {
  WriteGuard slot = Write("k");
  const std::string_view elements[] = {"a", "b", "b", "a"};
  CreatePacked(&slot, ValueType::kHash, elements);
  const PackedList list(*slot.entry());
  CHECK(list.Find("b", 2) == list.At(2));
  CHECK(list.Find("b", 1) == list.At(1));
  CHECK(list.Find("c", 1) == list.end());
}

class Numbers final : public BigValue {
 public:
  explicit Numbers(int* alive) : alive_(alive) { ++*alive_; }
  ~Numbers() override { --*alive_; }
  size_t size() const override { return 1; }
  size_t MemoryBytes() const override { return sizeof(*this); }
  BigValue* Clone() const override { return new Numbers(alive_); }

 private:
  int* alive_;
};

TEST_CASE_METHOD(Fixture, "A collection becomes an object and packed again, its expiry stays") {
  int alive = 0;
  {
    WriteGuard slot = Write("k");
    const std::string_view elements[] = {"a"};
    CreatePacked(&slot, ValueType::kHash, elements, 5000);
    slot.BecomeObject(new Numbers(&alive));
    CHECK(slot->is_object());
    CHECK(slot.expiry() == 5000);
    Entry* copy = Entry::Clone(*slot, "copy");
    CHECK(alive == 2);
    Entry::Delete(copy);
    delete slot.object<Numbers>();
    slot.BecomePacked(CollectionEncoding::kPacked, PackedList::kHeaderBytes);
    CHECK(!slot->is_object());
    slot.BecomeObject(new Numbers(&alive));
  }
  CHECK(alive == 1);
  {
    WriteGuard slot = Write("k");
    slot.SetString("x", Entry::kNoExpiry);
  }
  CHECK(alive == 0);
  WriteGuard slot = Write("k");
  slot.PutObject(ValueType::kSet, new Numbers(&alive), 7000);
  CHECK(slot.expiry() == 7000);
  CHECK(slot.Delete());
  CHECK(alive == 0);
}

}  // namespace
}  // namespace spinel
