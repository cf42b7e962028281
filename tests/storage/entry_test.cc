#include "storage/entry.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "storage/access_clock.h"
#include "storage/blob.h"

namespace spinel {
namespace {

// Names on both sides of the length that fits into one byte.
const std::string kNames[] = {"", "k", std::string(254, 'a'), std::string(255, 'b'),
                              std::string(100'000, 'c')};

}  // namespace

TEST_CASE("Entry: strings and integers, every length of key, with and without an expiry",
          "[storage]") {
  for (const std::string& name : kNames) {
    for (const size_t size : {0u, 1u, 7u, 44u, 1000u, 16383u}) {
      for (const bool with_expiry : {false, true}) {
        CAPTURE(name.size(), size, with_expiry);
        const std::string value(size, 'v');
        Entry* entry = Entry::NewString(name, value, with_expiry);
        CHECK(entry->type() == ValueType::kString);
        CHECK(entry->key() == name);
        CHECK(entry->inline_value() == value);
        CHECK(entry->has_expiry_field() == with_expiry);
        CHECK_FALSE(entry->armed());
        CHECK_FALSE(entry->edited());
        CHECK(entry->MemoryBytes() >= 8 + name.size() + size + (with_expiry ? 8 : 0));
        Entry::Delete(entry);

        entry = Entry::NewInteger(name, std::numeric_limits<int64_t>::min(), with_expiry);
        CHECK(entry->key() == name);
        CHECK(entry->integer() == std::numeric_limits<int64_t>::min());
        entry->set_integer(-1);
        CHECK(entry->integer() == -1);
        Entry::Delete(entry);
      }
    }
  }
}

TEST_CASE("Entry: small entries are small", "[storage]") {
  const auto bytes = [](size_t key, size_t value, bool with_expiry) {
    Entry* entry = Entry::NewString(std::string(key, 'k'), std::string(value, 'v'), with_expiry);
    const size_t size = entry->MemoryBytes();
    Entry::Delete(entry);
    return size;
  };
  CHECK(bytes(4, 4, false) == 16);
  CHECK(bytes(16, 64, false) == 96);
  CHECK(bytes(16, 64, true) == 96);
}

TEST_CASE("Entry: expiry near, far and changed", "[storage]") {
  Entry* entry = Entry::NewString("key", "value", true);
  for (const int64_t time :
       {int64_t{0}, int64_t{1}, int64_t{1'700'000'000'123}, Entry::kMaxWheelExpiry,
        Entry::kMaxWheelExpiry + 1, std::numeric_limits<int64_t>::max()}) {
    CAPTURE(time);
    entry->set_expiry(time);
    CHECK(entry->expiry() == time);
    if (time > 0) CHECK_FALSE(entry->ExpiredAt(time - 1));
    CHECK_FALSE(entry->ExpiredAt(time));
    if (time < std::numeric_limits<int64_t>::max()) CHECK(entry->ExpiredAt(time + 1));
    CHECK(entry->key() == "key");
    CHECK(entry->inline_value() == "value");
  }
  // A time before 1970 is over like any other in the past; it does not wrap around.
  entry->set_expiry(-5);
  CHECK(entry->expiry() == 0);
  CHECK(entry->ExpiredAt(1));

  entry->set_expiry(1000);
  entry->Arm(0xfedc);
  CHECK(entry->armed());
  CHECK(entry->armed_tick() == 0xfedc);
  CHECK(entry->expiry() == 1000);
  entry->set_expiry(2000);
  CHECK(entry->armed_tick() == 0xfedc);
  CHECK(entry->expiry() == 2000);
  // Far times take the whole word, and are never armed.
  entry->set_expiry(std::numeric_limits<int64_t>::max());
  CHECK_FALSE(entry->armed());
  Entry::Delete(entry);
}

TEST_CASE("Entry: room for an expiry comes and goes, the rest stays", "[storage]") {
  for (const std::string& name : kNames) {
    Entry* entry = Entry::NewString(name, "some value", false);
    entry->set_access_clock(0xabcdef);
    entry->set_edited(true);
    entry = Entry::WithExpiryField(entry, true);
    CHECK(entry->has_expiry_field());
    entry->set_expiry(123'456'789);
    entry->Arm(7);
    CHECK(entry->key() == name);
    CHECK(entry->inline_value() == "some value");
    CHECK(entry->access_clock() == 0xabcdef);
    CHECK(entry->edited());
    CHECK(Entry::WithExpiryField(entry, true) == entry);

    entry = Entry::ResizeInline(entry, 5000);
    CHECK(entry->inline_value().substr(0, 10) == "some value");
    CHECK(entry->expiry() == 123'456'789);
    CHECK(entry->armed_tick() == 7);
    entry = Entry::ResizeInline(entry, 4);
    CHECK(entry->inline_value() == "some");
    CHECK(entry->key() == name);

    entry = Entry::WithExpiryField(entry, false);
    CHECK(entry->expiry() == Entry::kNoExpiry);
    CHECK_FALSE(entry->armed());
    CHECK(entry->inline_value() == "some");
    CHECK(entry->access_clock() == 0xabcdef);
    Entry::Delete(entry);
  }
}

TEST_CASE("Entry: another key and a copy are not armed, as the handle names the old key",
          "[storage]") {
  for (const std::string& name : kNames) {
    Entry* entry = Entry::NewInteger("old", 77, true);
    entry->set_expiry(5000);
    entry->Arm(3);
    Entry* copy = Entry::Clone(*entry, name);
    entry = Entry::WithKey(entry, name);
    for (Entry* each : {entry, copy}) {
      CHECK(each->key() == name);
      CHECK(each->integer() == 77);
      CHECK(each->expiry() == 5000);
      CHECK_FALSE(each->armed());
      each->set_expiry(6000);
      CHECK(each->expiry() == 6000);
      Entry::Delete(each);
    }
  }
}

TEST_CASE("Entry: copies share a blob; the last one frees it", "[storage]") {
  Blob* blob = Blob::Copy(std::string(20'000, 'x'));
  REQUIRE(blob != nullptr);
  Entry* entry = Entry::NewBlob("a", blob, false);
  CHECK(blob->unique());
  Entry* copy = Entry::Clone(*entry, "b");
  CHECK(copy->blob() == blob);
  CHECK_FALSE(blob->unique());
  CHECK(entry->MemoryBytes() >= 20'000);
  CHECK_FALSE(entry->IsBig());
  Entry::Delete(entry);
  CHECK(blob->unique());
  CHECK(copy->blob()->view() == std::string(20'000, 'x'));
  Entry::Delete(copy);
}

TEST_CASE("Blob: room to grow, and no memory is a null", "[storage]") {
  Blob* blob = Blob::Create(10, 100);
  REQUIRE(blob != nullptr);
  CHECK(blob->size() == 10);
  CHECK(blob->capacity() == 100);
  blob->set_size(100);
  CHECK(blob->view().size() == 100);
  CHECK_FALSE(blob->IsSlowToFree());
  blob->Release();
  CHECK(Blob::Create(0, std::numeric_limits<size_t>::max()) == nullptr);
  CHECK(Blob::Create(std::numeric_limits<size_t>::max() - 8, 0) == nullptr);
}

TEST_CASE("AccessTracking: idle seconds and the decaying counter", "[storage]") {
  AccessTracking tracking;
  const int64_t start = 1'700'000'000'000;
  const uint32_t fresh = tracking.Initial(start);
  CHECK(tracking.IdleSeconds(fresh, start + 5'500) == 5);
  CHECK(tracking.IdleSeconds(tracking.Accessed(fresh, start + 5'000), start + 5'000) == 0);
  // The clock wraps around after 194 days.
  CHECK(tracking.IdleSeconds(AccessTracking::kMask, int64_t{1000} * (1 << 24)) == 1);

  tracking.SetKind(AccessTracking::Kind::kFrequency);
  uint32_t clock = tracking.Initial(start);
  CHECK(tracking.Frequency(clock, start) == AccessTracking::kInitialFrequency);
  tracking.SetLfuFactors(0, 1);
  for (int i = 0; i < 1000; ++i) clock = tracking.Accessed(clock, start);
  CHECK(tracking.Frequency(clock, start) == 255);
  CHECK(tracking.Frequency(clock, start + 10 * 60'000) == 245);
  CHECK(tracking.Frequency(clock, start + 1000 * 60'000) == 0);
  tracking.SetLfuFactors(10, 0);
  CHECK(tracking.Frequency(clock, start + 1000 * 60'000) == 255);
}

}  // namespace spinel
