#include "storage/string_value.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "storage/blob.h"
#include "storage/store.h"

namespace spinel {
namespace {

class StringFixture {
 public:
  StringFixture() { context_.SetNow(kNow); }

  WriteGuard Slot(std::string_view name = "key") {
    return store_.Write(context_, 0, Store::MakeKey(name));
  }
  void Set(std::string_view value) {
    WriteGuard slot = Slot();
    if (value.size() < Blob::kMinBytes) return slot.SetString(value, Entry::kNoExpiry);
    slot.SetBlob(Blob::Copy(value), Entry::kNoExpiry);
  }
  std::string Get() {
    const WriteGuard slot = Slot();
    IntegerText text;
    return std::string(StringBytes(*slot, &text));
  }
  std::string_view Encoding() { return StringEncodingName(*Slot()); }

 protected:
  static constexpr int64_t kNow = 1'700'000'000'000;
  StoreStats stats_;
  OpContext context_{&stats_};
  Store store_{{.stripes = 16, .databases = 2, .now_ms = kNow}};
};

}  // namespace

TEST_CASE_METHOD(StringFixture, "String values: append and overwrite agree with std::string",
                 "[storage]") {
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    // Of every encoding, or missing.
    std::string model;
    Slot().Delete();
    switch (round % 5) {
      case 0:
        break;
      case 1:
        model = std::to_string(static_cast<int32_t>(random()));
        Slot().SetInteger(std::stoi(model), Entry::kNoExpiry);
        break;
      case 2:
        model = std::string(random() % 200, 'i');
        Set(model);
        break;
      case 3:
        model = std::string(16'300 + random() % 84, 'n');
        Set(model);
        break;
      case 4:
        model = std::string(16'384 + random() % 300'000, 'b');
        Set(model);
        break;
    }
    for (int step = 0; step < 40; ++step) {
      const std::string piece(1 + random() % (step % 7 == 0 ? 9000 : 20),
                              static_cast<char>('A' + random() % 26));
      // Now and then a reply is being sent from the blob.
      Blob* pinned = nullptr;
      std::string before;
      {
        WriteGuard slot = Slot();
        if (slot && slot->string_encoding() == StringEncoding::kBlob && random() % 4 == 0) {
          pinned = slot->blob();
          pinned->AddRef();
          before = pinned->view();
        }
        SpareBlob spare;
        size_t size;
        if (random() % 2 == 0) {
          model += piece;
          size = AppendString(&slot, piece, random() % 2 == 0 ? &spare : nullptr);
        } else {
          const size_t offset = random() % (model.size() + 50);
          if (model.size() < offset + piece.size()) model.resize(offset + piece.size(), '\0');
          model.replace(offset, piece.size(), piece);
          size = OverwriteString(&slot, offset, piece);
        }
        if (size != model.size()) FAIL("the length is wrong");
      }
      if (pinned != nullptr) {
        if (pinned->view() != before) FAIL("a value changed while a reply was sent from it");
        pinned->Release();
      }
      if (Get() != model) FAIL("the bytes are wrong");
      CHECK(StringLength(*Slot()) == model.size());
      CHECK(Encoding() == "raw");
    }
  }
}

TEST_CASE_METHOD(StringFixture, "String values: encodings have Redis' names", "[storage]") {
  Slot().SetInteger(12, Entry::kNoExpiry);
  CHECK(Encoding() == "int");
  CHECK(StringLength(*Slot()) == 2);
  Set(std::string(44, 'x'));
  CHECK(Encoding() == "embstr");
  Set(std::string(45, 'x'));
  CHECK(Encoding() == "raw");
  Set(std::string(20'000, 'x'));
  CHECK(Encoding() == "raw");
  Set("short");
  CHECK(Encoding() == "embstr");
}

TEST_CASE_METHOD(StringFixture, "String values: each change counts once", "[storage]") {
  const auto changes = [this](auto&& change) {
    const uint64_t before = stats_.changes.Get();
    WriteGuard slot = Slot();
    change(&slot);
    return stats_.changes.Get() - before;
  };
  CHECK(changes([](KeySlot* slot) { AppendString(slot, "a"); }) == 1);
  CHECK(changes([](KeySlot* slot) { AppendString(slot, "a"); }) == 1);
  CHECK(changes([](KeySlot* slot) { OverwriteString(slot, 30'000, "a"); }) == 1);
  CHECK(changes([](KeySlot* slot) { slot->Delete(); }) == 1);
  CHECK(changes([](KeySlot* slot) { OverwriteString(slot, 30'000, "a"); }) == 1);
}

TEST_CASE_METHOD(StringFixture, "String values: the expiry and the clock survive a change",
                 "[storage]") {
  Slot().SetInteger(5, kNow + 1000);
  {
    WriteGuard slot = Slot();
    AppendString(&slot, std::string(20'000, 'x'));
    CHECK(slot.expiry() == kNow + 1000);
  }
  context_.SetNow(kNow + 1016);
  for (int wheel = 0; wheel < Store::kWheels; ++wheel) store_.ExpireStep(context_, wheel);
  CHECK(store_.Size(0) == 0);
}

TEST_CASE_METHOD(StringFixture, "String values: big blocks are got before the lock", "[storage]") {
  SpareBlob spare;
  {
    WriteGuard slot = Slot();
    CHECK(spare.Suffices(slot, 100'000));
    CHECK_FALSE(spare.Suffices(slot, 1'000'000));
  }
  REQUIRE(spare.Prepare());
  {
    WriteGuard slot = Slot();
    REQUIRE(spare.Suffices(slot, 1'000'000));
    CHECK(OverwriteString(&slot, 999'999, "x", &spare) == 1'000'000);
    CHECK(slot->blob()->capacity() == 1'000'000);
  }
  std::string expected(1'000'000, '\0');
  expected.back() = 'x';
  CHECK(Get() == expected);
  // Growing leaves room, so that the next piece needs no memory at all.
  SpareBlob more;
  do {
    WriteGuard slot = Slot();
    if (!more.Suffices(slot, 1'000'001)) continue;
    AppendString(&slot, "y", &more);
    CHECK(slot->blob()->capacity() > 1'900'000);
    SpareBlob none;
    CHECK(none.Suffices(slot, 1'900'000));
    break;
  } while (more.Prepare());
  CHECK(Get().size() == 1'000'001);
  // More than there is.
  SpareBlob huge;
  {
    WriteGuard slot = Slot();
    CHECK_FALSE(huge.Suffices(slot, size_t{1} << 60));
  }
  CHECK_FALSE(huge.Prepare());
}

TEST_CASE_METHOD(StringFixture,
                 "String values: bytes that somebody else needs are copied before the lock",
                 "[storage]") {
  const std::string before(1'000'000, 'b');
  Blob* pinned = nullptr;
  {
    WriteGuard slot = Slot();
    OverwriteString(&slot, 0, before);
    pinned = slot->blob();
    pinned->AddRef();
  }
  SpareBlob spare;
  {
    WriteGuard slot = Slot();
    CHECK_FALSE(spare.Suffices(slot, before.size()));
    CHECK_FALSE(spare.HasCopyOf(pinned, before.size()));
  }
  REQUIRE(spare.Prepare());
  CHECK(spare.HasCopyOf(pinned, before.size()));
  CHECK_FALSE(spare.HasCopyOf(pinned, 2 * before.size()));
  SECTION("and used") {
    WriteGuard slot = Slot();
    REQUIRE(spare.Suffices(slot, before.size()));
    OverwriteString(&slot, 1, "xyz", &spare);
    CHECK(slot->blob() != pinned);
    CHECK(slot->blob()->unique());
  }
  SECTION("unless the value is another one by then") {
    {
      WriteGuard slot = Slot();
      slot.SetBlob(Blob::Copy(std::string(1'000'000, 'c')), Entry::kNoExpiry);
    }
    WriteGuard slot = Slot();
    Blob* const other = slot->blob();
    other->AddRef();
    CHECK_FALSE(spare.HasCopyOf(other, before.size()));
    REQUIRE(spare.Suffices(slot, before.size()));
    OverwriteString(&slot, 1, "xyz", &spare);
    other->Release();
  }
  const std::string after = Get();
  CHECK(after.size() == before.size());
  CHECK((after.substr(0, 5) == "bxyzb" || after.substr(0, 5) == "cxyzc"));
  CHECK(after.back() == after.front());
  spare.DropSource();
  store_.reclaimer().Drain();
  CHECK(pinned->view() == before);
  CHECK(pinned->unique());
  pinned->Release();
}

TEST_CASE_METHOD(StringFixture, "String values: no memory changes nothing", "[storage]") {
  constexpr size_t kTooMuch = size_t{1} << 60;
  const uint64_t before = stats_.changes.Get();
  {
    WriteGuard slot = Slot();
    CHECK(MutableString(&slot, kTooMuch) == nullptr);
    CHECK_FALSE(slot.exists());
    CHECK(stats_.changes.Get() == before);
  }
  for (const std::string& value : {std::string("12"), std::string(20'000, 'x')}) {
    Set(value);
    const uint64_t changes = stats_.changes.Get();
    WriteGuard slot = Slot();
    CHECK(MutableString(&slot, kTooMuch) == nullptr);
    IntegerText text;
    CHECK(StringBytes(*slot, &text) == value);
    CHECK(stats_.changes.Get() == changes);
  }
}

}  // namespace spinel
