#include "protocol/reply_writer.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <string_view>

#include "protocol/resp_decoder.h"

namespace spinel {
namespace {

using Type = RespValue::Type;

// What `write` puts on the wire.
template <typename Write>
std::string Wire(RespVersion version, Write write) {
  OutputBuffer out;
  ReplyWriter reply(&out, version);
  write(reply);
  return out.Flatten();
}

// Both spellings, and that a client reads each as exactly one value.
template <typename Write>
void CheckWire(const std::string& resp2, const std::string& resp3, Write write) {
  const std::string wires[] = {Wire(RespVersion::kResp2, write), Wire(RespVersion::kResp3, write)};
  CHECK(wires[0] == resp2);
  CHECK(wires[1] == resp3);
  for (const std::string& wire : wires) {
    std::string_view rest = wire;
    std::string error;
    CHECK(DecodeResp(&rest, &error).has_value());
    CHECK(error.empty());
    CHECK(rest.empty());
    for (size_t size = 0; size < wire.size(); ++size) {
      std::string_view part = std::string_view(wire).substr(0, size);
      CHECK(!DecodeResp(&part, &error).has_value());
      CHECK(error.empty());
      CHECK(part.size() == size);
    }
  }
}

RespValue Decoded(const std::string& wire) {
  std::string_view rest = wire;
  std::string error;
  const auto value = DecodeResp(&rest, &error);
  REQUIRE(value.has_value());
  return *value;
}

TEST_CASE("Replies: scalars that both protocols spell alike") {
  CheckWire("+OK\r\n", "+OK\r\n", [](ReplyWriter& reply) { reply.Ok(); });
  CheckWire("+QUEUED\r\n", "+QUEUED\r\n", [](ReplyWriter& reply) { reply.Simple("QUEUED"); });
  CheckWire("+\r\n", "+\r\n", [](ReplyWriter& reply) { reply.Simple(""); });
  CheckWire("$0\r\n\r\n", "$0\r\n\r\n", [](ReplyWriter& reply) { reply.Bulk({}); });
  CheckWire("$3\r\na\r\n\r\n", "$3\r\na\r\n\r\n", [](ReplyWriter& reply) { reply.Bulk("a\r\n"); });
  CheckWire("$4\r\n-120\r\n", "$4\r\n-120\r\n", [](ReplyWriter& r) { r.BulkInteger(-120); });
  CheckWire(":1\r\n", ":1\r\n", [](ReplyWriter& reply) { reply.Raw(":1\r\n"); });
}

TEST_CASE("Replies: integers of every length") {
  int64_t value = 1;
  for (int digits = 1; digits <= 18; ++digits, value *= 10) {
    for (const int64_t number : {value, -value, value - 1}) {
      const std::string wire = ":" + std::to_string(number) + "\r\n";
      CheckWire(wire, wire, [number](ReplyWriter& reply) { reply.Integer(number); });
    }
  }
  CHECK(Decoded(Wire(RespVersion::kResp2, [](ReplyWriter& reply) {
          reply.Integer(std::numeric_limits<int64_t>::min());
        })).integer == std::numeric_limits<int64_t>::min());
}

TEST_CASE("Replies: bulk strings of every length") {
  for (size_t size : {1, 9, 10, 99, 100, 65'000, 65'535, 70'000, 1'000'000}) {
    const std::string bytes(size, 'x');
    const RespValue value =
        Decoded(Wire(RespVersion::kResp2, [&bytes](ReplyWriter& reply) { reply.Bulk(bytes); }));
    CHECK(value.type == Type::kBulk);
    CHECK((value.text == bytes));
  }
}

TEST_CASE("Replies: scalars that RESP3 has and RESP2 has not") {
  CheckWire("$-1\r\n", "_\r\n", [](ReplyWriter& reply) { reply.Null(); });
  CheckWire("*-1\r\n", "_\r\n", [](ReplyWriter& reply) { reply.NullArray(); });
  CheckWire(":1\r\n", "#t\r\n", [](ReplyWriter& reply) { reply.Bool(true); });
  CheckWire(":0\r\n", "#f\r\n", [](ReplyWriter& reply) { reply.Bool(false); });
  CheckWire("$3\r\n0.1\r\n", ",0.1\r\n", [](ReplyWriter& reply) { reply.Double(0.1); });
  CheckWire("$4\r\n-inf\r\n", ",-inf\r\n",
            [](ReplyWriter& reply) { reply.Double(-std::numeric_limits<double>::infinity()); });
  CheckWire("$20\r\n12345678901234567890\r\n", "(12345678901234567890\r\n",
            [](ReplyWriter& reply) { reply.BigNumber("12345678901234567890"); });
  CheckWire("$5\r\na\r\nbc\r\n", "=9\r\ntxt:a\r\nbc\r\n",
            [](ReplyWriter& reply) { reply.Verbatim("txt", "a\r\nbc"); });
  CheckWire("$0\r\n\r\n", "=4\r\nmkd:\r\n", [](ReplyWriter& reply) { reply.Verbatim("mkd", ""); });
}

TEST_CASE("Replies: aggregates") {
  CheckWire("*0\r\n", "*0\r\n", [](ReplyWriter& reply) { reply.Array(0); });
  CheckWire("*2\r\n$1\r\na\r\n:1\r\n", "%1\r\n$1\r\na\r\n:1\r\n", [](ReplyWriter& reply) {
    reply.Map(1);
    reply.Bulk("a");
    reply.Integer(1);
  });
  CheckWire("*1\r\n:1\r\n", "~1\r\n:1\r\n", [](ReplyWriter& reply) {
    reply.Set(1);
    reply.Integer(1);
  });
  CheckWire("*1\r\n:1\r\n", ">1\r\n:1\r\n", [](ReplyWriter& reply) {
    reply.Push(1);
    reply.Integer(1);
  });
  const std::string attribute = Wire(RespVersion::kResp3, [](ReplyWriter& reply) {
    reply.Attribute(1);
    reply.Simple("ttl");
    reply.Integer(5);
    reply.Bulk("value");
  });
  CHECK(attribute == "|1\r\n+ttl\r\n:5\r\n$5\r\nvalue\r\n");
  CHECK(Decoded(attribute).elements.size() == 3);
}

TEST_CASE("Replies: aggregates whose size is known at the end") {
  CheckWire("*2\r\n*2\r\n+a\r\n+b\r\n*1\r\n+c\r\n", "*2\r\n%1\r\n+a\r\n+b\r\n~1\r\n+c\r\n",
            [](ReplyWriter& reply) {
              const auto outer = reply.Begin();
              const auto map = reply.Begin();
              reply.Simple("a");
              reply.Simple("b");
              reply.EndMap(map, 1);
              const auto set = reply.Begin();
              reply.Simple("c");
              reply.EndSet(set, 1);
              reply.EndArray(outer, 2);
            });
  CheckWire("*0\r\n", "*0\r\n", [](ReplyWriter& reply) { reply.EndArray(reply.Begin(), 0); });
}

TEST_CASE("Replies: a long array whose size is known at the end") {
  const RespValue value = Decoded(Wire(RespVersion::kResp3, [](ReplyWriter& reply) {
    reply.Array(2);
    const auto mark = reply.Begin();
    for (int i = 0; i < 100'000; ++i) reply.BulkInteger(i);
    reply.EndArray(mark, 100'000);
    reply.Ok();
  }));
  REQUIRE(value.elements.size() == 2);
  REQUIRE(value.elements[0].elements.size() == 100'000);
  CHECK(value.elements[0].elements[99'999].text == "99999");
  CHECK(value.elements[1].text == "OK");
}

TEST_CASE("Replies: pinned bulk strings") {
  const std::string bytes(20'000, 'v');
  int released = 0;
  {
    OutputBuffer out;
    ReplyWriter reply(&out, RespVersion::kResp2);
    reply.BulkPinned(
        {bytes.data(), bytes.size(), &released, [](void* owner) { ++*static_cast<int*>(owner); }});
    reply.Ok();
    CHECK(out.Flatten() == "$20000\r\n" + bytes + "\r\n+OK\r\n");
    CHECK(released == 0);
  }
  CHECK(released == 1);
}

TEST_CASE("Replies: errors are one line, counted, and remembered by their code") {
  OutputBuffer out;
  ReplyWriter reply(&out, RespVersion::kResp2);
  CHECK(reply.error_count() == 0);
  CHECK(reply.last_error_code().empty());
  reply.Error("WRONGTYPE Operation");
  CHECK(reply.last_error_code() == "WRONGTYPE");
  reply.Error("ERR unknown command 'a\r\nb'");
  CHECK(reply.last_error_code() == "ERR");
  reply.Error("alone");
  CHECK(reply.last_error_code() == "ERR");
  const std::string no_code(40, 'X');
  reply.Error(no_code + " long");
  CHECK(reply.last_error_code() == "ERR");
  CHECK(reply.error_count() == 4);
  CHECK(out.Flatten() == "-WRONGTYPE Operation\r\n-ERR unknown command 'a  b'\r\n-alone\r\n-" +
                             no_code + " long\r\n");
}

TEST_CASE("Replies: HELLO switches in the middle of a command") {
  OutputBuffer out;
  ReplyWriter reply(&out, RespVersion::kResp2);
  reply.Null();
  reply.set_version(RespVersion::kResp3);
  CHECK(reply.resp3());
  reply.Null();
  CHECK(out.Flatten() == "$-1\r\n_\r\n");
}

}  // namespace
}  // namespace spinel
