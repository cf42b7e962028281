#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

RespValue Push(std::vector<RespValue> elements) {
  RespValue value = Array(std::move(elements));
  value.type = RespValue::Type::kPush;
  return value;
}

// What a RESP3 client is told.
RespValue Forget(std::vector<std::string_view> keys) {
  return Push({Bulk("invalidate"), Bulks(std::move(keys))});
}

// What a RESP2 client is told instead of another.
RespValue ForgetMessage(RespValue keys) {
  return Array({Bulk("message"), Bulk("__redis__:invalidate"), std::move(keys)});
}

const std::vector<RespValue> kNothing;

// A client that tracks, and another that changes things.
class TrackingFixture : public CommandFixture {
 protected:
  TrackingFixture() { Restart(RespVersion::kResp3); }

  std::vector<RespValue> All(const std::vector<std::string>& args) {
    return client().ExecuteAll(args);
  }
  int64_t Fact(const std::string& name) {
    const std::string text = Run("INFO").text;
    const size_t at = text.find("\r\n" + name + ":");
    return std::stoll(text.substr(at + name.size() + 3));
  }
};

}  // namespace

TEST_CASE_METHOD(TrackingFixture, "Tracking: a client is told once of a key that it has read") {
  const auto other = NewClient();
  Run("SET", "k", "1");
  CHECK(Run("CLIENT", "TRACKING", "on") == Ok());
  CHECK(client().TakePushes() == kNothing);
  Run("MGET", "k", "none", "k");
  CHECK(Fact("tracking_clients") == 1);
  CHECK(Fact("tracking_total_keys") == 2);
  CHECK(Fact("tracking_total_items") == 2);
  other->Execute({"SET", "unread", "1"});
  other->Execute({"SET", "k", "2"});
  other->Execute({"SET", "k", "3"});
  other->Execute({"SET", "none", "1"});
  CHECK(client().TakePushes() == std::vector{Forget({"k"}), Forget({"none"})});
  CHECK(Fact("tracking_total_keys") == 0);
  // Databases do not matter.
  Run("GET", "k");
  other->Execute({"SELECT", "3"});
  other->Execute({"SET", "k", "4"});
  CHECK(client().TakePushes() == std::vector{Forget({"k"})});
  Run("GET", "k");
  CHECK(Run("CLIENT", "TRACKING", "OFF") == Ok());
  other->Execute({"SET", "k", "5"});
  CHECK(client().TakePushes() == kNothing);
  CHECK(Fact("tracking_clients") == 0);
}

TEST_CASE_METHOD(TrackingFixture, "Tracking: of a script what it reads, not what it declares") {
  const auto other = NewClient();
  Run("CLIENT", "TRACKING", "on");
  for (const std::string eval : {"EVAL", "EVAL_RO"}) {
    INFO(eval);
    Run(eval, "return redis.call('GET', KEYS[2])", "2", "declared", "read");
    other->Execute({"SET", "declared", "1"});
    CHECK(client().TakePushes() == kNothing);
    other->Execute({"SET", "read", "1"});
    CHECK(client().TakePushes() == std::vector{Forget({"read"})});
  }
}

TEST_CASE_METHOD(TrackingFixture, "Tracking: what is no write of a value is a change, too") {
  const auto other = NewClient();
  Run("CLIENT", "TRACKING", "on");
  const auto told = [&](const std::vector<std::string>& command) {
    Run("EXISTS", "k");
    other->Execute(command);
    return client().TakePushes() == std::vector{Forget({"k"})};
  };
  Run("SET", "k", "v");
  client().TakePushes();
  CHECK(told({"EXPIRE", "k", "100"}));
  CHECK(told({"PERSIST", "k"}));
  CHECK(told({"RENAME", "k", "l"}));
  CHECK(told({"COPY", "l", "k"}));
  CHECK(told({"MOVE", "k", "1"}));
  other->Execute({"HSET", "k", "f", "v", "g", "v"});
  CHECK(told({"HDEL", "k", "f"}));
  CHECK(told({"DEL", "k"}));
  CHECK_FALSE(told({"DEL", "k"}));
}

