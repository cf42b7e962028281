#include "server/console_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "protocol/hex.h"
#include "protocol/numbers.h"
#include "server/http_message.h"
#include "server/json.h"
#include "server/loop_client.h"

namespace spinel {
namespace {

constexpr int64_t kKeysAtOnce = 100;
constexpr int64_t kElementsAtOnce = 100;
constexpr int64_t kStringPage = 16 * 1024;
constexpr size_t kMostShown = 2048;     // bytes of one element
constexpr size_t kMostKeyBytes = 2048;  // longer keys are shown, but cannot be opened
constexpr size_t kMostPattern = 1024;

bool FromHex(std::string_view hex, std::string* bytes) {
  if (hex.size() % 2 != 0 || hex.size() > 2 * kMostKeyBytes) return false;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int byte = HexByte(hex[i], hex[i + 1]);
    if (byte < 0) return false;
    bytes->push_back(static_cast<char>(byte));
  }
  return true;
}

bool IsText(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = Utf8Length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

// Without the beginning of a character that was cut off, if the rest is text.
std::string_view WholeCharacters(std::string_view bytes) {
  constexpr size_t kMostOfOne = 3;
  if (IsText(bytes)) return bytes;
  for (size_t i = 1; i <= kMostOfOne && i < bytes.size(); ++i) {
    const std::string_view shorter = bytes.substr(0, bytes.size() - i);
    if (IsText(shorter)) return shorter;
  }
  return bytes;
}

std::string_view Cut(std::string_view bytes) {
  return bytes.size() <= kMostShown ? bytes : WholeCharacters(bytes.substr(0, kMostShown));
}

void WriteBytes(std::string_view bytes, JsonWriter* json) {
  const std::string_view shown = Cut(bytes);
  json->BeginObject();
  json->Field("t", shown);
  json->Field("n", uint64_t{bytes.size()});
  if (!IsText(shown)) json->Field("b", true);
  json->EndObject();
}

// A number in a reply that may be an error.
int64_t IntegerOf(const std::optional<RespValue>& reply) {
  return reply && reply->type == RespValue::Type::kInteger ? reply->integer : -1;
}

std::string TextOf(const std::optional<RespValue>& reply) { return reply ? reply->text : ""; }

std::string Failure(std::string_view why) {
  JsonWriter json;
  json.BeginObject();
  json.Field("error", why);
  json.EndObject();
  return json.Take();
}

std::string Failure(const std::optional<RespValue>& reply) {
  if (!reply) return Failure("an element here is too large to be shown");
  return Failure(reply->type == RespValue::Type::kError ? std::string_view(reply->text)
                                                        : std::string_view("there is no such key"));
}

void WriteKey(LoopClient* client, const std::string& key, JsonWriter* json) {
  json->BeginObject();
  json->Key("name");
  WriteBytes(key, json);
  if (key.size() <= kMostKeyBytes) json->Field("key", ToHex(key));
  json->Field("type", TextOf(client->Run({"TYPE", key})));
  json->Field("ttl_ms", IntegerOf(client->Run({"PTTL", key})));
  json->Field("bytes", IntegerOf(client->Run({"MEMORY", "USAGE", key})));
  json->EndObject();
}

// -- Values
// -----------------------------------------------------------------------------------------

// The commands that a type is read with; "next" is where the following page begins, "0" at the end.
class ValueReader {
 public:
  ValueReader(LoopClient* client, const KeyQuestion& question)
      : client_(client), question_(question) {}

  // The whole answer.
  std::string Read() {
    type_ = TextOf(client_->Run({"TYPE", question_.key}));
    if (type_ == "none") return Failure("there is no such key");
    if (type_ == "string") return String();
    if (type_ == "hash") return Scanned("HSCAN", "HLEN", 2);
    if (type_ == "set") return Scanned("SSCAN", "SCARD", 1);
    if (type_ == "list") return Ranged("LRANGE", "LLEN", 1);
    if (type_ == "zset") return Ranged("ZRANGE", "ZCARD", 2);
    if (type_ == "stream") return Stream();
    return Failure("values of this type cannot be shown");
  }

 private:
  void Begin(int64_t size) {
    json_.BeginObject();
    json_.Field("type", type_);
    json_.Field("encoding", TextOf(client_->Run({"OBJECT", "ENCODING", question_.key})));
    json_.Field("ttl_ms", IntegerOf(client_->Run({"PTTL", question_.key})));
    json_.Field("bytes", IntegerOf(client_->Run({"MEMORY", "USAGE", question_.key})));
    json_.Field("size", size);
  }

  std::string End(std::string_view next) {
    json_.Field("next", next);
    json_.EndObject();
    return json_.Take();
  }

  // Rows of `columns` elements each.
  void WriteRows(const std::vector<RespValue>& elements, size_t columns) {
    json_.Key("rows");
    json_.BeginArray();
    for (size_t i = 0; i + columns <= elements.size(); i += columns) {
      json_.BeginArray();
      for (size_t column = 0; column < columns; ++column) {
        WriteBytes(elements[i + column].text, &json_);
      }
      json_.EndArray();
    }
    json_.EndArray();
  }

  int64_t Offset() const {
    int64_t offset = 0;
    return ParseInt64(question_.cursor, &offset) && offset >= 0 ? offset : 0;
  }

  std::string String() {
    const int64_t size = IntegerOf(client_->Run({"STRLEN", question_.key}));
    const int64_t begin = Offset();
    const std::string first = fmt::format("{}", begin);
    const std::string last = fmt::format("{}", begin + kStringPage - 1);
    const auto part = client_->Run({"GETRANGE", question_.key, first, last});
    if (!part || part->type != RespValue::Type::kBulk) return Failure(part);
    Begin(size);
    const bool last_page = begin + static_cast<int64_t>(part->text.size()) >= size;
    const std::string_view text =
        last_page ? std::string_view(part->text) : WholeCharacters(part->text);
    json_.Field("text", text);
    json_.Field("binary", !IsText(text));
    const int64_t end = begin + static_cast<int64_t>(text.size());
    return End(end < size && end > begin ? fmt::format("{}", end) : "0");
  }

  std::string Scanned(std::string_view scan, std::string_view length, size_t columns) {
    std::optional<RespValue> page;
    for (int64_t count = kElementsAtOnce; count > 0 && !page; count /= 10) {
      const std::string number = fmt::format("{}", count);
      page = client_->Run({scan, question_.key, question_.cursor, "COUNT", number});
    }
    if (!page || page->elements.size() != 2) return Failure(page);
    Begin(IntegerOf(client_->Run({length, question_.key})));
    WriteRows(page->elements[1].elements, columns);
    return End(page->elements[0].text);
  }

  std::string Ranged(std::string_view range, std::string_view length, size_t columns) {
    const int64_t size = IntegerOf(client_->Run({length, question_.key}));
    const int64_t begin = Offset();
    std::optional<RespValue> page;
    for (int64_t count = kElementsAtOnce; count > 0 && !page; count /= 10) {
      const std::string first = fmt::format("{}", begin);
      const std::string last = fmt::format("{}", begin + count - 1);
      std::vector<std::string_view> args{range, question_.key, first, last};
      if (columns == 2) args.push_back("WITHSCORES");
      page = client_->Run(args);
    }
    if (!page || page->type != RespValue::Type::kArray) return Failure(page);
    Begin(size);
    WriteRows(page->elements, columns);
    const int64_t end = begin + static_cast<int64_t>(page->elements.size() / columns);
    return End(end < size && end > begin ? fmt::format("{}", end) : "0");
  }

  // Rows of an entry's ID and its fields and values in one text.
  std::string Stream() {
    const int64_t size = IntegerOf(client_->Run({"XLEN", question_.key}));
    const std::string from = question_.cursor == "0" ? "-" : "(" + question_.cursor;
    const std::string count = fmt::format("{}", kElementsAtOnce);
    const auto page = client_->Run({"XRANGE", question_.key, from, "+", "COUNT", count});
    if (!page || page->type != RespValue::Type::kArray) return Failure(page);
    std::vector<RespValue> rows;
    for (const RespValue& entry : page->elements) {
      if (entry.elements.size() != 2) continue;
      rows.push_back(entry.elements[0]);
      RespValue fields;
      for (const RespValue& part : entry.elements[1].elements) {
        fields.text += (fields.text.empty() ? "" : " ") + part.text;
      }
      rows.push_back(std::move(fields));
    }
    Begin(size);
    WriteRows(rows, 2);
    const bool more = page->elements.size() == static_cast<size_t>(kElementsAtOnce);
    return End(more ? rows[rows.size() - 2].text : "0");
  }

  LoopClient* const client_;
  const KeyQuestion& question_;
  std::string type_;
  JsonWriter json_;
};

}  // namespace

bool ParseKeyQuestion(std::string_view query, int databases, KeyQuestion* question) {
  constexpr size_t kMostCursor = 48;
  int64_t database = 0;
  const std::string db = QueryParameter(query, "db");
  if (!db.empty() && !ParseInt64(db, &database)) return false;
  if (database < 0 || database >= databases) return false;
  question->database = static_cast<int>(database);
  question->match = QueryParameter(query, "match");
  question->type = QueryParameter(query, "type");
  if (question->match.size() > kMostPattern || question->type.size() > kMostCursor) return false;
  const std::string cursor = QueryParameter(query, "cursor");
  if (cursor.size() > kMostCursor) return false;
  if (!cursor.empty()) question->cursor = cursor;
  return FromHex(QueryParameter(query, "key"), &question->key);
}

std::string KeysAsJson(Server* server, LoopState* loop, const KeyQuestion& question) {
  LoopClient client(server, loop, question.database);
  const std::string count = fmt::format("{}", kKeysAtOnce);
  std::vector<std::string_view> args{"SCAN", question.cursor, "COUNT", count};
  if (!question.match.empty()) args.insert(args.end(), {"MATCH", question.match});
  if (!question.type.empty()) args.insert(args.end(), {"TYPE", question.type});
  const std::optional<RespValue> page = client.Run(args);
  if (!page || page->elements.size() != 2) return Failure(page);
  JsonWriter json;
  json.BeginObject();
  json.Field("size", IntegerOf(client.Run({"DBSIZE"})));
  json.Field("next", page->elements[0].text);
  json.Key("keys");
  json.BeginArray();
  for (const RespValue& key : page->elements[1].elements) WriteKey(&client, key.text, &json);
  json.EndArray();
  json.EndObject();
  return json.Take();
}

std::string ValueAsJson(Server* server, LoopState* loop, const KeyQuestion& question) {
  LoopClient client(server, loop, question.database);
  return ValueReader(&client, question).Read();
}

}  // namespace spinel
