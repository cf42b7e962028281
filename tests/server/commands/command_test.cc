#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

RespValue Names(std::vector<std::string_view> names, bool resp3) {
  RespValue value;
  value.type = resp3 ? RespValue::Type::kSet : RespValue::Type::kArray;
  for (const std::string_view name : names) value.elements.push_back(Simple(name));
  return value;
}

RespValue Pairs(std::vector<RespValue> elements, bool resp3) {
  RespValue value = Array(std::move(elements));
  if (resp3) value.type = RespValue::Type::kMap;
  return value;
}

RespValue SetOf(std::vector<RespValue> elements, bool resp3) {
  RespValue value = Array(std::move(elements));
  if (resp3) value.type = RespValue::Type::kSet;
  return value;
}

// The value of a pair in a map, in either protocol.
const RespValue* Find(const RespValue& map, std::string_view name) {
  for (size_t i = 0; i + 1 < map.elements.size(); i += 2) {
    if (map.elements[i].text == name) return &map.elements[i + 1];
  }
  return nullptr;
}

}  // namespace

TEST_CASE_METHOD(CommandFixture, "COMMAND: all of them, counted and listed") {
  BothProtocols([this] {
    const auto top_level = static_cast<int64_t>(server().commands().top_level().size());
    CHECK(Run("COMMAND", "COUNT") == Int(top_level));
    CHECK(static_cast<int64_t>(Run("COMMAND").elements.size()) == top_level);
    CHECK(static_cast<int64_t>(Run("COMMAND", "INFO").elements.size()) == top_level);
    CHECK(Run("COMMAND", "LIST").elements.size() == server().commands().all().size());
    CHECK(static_cast<int64_t>(Run("COMMAND", "DOCS").elements.size()) == top_level * 2);
    CHECK(Run("COMMAND", "FOO") == Error("ERR unknown subcommand 'FOO'. Try COMMAND HELP."));
    CHECK(Run("COMMAND", "COUNT", "x") == WrongArity("command|count"));
    CHECK(Run("COMMAND", "HELP").elements.size() == 15);
  });
}

TEST_CASE_METHOD(CommandFixture, "COMMAND INFO: ten elements, in each protocol's shapes") {
  BothProtocols([this] {
    const bool r3 = resp3();
    const RespValue reply = Run("COMMAND", "INFO", "get", "nothing", "CONFIG|get");
    REQUIRE(reply.elements.size() == 3);
    const RespValue range = Pairs(
        {Bulk("flags"), Names({"RO", "access"}, r3), Bulk("begin_search"),
         Pairs({Bulk("type"), Bulk("index"), Bulk("spec"), Pairs({Bulk("index"), Int(1)}, r3)}, r3),
         Bulk("find_keys"),
         Pairs(
             {Bulk("type"), Bulk("range"), Bulk("spec"),
              Pairs({Bulk("lastkey"), Int(0), Bulk("keystep"), Int(1), Bulk("limit"), Int(0)}, r3)},
             r3)},
        r3);
    CHECK(reply.elements[0] == Array({Bulk("get"), Int(2), Names({"readonly", "fast"}, r3), Int(1),
                                      Int(1), Int(1), Names({"@read", "@string", "@fast"}, r3),
                                      SetOf({}, r3), SetOf({range}, r3), Array({})}));
    CHECK(reply.elements[1] == (r3 ? Nil() : NilArray()));
    CHECK(reply.elements[2].elements[0] == Bulk("config|get"));
    const RespValue container = Run("COMMAND", "INFO", "config");
    CHECK(container.elements[0].elements[9].elements.size() == 5);
  });
}