TEST_CASE_METHOD(TrackingFixture, "Tracking: expiry tells, lazy or not") {
  Run("CLIENT", "TRACKING", "on", "NOLOOP");
  Run("SET", "k", "v", "PX", "100");
  Run("SET", "l", "v", "PX", "100");
  Run("GET", "k");
  AdvanceWithoutTick(101);
  // Although it is the client's own command that finds the key, and NOLOOP.
  CHECK(All({"GET", "k"}) == std::vector{Nil(), Forget({"k"})});
  Run("SET", "k", "v", "PX", "100");
  Run("GET", "k");
  Advance(200);
  CHECK(client().TakePushes() == std::vector{Forget({"k"})});
}

TEST_CASE_METHOD(TrackingFixture,
                 "Tracking: one's own changes come behind the reply, or not at all") {
  Run("CLIENT", "TRACKING", "on");
  Run("GET", "k");
  CHECK(All({"SET", "k", "1"}) == std::vector{Ok(), Forget({"k"})});
  Run("MGET", "a", "b");
  Run("MULTI");
  Run("SET", "a", "1");
  Run("GET", "b");
  Run("SET", "b", "1");
  CHECK(All({"EXEC"}) == std::vector{Array({Ok(), Nil(), Ok()}), Forget({"a"}), Forget({"b"})});
  CHECK(Run("CLIENT", "TRACKING", "on", "NOLOOP") == Ok());
  Run("GET", "k");
  CHECK(All({"SET", "k", "2"}) == std::vector{Ok()});
}

TEST_CASE_METHOD(TrackingFixture,
                 "Tracking: FLUSHALL and FLUSHDB make everybody forget everything") {
  const auto broadcast = NewClient();
  broadcast->Execute({"HELLO", "3"});
  broadcast->Execute({"CLIENT", "TRACKING", "on", "BCAST"});
  Run("CLIENT", "TRACKING", "on");
  Run("MGET", "a", "b");
  const RespValue all = Push({Bulk("invalidate"), Nil()});
  CHECK(All({"FLUSHALL"}) == std::vector{Ok(), all});
  CHECK(broadcast->TakePushes() == std::vector{all});
  CHECK(Fact("tracking_total_keys") == 0);
  CHECK(Fact("tracking_total_items") == 0);
  CHECK(All({"FLUSHDB", "ASYNC"}) == std::vector{Ok(), all});
}

TEST_CASE_METHOD(TrackingFixture, "Tracking: BCAST tells of prefixes, all keys in one message") {
  const auto other = NewClient();
  CHECK(Run("CLIENT", "TRACKING", "on", "BCAST", "PREFIX", "a:", "PREFIX", "b:") == Ok());
  other->Execute({"MSET", "a:2", "1", "c:1", "1", "a:1", "1", "b:1", "1", "a", "1"});
  CHECK(client().TakePushes() == std::vector{Forget({"a:1", "a:2"}), Forget({"b:1"})});
  CHECK(Fact("tracking_total_prefixes") == 2);
  CHECK(Run("CLIENT", "TRACKING", "on", "BCAST", "PREFIX", "c:") == Ok());
  other->Execute({"SET", "c:1", "2"});
  CHECK(client().TakePushes() == std::vector{Forget({"c:1"})});
  // Reading notes nothing.
  Run("GET", "a:1");
  CHECK(Fact("tracking_total_keys") == 0);
  Run("CLIENT", "TRACKING", "off");
  other->Execute({"SET", "a:1", "2"});
  CHECK(client().TakePushes() == kNothing);
  CHECK(Fact("tracking_total_prefixes") == 0);

  Run("CLIENT", "TRACKING", "on", "BCAST", "NOLOOP");
  Run("SET", "mine", "1");
  CHECK(client().TakePushes() == kNothing);
  other->Execute({"SET", "theirs", "1"});
  CHECK(client().TakePushes() == std::vector{Forget({"theirs"})});
}

