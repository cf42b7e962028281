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

TEST_CASE_METHOD(CommandFixture, "PSUBSCRIBE: who listens in two ways gets the message twice") {
  BothProtocols([this] {
    const auto listener = NewClient();
    listener->session().set_resp(client().session().resp());
    const auto message = [this](std::vector<std::string_view> texts) {
      return Message(resp3(), Bulks(std::move(texts)).elements);
    };
    const auto confirm = [this](std::string_view kind, RespValue name, int64_t count) {
      return Message(resp3(), {Bulk(kind), std::move(name), Int(count)});
    };
    CHECK(listener->ExecuteAll({"PSUBSCRIBE", "news.*", "n?w*", "news.*"}) ==
          std::vector{confirm("psubscribe", Bulk("news.*"), 1),
                      confirm("psubscribe", Bulk("n?w*"), 2),
                      confirm("psubscribe", Bulk("news.*"), 2)});
    CHECK(listener->ExecuteAll({"SUBSCRIBE", "news.a"}) ==
          std::vector{confirm("subscribe", Bulk("news.a"), 3)});
    CHECK(Run("PUBLISH", "news.a", "x") == Int(3));
    const std::vector<RespValue> received = listener->TakePushes();
    REQUIRE(received.size() == 3);
    CHECK(received[0] == message({"message", "news.a", "x"}));
    CHECK(received[1] == message({"pmessage", "n?w*", "news.a", "x"}));
    CHECK(received[2] == message({"pmessage", "news.*", "news.a", "x"}));
    CHECK(Run("PUBLISH", "ne", "x") == Int(0));
    CHECK(Run("PUBLISH", "newt", "x") == Int(1));
    listener->TakePushes();
    CHECK(listener->ExecuteAll({"PUNSUBSCRIBE", "none", "n?w*"}) ==
          std::vector{confirm("punsubscribe", Bulk("none"), 3),
                      confirm("punsubscribe", Bulk("n?w*"), 2)});
    CHECK(listener->ExecuteAll({"UNSUBSCRIBE"}) ==
          std::vector{confirm("unsubscribe", Bulk("news.a"), 1)});
    CHECK(listener->ExecuteAll({"PUNSUBSCRIBE"}) ==
          std::vector{confirm("punsubscribe", Bulk("news.*"), 0)});
    CHECK(listener->ExecuteAll({"PUNSUBSCRIBE"}) == std::vector{confirm("punsubscribe", Nil(), 0)});
    CHECK(Run("PUBLISH", "news.a", "x") == Int(0));
  });
}

TEST_CASE_METHOD(CommandFixture, "SSUBSCRIBE: sharded channels are a world of their own") {
  BothProtocols([this] {
    const auto listener = NewClient();
    listener->session().set_resp(client().session().resp());
    const auto confirm = [this](std::string_view kind, RespValue name, int64_t count) {
      return Message(resp3(), {Bulk(kind), std::move(name), Int(count)});
    };
    listener->ExecuteAll({"PSUBSCRIBE", "*"});
    CHECK(listener->ExecuteAll({"SSUBSCRIBE", "a", "b"}) ==
          std::vector{confirm("ssubscribe", Bulk("a"), 1), confirm("ssubscribe", Bulk("b"), 2)});
    CHECK(Run("SPUBLISH", "a", "x") == Int(1));
    CHECK(listener->TakePushes() ==
          std::vector{Message(resp3(), Bulks({"smessage", "a", "x"}).elements)});
    CHECK(Run("PUBLISH", "a", "x") == Int(1));
    CHECK(listener->TakePushes() ==
          std::vector{Message(resp3(), Bulks({"pmessage", "*", "a", "x"}).elements)});
    CHECK(Run("SPUBLISH", "c", "x") == Int(0));
    CHECK(listener->ExecuteAll({"SUNSUBSCRIBE", "a"}) ==
          std::vector{confirm("sunsubscribe", Bulk("a"), 1)});
    CHECK(listener->ExecuteAll({"SUNSUBSCRIBE"}) ==
          std::vector{confirm("sunsubscribe", Bulk("b"), 0)});
    CHECK(listener->ExecuteAll({"SUNSUBSCRIBE"}) == std::vector{confirm("sunsubscribe", Nil(), 0)});
    CHECK(Run("COMMAND", "GETKEYS", "SPUBLISH", "a", "x") ==
          Error("ERR The command has no key arguments"));
  });
}

