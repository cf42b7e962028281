// The parser on hostile input, against itself: a stream has to give the same requests and the same
// error whether it arrives whole or in fragments, and every view has to lie in the input or be an
// unquoted inline argument (which does, too).
//
// The first bytes of the input choose the limits and the fragments.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/resp_parser.h"

namespace spinel {
namespace {

using Status = RespParser::Status;

struct Outcome {
  std::vector<std::vector<std::string>> requests;
  std::string error;
  size_t unread = 0;

  bool operator==(const Outcome&) const = default;
};

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

// Sizes of fragments: a small generator, so that the fuzzer's bytes go to the stream.
class Fragments {
 public:
  explicit Fragments(uint32_t seed) : state_(seed | 1) {}
  size_t Next() {
    state_ = state_ * 1664525 + 1013904223;
    const uint32_t bits = state_ >> 16;
    return bits % 8 < 5 ? 1 + bits / 8 % 4 : 1 + bits / 8 % 200;
  }

 private:
  uint32_t state_;
};

// Parses what is whole in `pending`. False when the stream is over.
bool Drain(RespParser* parser, const ParserLimits& limits, std::string* pending, Outcome* outcome) {
  while (!pending->empty()) {
    // A fresh allocation of the exact size: AddressSanitizer sees whoever reads past it.
    const size_t size = pending->size();
    const auto buffer = std::make_unique<char[]>(size);
    std::memcpy(buffer.get(), pending->data(), size);
    std::vector<std::string_view> args;
    size_t consumed = 0;
    const Status status = parser->Parse(buffer.get(), size, limits, &args, &consumed);
    if (status == Status::kError) {
      Require(args.empty(), "no arguments with an error");
      outcome->error = parser->error();
      Require(outcome->error.starts_with("Protocol error: "), "errors are protocol errors");
      return false;
    }
    if (status == Status::kIncomplete) {
      Require(args.empty(), "no arguments of half a request");
      Require(parser->BytesExpected() > size, "more bytes are expected");
      return true;
    }
    Require(consumed > 0 && consumed <= size, "a request has a size");
    Require(parser->MemoryBytes() == 0, "nothing is kept between requests");
    for (const std::string_view arg : args) {
      Require(arg.data() >= buffer.get() && arg.data() + arg.size() <= buffer.get() + consumed,
              "arguments lie in their request");
    }
    outcome->requests.emplace_back(args.begin(), args.end());
    pending->erase(0, consumed);
  }
  return true;
}

Outcome Run(std::string_view stream, const ParserLimits& limits, Fragments* fragments) {
  Outcome outcome;
  RespParser parser;
  std::string pending;
  while (!stream.empty()) {
    const size_t size = fragments == nullptr ? stream.size() : fragments->Next();
    pending += stream.substr(0, size);
    stream.remove_prefix(std::min(size, stream.size()));
    if (!Drain(&parser, limits, &pending, &outcome)) return outcome;
  }
  outcome.unread = pending.size();
  return outcome;
}

}  // namespace

void FuzzOne(std::string_view input) {
  if (input.size() < 3) return;
  ParserLimits limits;
  const uint8_t choice = static_cast<uint8_t>(input[0]);
  if (choice % 4 == 1) limits = kPreAuthLimits;
  if (choice % 4 == 2) limits.max_inline = 16 + choice / 4;
  if (choice % 4 == 3) limits.max_bulk = choice / 4;
  Fragments fragments(static_cast<uint8_t>(input[1]) * 256u + static_cast<uint8_t>(input[2]));
  input.remove_prefix(3);
  Require(Run(input, limits, nullptr) == Run(input, limits, &fragments),
          "fragments make no difference");
}

}  // namespace spinel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  spinel::FuzzOne({reinterpret_cast<const char*>(data), size});
  return 0;
}
