#include "protocol/resp_decoder.h"

#include <fmt/format.h>

#include "protocol/numbers.h"

namespace spinel {
namespace {

using Type = RespValue::Type;

constexpr int kMaxDepth = 64;
constexpr int64_t kMaxLength = int64_t{1} << 40;

class Decoder {
 public:
  explicit Decoder(std::string_view input) : rest_(input) {}

  // False: not whole, or malformed and error() says why.
  bool Value(RespValue* value, int depth) {
    if (depth > kMaxDepth) return Malformed("nested too deep");
    std::string_view line;
    if (!Line(&line)) return false;
    if (line.empty()) return Malformed("an empty line");
    const char type = line.front();
    line.remove_prefix(1);
    switch (type) {
      case '+':
        return Text(Type::kSimple, line, value);
      case '-':
        return Text(Type::kError, line, value);
      case ',':
        return Text(Type::kDouble, line, value);
      case '(':
        return Text(Type::kBigNumber, line, value);
      case ':':
        value->type = Type::kInteger;
        return ParseInt64(line, &value->integer) || Malformed("not an integer");
      case '#':
        value->type = Type::kBool;
        value->integer = line == "t" ? 1 : 0;
        return line == "t" || line == "f" || Malformed("neither #t nor #f");
      case '_':
        value->type = Type::kNull;
        return line.empty() || Malformed("bytes behind a null");
      case '$':
        return line == "-1" ? Null(Type::kNull, value) : Bulk(Type::kBulk, line, value);
      case '!':
        return Bulk(Type::kError, line, value);
      case '=':
        return Bulk(Type::kVerbatim, line, value);
      case '*':
        if (line == "-1") return Null(Type::kNullArray, value);
        return Aggregate(Type::kArray, line, value, depth);
      case '%':
        return Aggregate(Type::kMap, line, value, depth);
      case '~':
        return Aggregate(Type::kSet, line, value, depth);
      case '>':
        return Aggregate(Type::kPush, line, value, depth);
      case '|':
        return Aggregate(Type::kAttribute, line, value, depth);
      default:
        return Malformed(fmt::format("unknown type byte {:#x}", static_cast<unsigned char>(type)));
    }
  }

  std::string_view rest() const { return rest_; }
  const std::string& error() const { return error_; }

 private:
  bool Malformed(std::string text) {
    error_ = std::move(text);
    return false;
  }

  bool Line(std::string_view* line) {
    const size_t end = rest_.find("\r\n");
    if (end == std::string_view::npos) return false;
    *line = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    return true;
  }

  bool Length(std::string_view line, int64_t* length) {
    if (ParseInt64(line, length) && *length >= 0 && *length <= kMaxLength) return true;
    return Malformed("invalid length");
  }

  static bool Text(Type type, std::string_view line, RespValue* value) {
    value->type = type;
    value->text = line;
    return true;
  }

  static bool Null(Type type, RespValue* value) {
    value->type = type;
    return true;
  }

  bool Bulk(Type type, std::string_view line, RespValue* value) {
    int64_t length = 0;
    if (!Length(line, &length)) return false;
    const size_t size = static_cast<size_t>(length);
    if (rest_.size() < size + 2) return false;
    if (rest_.substr(size, 2) != "\r\n") return Malformed("no CRLF behind a bulk string");
    Text(type, rest_.substr(0, size), value);
    rest_.remove_prefix(size + 2);
    if (type == Type::kVerbatim && (size < 4 || value->text[3] != ':')) {
      return Malformed("a verbatim string without a format");
    }
    return true;
  }

  bool Aggregate(Type type, std::string_view line, RespValue* value, int depth) {
    int64_t count = 0;
    if (!Length(line, &count)) return false;
    value->type = type;
    if (type == Type::kMap || type == Type::kAttribute) count *= 2;
    if (type == Type::kAttribute) ++count;
    // No reservation: the count is only what the other side says.
    for (; count > 0; --count) {
      if (!Value(&value->elements.emplace_back(), depth + 1)) return false;
    }
    return true;
  }

  std::string_view rest_;
  std::string error_;
};

std::string Quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c >= ' ' && c <= '~') {
      result += c;
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return result + '"';
}

std::string Joined(const RespValue& value, std::string_view open, std::string_view close) {
  const bool pairs = value.type == Type::kMap || value.type == Type::kAttribute;
  std::string result(open);
  for (size_t i = 0; i < value.elements.size(); ++i) {
    if (i != 0) result += pairs && i % 2 == 1 ? ": " : ", ";
    result += ToString(value.elements[i]);
  }
  return result.append(close);
}

}  // namespace

std::optional<RespValue> DecodeResp(std::string_view* input, std::string* error) {
  Decoder decoder(*input);
  RespValue value;
  const bool whole = decoder.Value(&value, 0);
  *error = decoder.error();
  if (!whole) return std::nullopt;
  *input = decoder.rest();
  return value;
}

std::string ToString(const RespValue& value) {
  switch (value.type) {
    case Type::kSimple:
    case Type::kDouble:
    case Type::kBigNumber:
      return value.text;
    case Type::kError:
      return "(error) " + value.text;
    case Type::kInteger:
      return fmt::format("{}", value.integer);
    case Type::kBulk:
    case Type::kVerbatim:
      return Quoted(value.text);
    case Type::kNull:
      return "nil";
    case Type::kNullArray:
      return "nil array";
    case Type::kBool:
      return value.integer != 0 ? "true" : "false";
    case Type::kArray:
      return Joined(value, "[", "]");
    case Type::kMap:
      return Joined(value, "{", "}");
    case Type::kSet:
      return Joined(value, "set[", "]");
    case Type::kPush:
      return Joined(value, "push[", "]");
    case Type::kAttribute:
      return Joined(value, "attribute{", "}");
  }
  return "?";
}

}  // namespace spinel