TEST_CASE_METHOD(TrackingFixture, "Tracking: REDIRECT, to RESP2 subscribers too") {
  const auto target = NewClient();
  const auto other = NewClient();
  const std::string id = std::to_string(target->session().id);
  CHECK(Run("CLIENT", "TRACKING", "on", "REDIRECT", id) == Ok());
  CHECK(Run("CLIENT", "GETREDIR") == Int(static_cast<int64_t>(target->session().id)));
  const auto change = [&] {
    Run("GET", "k");
    other->Execute({"INCR", "k"});
  };
  // A RESP2 client that does not listen cannot be told.
  change();
  CHECK(target->TakePushes() == kNothing);
  target->Execute({"SUBSCRIBE", "__redis__:invalidate"});
  target->TakePushes();
  change();
  CHECK(target->TakePushes() == std::vector{ForgetMessage(Bulks({"k"}))});
  other->Execute({"FLUSHALL"});
  CHECK(target->TakePushes() == std::vector{ForgetMessage(Nil())});
  target->session().set_resp(RespVersion::kResp3);
  change();
  CHECK(target->TakePushes() == std::vector{Forget({"k"})});
  CHECK(client().TakePushes() == kNothing);
}

TEST_CASE_METHOD(TrackingFixture, "Tracking: a redirection that leads nowhere is told") {
  auto target = NewClient();
  const auto other = NewClient();
  const auto id = static_cast<int64_t>(target->session().id);
  Run("CLIENT", "TRACKING", "on", "REDIRECT", std::to_string(id));
  Run("GET", "k");
  target.reset();
  other->Execute({"SET", "k", "1"});
  CHECK(client().TakePushes() == std::vector{Push({Bulk("tracking-redir-broken"), Int(id)})});
  const RespValue info = Run("CLIENT", "TRACKINGINFO");
  CHECK(ToString(info).find("broken_redirect") != std::string::npos);
  CHECK(Run("CLIENT", "LIST").text.find("flags=tR ") != std::string::npos);
  CHECK(Run("CLIENT", "TRACKING", "on", "REDIRECT", std::to_string(id)) ==
        Error("ERR The client ID you want redirect to does not exist"));
}

