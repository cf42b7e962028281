#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

// A message or a confirmation: an array in RESP2, a push in RESP3.
RespValue Message(bool resp3, std::vector<RespValue> elements) {
  RespValue value = Array(std::move(elements));
  if (resp3) value.type = RespValue::Type::kPush;
  return value;
}

}  // namespace

TEST_CASE_METHOD(CommandFixture, "SUBSCRIBE and UNSUBSCRIBE: a confirmation for each channel") {
  BothProtocols([this] {
    const auto confirm = [this](std::string_view kind, RespValue channel, int64_t count) {
      return Message(resp3(), {Bulk(kind), std::move(channel), Int(count)});
    };
    CHECK(client().ExecuteAll({"SUBSCRIBE", "a", "b", "a"}) ==
          std::vector{confirm("subscribe", Bulk("a"), 1), confirm("subscribe", Bulk("b"), 2),
                      confirm("subscribe", Bulk("a"), 2)});
    CHECK(
        client().ExecuteAll({"UNSUBSCRIBE", "a", "none"}) ==
        std::vector{confirm("unsubscribe", Bulk("a"), 1), confirm("unsubscribe", Bulk("none"), 1)});
    CHECK(client().ExecuteAll({"UNSUBSCRIBE"}) ==
          std::vector{confirm("unsubscribe", Bulk("b"), 0)});
    // Nothing left, or never anything there.
    CHECK(client().ExecuteAll({"UNSUBSCRIBE"}) == std::vector{confirm("unsubscribe", Nil(), 0)});
    CHECK(client().ExecuteAll({"UNSUBSCRIBE", "x"}) ==
          std::vector{confirm("unsubscribe", Bulk("x"), 0)});
    CHECK(Run("SUBSCRIBE") == WrongArity("subscribe"));
    CHECK(Run("PING") == Simple("PONG"));
    CHECK(server().channels().Count(SubscriptionKind::kChannel) == 0);
  });
}

TEST_CASE_METHOD(CommandFixture, "PUBLISH: reaches each subscriber once, in its own protocol") {
  BothProtocols([this] {
    const auto two = NewClient();
    const auto three = NewClient();
    two->Execute({"HELLO", "2"});
    three->Execute({"HELLO", "3"});
    two->Execute({"SUBSCRIBE", "c", "d"});
    three->Execute({"SUBSCRIBE", "c"});
    const std::string binary("\0\r\n", 3);
    CHECK(Run("PUBLISH", "c", binary) == Int(2));
    CHECK(Run("PUBLISH", "d", "") == Int(1));
    CHECK(Run("PUBLISH", "none", "m") == Int(0));
    CHECK(Run("PUBLISH", "c") == WrongArity("publish"));
    const auto message = [](bool as_push, std::string_view channel, std::string_view text) {
      return Message(as_push, {Bulk("message"), Bulk(channel), Bulk(text)});
    };
    CHECK(two->TakePushes() == std::vector{message(false, "c", binary), message(false, "d", "")});
    CHECK(three->TakePushes() == std::vector{message(true, "c", binary)});
    CHECK(client().TakePushes().empty());
    two->Execute({"UNSUBSCRIBE", "c"});
    CHECK(Run("PUBLISH", "c", "m") == Int(1));
    CHECK(two->TakePushes().empty());
  });
}

TEST_CASE_METHOD(CommandFixture,
                 "PUBLISH: a subscriber of RESP3 gets its own message after the reply") {
  Run("HELLO", "3");
  Run("SUBSCRIBE", "c");
  CHECK(client().ExecuteAll({"PUBLISH", "c", "m"}) ==
        std::vector{Int(1), Message(true, {Bulk("message"), Bulk("c"), Bulk("m")})});
}

TEST_CASE_METHOD(CommandFixture, "A subscriber may send little on RESP2, anything on RESP3") {
  Run("SUBSCRIBE", "c");
  CHECK(
      Run("GET", "k") ==
      Error("ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
            "are allowed in this context"));
  CHECK(Run("PING") == Bulks({"pong", ""}));
  CHECK(Run("PING", "hi") == Bulks({"pong", "hi"}));
  CHECK(Run("PING", "a", "b") == WrongArity("ping"));
  Run("UNSUBSCRIBE");
  CHECK(Run("GET", "k") == Nil());

  Run("HELLO", "3");
  Run("SUBSCRIBE", "c");
  CHECK(Run("GET", "k") == Nil());
  CHECK(Run("PING") == Simple("PONG"));
}

TEST_CASE_METHOD(CommandFixture, "CLIENT REPLY OFF: messages and confirmations come all the same") {
  BothProtocols([this] {
    Run("CLIENT", "REPLY", "OFF");
    CHECK(client().ExecuteAll({"SUBSCRIBE", "c"}) ==
          std::vector{Message(resp3(), {Bulk("subscribe"), Bulk("c"), Int(1)})});
    CHECK(NewClient()->Execute({"PUBLISH", "c", "m"}) == Int(1));
    CHECK(client().TakePushes() ==
          std::vector{Message(resp3(), {Bulk("message"), Bulk("c"), Bulk("m")})});
    CHECK(client().ExecuteAll({"PING"}).empty());
  });
}

TEST_CASE("Messages of a channel have one order on all loops", "[pubsub]") {
  ChannelRegistry registry;
  registry.Add("c", 0);
  registry.Add("c", 1);
  registry.Add("c", 1);
  std::vector<int> wake;
  CHECK(registry.Publish(PubSubMessage::Make("c", "1"), &wake) == 3);
  CHECK(wake == std::vector{0, 1});
  wake.clear();
  // Loop 0 has delivered; loop 1 has been told already.
  CHECK(registry.Take(0).size() == 1);
  CHECK(registry.Publish(PubSubMessage::Make("c", "2"), &wake) == 3);
  CHECK(wake == std::vector{0});
  const ChannelRegistry::Messages queued = registry.Take(1);
  REQUIRE(queued.size() == 2);
  CHECK(queued[0]->resp2->find("$1\r\n1\r\n") != std::string::npos);
  CHECK(queued[1]->resp2->find("$1\r\n2\r\n") != std::string::npos);
  CHECK(registry.Take(1).empty());
  CHECK(registry.Take(7).empty());
  CHECK_FALSE(registry.HasSubscribers("d"));
}

}  // namespace spinel
