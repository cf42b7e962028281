#include "protocol/resp_parser.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "protocol/ascii.h"
#include "protocol/hex.h"
#include "protocol/numbers.h"

namespace spinel {
namespace {

constexpr size_t kNotFound = static_cast<size_t>(-1);

inline unsigned Digit(char c) { return static_cast<unsigned char>(c) - unsigned{'0'}; }

// Reads the rest of a length that has more than two digits, up to ten in all; `number` are the two.
const char* ReadLongLength(const char* at, const char* end, int64_t number, int64_t* value) {
  const char* const stop = end - 1 - at > 9 ? at + 9 : end - 1;
  for (; at < stop; ++at) {
    if (*at == '\r') {
      *value = number;
      return at + 2;
    }
    if (Digit(*at) > 9) return nullptr;
    number = number * 10 + Digit(*at);
  }
  return nullptr;
}

// Reads "<digits>\r\n" as it is almost always: no sign, one or two digits, and more behind it.
// Returns the byte behind it, or null: then the careful path decides. As in Redis the byte behind
// CR is skipped unseen.
inline const char* ReadLength(const char* at, const char* end, int64_t* value) {
  if (end - at < 4) return nullptr;
  const unsigned first = Digit(at[0]);
  if (first > 9) return nullptr;
  if (at[1] == '\r') {
    *value = first;
    return at + 3;
  }
  const unsigned second = Digit(at[1]);
  if (first == 0 || second > 9) return nullptr;
  if (at[2] == '\r') {
    *value = first * 10 + second;
    return at + 4;
  }
  return ReadLongLength(at + 2, end, first * 10 + second, value);
}

inline bool IsCrlf(const char* at) { return at[0] == '\r' && at[1] == '\n'; }

// Reads a bulk string that is wholly there and goes behind it. False: the careful path decides.
inline bool ReadBulk(const char** at, const char* end, int64_t max_bulk, std::string_view* arg) {
  int64_t size = 0;
  if (*at == end || **at != '$') return false;
  const char* const bulk = ReadLength(*at + 1, end, &size);
  if (bulk == nullptr || size > max_bulk || end - bulk < size + 2) return false;
  if (!IsCrlf(bulk + size)) return false;
  *arg = {bulk, static_cast<size_t>(size)};
  *at = bulk + size + 2;
  return true;
}

std::string Printable(char c) {
  if (c == '\r') return "\\r";
  if (c == '\n') return "\\n";
  if (c >= ' ' && c <= '~') return std::string(1, c);
  const unsigned byte = static_cast<unsigned char>(c);
  return {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
}

// Splits a line into arguments and unquotes them in place: what is written never overtakes what is
// read, because every escape is longer than what it stands for.
class InlineSplitter {
 public:
  InlineSplitter(char* begin, char* end) : read_(begin), end_(end), write_(begin) {}

  // Whether quotes are balanced. Changes nothing of the line, but uses up the splitter.
  bool Balanced() {
    writing_ = false;
    while (true) {
      while (read_ < end_ && IsSpace(*read_)) ++read_;
      if (read_ == end_) return true;
      if (!Argument()) return false;
    }
  }

  // Expects balanced quotes; otherwise false, and a line that is spoilt.
  bool Split(std::vector<std::string_view>* args) {
    while (true) {
      while (read_ < end_ && IsSpace(*read_)) ++read_;
      if (read_ == end_) return true;
      char* const begin = write_ = read_;
      if (!Argument()) return false;
      args->emplace_back(begin, static_cast<size_t>(write_ - begin));
    }
  }

 private:
  bool Argument() {
    while (read_ < end_) {
      const char c = *read_++;
      switch (c) {
        case ' ':
        case '\n':
        case '\r':
        case '\t':
          return true;
        case '"':
          return DoubleQuoted();
        case '\'':
          return SingleQuoted();
        default:
          Put(c);
      }
    }
    return true;
  }

  // A closing quote ends the argument, so that nothing but a space may follow.
  bool AtBoundary() const { return read_ == end_ || IsSpace(*read_); }

  bool DoubleQuoted() {
    while (read_ < end_) {
      const char c = *read_++;
      if (c == '"') return AtBoundary();
      Put(c == '\\' && read_ < end_ ? Escaped() : c);
    }
    return false;
  }

  char Escaped() {
    const int byte = *read_ == 'x' && end_ - read_ >= 3 ? HexByte(read_[1], read_[2]) : -1;
    if (byte < 0) return EscapedLetter(*read_++);
    read_ += 3;
    return static_cast<char>(byte);
  }

  bool SingleQuoted() {
    while (read_ < end_) {
      char c = *read_++;
      if (c == '\'') return AtBoundary();
      if (c == '\\' && read_ < end_ && *read_ == '\'') c = *read_++;
      Put(c);
    }
    return false;
  }

  void Put(char c) {
    if (writing_) *write_++ = c;
  }

  char* read_;
  char* const end_;
  char* write_;
  bool writing_ = true;
};

}  // namespace

RespParser::Status RespParser::ParseCarefully(char* input, size_t size, const ParserLimits& limits,
                                              std::vector<std::string_view>* args,
                                              size_t* consumed) {
  if (size == 0) return Status::kIncomplete;
  if (*input != '*') return ParseInline(input, size, limits, args, consumed);
  const Status status = ParseMultibulk(input, size, limits, args, consumed);
  if (status != Status::kIncomplete) Reset();
  return status;
}

size_t RespParser::ParseWhole(const char* input, size_t size, const ParserLimits& limits,
                              std::vector<std::string_view>* args) {
  const char* const end = input + size;
  const size_t args_before = args->size();
  int64_t count = 0;
  const char* at = ReadLength(input + 1, end, &count);
  if (at == nullptr || count == 0 || count > limits.max_args) return 0;
  for (; count != 0; --count) {
    std::string_view next;
    if (!ReadBulk(&at, end, limits.max_bulk, &next)) {
      // The header at least was understood: go on behind the arguments that are there.
      Progress progress;
      progress.position = static_cast<size_t>(at - input);
      progress.args_missing = count;
      Save(input, progress, args_before, args);
      return 0;
    }
    args->push_back(next);
  }
  return static_cast<size_t>(at - input);
}

void RespParser::Save(const char* input, const Progress& progress, size_t args_before,
                      std::vector<std::string_view>* args) {
  partial_ = std::make_unique<Partial>();
  partial_->progress = progress;
  partial_->args.reserve(args->size() - args_before);
  for (size_t i = args_before; i < args->size(); ++i) {
    const std::string_view arg = (*args)[i];
    partial_->args.push_back({static_cast<size_t>(arg.data() - input), arg.size()});
  }
  args->resize(args_before);
}

void RespParser::Reset() {
  partial_.reset();
  line_scanned_ = 0;
}

// The careful path: resumes, and says what is wrong.
RespParser::Status RespParser::ParseMultibulk(const char* input, size_t size,
                                              const ParserLimits& limits,
                                              std::vector<std::string_view>* args,
                                              size_t* consumed) {
  if (partial_ == nullptr) {
    Progress progress;
    const Status status = ReadCount(input, size, limits, &progress);
    if (status != Status::kRequest) return status;
    if (progress.args_missing <= 0) {
      *consumed = progress.position;
      return Status::kRequest;
    }
    partial_ = std::make_unique<Partial>();
    partial_->progress = progress;
  }
  Progress& progress = partial_->progress;
  while (progress.args_missing > 0) {
    if (progress.bulk_size < 0) {
      const Status status = ReadBulkSize(input, size, limits, &progress);
      if (status != Status::kRequest) return status;
    }
    const size_t bulk_size = static_cast<size_t>(progress.bulk_size);
    if (size - progress.position < bulk_size + 2) return Status::kIncomplete;
    if (!IsCrlf(input + progress.position + bulk_size)) {
      return Fail("Protocol error: expected CRLF after a bulk string");
    }
    partial_->args.push_back({progress.position, bulk_size});
    progress.position += bulk_size + 2;
    progress.bulk_size = -1;
    --progress.args_missing;
  }
  for (const Argument& arg : partial_->args) args->emplace_back(input + arg.offset, arg.size);
  *consumed = progress.position;
  return Status::kRequest;
}

// Where the line that begins at `begin` has its `terminator`, or kNotFound. The limit is applied to
// the line and not to what happens to have arrived of it, so that the result does not depend on how
// the input was cut.
size_t RespParser::FindInLine(const char* input, size_t size, size_t begin, char terminator,
                              int64_t max_line, bool* too_long) {
  const size_t line_limit = begin + static_cast<size_t>(max_line) + 1;
  const size_t from = std::max(begin, line_scanned_);
  const size_t to = std::min(size, line_limit);
  if (from < to) {
    if (const void* found = std::memchr(input + from, terminator, to - from)) {
      line_scanned_ = static_cast<size_t>(static_cast<const char*>(found) - input);
      return line_scanned_;
    }
  }
  line_scanned_ = to;
  *too_long = size >= line_limit;
  return kNotFound;
}

RespParser::Status RespParser::ReadCount(const char* input, size_t size, const ParserLimits& limits,
                                         Progress* progress) {
  bool too_long = false;
  const size_t cr = FindInLine(input, size, 0, '\r', limits.max_inline, &too_long);
  if (too_long) return Fail("Protocol error: too big mbulk count string");
  if (cr == kNotFound || size - cr < 2) return Status::kIncomplete;
  int64_t count = 0;
  if (!ParseInt64({input + 1, cr - 1}, &count) || count > std::numeric_limits<int32_t>::max()) {
    return Fail("Protocol error: invalid multibulk length");
  }
  if (count > limits.max_args) {
    return Fail(limits.authenticated ? "Protocol error: invalid multibulk length"
                                     : "Protocol error: unauthenticated multibulk length");
  }
  progress->position = cr + 2;
  progress->args_missing = count;
  return Status::kRequest;
}

RespParser::Status RespParser::ReadBulkSize(const char* input, size_t size,
                                            const ParserLimits& limits, Progress* progress) {
  bool too_long = false;
  const size_t begin = progress->position;
  const size_t cr = FindInLine(input, size, begin, '\r', limits.max_inline, &too_long);
  if (too_long) return Fail("Protocol error: too big bulk count string");
  if (cr == kNotFound || size - cr < 2) return Status::kIncomplete;
  if (input[begin] != '$') {
    error_text_ = std::make_unique<std::string>("Protocol error: expected '$', got '" +
                                                Printable(input[begin]) + "'");
    return Fail(*error_text_);
  }
  int64_t bulk_size = 0;
  if (!ParseInt64({input + begin + 1, cr - begin - 1}, &bulk_size) || bulk_size < 0 ||
      bulk_size > std::max(limits.max_bulk, ParserLimits().max_bulk)) {
    return Fail("Protocol error: invalid bulk length");
  }
  if (bulk_size > limits.max_bulk) {
    return Fail(limits.authenticated ? "Protocol error: invalid bulk length"
                                     : "Protocol error: unauthenticated bulk length");
  }
  progress->position = cr + 2;
  progress->bulk_size = bulk_size;
  return Status::kRequest;
}

RespParser::Status RespParser::ParseInline(char* input, size_t size, const ParserLimits& limits,
                                           std::vector<std::string_view>* args, size_t* consumed) {
  bool too_long = false;
  const size_t newline = FindInLine(input, size, 0, '\n', limits.max_inline, &too_long);
  if (too_long) return Fail("Protocol error: too big inline request");
  if (newline == kNotFound) return Status::kIncomplete;
  line_scanned_ = 0;
  const size_t line = newline > 0 && input[newline - 1] == '\r' ? newline - 1 : newline;
  // Asked first: a line that is no request stays as it was, for whoever parses it again.
  if (!InlineSplitter(input, input + line).Balanced()) {
    return Fail("Protocol error: unbalanced quotes in request");
  }
  InlineSplitter(input, input + line).Split(args);
  *consumed = newline + 1;
  return Status::kRequest;
}

RespParser::Status RespParser::Fail(std::string_view text) {
  error_ = text;
  line_scanned_ = 0;
  return Status::kError;
}

size_t RespParser::BytesExpected() const {
  if (partial_ == nullptr || partial_->progress.bulk_size < 0) return line_scanned_ + 2;
  return partial_->progress.position + static_cast<size_t>(partial_->progress.bulk_size) + 2;
}

size_t RespParser::MemoryBytes() const {
  if (partial_ == nullptr) return 0;
  return sizeof(Partial) + partial_->args.capacity() * sizeof(Argument);
}

}  // namespace spinel
