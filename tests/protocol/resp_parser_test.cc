#include "protocol/resp_parser.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace spinel {
namespace {

using Status = RespParser::Status;
using Request = std::vector<std::string>;

// What a stream of bytes came to.
struct Outcome {
  std::vector<Request> requests;
  std::string error;
  size_t unread = 0;  // bytes of a request that is not whole

  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  for (const Request& request : outcome.requests) out << Catch::Detail::stringify(request) << ' ';
  return out << "error: '" << outcome.error << "' unread: " << outcome.unread;
}

// A connection in small: bytes arrive in pieces of `fragment` bytes, every time in a fresh
// allocation of exactly the pending size, so that stale views and reads past the end do not go
// unnoticed.
Outcome Feed(std::string_view bytes, size_t fragment, const ParserLimits& limits = {}) {
  Outcome outcome;
  RespParser parser;
  std::string pending;
  while (!bytes.empty()) {
    pending += bytes.substr(0, fragment);
    bytes.remove_prefix(std::min(fragment, bytes.size()));
    while (!pending.empty()) {
      const auto buffer = std::make_unique<char[]>(pending.size());
      std::memcpy(buffer.get(), pending.data(), pending.size());
      std::vector<std::string_view> args = {"already there"};
      size_t consumed = 0;
      const Status status = parser.Parse(buffer.get(), pending.size(), limits, &args, &consumed);
      REQUIRE(args.front() == "already there");
      if (status == Status::kError) {
        REQUIRE(args.size() == 1);
        outcome.error = parser.error();
        return outcome;
      }
      if (status == Status::kIncomplete) {
        REQUIRE(args.size() == 1);
        REQUIRE(parser.BytesExpected() > pending.size());
        break;
      }
      REQUIRE(consumed > 0);
      REQUIRE(consumed <= pending.size());
      REQUIRE(parser.MemoryBytes() == 0);
      outcome.requests.emplace_back(args.begin() + 1, args.end());
      pending.erase(0, consumed);
    }
  }
  outcome.unread = pending.size();
  return outcome;
}

// The same at every fragment size, from one byte to the whole.
void CheckAtEverySize(std::string_view bytes, const Outcome& expected,
                      const ParserLimits& limits = {}) {
  INFO("input: " << Catch::Detail::stringify(std::string(bytes)));
  for (size_t fragment = 1; fragment <= bytes.size(); ++fragment) {
    INFO("fragments of " << fragment);
    REQUIRE(Feed(bytes, fragment, limits) == expected);
  }
}

void CheckRequests(std::string_view bytes, const std::vector<Request>& requests) {
  CheckAtEverySize(bytes, {requests, "", 0});
}

void CheckError(std::string_view bytes, const std::string& error, const ParserLimits& limits = {}) {
  CheckAtEverySize(bytes, {{}, "Protocol error: " + error, 0}, limits);
}

std::string Multibulk(const Request& request) {
  std::string bytes = "*" + std::to_string(request.size()) + "\r\n";
  for (const std::string& arg : request) {
    bytes += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  }
  return bytes;
}

TEST_CASE("Parser: requests of every shape") {
  CheckRequests("*1\r\n$4\r\nPING\r\n", {{"PING"}});
  CheckRequests("*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", {{"ECHO", ""}});
  CheckRequests(Multibulk({"SET", "key", std::string(300, 'v')}),
                {{"SET", "key", std::string(300, 'v')}});
  CheckRequests(Multibulk(Request(120, "a")), {Request(120, "a")});
  const std::string binary("\0\r\n*$\xff", 6);
  CheckRequests(Multibulk({"SET", binary, binary}), {{"SET", binary, binary}});
}

TEST_CASE("Parser: a pipeline of multibulk and inline requests") {
  CheckRequests(Multibulk({"SET", "a", "1"}) + "GET a\r\n" + Multibulk({"GET", "a"}) + "\r\n" +
                    "PING\n" + Multibulk({"QUIT"}),
                {{"SET", "a", "1"}, {"GET", "a"}, {"GET", "a"}, {}, {"PING"}, {"QUIT"}});
}

TEST_CASE("Parser: what Redis tolerates is tolerated") {
  CheckRequests("*0\r\nPING\r\n", {{}, {"PING"}});
  CheckRequests("*-1\r\n*1\r\n$4\r\nPING\r\n", {{}, {"PING"}});
  CheckRequests("*-2147483649\r\n", {{}});
  CheckRequests("\r\n\n  \r\n", {{}, {}, {}});
  CheckRequests("*1\rX$4\rXPING\r\n",
                {{"PING"}});  // the byte behind a header's CR is not looked at
}

TEST_CASE("Parser: a request that is cut short waits") {
  const std::string whole = Multibulk({"SET", "key", "a value"});
  for (size_t size = 1; size < whole.size(); ++size) {
    CheckAtEverySize(whole.substr(0, size), {{}, "", size});
  }
  CheckAtEverySize("GET ke", {{}, "", 6});
  CheckAtEverySize("*1048576\r\n$536870912\r\nabc", {{}, "", 25});
}

TEST_CASE("Parser: inline requests are unquoted as by sdssplitargs") {
  CheckRequests("  SET\tkey  'a b' \"c d\" \r\n", {{"SET", "key", "a b", "c d"}});
  CheckRequests("ECHO \"\\x00\\xfF\\n\\r\\t\\b\\a\\\\\\\"\\q\\xg0\"\n",
                {{"ECHO", std::string("\0\xff\n\r\t\b\a\\\"qxg0", 13)}});
  CheckRequests("ECHO 'it\\'s \\n \"x\"'\r\n", {{"ECHO", "it's \\n \"x\""}});
  CheckRequests("ECHO '' \"\"\r\n", {{"ECHO", "", ""}});
  CheckRequests("ab\"c d\" e'f'\r\n", {{"abc d", "ef"}});
  CheckRequests("a\vb \"c\"\vd\r\n", {{"a\vb", "c", "d"}});
  CheckRequests("a\rb\r\n", {{"a", "b"}});
  CheckRequests("\\x41\r\n", {{"\\x41"}});  // no escapes outside of quotes
  const std::string nul("a\0b c\r\n", 7);
  CheckRequests(nul, {{std::string("a\0b", 3), "c"}});
}

TEST_CASE("Parser: unbalanced quotes") {
  for (const char* line : {"\"abc\r\n", "'abc\n", "\"a\"b\r\n", "'a'b\r\n", "\"a\\\"\r\n",
                           "'a\\'\n", "\"a\\\n", "GET \"\r\n"}) {
    CheckError(line, "unbalanced quotes in request");
  }
}

TEST_CASE("Parser: counts that are refused") {
  for (const char* count : {"", "x", "+1", "01", "-0", "1 ", " 1", "1x", "-", "--1", "1048577",
                            "2147483648", "99999999999999999999", "-9223372036854775809"}) {
    CheckError("*" + std::string(count) + "\r\n$4\r\n", "invalid multibulk length");
  }
}

TEST_CASE("Parser: bulk lengths that are refused") {
  for (const char* size : {"", "x", "-1", "+1", "01", "1 ", "536870913", "99999999999999999999"}) {
    CheckError("*2\r\n$1\r\na\r\n$" + std::string(size) + "\r\n", "invalid bulk length");
  }
}

TEST_CASE("Parser: a bulk string is expected") {
  CheckError("*1\r\nabc\r\n", "expected '$', got 'a'");
  CheckError("*2\r\n$1\r\na\r\n:1\r\n", "expected '$', got ':'");
  CheckError("*1\r\n\r\n", "expected '$', got '\\r'");
  CheckError("*1\r\n\n\r\n", "expected '$', got '\\n'");
  CheckError("*1\r\n\x01\r\n", "expected '$', got '\\x01'");
  CheckError("*1\r\n\xfe\r\n", "expected '$', got '\\xfe'");
}

TEST_CASE("Parser: a bulk string has to end where it says") {
  CheckError("*1\r\n$3\r\nabcd\r\n", "expected CRLF after a bulk string");
  CheckError("*1\r\n$3\r\nabc\n\n", "expected CRLF after a bulk string");
  CheckError("*2\r\n$3\r\nabc\r$1\r\n", "expected CRLF after a bulk string");
}

TEST_CASE("Parser: lines without an end are refused at their limit, however they arrive") {
  ParserLimits limits;
  limits.max_inline = 20;
  const std::string longest(20, '1');
  CheckAtEverySize(longest, {{}, "", 20}, limits);
  CheckAtEverySize(longest + "\n", {{{longest}}, "", 0}, limits);
  CheckError(longest + "1\n", "too big inline request", limits);
  CheckError("*" + longest + "\r\n", "too big mbulk count string", limits);
  CheckError("*1\r\n$" + longest + "\r\n", "too big bulk count string", limits);
  CheckError("*" + std::string(20, '1'), "too big mbulk count string", limits);
  CheckError("*2\r\n$1\r\na\r\n" + longest + "1", "too big bulk count string", limits);

  CHECK(Feed(std::string(65536, 'a'), 1000).unread == 65536);
  CHECK(Feed(std::string(65537, 'a'), 1000).error == "Protocol error: too big inline request");
}

TEST_CASE("Parser: limits before authentication") {
  CheckAtEverySize(Multibulk(Request(10, "a")), {{Request(10, "a")}, "", 0}, kPreAuthLimits);
  CheckError("*11\r\n", "unauthenticated multibulk length", kPreAuthLimits);
  CheckError("*2147483648\r\n", "invalid multibulk length", kPreAuthLimits);
  CheckError("*1\r\n$16385\r\n", "unauthenticated bulk length", kPreAuthLimits);
  CheckError("*1\r\n$536870913\r\n", "invalid bulk length", kPreAuthLimits);
  CheckAtEverySize("*1\r\n$16384\r\n", {{}, "", 12}, kPreAuthLimits);
}

TEST_CASE("Parser: limits that the administrator sets") {
  ParserLimits limits;
  limits.max_bulk = 5;
  limits.max_args = 2;
  CheckAtEverySize("*2\r\n$5\r\nabcde\r\n$0\r\n\r\n", {{{"abcde", ""}}, "", 0}, limits);
  CheckError("*1\r\n$6\r\nabcdef\r\n", "invalid bulk length", limits);
  CheckError("*3\r\n", "invalid multibulk length", limits);
}

TEST_CASE("Parser: what it expects and what it holds") {
  RespParser parser;
  std::vector<std::string_view> args;
  size_t consumed = 0;
  std::string input = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\nabc";
  REQUIRE(parser.Parse(input.data(), input.size(), {}, &args, &consumed) == Status::kIncomplete);
  CHECK(parser.BytesExpected() == input.size() - 3 + 1000 + 2);
  CHECK(parser.MemoryBytes() > 0);
  CHECK(parser.MemoryBytes() < 256);
  input += std::string(997, 'x') + "\r\n";
  REQUIRE(parser.Parse(input.data(), input.size(), {}, &args, &consumed) == Status::kRequest);
  CHECK(consumed == input.size());
  CHECK(args.size() == 3);
  CHECK(args[2].size() == 1000);
  CHECK(args[2].data() == input.data() + input.size() - 1002);  // a view, not a copy
  CHECK(parser.MemoryBytes() == 0);
  CHECK(sizeof(RespParser) <= 48);
}

TEST_CASE("Parser: a request in hostile fragments costs linear time") {
  // One byte at a time; were anything scanned again, this would take hours.
  constexpr size_t kArgs = 1024 * 1024;
  std::string input = "*" + std::to_string(kArgs) + "\r\n";
  for (size_t i = 0; i < kArgs; ++i) input += "$0\r\n\r\n";
  RespParser parser;
  std::vector<std::string_view> args;
  size_t consumed = 0;
  size_t wrong = 0;
  for (size_t size = 1; size < input.size(); ++size) {
    if (parser.Parse(input.data(), size, {}, &args, &consumed) != Status::kIncomplete) ++wrong;
  }
  CHECK(wrong == 0);
  REQUIRE(parser.Parse(input.data(), input.size(), {}, &args, &consumed) == Status::kRequest);
  CHECK(args.size() == kArgs);
  CHECK(consumed == input.size());
}

}  // namespace
}  // namespace spinel
