// Incremental parser for client requests: RESP multibulk and inline commands.
//
// One parser per connection. It keeps only what is needed to resume a request that was cut short,
// so an idle connection costs a few words. Nothing is copied: arguments are views into the input,
// and inline commands are unquoted in place (which is why the input is mutable).
//
// Threads: none of its own; used by the loop that owns the connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace spinel {

// Bounds on one request. Sizes in bytes.
struct ParserLimits {
  int64_t max_args = 1024 * 1024;
  int64_t max_bulk = 512LL * 1024 * 1024;  // proto-max-bulk-len
  int64_t max_inline = 64 * 1024;          // any line, also those with counts; 16 at the least
  bool authenticated = true;  // false: error texts say that the limit is the one before AUTH
};

// What an unauthenticated client may send: enough for HELLO with AUTH and SETNAME.
inline constexpr ParserLimits kPreAuthLimits{10, 16 * 1024, 64 * 1024, false};

class RespParser {
 public:
  enum class Status : uint8_t { kRequest, kIncomplete, kError };

  // Parses one request from `input`, which begins at the first byte of that request. After
  // kIncomplete the next call must pass the same bytes again, followed by at least one more (they
  // may have moved); they are not scanned twice.
  //
  // kRequest: `*consumed` bytes belong to the request and its arguments are appended to `args`; an
  //   empty request (blank line, "*0", "*-1") appends none. Views are valid as long as the input
  //   is.
  // kIncomplete: `args` is unchanged.
  // kError: error() holds the text after "-ERR "; the stream cannot be resynchronised.
  Status Parse(char* input, size_t size, const ParserLimits& limits,
               std::vector<std::string_view>* args, size_t* consumed) {
    if (size > 0 && *input == '*' && partial_ == nullptr && line_scanned_ == 0) [[likely]] {
      *consumed = ParseWhole(input, size, limits, args);
      if (*consumed != 0) [[likely]]
        return Status::kRequest;
    }
    return ParseCarefully(input, size, limits, args, consumed);
  }

  // After kIncomplete: how many bytes the request has at the least, so that the owner can size its
  // buffer: a whole announced bulk string, or the line that is not finished and its CRLF. More than
  // was passed. Announced by the client: never allocate it in advance.
  size_t BytesExpected() const;

  // "Protocol error: ..." after kError.
  std::string_view error() const { return error_; }

  // Heap bytes held for a request that was cut short.
  size_t MemoryBytes() const;

 private:
  struct Argument {  // offsets from the start of the request: the buffer may move
    size_t offset;
    size_t size;
  };
  // How far a multibulk request is understood.
  struct Progress {
    size_t position = 0;       // first byte not yet understood
    int64_t args_missing = 0;  // bulk strings still to come
    int64_t bulk_size = -1;    // of the bulk string at `position`, or -1: its header is next
  };
  // A multibulk request that was cut short.
  struct Partial {
    std::vector<Argument> args;
    Progress progress;
  };

  // The hot path: the bytes of a well-formed request that is wholly there. 0: it is not, and what
  // is understood of it is kept for ParseCarefully.
  size_t ParseWhole(const char* input, size_t size, const ParserLimits& limits,
                    std::vector<std::string_view>* args);
  Status ParseCarefully(char* input, size_t size, const ParserLimits& limits,
                        std::vector<std::string_view>* args, size_t* consumed);
  void Save(const char* input, const Progress& progress, size_t args_before,
            std::vector<std::string_view>* args);
  void Reset();
  Status ParseMultibulk(const char* input, size_t size, const ParserLimits& limits,
                        std::vector<std::string_view>* args, size_t* consumed);
  // These return kRequest when they understood their line.
  Status ReadCount(const char* input, size_t size, const ParserLimits& limits, Progress* progress);
  Status ReadBulkSize(const char* input, size_t size, const ParserLimits& limits,
                      Progress* progress);
  Status ParseInline(char* input, size_t size, const ParserLimits& limits,
                     std::vector<std::string_view>* args, size_t* consumed);
  size_t FindInLine(const char* input, size_t size, size_t begin, char terminator, int64_t max_line,
                    bool* too_long);
  Status Fail(std::string_view text);

  std::unique_ptr<Partial> partial_;
  size_t line_scanned_ = 0;  // of a line that was cut short: bytes known to hold no terminator
  std::string_view error_;   // points to static text or to error_text_
  std::unique_ptr<std::string> error_text_;
};

}  // namespace spinel
