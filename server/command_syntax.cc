#include "server/command_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "protocol/ascii.h"

namespace spinel {
namespace {

// The notation as it is written, before it means anything.
struct Node {
  enum class Kind : uint8_t { kWord, kOptional, kRequired, kRepeat, kDots };
  Kind kind = Kind::kWord;
  std::string word;                             // of kWord
  std::vector<std::vector<Node>> alternatives;  // of kOptional, kRequired; of kRepeat the only one

  bool operator==(const Node& other) const {
    return kind == other.kind && word == other.word && alternatives == other.alternatives;
  }
};
using Sequence = std::vector<Node>;

// -- From text to nodes
// ----------------------------------------------------------------------------

constexpr std::string_view kSpecial = " []<>|";

// Reads sequences up to the closing bracket of the group that it was called for.
class SyntaxReader {
 public:
  explicit SyntaxReader(std::string_view text) : text_(text) {}

  bool Read(Sequence* sequence) {
    std::vector<Sequence> alternatives;
    if (!ReadAlternatives('\0', &alternatives)) return false;
    if (alternatives.size() > 1) return Fail("'|' outside of brackets");
    *sequence = std::move(alternatives[0]);
    return true;
  }
  const std::string& error() const { return error_; }

 private:
  bool Fail(std::string_view reason) {
    if (error_.empty()) error_ = fmt::format("{} at {} in \"{}\"", reason, next_, text_);
    return false;
  }

  bool ReadAlternatives(char end, std::vector<Sequence>* alternatives) {
    alternatives->emplace_back();
    while (true) {
      while (next_ < text_.size() && text_[next_] == ' ') ++next_;
      const char c = next_ < text_.size() ? text_[next_] : '\0';
      if (c == end) {
        if (end != '\0') ++next_;
        if (end != '\0' && alternatives->back().empty()) return Fail("nothing in brackets");
        return true;
      }
      if (c == '\0' || c == ']' || c == '>') return Fail("brackets that do not match");
      if (c == '|') {
        if (alternatives->back().empty()) return Fail("an empty alternative");
        alternatives->emplace_back();
        ++next_;
      } else if (!ReadNode(c, &alternatives->back())) {
        return false;
      }
    }
  }

  bool ReadNode(char c, Sequence* sequence) {
    Node node;
    if (c == '[' || c == '<') {
      ++next_;
      node.kind = c == '[' ? Node::Kind::kOptional : Node::Kind::kRequired;
      if (!ReadAlternatives(c == '[' ? ']' : '>', &node.alternatives)) return false;
    } else {
      const size_t end = std::min(text_.find_first_of(kSpecial, next_), text_.size());
      node.word = text_.substr(next_, end - next_);
      next_ = end;
      if (node.word == "...") node.kind = Node::Kind::kDots;
    }
    sequence->push_back(std::move(node));
    return true;
  }

