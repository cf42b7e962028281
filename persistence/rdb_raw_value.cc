#include "persistence/rdb_raw_value.h"

#include <fmt/format.h>

namespace spinel {
namespace {

// What a value is made of: one element, or a count and so many of them.
struct Shape {
  bool counted;
  int strings;                // of an element
  size_t bytes;               // behind them
  bool has_a_length = false;  // in front of them
};

std::optional<Shape> ShapeOf(uint8_t type) {
  switch (static_cast<RdbType>(type)) {
    case RdbType::kString:
    case RdbType::kListZiplist:
    case RdbType::kSetIntset:
    case RdbType::kSetListpack:
    case RdbType::kZsetZiplist:
    case RdbType::kZsetListpack:
    case RdbType::kHashZipmap:
    case RdbType::kHashZiplist:
    case RdbType::kHashListpack:
      return Shape{false, 1, 0};
    case RdbType::kList:
    case RdbType::kSet:
    case RdbType::kListQuicklist:
      return Shape{true, 1, 0};
    case RdbType::kListQuicklist2:
      return Shape{true, 1, 0, true};
    case RdbType::kHash:
      return Shape{true, 2, 0};
    case RdbType::kZset:
      return Shape{true, 1, sizeof(double)};
    default:
      return std::nullopt;
  }
}

// Passes over what RdbInput would read, as long as it is whole.
class Skipper {
 public:
  explicit Skipper(std::string_view bytes) : begin_(bytes.data()), bytes_(bytes) {}

  size_t done() const { return static_cast<size_t>(bytes_.data() - begin_); }

  bool Bytes(uint64_t count) {
    if (count > bytes_.size()) return false;
    bytes_.remove_prefix(count);
    return true;
  }

  bool Length(uint64_t* length) {
    bool is_encoded;
    return AnyLength(length, &is_encoded) && !is_encoded;
  }

  bool String() {
    uint64_t length;
    bool is_encoded;
    if (!AnyLength(&length, &is_encoded)) return false;
    if (!is_encoded) return Bytes(length);
    switch (static_cast<RdbStringEncoding>(length)) {
      case RdbStringEncoding::kInt8:
        return Bytes(1);
      case RdbStringEncoding::kInt16:
        return Bytes(2);
      case RdbStringEncoding::kInt32:
        return Bytes(4);
      case RdbStringEncoding::kLzf: {
        uint64_t compressed;
        uint64_t size;
        return Length(&compressed) && Length(&size) && Bytes(compressed);
      }
    }
    return false;
  }

 private:
  bool AnyLength(uint64_t* length, bool* is_encoded) {
    if (bytes_.empty()) return false;
    const auto first = static_cast<uint8_t>(bytes_[0]);
    const uint8_t form = first & kRdbLengthMask;
    *is_encoded = form == kRdbLengthEncoded;
    *length = first & ~kRdbLengthMask & 0xffu;
    if (form == kRdbLength6 || *is_encoded) return Bytes(1);
    size_t more = 1;
    if (form != kRdbLength14) {
      if (first != kRdbLength32 && first != kRdbLength64) return false;
      more = first == kRdbLength32 ? 4 : 8;
      *length = 0;
    }
    if (bytes_.size() <= more) return false;
    for (size_t i = 1; i <= more; ++i) *length = *length << 8 | static_cast<uint8_t>(bytes_[i]);
    return Bytes(1 + more);
  }

  const char* const begin_;
  std::string_view bytes_;
};

// Keys are any bytes, and messages are read by people.
std::string Printable(std::string_view key) {
  constexpr size_t kMaxShown = 64;
  std::string text;
  for (const char c : key.substr(0, kMaxShown)) text += c >= ' ' && c <= '~' ? c : '?';
  if (key.size() > kMaxShown) text += "...";
  return text;
}

}  // namespace

std::optional<size_t> RdbValueSize(uint8_t type, std::string_view bytes) {
  const std::optional<Shape> shape = ShapeOf(type);
  if (!shape) return std::nullopt;
  Skipper skipper(bytes);
  uint64_t count = 1;
  if (shape->counted && !skipper.Length(&count)) return std::nullopt;
  for (; count > 0; --count) {
    uint64_t ignored;
    if (shape->has_a_length && !skipper.Length(&ignored)) return std::nullopt;
    for (int i = 0; i < shape->strings; ++i) {
      if (!skipper.String()) return std::nullopt;
    }
    if (!skipper.Bytes(shape->bytes)) return std::nullopt;
  }
  return skipper.done();
}

RdbValueReader::Outcome BuildRawValue(const RdbRawValue& raw,
                                      const RdbValueReader::Options& options, EntryPtr* entry,
                                      std::string* message) {
  MemorySource source(raw.bytes, /*checksum=*/false, raw.offset);
  RdbInput input(&source);
  RdbValueReader reader(&input, options);
  const RdbValueReader::Outcome outcome = reader.Read(raw.type, raw.key, raw.expiry, entry);
  if (outcome != RdbValueReader::Outcome::kFailed && source.remaining() > 0) {
    input.FailAt(source.offset(), "the end of the value");
  }
  if (!input.failed()) return outcome;
  entry->reset();
  input.AddContext(RdbKeyContext(raw.key, raw.type, raw.key_offset));
  *message = input.message();
  return RdbValueReader::Outcome::kFailed;
}

std::string RdbKeyContext(std::string_view key, uint8_t type, uint64_t offset) {
  return fmt::format("key '{}' (a {}) at offset {}", Printable(key), RdbTypeName(type), offset);
}

}  // namespace spinel
