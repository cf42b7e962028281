#include "storage/list_value.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "storage/store.h"

namespace spinel {
namespace {

using Model = std::deque<std::string>;

struct ListFixture {
  StoreStats stats;
  OpContext context{&stats};
  Store store{Store::Options{.stripes = 16, .databases = 2, .now_ms = 1000}};
  ListFixture() { context.SetNow(1000); }
  WriteGuard Write(std::string_view name = "list") {
    return store.Write(context, 0, Store::MakeKey(name));
  }
};

std::vector<std::string> Elements(const KeySlot& slot) {
  std::vector<std::string> elements;
  if (!slot) return elements;
  ListView(*slot).ForEach([&](std::string_view element) { elements.emplace_back(element); });
  return elements;
}

std::vector<std::string> Backwards(const KeySlot& slot) {
  std::vector<std::string> elements;
  const ListView list(*slot);
  list.ForEach(list.size() - 1, list.size(), true, [&](std::string_view element) {
    elements.emplace_back(element);
    return true;
  });
  std::reverse(elements.begin(), elements.end());
  return elements;
}

void Push(KeySlot* slot, const ListLimits& limits, ListEnd end, std::vector<std::string> elements) {
  const std::vector<std::string_view> views(elements.begin(), elements.end());
  ListValue(slot, limits).Push(end, views);
}

TEST_CASE("List elements: lengths of every form are read from both sides") {
  for (const size_t size : {0, 1, 251, 252, 253, 65535, 65536, 100'000}) {
    const std::string element(size, 'e');
    std::string block(ListElement::Bytes(size), '\0');
    const char* const end = ListElement::Write(block.data(), element);
    CHECK(end == block.data() + block.size());
    CHECK(ListElement::Read(block.data()) == element);
    CHECK(ListElement::ReadBack(end) == element);
    CHECK(ListElement::Begin(ListElement::ReadBack(end)) == block.data());
    CHECK(ListElement::End(ListElement::Read(block.data())) == end);
  }
}

TEST_CASE("List chunk: room at either end is used, and the cheaper side moves") {
  ListChunk* chunk = ListChunk::New(100, 50);
  chunk->PushBack("c");
  chunk->PushFront("a");
  CHECK(ListElement::Read(chunk->Insert(chunk->begin() + ListElement::Bytes(1), "b")) == "b");
  CHECK(chunk->count() == 3);
  CHECK(ListElement::Read(chunk->run().Seek(1)) == "b");
  chunk->Slide(true);
  CHECK(chunk->tail_room() == 0);
  chunk->Slide(false);
  CHECK(chunk->head_room() == 0);
  chunk->Replace(chunk->run().Seek(1), "longer");
  CHECK(ListElement::Read(chunk->run().Seek(1)) == "longer");
  CHECK(ListElement::Read(chunk->run().Seek(2)) == "c");
  chunk->Erase(chunk->run().Seek(0));
  CHECK(ListElement::Read(chunk->begin()) == "longer");
  ListChunk::Delete(chunk);
}

TEST_CASE("List ranges: cut down to what exists, whatever is asked for") {
  const auto of = [](int64_t first, int64_t last, size_t size) {
    const ListRange range = ListRange::Of(first, last, size);
    return std::pair(range.first, range.count);
  };
  using Pair = std::pair<size_t, size_t>;
  CHECK(of(0, -1, 5) == Pair(0, 5));
  CHECK(of(-3, 3, 5) == Pair(2, 2));
  CHECK(of(INT64_MIN, INT64_MAX, 5) == Pair(0, 5));
  CHECK(of(INT64_MAX, INT64_MAX, 5) == Pair(0, 0));
  CHECK(of(0, INT64_MIN, 5) == Pair(0, 0));
  CHECK(of(3, 2, 5) == Pair(0, 0));
  CHECK(of(5, 9, 5) == Pair(0, 0));
}

TEST_CASE_METHOD(ListFixture, "List: leaves its entry at the limit and returns at half of it") {
  for (const int64_t fill : {4, -1}) {
    const ListLimits limits(fill);
    const std::string element(fill > 0 ? 1 : 1000, 'x');
    WriteGuard slot = Write();
    Push(&slot, limits, ListEnd::kTail, std::vector<std::string>(4, element));
    CHECK_FALSE(slot->is_object());
    Push(&slot, limits, ListEnd::kHead, {element});
    CHECK(slot->is_object());
    ListValue(&slot, limits).Remove(ListEnd::kTail, 2);
    CHECK(slot->is_object());
    CHECK(ListView(*slot).size() == 3);
    ListValue(&slot, limits).Remove(ListEnd::kHead, 2);
    CHECK_FALSE(slot->is_object());
    ListValue(&slot, limits).Remove(ListEnd::kHead, 1);
    CHECK_FALSE(slot.exists());
  }
}

TEST_CASE_METHOD(ListFixture, "List: a clone shares nothing; big ones are freed elsewhere") {
  const ListLimits limits(-2);
  {
    WriteGuard slot = Write();
    for (int i = 0; i < 10'000; ++i) Push(&slot, limits, ListEnd::kTail, {std::to_string(i)});
    CHECK(slot->is_object());
    CHECK(slot->MemoryBytes() < 10'000 * 8);
    std::unique_ptr<Entry, void (*)(Entry*)> clone(Entry::Clone(*slot, "clone"), Entry::Delete);
    ListValue(&slot, limits).Set(0, "changed");
    CHECK(ListView(*clone).At(0) == "0");
    CHECK(ListView(*clone).size() == 10'000);
    ListValue(&slot, limits).Trim(ListRange::Of(5000, 5009, 10'000));
    CHECK_FALSE(slot->is_object());
    CHECK(Elements(slot).front() == "5000");
    for (int i = 0; i < 10'000; ++i) Push(&slot, limits, ListEnd::kHead, {std::to_string(i)});
    CHECK(slot.Delete());
  }
  store.reclaimer().Drain();
}

// -- The model
// -------------------------------------------------------------------------------------

size_t RemoveFromModel(Model* model, ListEnd from, const std::string& element, size_t limit) {
  size_t removed = 0;
  if (from == ListEnd::kTail) std::reverse(model->begin(), model->end());
  for (auto it = model->begin(); it != model->end() && removed < limit;) {
    if (*it == element) {
      it = model->erase(it);
      ++removed;
    } else {
      ++it;
    }
  }
  if (from == ListEnd::kTail) std::reverse(model->begin(), model->end());
  return removed;
}

class Play {
 public:
  Play(unsigned seed, const ListLimits& limits, size_t most)
      : random_(seed), limits_(limits), most_(most) {}

  void Step(KeySlot* slot) {
    const size_t growth = model_.size() < most_ ? 4 : 1;
    switch (random_() % (9 + growth)) {
      case 0:
        return Remove(slot);
      case 1:
        return Trim(slot);
      case 2:
        return Set(slot);
      case 3:
      case 4:
        return Insert(slot);
      case 5:
        return RemoveMatches(slot);
      case 6:
        return Rotate(slot);
      default:
        return Push(slot);
    }
  }
  void Check(const KeySlot& slot) const {
    const std::vector<std::string> expected(model_.begin(), model_.end());
    REQUIRE(slot.exists() != expected.empty());
    if (expected.empty()) return;
    REQUIRE(Elements(slot) == expected);
    REQUIRE(Backwards(slot) == expected);
    const ListView list(*slot);
    for (int i = 0; i < 5; ++i) {
      const auto index = static_cast<int64_t>(random_() % expected.size());
      REQUIRE(list.At(index) == expected[static_cast<size_t>(index)]);
      REQUIRE(list.At(index - static_cast<int64_t>(expected.size())) ==
              expected[static_cast<size_t>(index)]);
    }
  }

 private:
  std::string Element() {
    switch (random_() % 20) {
      case 0:
        return std::string(random_() % 9000, 'b');
      case 1:
        return std::string(random_() % 600, 'm');
      default:
        return std::to_string(random_() % 20);
    }
  }
  ListEnd End() { return random_() % 2 == 0 ? ListEnd::kHead : ListEnd::kTail; }

  void Push(KeySlot* slot) {
    const ListEnd end = End();
    std::vector<std::string> elements;
    for (size_t i = random_() % 5 + 1; i > 0; --i) elements.push_back(Element());
    const std::vector<std::string_view> views(elements.begin(), elements.end());
    ListValue(slot, limits_).Push(end, views);
    for (const std::string& element : elements) {
      end == ListEnd::kHead ? model_.push_front(element) : model_.push_back(element);
    }
  }
  void Remove(KeySlot* slot) {
    if (model_.empty()) return;
    const ListEnd end = End();
    const size_t count = random_() % (random_() % 8 == 0 ? model_.size() + 2 : 3);
    ListValue(slot, limits_).Remove(end, count);
    for (size_t i = 0; i < count && !model_.empty(); ++i) {
      end == ListEnd::kHead ? model_.pop_front() : model_.pop_back();
    }
  }
  void Trim(KeySlot* slot) {
    if (model_.empty() || random_() % 4 != 0) return;
    const auto range = ListRange::Of(static_cast<int64_t>(random_() % 20),
                                     -static_cast<int64_t>(random_() % 20) - 1, model_.size());
    ListValue(slot, limits_).Trim(range);
    Model kept;
    for (size_t i = 0; i < range.count; ++i) kept.push_back(model_[range.first + i]);
    model_ = kept;
  }
  void Set(KeySlot* slot) {
    if (model_.empty()) return;
    const size_t index = random_() % (model_.size() + 1);
    const std::string element = Element();
    const bool done = ListValue(slot, limits_).Set(static_cast<int64_t>(index), element);
    REQUIRE(done == (index < model_.size()));
    if (done) model_[index] = element;
  }
  void Insert(KeySlot* slot) {
    if (model_.empty()) return;
    const std::string pivot = random_() % 2 == 0 ? model_[random_() % model_.size()] : Element();
    const std::string element = Element();
    const bool before = random_() % 2 == 0;
    const bool done = ListValue(slot, limits_).Insert(before, pivot, element);
    auto it = std::find(model_.begin(), model_.end(), pivot);
    REQUIRE(done == (it != model_.end()));
    if (done) model_.insert(before ? it : it + 1, element);
  }
  void RemoveMatches(KeySlot* slot) {
    if (model_.empty()) return;
    const ListEnd end = End();
    const std::string element = Element();
    const size_t limit = random_() % 3 == 0 ? SIZE_MAX : random_() % 3 + 1;
    const size_t removed = ListValue(slot, limits_).RemoveMatches(end, element, limit);
    REQUIRE(removed == RemoveFromModel(&model_, end, element, limit));
  }
  void Rotate(KeySlot* slot) {
    if (model_.empty()) return;
    const ListEnd from = End();
    ListValue(slot, limits_).Rotate(from);
    if (from == ListEnd::kHead) {
      model_.push_back(model_.front());
      model_.pop_front();
    } else {
      model_.push_front(model_.back());
      model_.pop_back();
    }
  }

  mutable std::mt19937 random_;
  const ListLimits limits_;
  const size_t most_;
  Model model_;
};

TEST_CASE_METHOD(ListFixture, "List: random changes agree with a deque, in every form") {
  struct Case {
    int64_t fill;
    size_t own_chunk_bytes;
    size_t most;
  };
  unsigned seed = 20;
  for (const Case& c : {Case{-2, 0, 30}, Case{-1, 0, 400}, Case{3, 0, 40}, Case{1, 0, 40},
                        Case{-5, 0, 60}, Case{16, 0, 200}, Case{-2, 5, 50}, Case{4, 10, 50}}) {
    CAPTURE(c.fill, c.own_chunk_bytes, seed);
    Play play(seed++, ListLimits(c.fill, c.own_chunk_bytes), c.most);
    for (int step = 0; step < 3000; ++step) {
      WriteGuard slot = Write();
      play.Step(&slot);
      if (step % 3 == 0) play.Check(slot);
    }
    WriteGuard slot = Write();
    play.Check(slot);
    slot.Delete();
  }
  store.reclaimer().Drain();
}

TEST_CASE_METHOD(ListFixture, "List: the memory it tells is what its chunks take") {
  const ListLimits limits(-1);
  WriteGuard slot = Write();
  std::mt19937 random(3);
  const auto chunk_bytes = [&slot] {
    size_t bytes = 0;
    size_t chunks = 0;
    const auto* const object = slot.object<ListObject>();
    for (const ListChunk* c = object->head(); c != nullptr; c = c->next(), ++chunks) {
      bytes += c->MemoryBytes();
    }
    CHECK(chunks == object->chunks());
    return bytes + SizeClass(sizeof(ListObject));
  };
  for (int i = 0; i < 20'000; ++i) {
    Push(&slot, limits, i % 3 == 0 ? ListEnd::kHead : ListEnd::kTail, {std::to_string(i)});
  }
  const size_t full = slot.object<ListObject>()->MemoryBytes();
  CHECK(full == chunk_bytes());
  for (int i = 0; i < 50; ++i) {
    ListValue(&slot, limits)
        .Remove(random() % 2 == 0 ? ListEnd::kHead : ListEnd::kTail, random() % 300);
    ListValue(&slot, limits).RemoveMatches(ListEnd::kTail, std::to_string(random() % 20'000), 1);
    ListValue(&slot, limits).Set(static_cast<int64_t>(random() % 100), std::string(i * 200, 'x'));
    CHECK(slot.object<ListObject>()->MemoryBytes() == chunk_bytes());
  }
  CHECK(slot.object<ListObject>()->MemoryBytes() < full);
  slot.Delete();
}

}  // namespace
}  // namespace spinel