  std::string_view text_;
  size_t next_ = 0;
  std::string error_;
};

// -- Repetition
// --------------------------------------------------------------------------------------

bool EndsWithDots(const Node& node) {
  return node.kind == Node::Kind::kOptional && node.alternatives.size() == 1 &&
         node.alternatives[0].back().kind == Node::Kind::kDots;
}

bool EndsWith(const Sequence& sequence, const Sequence& tail) {
  return sequence.size() >= tail.size() &&
         std::equal(tail.rbegin(), tail.rend(), sequence.rbegin());
}

// Turns "x [x ...]" into a repetition of x, and "[x ...]" into an optional one. False: dots stand
// where nothing could repeat.
bool FoldRepeats(Sequence* sequence) {
  Sequence folded;
  for (Node& node : *sequence) {
    if (node.kind == Node::Kind::kDots) return false;
    if (!EndsWithDots(node)) {
      for (Sequence& alternative : node.alternatives) {
        if (!FoldRepeats(&alternative)) return false;
      }
      folded.push_back(std::move(node));
      continue;
    }
    Sequence body = std::move(node.alternatives[0]);
    body.pop_back();
    if (body.empty() || !FoldRepeats(&body)) return false;
    Node repeat;
    repeat.kind = Node::Kind::kRepeat;
    if (EndsWith(folded, body)) {
      folded.erase(folded.end() - static_cast<std::ptrdiff_t>(body.size()), folded.end());
      repeat.alternatives.push_back(std::move(body));
      folded.push_back(std::move(repeat));
    } else {
      repeat.alternatives.push_back(std::move(body));
      Node optional;
      optional.kind = Node::Kind::kOptional;
      optional.alternatives.push_back({std::move(repeat)});
      folded.push_back(std::move(optional));
    }
  }
  *sequence = std::move(folded);
  return true;
}

// -- From nodes to arguments
// -------------------------------------------------------------------------

bool IsToken(const Node& node) {
  return node.kind == Node::Kind::kWord &&
         std::none_of(node.word.begin(), node.word.end(),
                      [](char c) { return c >= 'a' && c <= 'z'; });
}

template <size_t N>
bool IsOneOf(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What kind of value a name stands for.
SyntaxArg::Type TypeOf(std::string_view name) {
  constexpr std::array<std::string_view, 9> kKeys = {
      "key", "newkey", "source", "destination", "key1", "key2", "sourcekey", "destkey", "numkey"};
  constexpr std::array<std::string_view, 33> kIntegers = {
      "seconds",     "milliseconds", "count",       "numkeys",   "offset",    "cursor",
      "db",          "index",        "index1",      "index2",    "timeout",   "start",
      "end",         "stop",         "port",        "increment", "decrement", "len",
      "numreplicas", "numlocal",     "client-id",   "version",   "protover",  "bit",
      "maxlen",      "rank",         "num-matches", "freq",      "slot",      "destination-db",
      "columns",     "rows",         "bytes"};
  constexpr std::array<std::string_view, 7> kDoubles = {"score", "longitude", "latitude", "radius",
                                                        "width", "height",    "weight"};
  if (IsOneOf(name, kKeys)) return SyntaxArg::Type::kKey;
  if (name.starts_with("unix-time")) return SyntaxArg::Type::kUnixTime;
  if (IsOneOf(name, kIntegers)) return SyntaxArg::Type::kInteger;
  if (IsOneOf(name, kDoubles)) return SyntaxArg::Type::kDouble;
  if (name == "pattern") return SyntaxArg::Type::kPattern;
  return SyntaxArg::Type::kString;
}

std::vector<SyntaxArg> Convert(const Sequence& sequence);

// Several arguments as one.
SyntaxArg AsOne(std::vector<SyntaxArg> args) {
  if (args.size() == 1) return std::move(args[0]);
  SyntaxArg block;
  block.type = SyntaxArg::Type::kBlock;
  block.name = args[0].name;
  block.args = std::move(args);
  return block;
}

SyntaxArg ConvertGroup(const Node& node) {
  std::vector<SyntaxArg> alternatives;
  for (const Sequence& alternative : node.alternatives) {
    alternatives.push_back(AsOne(Convert(alternative)));
  }
  SyntaxArg arg;
  if (alternatives.size() == 1) {
    arg = std::move(alternatives[0]);
  } else {
    arg.type = SyntaxArg::Type::kOneOf;
    arg.name = alternatives[0].name;
    arg.args = std::move(alternatives);
  }
  if (node.kind == Node::Kind::kOptional) arg.optional = true;
  return arg;
}

SyntaxArg ConvertRepeat(const Node& node) {
  SyntaxArg arg = AsOne(Convert(node.alternatives[0]));
  arg.multiple = true;
  arg.multiple_token = !arg.token.empty() && arg.type != SyntaxArg::Type::kPureToken;
  return arg;
}

SyntaxArg ConvertNode(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kRepeat:
      return ConvertRepeat(node);
    case Node::Kind::kOptional:
    case Node::Kind::kRequired:
      return ConvertGroup(node);
    case Node::Kind::kWord:
    case Node::Kind::kDots:
      break;
  }
  SyntaxArg value;
  value.name = node.word;
  value.type = TypeOf(node.word);
  return value;
}

// A value that the token before it can belong to.
bool IsOperand(const Node& node) {
  if (node.kind == Node::Kind::kRepeat) return !IsToken(node.alternatives[0][0]);
  return node.kind == Node::Kind::kRequired || (node.kind == Node::Kind::kWord && !IsToken(node));
}

// The token at `*next`, with the values that follow it; moves `*next` behind them.
SyntaxArg ConvertToken(const Sequence& sequence, size_t* next) {
  const std::string& token = sequence[(*next)++].word;
  std::vector<SyntaxArg> operands;
  while (*next < sequence.size() && IsOperand(sequence[*next])) {
    operands.push_back(ConvertNode(sequence[(*next)++]));
  }
  SyntaxArg arg;
  if (operands.empty()) {
    arg.type = SyntaxArg::Type::kPureToken;
    arg.name = AsciiLower(token);
  } else if (operands.size() == 1 && operands[0].token.empty()) {
    arg = std::move(operands[0]);
  } else {
    arg.type = SyntaxArg::Type::kBlock;
    arg.name = AsciiLower(token);
    arg.args = std::move(operands);
  }
  arg.token = token;
  return arg;
}

std::vector<SyntaxArg> Convert(const Sequence& sequence) {
  std::vector<SyntaxArg> args;
  for (size_t next = 0; next < sequence.size();) {
    if (IsToken(sequence[next])) {
      args.push_back(ConvertToken(sequence, &next));
    } else {
      args.push_back(ConvertNode(sequence[next++]));
    }
  }
  return args;
}

int MinimalArguments(const SyntaxArg& arg) {
  if (arg.optional) return 0;
  if (arg.type == SyntaxArg::Type::kPureToken) return 1;
  const int token = arg.token.empty() ? 0 : 1;
  if (arg.type == SyntaxArg::Type::kBlock) return token + MinimalArguments(arg.args);
  if (arg.type != SyntaxArg::Type::kOneOf) return token + 1;
  // An alternative that is chosen is there, even if all of it is optional.
  int least = std::max(MinimalArguments(arg.args[0]), 1);
  for (const SyntaxArg& alternative : arg.args) {
    least = std::min(least, std::max(MinimalArguments(alternative), 1));
  }
  return token + least;
}

bool TakesMoreArguments(const SyntaxArg& arg) {
  if (arg.optional || arg.multiple) return true;
  if (arg.type == SyntaxArg::Type::kOneOf) {
    for (const SyntaxArg& alternative : arg.args) {
      if (MinimalArguments(alternative) != MinimalArguments(arg.args[0])) return true;
    }
  }
  return TakesMoreArguments(arg.args);
}

}  // namespace

bool ParseSyntax(std::string_view syntax, std::vector<SyntaxArg>* args, std::string* error) {
  SyntaxReader reader(syntax);
  Sequence sequence;
  if (!reader.Read(&sequence)) {
    *error = reader.error();
    return false;
  }
  if (!FoldRepeats(&sequence)) {
    *error = fmt::format("'...' repeats nothing in \"{}\"", syntax);
    return false;
  }
  *args = Convert(sequence);
  return true;
}

int MinimalArguments(const std::vector<SyntaxArg>& args) {
  int sum = 0;
  for (const SyntaxArg& arg : args) sum += MinimalArguments(arg);
  return sum;
}

bool TakesMoreArguments(const std::vector<SyntaxArg>& args) {
  return std::any_of(args.begin(), args.end(),
                     [](const SyntaxArg& arg) { return TakesMoreArguments(arg); });
}

std::string_view SyntaxTypeName(SyntaxArg::Type type) {
  switch (type) {
    case SyntaxArg::Type::kString:
      return "string";
    case SyntaxArg::Type::kInteger:
      return "integer";
    case SyntaxArg::Type::kDouble:
      return "double";
    case SyntaxArg::Type::kKey:
      return "key";
    case SyntaxArg::Type::kPattern:
      return "pattern";
    case SyntaxArg::Type::kUnixTime:
      return "unix-time";
    case SyntaxArg::Type::kPureToken:
      return "pure-token";
    case SyntaxArg::Type::kOneOf:
      return "oneof";
    case SyntaxArg::Type::kBlock:
      return "block";
  }
  return "string";
}

}  // namespace spinel