TEST_CASE_METHOD(TrackingFixture, "Tracking: OPTIN, OPTOUT and CLIENT CACHING") {
  const auto other = NewClient();
  const auto change = [&] {
    other->Execute({"INCR", "k"});
    return client().TakePushes().size();
  };
  Run("CLIENT", "TRACKING", "on", "OPTIN");
  Run("GET", "k");
  CHECK(change() == 0);
  CHECK(Run("CLIENT", "CACHING", "yes") == Ok());
  CHECK(ToString(Run("CLIENT", "TRACKINGINFO")).find("caching-yes") != std::string::npos);
  Run("GET", "k");
  Run("GET", "l");
  CHECK(change() == 1);
  // For a whole transaction.
  Run("CLIENT", "CACHING", "yes");
  Run("MULTI");
  Run("GET", "l");
  Run("GET", "k");
  Run("EXEC");
  CHECK(change() == 1);
  CHECK(Run("CLIENT", "CACHING", "no") ==
        Error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."));
  CHECK(Run("CLIENT", "CACHING", "maybe") == SyntaxError());

  Run("CLIENT", "TRACKING", "off");
  Run("CLIENT", "TRACKING", "on", "OPTOUT");
  Run("GET", "k");
  CHECK(change() == 1);
  CHECK(Run("CLIENT", "CACHING", "no") == Ok());
  Run("GET", "k");
  CHECK(change() == 0);
  CHECK(Run("CLIENT", "CACHING", "yes") ==
        Error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."));
  Run("CLIENT", "TRACKING", "off");
  CHECK(Run("CLIENT", "CACHING", "yes") ==
        Error("ERR CLIENT CACHING can be called only when the client is in tracking mode with "
              "OPTIN or OPTOUT mode enabled"));
}

TEST_CASE_METHOD(TrackingFixture, "CLIENT TRACKING: what does not go together") {
  const auto refused = [this](const std::vector<std::string>& options) {
    std::vector<std::string> args = {"CLIENT", "TRACKING", "ON"};
    args.insert(args.end(), options.begin(), options.end());
    return RunArgs(args);
  };
  const std::string id = std::to_string(client().session().id);
  CHECK(Run("CLIENT", "TRACKING") == WrongArity("client|tracking"));
  CHECK(Run("CLIENT", "TRACKING", "maybe") == SyntaxError());
  CHECK(refused({"BOGUS"}) == SyntaxError());
  CHECK(refused({"PREFIX"}) == SyntaxError());
  CHECK(refused({"REDIRECT", id, "REDIRECT", id}) ==
        Error("ERR A client can only redirect to a single other client"));
  CHECK(refused({"REDIRECT", "x"}) == Error("ERR value is not an integer or out of range"));
  CHECK(refused({"PREFIX", "a"}) == Error("ERR PREFIX option requires BCAST mode to be enabled"));
  CHECK(refused({"BCAST", "OPTIN"}) == Error("ERR OPTIN and OPTOUT are not compatible with BCAST"));
  CHECK(refused({"OPTIN", "OPTOUT"}) ==
        Error("ERR You can't specify both OPTIN mode and OPTOUT mode"));
  CHECK(refused({"BCAST", "PREFIX", "foobar", "PREFIX", "foo"}) ==
        Error("ERR Prefix 'foobar' overlaps with another provided prefix 'foo'. Prefixes for a "
              "single client must not overlap."));
  CHECK(Run("CLIENT", "TRACKINGINFO").elements.size() == 6);
  CHECK(refused({"BCAST", "PREFIX", "foo"}) == Ok());
  CHECK(refused({"BCAST", "PREFIX", "f"}) ==
        Error("ERR Prefix 'f' overlaps with an existing prefix 'foo'. Prefixes for a single client "
              "must not overlap."));
  CHECK(refused({}) ==
        Error("ERR You can't switch BCAST mode on/off before disabling tracking for this client, "
              "and then re-enabling it with a different mode."));
  Run("CLIENT", "TRACKING", "off");
  CHECK(refused({"OPTIN"}) == Ok());
  CHECK(refused({"OPTOUT"}) ==
        Error("ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, "
              "and then re-enabling it with a different mode."));
}

TEST_CASE_METHOD(TrackingFixture, "Tracking: no more keys than tracking-table-max-keys") {
  Run("CLIENT", "TRACKING", "on");
  for (int i = 0; i < 50; ++i) Run("GET", "k" + std::to_string(i));
  CHECK(client().TakePushes() == kNothing);
  CHECK(All({"CONFIG", "SET", "tracking-table-max-keys", "10"}).size() == 1 + 40);
  CHECK(Fact("tracking_total_keys") == 10);
  CHECK(All({"GET", "one more"}).size() == 1 + 1);
  CHECK(Fact("tracking_total_keys") == 10);
}

TEST_CASE_METHOD(TrackingFixture, "Tracking: RESET and the end of a client end it") {
  Run("CLIENT", "TRACKING", "on", "BCAST", "PREFIX", "a");
  CHECK(Fact("tracking_clients") == 1);
  Run("RESET");
  CHECK(Run("CLIENT", "GETREDIR") == Int(-1));
  CHECK(Fact("tracking_clients") == 0);
  auto other = NewClient();
  other->Execute({"CLIENT", "TRACKING", "on", "BCAST"});
  CHECK(Fact("tracking_total_prefixes") == 1);
  other.reset();
  CHECK(Fact("tracking_clients") == 0);
  CHECK(Fact("tracking_total_prefixes") == 0);
}

}  // namespace spinel
