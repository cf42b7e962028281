#include "tests/persistence/rdb_support.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>

#include "persistence/crc64.h"
#include "storage/blob.h"
#include "storage/string_value.h"
#include "storage/value_info.h"

namespace spinel::rdb_test {
namespace {

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  REQUIRE((c >= 'a' && c <= 'f'));
  return c - 'a' + 10;
}

// Bytes that are no plain text would hide in the output of a failed test.
std::string Shown(std::string_view bytes) {
  if (bytes.size() > 100) return fmt::format("[{} bytes, {:x}]", bytes.size(), Crc64(0, bytes));
  std::string text;
  for (const char c : bytes) {
    text +=
        c > ' ' && c <= '~' ? std::string(1, c) : fmt::format("\\{:02x}", static_cast<uint8_t>(c));
  }
  return text;
}

Strings Elements(const Entry& entry) {
  Strings elements;
  switch (entry.type()) {
    case ValueType::kString: {
      IntegerText text;
      elements.push_back(Shown(StringBytes(entry, &text)));
      break;
    }
    case ValueType::kList:
      ListView(entry).ForEach([&](std::string_view e) { elements.push_back(Shown(e)); });
      break;
    case ValueType::kSet:
      SetView(entry).ForEach([&](std::string_view e) { elements.push_back(Shown(e)); });
      break;
    case ValueType::kSortedSet:
      ZsetView(entry).ForEach([&](const ScoredMember& m) {
        elements.push_back(fmt::format("{}={}", Shown(m.member), m.score));
      });
      break;
    case ValueType::kHash:
      HashView(entry, 0).ForEach([&](const HashItem& item) {
        std::string text = fmt::format("{}={}", Shown(item.name), Shown(item.value.bytes));
        if (item.expiry != Entry::kNoExpiry) text += fmt::format("@{}", item.expiry);
        elements.push_back(std::move(text));
      });
      break;
    default:
      FAIL("no such type");
  }
  if (entry.type() == ValueType::kSet || entry.type() == ValueType::kHash) {
    std::sort(elements.begin(), elements.end());
  }
  return elements;
}

}  // namespace

std::string Hex(std::string_view spelled) {
  std::string bytes;
  for (size_t i = 0; i < spelled.size(); ++i) {
    if (spelled[i] == ' ') continue;
    if (spelled[i] == '\'') {
      const size_t end = spelled.find('\'', i + 1);
      REQUIRE(end != std::string_view::npos);
      bytes += spelled.substr(i + 1, end - i - 1);
      i = end;
      continue;
    }
    REQUIRE(i + 1 < spelled.size());
    bytes += static_cast<char>(Digit(spelled[i]) << 4 | Digit(spelled[i + 1]));
    ++i;
  }
  return bytes;
}

EntryPtr MakeString(std::string_view key, std::string_view value, int64_t expiry) {
  return BuildString(key, value, expiry);
}

EntryPtr MakeList(std::string_view key, const Strings& elements) {
  ListBuilder list(ValueLimits().list);
  for (const std::string& element : elements) list.Add(element);
  return list.Finish(key, Entry::kNoExpiry);
}

EntryPtr MakeSet(std::string_view key, const Strings& members) {
  SetBuilder set(ValueLimits().set);
  for (const std::string& member : members) set.Add(SetElement(std::string_view(member)));
  return EntryPtr(set.Build(key, Entry::kNoExpiry));
}

EntryPtr MakeHash(std::string_view key, const std::vector<Field>& fields) {
  HashBuilder hash(ValueLimits().hash, 0);
  for (const Field& field : fields) {
    REQUIRE(hash.Add(field.name, {field.value}, field.expiry));
  }
  return hash.Finish(key, Entry::kNoExpiry);
}

EntryPtr MakeZset(std::string_view key, const std::vector<Scored>& members) {
  ZsetBuilder zset(ValueLimits().zset);
  for (const auto& [score, member] : members) zset.Add(score, member);
  return zset.Finish(key, Entry::kNoExpiry);
}

Strings Numbered(size_t count, const std::string& prefix) {
  Strings strings;
  for (size_t i = 0; i < count; ++i) strings.push_back(prefix + std::to_string(i));
  return strings;
}

