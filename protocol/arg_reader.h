// Reads the arguments of a command one after the other and remembers the first error, so that a
// handler reads everything and checks once:
//
//   ArgReader args(ctx.args());
//   std::string_view key = args.String();
//   int64_t count = args.Tag("COUNT") ? args.Int() : 1;
//   if (!args.Done(reply)) return;
//
// After an error every read returns an empty value and consumes nothing. The arguments have to
// outlive the reader and what it returned. Owner: a handler, for one command.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "protocol/ascii.h"
#include "protocol/numbers.h"

namespace spinel {

class ReplyWriter;

class ArgReader {
 public:
  // `args[0]` is the command's name; reading begins at `args[first]`.
  explicit ArgReader(std::span<const std::string_view> args, size_t first = 1)
      : args_(args), next_(first) {}

  // Passes over arguments that somebody else reads. Fewer than `count`: a syntax error.
  ArgReader& Skip(size_t count) {
    if (!ok()) return *this;
    if (count > Left()) {
      SyntaxError();
    } else {
      next_ += count;
    }
    return *this;
  }

  // No argument left: a syntax error, here and in the readers of numbers.
  std::string_view String() {
    if (!ok()) return {};
    if (!HasNext()) {
      SyntaxError();
      return {};
    }
    return args_[next_++];
  }

  // Error: "value is not an integer or out of range".
  int64_t Int();
  static constexpr int64_t kMaxInt = std::numeric_limits<int64_t>::max();
  // `error` is the text for both: not an integer, and outside of [low, high]. Empty: Redis' own
  // texts.
  int64_t IntInRange(int64_t low, int64_t high, std::string_view error = {});
  // Error: "value is not a valid float", or `error` if that is given.
  double Double(std::string_view error = {});

  // Consumes the next argument if it is `name`, in any letter case.
  bool Tag(std::string_view name) {
    if (!ok() || !HasNext() || !EqualsIgnoreCase(args_[next_], name)) return false;
    ++next_;
    return true;
  }

  // False after an error, so that loops over options end.
  bool HasNext() const { return ok() && next_ < args_.size(); }
  size_t Left() const { return next_ < args_.size() ? args_.size() - next_ : 0; }
  // The next argument without consuming it; empty if there is none.
  std::string_view Peek() const { return HasNext() ? args_[next_] : std::string_view(); }
  // What is left, not consumed.
  std::span<const std::string_view> Rest() const { return args_.subspan(args_.size() - Left()); }
  // The index in the command of the argument that is next.
  size_t position() const { return next_; }

  // Remembers an error unless there is one already. The text gets "ERR " in front unless it begins
  // with that or with another of Redis' error codes ("WRONGTYPE ...", "NOPROTO ...").
  void Fail(std::string_view text);
  void SyntaxError() { Fail("ERR syntax error"); }

  bool ok() const { return error_ == nullptr; }
  // The remembered error with its code; empty if there is none.
  std::string_view error() const { return ok() ? std::string_view() : *error_; }

  // Everything read and nothing left: true. Otherwise writes the error and returns false.
  bool Done(ReplyWriter& reply) {
    if (HasNext()) SyntaxError();
    return Check(reply);
  }
  // As Done, but arguments may be left.
  bool Check(ReplyWriter& reply) { return ok() || WriteError(reply); }

 private:
  bool WriteError(ReplyWriter& reply) const;

  std::span<const std::string_view> args_;
  size_t next_;
  std::unique_ptr<const std::string> error_;  // most commands have none
};

}  // namespace spinel
