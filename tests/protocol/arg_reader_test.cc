#include "protocol/arg_reader.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/reply_writer.h"

namespace spinel {
namespace {

// A command's arguments, a reader on them, and what it replied.
class Command {
 public:
  explicit Command(std::vector<std::string_view> args) : args_(std::move(args)), reader_(args_) {}

  ArgReader* operator->() { return &reader_; }

  // What Done writes; "" if it is content.
  std::string Done() {
    OutputBuffer out;
    ReplyWriter reply(&out, RespVersion::kResp2);
    const bool done = reader_.Done(reply);
    CHECK(done == out.empty());
    return out.Flatten();
  }

 private:
  std::vector<std::string_view> args_;
  ArgReader reader_;
};

TEST_CASE("Arguments: read one after the other") {
  Command set({"SET", "key", "value", "ex", "10", "nx"});
  CHECK(set->Left() == 5);
  CHECK(set->Peek() == "key");
  CHECK(set->Skip(1).String() == "value");
  CHECK(!set->Tag("PX"));
  CHECK(set->Tag("EX"));
  CHECK(set->Int() == 10);
  CHECK(set->position() == 5);
  CHECK(set->Rest().size() == 1);
  CHECK(set->HasNext());
  CHECK(set->Tag("NX"));
  CHECK(!set->HasNext());
  CHECK(set->Peek().empty());
  CHECK(set->Rest().empty());
  CHECK(!set->Tag("NX"));
  CHECK(set.Done().empty());
}

TEST_CASE("Arguments: what is left over is a syntax error") {
  Command get({"GET", "key", "junk"});
  get->String();
  OutputBuffer out;
  ReplyWriter reply(&out, RespVersion::kResp2);
  CHECK(get->Check(reply));
  CHECK(out.empty());
  CHECK(get.Done() == "-ERR syntax error\r\n");
}

TEST_CASE("Arguments: what is missing is a syntax error") {
  for (int which = 0; which < 4; ++which) {
    Command command({"X"});
    if (which == 0) CHECK(command->String().empty());
    if (which == 1) CHECK(command->Int() == 0);
    if (which == 2) CHECK(command->Double() == 0);
    if (which == 3) command->Skip(1);
    CHECK(!command->ok());
    CHECK(command.Done() == "-ERR syntax error\r\n");
  }
}

TEST_CASE("Arguments: the first error stays") {
  Command command({"X", "abc", "1.x", "3"});
  CHECK(command->Int() == 0);
  CHECK(command->Double() == 0);
  CHECK(command->String().empty());
  CHECK(!command->HasNext());
  CHECK(!command->Tag("3"));
  command->SyntaxError();
  command->Fail("WRONGTYPE later");
  CHECK(command->position() == 2);
  CHECK(command.Done() == "-ERR value is not an integer or out of range\r\n");
}

TEST_CASE("Arguments: numbers") {
  CHECK(Command({"X", "-9223372036854775808"})->Int() == std::numeric_limits<int64_t>::min());
  CHECK(Command({"X", "1.25"})->Double() == 1.25);
  CHECK(Command({"X", "+inf"})->Double() == std::numeric_limits<double>::infinity());

  Command nan({"X", "nan"});
  nan->Double();
  CHECK(nan.Done() == "-ERR value is not a valid float\r\n");
  Command minimum({"X", "x"});
  minimum->Double("min or max is not a float");
  CHECK(minimum.Done() == "-ERR min or max is not a float\r\n");
}

TEST_CASE("Arguments: integers in a range") {
  CHECK(Command({"X", "5"})->IntInRange(5, 5) == 5);
  const auto error = [](std::string_view text, int64_t low, int64_t high, std::string_view given) {
    Command command({"X", text});
    CHECK(command->IntInRange(low, high, given) == 0);
    return command.Done();
  };
  CHECK(error("x", 1, 9, "") == "-ERR value is not an integer or out of range\r\n");
  CHECK(error("x", 1, 9, "bad count") == "-ERR bad count\r\n");
  CHECK(error("10", 1, 9, "bad count") == "-ERR bad count\r\n");
  CHECK(error("0", 1, 9, "") == "-ERR value is out of range, value must between 1 and 9\r\n");
  CHECK(error("-1", 0, std::numeric_limits<int64_t>::max(), "") ==
        "-ERR value is out of range, must be positive\r\n");
}

TEST_CASE("Arguments: errors get a code unless they have one") {
  const auto wire = [](std::string_view text) {
    Command command({"X"});
    command->Fail(text);
    return command.Done();
  };
  CHECK(wire("ERR as it is") == "-ERR as it is\r\n");
  CHECK(wire("value is bad") == "-ERR value is bad\r\n");
  CHECK(wire("WRONGTYPE Operation") == "-WRONGTYPE Operation\r\n");
  CHECK(wire("NOPROTO unsupported protocol version") ==
        "-NOPROTO unsupported protocol version\r\n");
  CHECK(wire("NX and XX options at the same time are not compatible") ==
        "-ERR NX and XX options at the same time are not compatible\r\n");
  CHECK(wire("OOM") == "-ERR OOM\r\n");
}

}  // namespace
}  // namespace spinel
