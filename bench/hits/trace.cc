#include "bench/hits/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

namespace spinel::hits {
namespace {

// Offsets within a record of oracleGeneral.
constexpr size_t kRecordBytes = 24;
constexpr size_t kTimeOffset = 0;
constexpr size_t kObjectOffset = 4;
constexpr size_t kSizeOffset = 12;
constexpr size_t kNextOffset = 16;
constexpr size_t kRecordsAtOnce = 4096;

template <typename T>
T LoadLittleEndian(const char* from) {
  T value = 0;
  for (size_t i = sizeof(T); i-- > 0;) {
    value = static_cast<T>((value << 8) | static_cast<unsigned char>(from[i]));
  }
  return value;
}

template <typename T>
void StoreLittleEndian(T value, char* to) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    to[i] = static_cast<char>(value & 0xff);
    value = static_cast<T>(value >> 8);
  }
}

// Names that public traces give to the column of objects.
constexpr std::array<std::string_view, 10> kObjectNames = {
    "obj_id", "obj-id", "objid", "object_id", "object", "id", "key", "lbn", "lba", "block"};

bool ReadBool(std::string_view text, bool* value) {
  if (text == "true" || text == "1") {
    *value = true;
  } else if (text == "false" || text == "0") {
    *value = false;
  } else {
    return false;
  }
  return true;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\"";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::vector<std::string_view> Split(std::string_view line, char delimiter) {
  std::vector<std::string_view> fields;
  while (true) {
    const size_t end = line.find(delimiter);
    fields.push_back(Trimmed(line.substr(0, end)));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Numbers stand for themselves, other names for their hash (FNV-1a).
uint64_t ObjectOf(std::string_view name) {
  if (const auto number = Number(name)) return *number;
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// A first line without a number in it names the columns.
bool LooksLikeHeader(const std::vector<std::string_view>& fields) {
  return std::none_of(fields.begin(), fields.end(), [](std::string_view field) {
    return !field.empty() && std::isdigit(static_cast<unsigned char>(field.front())) != 0;
  });
}

// The index of the column of objects, from the first line.
size_t ObjectColumn(const CsvLayout& layout, const std::vector<std::string_view>& first,
                    bool is_header) {
  if (layout.object_column > 0) return static_cast<size_t>(layout.object_column) - 1;
  if (is_header) {
    for (const std::string_view name : kObjectNames) {
      const auto found = std::find(first.begin(), first.end(), name);
      if (found != first.end()) return static_cast<size_t>(found - first.begin());
    }
  }
  return first.size() > 1 ? 1 : 0;
}

std::string Full() { return "the trace is longer than can be held"; }

}  // namespace

bool Trace::Add(uint64_t object) {
  if (requests_.size() >= kNever) return false;
  const auto [found, is_new] = numbers_.try_emplace(object, footprint());
  if (is_new) objects_.push_back(object);
  requests_.push_back(found->second);
  return true;
}

std::vector<uint32_t> Trace::NextUses() const {
  std::vector<uint32_t> next(requests_.size());
  std::vector<uint32_t> upcoming(objects_.size(), kNever);
  for (size_t i = requests_.size(); i-- > 0;) {
    uint32_t& at = upcoming[requests_[i]];
    next[i] = at;
    at = static_cast<uint32_t>(i);
  }
  return next;
}

std::string ParseCsvLayout(std::string_view text, CsvLayout* layout) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t equals = text.find('=', begin);
    if (equals == std::string_view::npos || equals + 1 >= text.size()) {
      return fmt::format("'{}': NAME=VALUE is expected", text.substr(begin));
    }
    // The value may be the comma itself.
    const size_t end = std::min(text.find(',', equals + 2), text.size());
    const std::string_view name = Trimmed(text.substr(begin, equals - begin));
    const std::string_view value = text.substr(equals + 1, end - equals - 1);
    begin = end + 1;
    if (name == "obj-id-col") {
      const auto column = Number(value);
      if (!column || *column < 1 || *column > 1000) {
        return fmt::format("'{}' is no column; the first one is 1", value);
      }
      layout->object_column = static_cast<int>(*column);
    } else if (name == "delimiter") {
      if (value != "\\t" && value.size() != 1) {
        return fmt::format("'{}': a delimiter is one character", value);
      }
      layout->delimiter = value == "\\t" ? '\t' : value.front();
    } else if (name == "has-header") {
      bool has = false;
      if (!ReadBool(value, &has)) return fmt::format("'{}' is neither true nor false", value);
      layout->header = has ? CsvLayout::Header::kYes : CsvLayout::Header::kNo;
    } else if (name != "time-col" && name != "obj-size-col" && name != "obj-id-is-num" &&
               name != "op-col" && name != "ttl-col") {
      return fmt::format("'{}' is not known: obj-id-col, delimiter, has-header", name);
    }
  }
  return {};
}

std::string ReadOracleGeneral(std::istream& in, size_t limit, Trace* trace) {
  std::vector<char> records(kRecordBytes * kRecordsAtOnce);
  size_t added = 0;
  while (added < limit && in) {
    in.read(records.data(), static_cast<std::streamsize>(records.size()));
    const auto bytes = static_cast<size_t>(in.gcount());
    for (size_t at = 0; at + kRecordBytes <= bytes && added < limit; at += kRecordBytes, ++added) {
      if (!trace->Add(LoadLittleEndian<uint64_t>(&records[at + kObjectOffset]))) return Full();
    }
    if (bytes % kRecordBytes != 0 && added < limit) {
      return fmt::format("the file ends within request {}: it is cut short, or not oracleGeneral",
                         added + 1);
    }
  }
  return {};
}

std::string ReadCsv(std::istream& in, const CsvLayout& layout, size_t limit, Trace* trace) {
  std::string line;
  size_t number = 0;
  size_t added = 0;
  std::optional<size_t> column;
  while (added < limit && std::getline(in, line)) {
    ++number;
    if (Trimmed(line).empty() || line.front() == '#') continue;
    const std::vector<std::string_view> fields = Split(line, layout.delimiter);
    if (!column) {
      const bool is_header =
          layout.header == CsvLayout::Header::kYes ||
          (layout.header == CsvLayout::Header::kGuess && LooksLikeHeader(fields));
      column = ObjectColumn(layout, fields, is_header);
      if (is_header) continue;
    }
    if (*column >= fields.size() || fields[*column].empty()) {
      return fmt::format("line {} has no object in column {}: '{}'", number, *column + 1, line);
    }
    if (!trace->Add(ObjectOf(fields[*column]))) return Full();
    ++added;
  }
  return {};
}

void WriteOracleGeneral(const Trace& trace, std::ostream& out) {
  const std::vector<uint32_t> next = trace.NextUses();
  std::array<char, kRecordBytes> record;
  for (size_t i = 0; i < trace.size(); ++i) {
    const int64_t use = next[i] == Trace::kNever ? -1 : static_cast<int64_t>(next[i]);
    StoreLittleEndian(static_cast<uint32_t>(i), &record[kTimeOffset]);
    StoreLittleEndian(trace.objects()[trace.requests()[i]], &record[kObjectOffset]);
    StoreLittleEndian(uint32_t{1}, &record[kSizeOffset]);
    StoreLittleEndian(static_cast<uint64_t>(use), &record[kNextOffset]);
    out.write(record.data(), record.size());
  }
}

}  // namespace spinel::hits
