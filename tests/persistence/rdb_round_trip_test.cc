#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "persistence/crc64.h"
#include "storage/blob.h"
#include "tests/persistence/rdb_support.h"

namespace spinel {
namespace {

using namespace rdb_test;  // NOLINT(google-build-using-namespace)

Strings Described(const std::vector<EntryPtr>& entries) {
  Strings keys;
  for (const EntryPtr& entry : entries) keys.push_back("0: " + Describe(*entry));
  return keys;
}

}  // namespace

TEST_CASE("RDB: every type and encoding is read as it was written") {
  const int version = GENERATE(kRdbVersion, kRdbVersionSetListpack, kRdbVersionValkey);
  const bool compress = GENERATE(false, true);
  CAPTURE(version, compress);
  const std::vector<EntryPtr> samples = Samples(version == kRdbVersionValkey);
  RdbWriteOptions options;
  options.version = version;
  options.compress = compress;
  const Loaded loaded = Load(FileOf(samples, options));
  CHECK(loaded.error.empty());
  CHECK(loaded.keys == Described(samples));
  CHECK(loaded.others.size() == 3);
  CHECK(loaded.counts.keys == samples.size());
}

TEST_CASE("RDB: values are read in the encodings that they had") {
  const std::vector<EntryPtr> samples = Samples(true);
  for (const EntryPtr& sample : samples) {
    const RestoreResult result =
        RestoreValue(DumpValue(*sample), sample->key(), sample->expiry(), ValueLimits(), 0);
    INFO(sample->key());
    REQUIRE(result.entry != nullptr);
    CHECK(Describe(*result.entry) == Describe(*sample));
    CHECK(EncodingOf(*result.entry) == EncodingOf(*sample));
    CHECK(result.entry->MemoryBytes() <= sample->MemoryBytes() + sample->MemoryBytes() / 2);
  }
}

TEST_CASE("RDB: steps of any size write the same bytes") {
  const std::vector<EntryPtr> samples = Samples(true);
  for (const EntryPtr& sample : samples) {
    RdbWriteOptions options;
    options.version = RdbVersionFor(*sample);
    options.compress = false;  // LZF does not always find the same repeats
    MemorySink whole;
    RdbValueWriter(*sample, options).Finish(&whole);
    for (const size_t step : {size_t{1}, size_t{100}, size_t{5000}}) {
      MemorySink pieces;
      RdbValueWriter writer(*sample, options);
      size_t steps = 1;
      while (writer.Step(&pieces, step)) ++steps;
      INFO(sample->key() << " in " << steps << " steps");
      CHECK((pieces.bytes() == whole.bytes()));
      if (sample->is_object() && step == 100 && sample->type() != ValueType::kList &&
          whole.bytes().size() > 4000) {
        CHECK(steps > 5);
      }
    }
  }
}

TEST_CASE("RDB: a step does not go far beyond its size") {
  const EntryPtr set = MakeSet("k", Numbered(100000, "member:"));
  MemorySink sink;
  RdbValueWriter writer(*set, {});
  uint64_t before = 0;
  while (writer.Step(&sink, 4096)) {
    if (sink.written() - before > 4096 + 1024) FAIL(sink.written() - before << " bytes");
    before = sink.written();
  }
}

TEST_CASE("RDB: sizes at which strings change their form") {
  for (const size_t size : {0, 1, 11, 12, 20, 21, 63, 64, 16383, 16384, 16385, 70000}) {
    for (const bool compress : {false, true}) {
      // Bytes that do not repeat soon, and some that do.
      std::string mixed(size, '\0');
      for (size_t i = 0; i < size; ++i) mixed[i] = static_cast<char>(i * i * 2654435761u >> 13);
      for (const std::string& text : {mixed, std::string(size, 'r')}) {
        std::vector<EntryPtr> entries;
        entries.push_back(MakeString("k", text));
        entries.push_back(MakeList("l", {text, text}));
        RdbWriteOptions options;
        options.compress = compress;
        const Loaded loaded = Load(FileOf(entries, options));
        INFO(size << " " << compress << " " << loaded.error);
        CHECK((loaded.keys == Described(entries)));
      }
    }
  }
}

TEST_CASE("RDB: integers at which strings change their form") {
  for (int shift = 0; shift < 64; ++shift) {
    for (const uint64_t near : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
      const auto value = static_cast<int64_t>((uint64_t{1} << shift) + near);
      for (const std::string& text : {std::to_string(value), std::to_string(-(value / 2))}) {
        std::vector<EntryPtr> entries;
        entries.push_back(MakeString("k", text));
        entries.push_back(MakeSet("s", {text, "x"}));
        entries.push_back(MakeSet("i", {text}));
        entries.push_back(MakeString(text, "the key"));
        const Loaded loaded = Load(FileOf(entries));
        if (loaded.keys != Described(entries)) FAIL(text << " " << loaded.error);
      }
    }
  }
}

TEST_CASE("RDB: scores") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<Scored> scored = {{-kInfinity, "a"},
                                {-1e300, "b"},
                                {-9007199254740993.0, "c"},
                                {-0.1, "d"},
                                {5e-324, "e"},
                                {1.0 / 3, "f"},
                                {1e15, "g"},
                                {9007199254740992.0, "h"},
                                {1.7976931348623157e308, "i"},
                                {kInfinity, "j"}};
  std::vector<EntryPtr> entries;
  entries.push_back(MakeZset("packed", scored));
  for (int i = 0; i < 200; ++i) scored.emplace_back(i + 0.5, "more" + std::to_string(i));
  entries.push_back(MakeZset("tree", scored));
  const Loaded loaded = Load(FileOf(entries));
  CHECK(loaded.error.empty());
  CHECK(loaded.keys == Described(entries));
}

