// RDB files and DUMP payloads that are hostile: the reader gives an error with an offset, or
// values; and what it gives is written and read again as the same.
//
// The first byte of the input chooses: a file, or the value of a payload in one of the versions.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "persistence/crc64.h"
#include "persistence/rdb_reader.h"
#include "persistence/rdb_writer.h"

namespace spinel {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

std::string Payload(std::string_view value, uint16_t version) {
  std::string payload(value);
  payload.append(reinterpret_cast<const char*>(&version), sizeof(version));
  const uint64_t crc = Crc64(0, payload);
  payload.append(reinterpret_cast<const char*>(&crc), sizeof(crc));
  return payload;
}

// Without compression, which need not find the same repeats twice.
std::string Bytes(const Entry& entry) {
  RdbWriteOptions options;
  options.version = RdbVersionFor(entry);
  options.compress = false;
  MemorySink sink;
  RdbValueWriter(entry, options).Finish(&sink);
  return std::string(sink.bytes());
}

// A value that has been read is written and read again; where elements have an order, as the same
// bytes.
void WriteAndRead(const Entry& entry) {
  const RestoreResult again =
      RestoreValue(DumpValue(entry), entry.key(), entry.expiry(), ValueLimits(), 0);
  Require(again.error == RestoreError::kNone && again.entry != nullptr, "what is written is read");
  Require(again.entry->type() == entry.type(), "a value keeps its type");
  if (entry.type() == ValueType::kString || entry.type() == ValueType::kSortedSet) {
    Require(Bytes(*again.entry) == Bytes(entry), "the same value is written as the same bytes");
  }
}

// False: it is damaged.
bool BuildAndWrite(const RdbRawValue& raw, const RdbValueReader::Options& options) {
  EntryPtr entry;
  std::string message;
  const RdbValueReader::Outcome outcome = BuildRawValue(raw, options, &entry, &message);
  if (entry != nullptr) WriteAndRead(*entry);
  const bool failed = outcome == RdbValueReader::Outcome::kFailed;
  Require(!failed || message.find("offset ") != std::string::npos, "an error names an offset");
  return !failed;
}

void FuzzFile(std::string_view input, bool leaves_raw) {
  const auto exact = std::make_unique<char[]>(input.size());
  if (!input.empty()) std::memcpy(exact.get(), input.data(), input.size());
  // A wrong checksum would be all that the fuzzer finds.
  MemorySource source(std::string_view(exact.get(), input.size()), /*checksum=*/false);
  RdbReader reader(&source, {.leaves_raw = leaves_raw});
  for (RdbRecord record; reader.Next(&record);) {
    if (record.kind == RdbRecord::Kind::kRaw && !BuildAndWrite(record.raw, reader.value_options()))
      return;
    if (record.kind == RdbRecord::Kind::kKey) WriteAndRead(*record.entry);
  }
  Require(reader.status().ok() || reader.status().message().find("offset ") != std::string::npos,
          "an error names an offset");
}

void FuzzPayload(std::string_view value, uint16_t version) {
  const RestoreResult result =
      RestoreValue(Payload(value, version), "key", Entry::kNoExpiry, ValueLimits(), 1000);
  Require((result.entry == nullptr) || result.error == RestoreError::kNone, "a value or an error");
  if (result.entry != nullptr) WriteAndRead(*result.entry);
}

}  // namespace

void FuzzOne(std::string_view input) {
  if (input.empty()) return;
  constexpr uint16_t kVersions[] = {6, 10, 11, 12, 80};
  const size_t choice = static_cast<uint8_t>(input[0]) % 8;
  input.remove_prefix(1);
  if (choice < std::size(kVersions)) {
    FuzzPayload(input, kVersions[choice]);
  } else {
    FuzzFile(input, choice % 2 == 0);
  }
}

}  // namespace spinel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  spinel::FuzzOne({reinterpret_cast<const char*>(data), size});
  return 0;
}