TEST_CASE_METHOD(CommandFixture, "PUBSUB tells who listens to what") {
  BothProtocols([this] {
    const auto one = NewClient();
    const auto two = NewClient();
    CHECK(Run("PUBSUB", "CHANNELS") == Array({}));
    CHECK(Run("PUBSUB", "NUMSUB") == Array({}));
    one->ExecuteAll({"SUBSCRIBE", "alpha", "beta"});
    two->ExecuteAll({"SUBSCRIBE", "alpha"});
    two->ExecuteAll({"SSUBSCRIBE", "shard"});
    one->ExecuteAll({"PSUBSCRIBE", "x*", "y*"});
    two->ExecuteAll({"PSUBSCRIBE", "x*"});
    CHECK(Run("PUBSUB", "CHANNELS").elements.size() == 2);
    CHECK(Run("PUBSUB", "CHANNELS", "a*") == Bulks({"alpha"}));
    CHECK(Run("PUBSUB", "CHANNELS", "") == Array({}));
    CHECK(Run("PUBSUB", "NUMSUB", "alpha", "none", "beta", "shard") ==
          Array({Bulk("alpha"), Int(2), Bulk("none"), Int(0), Bulk("beta"), Int(1), Bulk("shard"),
                 Int(0)}));
    CHECK(Run("PUBSUB", "NUMPAT") == Int(2));
    CHECK(Run("PUBSUB", "SHARDCHANNELS") == Bulks({"shard"}));
    CHECK(Run("PUBSUB", "SHARDCHANNELS", "a*") == Array({}));
    CHECK(Run("PUBSUB", "SHARDNUMSUB", "shard", "alpha") ==
          Array({Bulk("shard"), Int(1), Bulk("alpha"), Int(0)}));
    CHECK(Run("PUBSUB", "CHANNELS", "a", "b") ==
          Error("ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB "
                "HELP."));
    CHECK(Run("PUBSUB", "NUMPAT", "a") == WrongArity("pubsub|numpat"));
    CHECK(Run("PUBSUB", "HELP").elements.front() ==
          Simple("PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    const std::string stats = Run("INFO", "stats").text;
    CHECK(stats.find("pubsub_channels:2\r\npubsub_patterns:2\r\npubsubshard_channels:1\r\n") !=
          std::string::npos);
    CHECK(two->Execute({"RESET"}) == Simple("RESET"));
    CHECK(Run("PUBSUB", "SHARDCHANNELS") == Array({}));
    CHECK(Run("PUBSUB", "NUMSUB", "alpha") == Array({Bulk("alpha"), Int(1)}));
    CHECK(two->Execute({"GET", "k"}) == Nil());
  });
}

TEST_CASE_METHOD(CommandFixture, "CLIENT INFO counts subscriptions by their kind") {
  Run("HELLO", "3");
  CHECK(Run("CLIENT", "INFO").text.find(" flags=N ") != std::string::npos);
  client().ExecuteAll({"SSUBSCRIBE", "a"});
  client().ExecuteAll({"SUBSCRIBE", "a", "b", "c"});
  client().ExecuteAll({"PSUBSCRIBE", "a", "b"});
  const std::string info = Run("CLIENT", "INFO").text;
  CHECK(info.find(" flags=P ") != std::string::npos);
  CHECK(info.find(" sub=3 psub=2 ssub=1 ") != std::string::npos);
}

TEST_CASE_METHOD(CommandFixture, "Any subscription limits what a RESP2 client may send") {
  for (const char* command : {"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"}) {
    const auto listener = NewClient();
    listener->ExecuteAll({command, "a"});
    CHECK(listener->Execute({"GET", "k"}).type == RespValue::Type::kError);
    CHECK(listener->Execute({"PUBSUB", "NUMPAT"}).type == RespValue::Type::kError);
    CHECK(listener->ExecuteAll({"SSUBSCRIBE", "x"}).size() == 1);
    CHECK(listener->ExecuteAll({"PUNSUBSCRIBE"}).size() == 1);
    CHECK(listener->ExecuteAll({"UNSUBSCRIBE"}).size() == 1);
    CHECK(listener->Execute({"GET", "k"}).type == RespValue::Type::kError);
    CHECK(listener->ExecuteAll({"SUNSUBSCRIBE"}).size() >= 1);
    CHECK(listener->Execute({"GET", "k"}) == Nil());
  }
}

TEST_CASE_METHOD(CommandFixture, "Subscriptions in a transaction are confirmed in EXEC's array") {
  Run("MULTI");
  Run("SUBSCRIBE", "a", "b");
  Run("PUBLISH", "a", "x");
  Run("PSUBSCRIBE", "p*");
  Run("UNSUBSCRIBE");
  const auto publisher = NewClient();
  const std::vector<RespValue> replies = client().ExecuteAll({"EXEC"});
  REQUIRE(!replies.empty());
  CHECK(replies[0].elements.front() == Array({Bulk("subscribe"), Bulk("a"), Int(1)}));
  CHECK(publisher->Execute({"PUBLISH", "a", "x"}) == Int(0));
  CHECK(publisher->Execute({"PUBLISH", "pq", "x"}) == Int(1));
}

// -- Without commands
// ------------------------------------------------------------------------------

ChannelRegistry::Queue TakenFrom(ChannelRegistry* registry, int loop) {
  ChannelRegistry::Queue queue;
  registry->Take(loop, &queue);
  return queue;
}

TEST_CASE("A message is spelled for both protocols, and knows its name", "[pubsub]") {
  const PubSubMessage direct(SubscriptionKind::kChannel, "c", "c", "text");
  CHECK(direct.name() == "c");
  CHECK(direct.resp2() == "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$4\r\ntext\r\n");
  CHECK(direct.MakeResp3() == ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$4\r\ntext\r\n");
  const PubSubMessage matched(SubscriptionKind::kPattern, "c*", "channel", "");
  CHECK(matched.name() == "c*");
  CHECK(matched.resp2() == "*4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$7\r\nchannel\r\n$0\r\n\r\n");
}

TEST_CASE("Messages of a channel have one order on all loops", "[pubsub]") {
  constexpr auto kChannel = SubscriptionKind::kChannel;
  ChannelRegistry registry;
  registry.Add(kChannel, "c", 0);
  registry.Add(kChannel, "c", 1);
  registry.Add(kChannel, "c", 1);
  std::vector<int> wake;
  CHECK(registry.Publish(kChannel, "c", "1", &wake) == 3);
  CHECK(wake == std::vector{0, 1});
  wake.clear();
  // Loop 0 has delivered; loop 1 has been told already.
  CHECK(TakenFrom(&registry, 0).messages.size() == 1);
  CHECK(registry.Publish(kChannel, "c", "2", &wake) == 3);
  CHECK(wake == std::vector{0});
  CHECK(registry.QueuedBytes() > 0);
  const ChannelRegistry::Queue queued = TakenFrom(&registry, 1);
  REQUIRE(queued.messages.size() == 2);
  CHECK(queued.messages[0]->resp2().find("$1\r\n1\r\n") != std::string::npos);
  CHECK(queued.messages[1]->resp2().find("$1\r\n2\r\n") != std::string::npos);
  CHECK_FALSE(queued.overrun);
  CHECK(TakenFrom(&registry, 1).messages.empty());
  CHECK(TakenFrom(&registry, 7).messages.empty());
  TakenFrom(&registry, 0);
  CHECK(registry.QueuedBytes() == 0);
  CHECK(registry.Publish(kChannel, "d", "1", &wake) == 0);
}

TEST_CASE("A loop that does not deliver collects so much and no more", "[pubsub]") {
  constexpr auto kChannel = SubscriptionKind::kChannel;
  ChannelRegistry registry;
  registry.Add(kChannel, "c", 0);
  std::vector<int> wake;
  const std::string payload(ChannelRegistry::kMaxQueuedBytes / 5, 'x');
  for (int i = 0; i < 5; ++i) CHECK(registry.Publish(kChannel, "c", payload, &wake) == 1);
  CHECK(wake == std::vector{0});
  CHECK(registry.QueuedBytes() <= ChannelRegistry::kMaxQueuedBytes);
  const ChannelRegistry::Queue queued = TakenFrom(&registry, 0);
  CHECK(queued.messages.size() == 4);
  CHECK(queued.overrun);
  registry.Publish(kChannel, "c", payload, &wake);
  CHECK_FALSE(TakenFrom(&registry, 0).overrun);
}

TEST_CASE("Patterns are found by what they begin with", "[pubsub]") {
  PatternIndex index;
  const auto matches = [&index](std::string_view text) {
    std::vector<std::string_view> found;
    index.Match(text, &found);
    return std::vector<std::string>(found.begin(), found.end());
  };
  using Found = std::vector<std::string>;
  CHECK(matches("a").empty());
  for (const char* pattern : {"*", "news.*", "news.[ab]", "n\\ews", "exact", "news.?.x"}) {
    index.Add(pattern);
  }
  CHECK(matches("news.a") == Found{"*", "news.*", "news.[ab]"});
  CHECK(matches("news.a.x") == Found{"*", "news.*", "news.?.x"});
  CHECK(matches("news") == Found{"*", "n\\ews"});
  CHECK(matches("exact") == Found{"*", "exact"});
  CHECK(matches("exactly") == Found{"*"});
  CHECK(matches("").empty());  // as in Redis, "*" does not match an empty text
  index.Remove("*");
  index.Remove("news.*");
  CHECK(matches("news.a") == Found{"news.[ab]"});
  for (const char* pattern : {"news.[ab]", "n\\ews", "exact", "news.?.x"}) index.Remove(pattern);
  CHECK(matches("news.a").empty());
}

}  // namespace spinel