TEST_CASE("RDB: expiry, idle times and frequencies") {
  std::vector<EntryPtr> entries;
  entries.push_back(MakeString("k", "v", 5000000));
  AccessTracking tracking;
  RdbWriteOptions options;
  options.use = &tracking;
  entries[0]->set_access_clock(tracking.WithIdleSeconds(7, 0));
  CHECK(Load(FileOf(entries, options)).keys == Strings{"0: string k @5000000: v idle 7"});
  tracking.SetKind(AccessTracking::Kind::kFrequency);
  entries[0]->set_access_clock(tracking.WithFrequency(200, 0));
  CHECK(Load(FileOf(entries, options)).keys == Strings{"0: string k @5000000: v freq 200"});

  RdbRecord record;
  CHECK(AccessClockOf(record, tracking, 1000) == 0);
  record.frequency = 9;
  CHECK(tracking.Frequency(AccessClockOf(record, tracking, 1000), 1000) == 9);
  tracking.SetKind(AccessTracking::Kind::kRecency);
  CHECK(AccessClockOf(record, tracking, 1000) == 0);
  record.idle_seconds = 100;
  CHECK(tracking.IdleSeconds(AccessClockOf(record, tracking, 1000), 1000) == 100);
}

TEST_CASE("RDB: the bytes of a file") {
  std::vector<EntryPtr> entries;
  entries.push_back(MakeString("k", "v", 258));
  entries.push_back(MakeHash("h", {{"f", "-1"}}));
  entries.push_back(MakeList("l", {"a"}));
  entries.push_back(MakeZset("z", {{2.5, "m"}}));
  entries.push_back(MakeSet("i", {"7", "6"}));
  entries.push_back(MakeSet("s", {"x"}));
  MemorySink sink;
  RdbWriter writer(&sink, {});
  writer.Begin();
  writer.Aux("redis-bits", 64);
  writer.Function("#!lua");
  writer.SelectDatabase(3, 6, 1);
  for (const EntryPtr& entry : entries) writer.Record(*entry, 0);
  writer.End();
  const std::string body =
      Hex("'REDIS0010' fa 0a 'redis-bits' c0 40 f5 05 '#!lua' fe 03 fb 06 01 "
          "fc 02 01 00 00 00 00 00 00 00 01 'k' 01 'v' "
          "10 01 'h' 0d 0d 00 00 00 02 00 81 'f' 02 df ff 02 ff "
          "12 01 'l' 01 02 0a 0a 00 00 00 01 00 81 'a' 02 ff "
          "11 01 'z' 0f 0f 00 00 00 02 00 81 'm' 02 83 '2.5' 04 ff "
          "0b 01 'i' 0c 02 00 00 00 02 00 00 00 06 00 07 00 "
          "02 01 's' 01 01 'x' ff");
  const std::string_view bytes = sink.bytes();
  CHECK(std::string(bytes.substr(0, bytes.size() - 8)) == body);
  MemorySink crc;
  crc.Raw(Crc64(0, body));
  CHECK(bytes.substr(bytes.size() - 8) == crc.bytes());
}

TEST_CASE("RDB: a hash with expiring fields takes Valkey's version") {
  const EntryPtr hash = MakeHash("h", {{"a", "1", 770}, {"b", "2"}});
  const EntryPtr plain = MakeHash("h", {{"a", "1"}});
  CHECK(RdbVersionFor(*hash) == kRdbVersionValkey);
  CHECK(RdbVersionFor(*plain) == kRdbVersion);
  RdbWriteOptions options;
  options.version = kRdbVersionValkey;
  std::vector<EntryPtr> entries;
  entries.push_back(MakeHash("h", {{"a", "1", 770}}));
  const std::string file = FileOf(entries, options);
  CHECK(file.substr(0, 9) == "VALKEY080");
  CHECK(file.find(Hex("16 01 'h' 01 01 'a' c0 01 02 03 00 00 00 00 00 00 ff")) !=
        std::string::npos);
  RdbReadOptions later;
  later.now_ms = 1000;
  const Loaded loaded = Load(file, later);
  CHECK(loaded.keys.empty());
  CHECK(loaded.counts.expired_keys == 1);
}

}  // namespace spinel