TEST_CASE_METHOD(CommandFixture, "COMMAND DOCS: what hints are made from") {
  BothProtocols([this] {
    const RespValue reply = Run("COMMAND", "DOCS", "set", "nothing", "config");
    CHECK(reply.elements.size() == 4);
    CHECK(reply.type == (resp3() ? RespValue::Type::kMap : RespValue::Type::kArray));
    const RespValue* set = Find(reply, "set");
    REQUIRE(set != nullptr);
    CHECK(*Find(*set, "group") == Bulk("string"));
    CHECK(*Find(*set, "since") == Bulk("1.0.0"));
    const RespValue* args = Find(*set, "arguments");
    REQUIRE(args != nullptr);
    REQUIRE(args->elements.size() == 5);
    const RespValue& key = args->elements[0];
    CHECK(*Find(key, "name") == Bulk("key"));
    CHECK(*Find(key, "type") == Bulk("key"));
    CHECK(*Find(key, "key_spec_index") == Int(0));
    const RespValue& condition = args->elements[2];
    CHECK(*Find(condition, "type") == Bulk("oneof"));
    CHECK(*Find(condition, "flags") == Names({"optional"}, resp3()));
    CHECK(*Find(Find(condition, "arguments")->elements[0], "token") == Bulk("NX"));
    const RespValue* subcommands = Find(*Find(reply, "config"), "subcommands");
    REQUIRE(subcommands != nullptr);
    CHECK(Find(*subcommands, "config|rewrite") != nullptr);
    CHECK(Run("COMMAND", "DOCS", "config|get").elements[0] == Bulk("config|get"));
    CHECK(Run("COMMAND", "DOCS", "nothing").elements.empty());
  });
}

TEST_CASE_METHOD(CommandFixture, "COMMAND LIST: filters") {
  BothProtocols([this] {
    CHECK(Run("COMMAND", "LIST", "FILTERBY", "PATTERN", "config|*e*") ==
          Bulks({"config|get", "config|set", "config|resetstat", "config|rewrite", "config|help"}));
    CHECK(Run("COMMAND", "LIST", "FILTERBY", "MODULE", "x") == Array({}));
    CHECK(Run("COMMAND", "LIST", "FILTERBY", "ACLCAT", "none") == Array({}));
    const RespValue strings = Run("COMMAND", "LIST", "FILTERBY", "ACLCAT", "STRING");
    CHECK(std::find(strings.elements.begin(), strings.elements.end(), Bulk("get")) !=
          strings.elements.end());
    CHECK(Run("COMMAND", "LIST", "x") == SyntaxError());
    CHECK(Run("COMMAND", "LIST", "FILTERBY", "x", "y") == SyntaxError());
    CHECK(Run("COMMAND", "LIST", "FILTERBY", "MODULE") == SyntaxError());
    CHECK(Run("COMMAND", "LIST", "FILTERBY", "MODULE", "a", "b") == SyntaxError());
  });
}

TEST_CASE_METHOD(CommandFixture, "COMMAND GETKEYS and GETKEYSANDFLAGS") {
  BothProtocols([this] {
    const bool r3 = resp3();
    CHECK(Run("COMMAND", "GETKEYS", "get", "a") == Bulks({"a"}));
    CHECK(Run("COMMAND", "GETKEYS", "nothing", "a") == Error("ERR Invalid command specified"));
    CHECK(Run("COMMAND", "GETKEYS", "config", "nothing") == Error("ERR Invalid command specified"));
    CHECK(Run("COMMAND", "GETKEYS", "config", "get", "a") ==
          Error("ERR The command has no key arguments"));
    CHECK(Run("COMMAND", "GETKEYS", "get", "a", "b") ==
          Error("ERR Invalid number of arguments specified for command"));
    CHECK(Run("COMMAND", "GETKEYS") == WrongArity("command|getkeys"));
    CHECK(Run("COMMAND", "GETKEYS", "eval", "return 1", "0") == Array({}));
    CHECK(Run("COMMAND", "GETKEYS", "bitop", "or", "d", "a", "b") == Bulks({"d", "a", "b"}));
    CHECK(Run("COMMAND", "GETKEYSANDFLAGS", "set", "a", "v") ==
          Array({Array({Bulk("a"), Names({"OW", "update"}, r3)})}));
    CHECK(Run("COMMAND", "GETKEYSANDFLAGS", "set", "a", "v", "get") ==
          Array({Array({Bulk("a"), Names({"RW", "access", "update"}, r3)})}));
    CHECK(Run("COMMAND", "GETKEYSANDFLAGS", "get", "a") ==
          Array({Array({Bulk("a"), Names({"RO", "access"}, r3)})}));
    CHECK(Run("COMMAND", "GETKEYSANDFLAGS", "rename", "a", "b") ==
          Array({Array({Bulk("a"), Names({"RW", "access", "delete"}, r3)}),
                 Array({Bulk("b"), Names({"OW", "update"}, r3)})}));
    CHECK(Run("COMMAND", "GETKEYSANDFLAGS", "zunionstore", "d", "1", "a") ==
          Array({Array({Bulk("d"), Names({"OW", "update"}, r3)}),
                 Array({Bulk("a"), Names({"RO", "access"}, r3)})}));
  });
}

}  // namespace spinel