std::string Describe(const Entry& entry) {
  std::string text = fmt::format("{} {}", TypeName(entry.type()), Shown(entry.key()));
  if (entry.has_expiry_field()) text += fmt::format(" @{}", entry.expiry());
  text += ':';
  for (const std::string& element : Elements(entry)) text += ' ' + element;
  return text;
}

std::string EncodingOf(const Entry& entry) { return std::string(EncodingName(entry)); }

std::vector<EntryPtr> Samples(bool with_expiring_fields) {
  std::vector<EntryPtr> samples;
  samples.push_back(MakeString("s:int", "-123456"));
  samples.push_back(MakeString("s:int64", "9223372036854775807"));
  samples.push_back(MakeString("s:empty", ""));
  samples.push_back(MakeString("s:text", "hello", 1893456000123));
  samples.push_back(MakeString("s:repeats", std::string(500, 'a')));
  samples.push_back(MakeString("s:blob", std::string(Blob::kMinBytes + 5, 'b') + "end"));
  samples.push_back(MakeString(std::string(300, 'k'), "long key"));
  samples.push_back(MakeList("l:packed", {"a", "", "12", "-5000", std::string(70, 'x')}));
  samples.push_back(MakeList("l:chunks", Numbered(3000, "element:")));
  samples.push_back(MakeList("l:plain", {"small", std::string(20000, 'p'), "12345"}));
  samples.push_back(MakeSet("set:ints", {"1", "-2", "300"}));
  samples.push_back(MakeSet("set:wide", {"1", "-99999999999", "70000"}));
  samples.push_back(MakeSet("set:packed", {"1", "two", "three"}));
  samples.push_back(MakeSet("set:table", Numbered(400, "member:")));
  samples.push_back(MakeHash("h:packed", {{"f", "v"}, {"n", "77"}, {"e", ""}}));
  std::vector<Field> fields;
  for (const std::string& name : Numbered(700, "f")) fields.push_back({name, "value of " + name});
  fields.push_back({"big", std::string(Blob::kMinBytes, 'c')});
  samples.push_back(MakeHash("h:table", fields));
  samples.push_back(MakeZset("z:packed", {{-1.5, "a"}, {0, "b"}, {3, "c"}, {1e300, "d"}}));
  std::vector<Scored> scored;
  for (int i = 0; i < 300; ++i)
    scored.push_back({i * 0.25, "m" + std::to_string(i % 7 * 1000 + i)});
  samples.push_back(MakeZset("z:tree", scored));
  if (with_expiring_fields) {
    samples.push_back(MakeHash("h:expiring", {{"stays", "1"}, {"goes", "2", 1893456000000}}));
  }
  for (const EntryPtr& sample : samples) REQUIRE(sample != nullptr);
  return samples;
}

std::string FileOf(const std::vector<EntryPtr>& entries, const RdbWriteOptions& options) {
  MemorySink sink;
  RdbWriter writer(&sink, options);
  writer.Begin();
  writer.Aux("redis-ver", "7.2.4");
  writer.Aux("ctime", 1700000000);
  writer.SelectDatabase(0, entries.size(), 1);
  for (const EntryPtr& entry : entries) writer.Record(*entry, 0);
  writer.End();
  return std::string(sink.bytes());
}

namespace {

std::string DescribeRecord(const RdbRecord& record, const Entry& entry) {
  std::string text = fmt::format("{}: {}", record.database, Describe(entry));
  if (record.idle_seconds >= 0) text += fmt::format(" idle {}", record.idle_seconds);
  if (record.frequency >= 0) text += fmt::format(" freq {}", record.frequency);
  return text;
}

// Builds what the reader has left raw. False: it is damaged.
bool AddRaw(const RdbReader& reader, const RdbRecord& record, Loaded* loaded) {
  // Allocations of the exact size: AddressSanitizer sees whoever reads past them.
  const auto exact = std::make_unique<char[]>(record.raw.bytes.size());
  std::memcpy(exact.get(), record.raw.bytes.data(), record.raw.bytes.size());
  RdbRawValue raw = record.raw;
  raw.bytes = {exact.get(), record.raw.bytes.size()};
  EntryPtr entry;
  switch (BuildRawValue(raw, reader.value_options(), &entry, &loaded->error)) {
    case RdbValueReader::Outcome::kFailed:
      return false;
    case RdbValueReader::Outcome::kEmpty:
      ++loaded->counts.empty_keys;
      return true;
    case RdbValueReader::Outcome::kExpired:
      ++loaded->counts.expired_keys;
      return true;
    case RdbValueReader::Outcome::kValue:
      ++loaded->counts.keys;
      loaded->keys.push_back(DescribeRecord(record, *entry));
      return true;
  }
  return false;
}

Loaded LoadOnce(std::string_view file, const RdbReadOptions& options) {
  const auto exact = std::make_unique<char[]>(file.size());
  if (!file.empty()) std::memcpy(exact.get(), file.data(), file.size());
  MemorySource source(std::string_view(exact.get(), file.size()));
  RdbReader reader(&source, options);
  Loaded loaded;
  uint64_t raw = 0;
  bool damaged = false;
  for (RdbRecord record; !damaged && reader.Next(&record);) {
    switch (record.kind) {
      case RdbRecord::Kind::kKey:
        loaded.keys.push_back(DescribeRecord(record, *record.entry));
        break;
      case RdbRecord::Kind::kRaw:
        ++raw;
        damaged = !AddRaw(reader, record, &loaded);
        break;
      case RdbRecord::Kind::kSizes:
        loaded.others.push_back(
            fmt::format("{}: {} keys, {} expiring", record.database, record.keys, record.expiring));
        break;
      case RdbRecord::Kind::kAux:
        loaded.others.push_back(fmt::format("{}={}", record.name, record.text));
        break;
      case RdbRecord::Kind::kFunction:
        loaded.others.push_back("function " + record.text);
        break;
      case RdbRecord::Kind::kSkipped:
        loaded.others.push_back("skipped " + record.text);
        break;
    }
  }
  if (!damaged) loaded.error = reader.status().message();
  loaded.counts.keys += reader.counts().keys - raw;
  loaded.counts.expired_keys += reader.counts().expired_keys;
  loaded.counts.empty_keys += reader.counts().empty_keys;
  return loaded;
}

}  // namespace

// Every file that is read at all is also read leaving values raw, with the same outcome.
Loaded Load(std::string_view file, const RdbReadOptions& options) {
  Loaded loaded = LoadOnce(file, options);
  RdbReadOptions raw_options = options;
  raw_options.leaves_raw = true;
  const Loaded again = LoadOnce(file, raw_options);
  if (again.keys != loaded.keys || again.others != loaded.others ||
      again.error.empty() != loaded.error.empty() || again.counts.keys != loaded.counts.keys ||
      again.counts.expired_keys != loaded.counts.expired_keys ||
      again.counts.empty_keys != loaded.counts.empty_keys) {
    FAIL("read raw: '" << again.error << "', otherwise '" << loaded.error << "'");
  }
  if (again.error.find("offset ") == std::string::npos && !again.error.empty()) FAIL(again.error);
  return loaded;
}

std::string FileWith(std::string_view body, std::string_view version) {
  return std::string(version) + std::string(body) + Hex("ff 00 00 00 00 00 00 00 00");
}

std::string PayloadOf(std::string_view value, uint16_t version) {
  std::string payload(value);
  payload.append(reinterpret_cast<const char*>(&version), sizeof(version));
  const uint64_t crc = Crc64(0, payload);
  payload.append(reinterpret_cast<const char*>(&crc), sizeof(crc));
  return payload;
}

std::string Restored(std::string_view value, uint16_t version, int64_t now_ms) {
  const RestoreResult result =
      RestoreValue(PayloadOf(value, version), "k", Entry::kNoExpiry, ValueLimits(), now_ms);
  if (result.error != RestoreError::kNone) return result.message;
  return result.entry == nullptr ? "nothing" : Describe(*result.entry);
}

}  // namespace spinel::rdb_test
