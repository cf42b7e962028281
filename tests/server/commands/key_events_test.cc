// Keyspace events: what each command tells, in which order.

#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

using Events = std::vector<std::string>;

class EventFixture : public CommandFixture {
 public:
  EventFixture() { Listen("EA"); }

  // Begins anew, with these classes.
  void Listen(std::string_view classes) {
    listener_.reset();
    Restart();
    REQUIRE(Run("CONFIG", "SET", "notify-keyspace-events", classes) == Ok());
    listener_ = NewClient();
    listener_->ExecuteAll({"PSUBSCRIBE", "__key*__:*"});
  }

  // What has been told since the last call: "event key", with "@database" behind it unless that is
  // 0. A message of a __keyspace channel has a "*" in front.
  Events Told() {
    Events told;
    for (const RespValue& message : listener_->TakePushes()) {
      std::string_view channel = message.elements.at(2).text;
      const std::string& payload = message.elements.at(3).text;
      const size_t at = channel.find('@');
      const size_t colon = channel.find("__:");
      REQUIRE(colon != std::string_view::npos);
      const std::string database(channel.substr(at + 1, colon - at - 1));
      const std::string name(channel.substr(colon + 3));
      const bool keyspace = channel.substr(0, at) == "__keyspace";
      std::string line = keyspace ? "*" + payload + " " + name : name + " " + payload;
      if (database != "0") line += "@" + database;
      told.push_back(line);
    }
    return told;
  }

  // What one command tells.
  template <typename... Args>
  Events Of(const Args&... args) {
    Told();
    Run(args...);
    return Told();
  }

  // Runs commands without looking at what they tell.
  void Given(const std::vector<std::vector<std::string>>& commands) {
    for (const auto& command : commands) RunArgs(command);
    Told();
  }

 private:
  std::unique_ptr<TestClient> listener_;
};

}  // namespace

TEST_CASE_METHOD(EventFixture, "Events of bitmaps, HyperLogLogs and positions") {
  CHECK(Of("SETBIT", "b", "1", "1") == Events{"setbit b"});
  CHECK(Of("SETBIT", "b", "1", "1").empty());
  CHECK(Of("BITFIELD", "b", "SET", "u8", "0", "7", "GET", "u8", "0") == Events{"setbit b"});
  CHECK(Of("BITFIELD", "b", "SET", "u8", "0", "7").empty());
  CHECK(Of("BITOP", "NOT", "d", "b") == Events{"set d"});
  CHECK(Of("BITOP", "NOT", "d", "none") == Events{"del d"});
  CHECK(Of("PFADD", "h", "a") == Events{"pfadd h"});
  CHECK(Of("PFADD", "h", "a").empty());
  CHECK(Of("PFCOUNT", "h").empty());
  CHECK(Of("PFMERGE", "m", "h") == Events{"pfadd m"});
  CHECK(Of("GEOADD", "g", "1", "1", "a") == Events{"zadd g"});
  CHECK(Of("GEOADD", "g", "1", "1", "a").empty());
  CHECK(Of("GEORADIUS", "g", "1", "1", "1", "km", "STORE", "d") == Events{"georadiusstore d"});
  CHECK(Of("GEOSEARCHSTORE", "d", "g", "FROMMEMBER", "a", "BYRADIUS", "1", "m") ==
        Events{"geosearchstore d"});
  CHECK(Of("GEOSEARCHSTORE", "d", "none", "FROMMEMBER", "a", "BYRADIUS", "1", "m") ==
        Events{"del d"});
}

TEST_CASE_METHOD(EventFixture, "Events of strings") {
  CHECK(Of("SET", "s", "1") == Events{"set s"});
  CHECK(Of("SET", "s", "1", "EX", "10") == Events{"set s", "expire s"});
  CHECK(Of("SET", "s", "1", "KEEPTTL") == Events{"set s"});
  CHECK(Of("SET", "s", "1", "NX").empty());
  CHECK(Of("SET", "s", "1", "PXAT", "1") == Events{"del s"});
  CHECK(Of("SET", "s", "1", "PXAT", "1").empty());
  CHECK(Of("SETNX", "s", "1") == Events{"set s"});
  CHECK(Of("SETNX", "s", "1").empty());
  CHECK(Of("SETEX", "s", "10", "1") == Events{"set s", "expire s"});
  CHECK(Of("PSETEX", "s", "10", "1") == Events{"set s", "expire s"});
  CHECK(Of("GETSET", "s", "1") == Events{"set s"});
  CHECK(Of("GETEX", "s").empty());
  CHECK(Of("GETEX", "s", "PERSIST").empty());
  CHECK(Of("GETEX", "s", "EX", "10") == Events{"expire s"});
  CHECK(Of("GETEX", "s", "PERSIST") == Events{"persist s"});
  CHECK(Of("GETEX", "s", "PXAT", "1") == Events{"del s"});
  CHECK(Of("INCR", "n") == Events{"incrby n"});
  CHECK(Of("DECRBY", "n", "3") == Events{"incrby n"});
  CHECK(Of("INCRBYFLOAT", "n", "1.5") == Events{"incrbyfloat n"});
  CHECK(Of("INCR", "n").empty());
  CHECK(Of("APPEND", "a", "x") == Events{"append a"});
  CHECK(Of("APPEND", "a", "x") == Events{"append a"});
  CHECK(Of("SETRANGE", "a", "5", "x") == Events{"setrange a"});
  CHECK(Of("SETRANGE", "a", "5", "").empty());
  CHECK(Of("MSET", "a", "1", "b", "2") == Events{"set a", "set b"});
  CHECK(Of("MSETNX", "a", "1", "c", "2").empty());
  CHECK(Of("MSETEX", "2", "a", "1", "b", "2", "EX", "5") ==
        Events{"set a", "expire a", "set b", "expire b"});
  CHECK(Of("GETDEL", "a") == Events{"del a"});
  CHECK(Of("GETDEL", "a").empty());
  CHECK(Of("DELIFEQ", "b", "1").empty());
  CHECK(Of("DELIFEQ", "b", "2") == Events{"del b"});
}

TEST_CASE_METHOD(EventFixture, "Events of keys of any type") {
  Given({{"MSET", "a", "1", "b", "2", "c", "3"}});
  CHECK(Of("DEL", "a", "none", "b") == Events{"del a", "del b"});
  CHECK(Of("UNLINK", "c", "c") == Events{"del c"});
  Given({{"SET", "a", "1"}, {"SET", "b", "1"}});
  CHECK(Of("RENAME", "a", "b") == Events{"rename_from a", "rename_to b"});
  CHECK(Of("RENAME", "b", "b").empty());
  CHECK(Of("RENAMENX", "b", "c") == Events{"rename_from b", "rename_to c"});
  CHECK(Of("COPY", "c", "d") == Events{"copy_to d"});
  CHECK(Of("COPY", "c", "d").empty());
  CHECK(Of("COPY", "c", "d", "DB", "3") == Events{"copy_to d@3"});
  CHECK(Of("MOVE", "c", "2") == Events{"move_from c", "move_to c@2"});
  CHECK(Of("EXPIRE", "d", "10") == Events{"expire d"});
  CHECK(Of("EXPIRE", "d", "20", "NX").empty());
  CHECK(Of("PERSIST", "d") == Events{"persist d"});
  CHECK(Of("PERSIST", "d").empty());
  CHECK(Of("PEXPIREAT", "d", "1") == Events{"del d"});
  CHECK(Of("EXPIRE", "d", "10").empty());
  Given({{"RPUSH", "l", "3", "1", "2"}});
  CHECK(Of("SORT", "l", "STORE", "sorted") == Events{"sortstore sorted"});
  CHECK(Of("SORT", "none", "STORE", "sorted") == Events{"del sorted"});
  CHECK(Of("SORT", "none", "STORE", "sorted").empty());
  CHECK(Of("FLUSHALL").empty());
}

TEST_CASE_METHOD(EventFixture, "Events of lists") {
  CHECK(Of("LPUSH", "l", "a", "b") == Events{"lpush l"});
  CHECK(Of("RPUSHX", "l", "c") == Events{"rpush l"});
  CHECK(Of("RPUSHX", "none", "c").empty());
  CHECK(Of("LINSERT", "l", "BEFORE", "a", "x") == Events{"linsert l"});
  CHECK(Of("LINSERT", "l", "BEFORE", "none", "x").empty());
  CHECK(Of("LSET", "l", "0", "y") == Events{"lset l"});
  CHECK(Of("LREM", "l", "0", "x") == Events{"lrem l"});
  CHECK(Of("LREM", "l", "0", "x").empty());
  CHECK(Of("LTRIM", "l", "0", "-1") == Events{"ltrim l"});
  CHECK(Of("LPOP", "l") == Events{"lpop l"});
  CHECK(Of("RPOP", "l", "0").empty());
  CHECK(Of("LMOVE", "l", "m", "RIGHT", "LEFT") == Events{"lpush m", "rpop l"});
  CHECK(Of("RPOPLPUSH", "l", "m") == Events{"lpush m", "rpop l", "del l"});
  CHECK(Of("LMOVE", "m", "m", "LEFT", "RIGHT") == Events{"rpush m", "lpop m"});
  CHECK(Of("LMPOP", "2", "none", "m", "LEFT", "COUNT", "5") == Events{"lpop m", "del m"});
  CHECK(Of("LMPOP", "1", "m", "LEFT").empty());
  Given({{"RPUSH", "l", "a", "b"}});
  CHECK(Of("LTRIM", "l", "1", "0") == Events{"ltrim l", "del l"});
  Given({{"RPUSH", "l", "a", "a"}});
  CHECK(Of("LREM", "l", "0", "a") == Events{"lrem l", "del l"});
}

TEST_CASE_METHOD(EventFixture, "Events of clients that were waiting: behind those of the push") {
  const auto waiting = NewClient();
  waiting->ExecuteAll({"BLPOP", "l", "0"});
  CHECK(Of("RPUSH", "l", "a", "b") == Events{"rpush l", "lpop l"});
  waiting->TakePushes();
  Run("DEL", "l");
  waiting->ExecuteAll({"BLMOVE", "l", "m", "LEFT", "RIGHT", "0"});
  // The destination's stripe is another one: it is served when the push has let go of its lock.
  CHECK(Of("RPUSH", "l", "a") == Events{"rpush l", "rpush m", "lpop l", "del l"});
  waiting->TakePushes();
  waiting->ExecuteAll({"BZPOPMIN", "z", "0"});
  CHECK(Of("ZADD", "z", "1", "a") == Events{"zadd z", "zpopmin z", "del z"});
}

TEST_CASE_METHOD(EventFixture, "Events of sets") {
  CHECK(Of("SADD", "s", "a", "b", "c") == Events{"sadd s"});
  CHECK(Of("SADD", "s", "a").empty());
  CHECK(Of("SREM", "s", "a", "x") == Events{"srem s"});
  CHECK(Of("SREM", "s", "a").empty());
  CHECK(Of("SMOVE", "s", "t", "b") == Events{"srem s", "sadd t"});
  Given({{"SADD", "t", "c"}});
  CHECK(Of("SMOVE", "s", "t", "c") == Events{"srem s", "del s"});
  CHECK(Of("SPOP", "t") == Events{"spop t"});
  CHECK(Of("SPOP", "t", "0").empty());
  CHECK(Of("SPOP", "t", "5") == Events{"spop t", "del t"});
  Given({{"SADD", "s", "a", "b"}, {"SADD", "t", "b", "c"}});
  CHECK(Of("SINTERSTORE", "d", "s", "t") == Events{"sinterstore d"});
  CHECK(Of("SUNIONSTORE", "d", "s", "t") == Events{"sunionstore d"});
  CHECK(Of("SDIFFSTORE", "d", "s", "t") == Events{"sdiffstore d"});
  CHECK(Of("SDIFFSTORE", "d", "none", "t") == Events{"del d"});
  CHECK(Of("SINTERSTORE", "d", "none", "t").empty());
  CHECK(Of("SREM", "s", "a", "b") == Events{"srem s", "del s"});
}

TEST_CASE_METHOD(EventFixture, "Events of sorted sets") {
  CHECK(Of("ZADD", "z", "1", "a", "2", "b") == Events{"zadd z"});
  CHECK(Of("ZADD", "z", "1", "a").empty());
  CHECK(Of("ZADD", "z", "NX", "5", "a").empty());
  CHECK(Of("ZADD", "z", "INCR", "1", "a") == Events{"zincr z"});
  CHECK(Of("ZINCRBY", "z", "1", "a") == Events{"zincr z"});
  CHECK(Of("ZINCRBY", "z", "0", "a").empty());
  CHECK(Of("ZREM", "z", "a", "x") == Events{"zrem z"});
  CHECK(Of("ZREM", "z", "b") == Events{"zrem z", "del z"});
  Given({{"ZADD", "z", "1", "a", "2", "b", "3", "c", "4", "d"}});
  CHECK(Of("ZREMRANGEBYRANK", "z", "0", "0") == Events{"zremrangebyrank z"});
  CHECK(Of("ZREMRANGEBYSCORE", "z", "2", "2") == Events{"zremrangebyscore z"});
  CHECK(Of("ZREMRANGEBYSCORE", "z", "2", "2").empty());
  CHECK(Of("ZPOPMIN", "z") == Events{"zpopmin z"});
  CHECK(Of("ZREMRANGEBYLEX", "z", "-", "+") == Events{"zremrangebylex z", "del z"});
  Given({{"ZADD", "z", "1", "a", "2", "b"}});
  CHECK(Of("ZUNIONSTORE", "d", "1", "z") == Events{"zunionstore d"});
  CHECK(Of("ZINTERSTORE", "d", "1", "z") == Events{"zinterstore d"});
  CHECK(Of("ZDIFFSTORE", "d", "1", "z") == Events{"zdiffstore d"});
  CHECK(Of("ZRANGESTORE", "d", "z", "0", "-1") == Events{"zrangestore d"});
  CHECK(Of("ZRANGESTORE", "d", "z", "5", "6") == Events{"del d"});
  CHECK(Of("ZDIFFSTORE", "d", "2", "z", "z").empty());
  CHECK(Of("ZMPOP", "1", "z", "MAX", "COUNT", "2") == Events{"zpopmax z", "del z"});
}

TEST_CASE_METHOD(EventFixture, "Events of hashes") {
  CHECK(Of("HSET", "h", "a", "1", "b", "2") == Events{"hset h"});
  CHECK(Of("HMSET", "h", "a", "1") == Events{"hset h"});
  CHECK(Of("HSETNX", "h", "a", "1").empty());
  CHECK(Of("HSETNX", "h", "c", "1") == Events{"hset h"});
  CHECK(Of("HINCRBY", "h", "a", "1") == Events{"hincrby h"});
  CHECK(Of("HINCRBYFLOAT", "h", "a", "1.5") == Events{"hincrbyfloat h"});
  CHECK(Of("HDEL", "h", "x").empty());
  CHECK(Of("HDEL", "h", "c", "x") == Events{"hdel h"});
  CHECK(Of("HDEL", "h", "a", "b") == Events{"hdel h", "del h"});
}

TEST_CASE_METHOD(EventFixture, "Events of fields with a time to live") {
  Given({{"HSET", "h", "a", "1", "b", "2", "c", "3", "d", "4"}});
  CHECK(Of("HEXPIRE", "h", "10", "FIELDS", "2", "a", "b") == Events{"hexpire h"});
  CHECK(Of("HEXPIRE", "h", "10", "FIELDS", "1", "x").empty());
  CHECK(Of("HPERSIST", "h", "FIELDS", "2", "a", "c") == Events{"hpersist h"});
  CHECK(Of("HPERSIST", "h", "FIELDS", "1", "a").empty());
  CHECK(Of("HEXPIREAT", "h", "1", "FIELDS", "1", "d") == Events{"hexpired h"});
  CHECK(Of("HGETEX", "h", "FIELDS", "1", "a").empty());
  CHECK(Of("HGETEX", "h", "EX", "5", "FIELDS", "1", "a") == Events{"hexpire h"});
  CHECK(Of("HGETEX", "h", "PERSIST", "FIELDS", "1", "a") == Events{"hpersist h"});
  CHECK(Of("HGETEX", "h", "PXAT", "1", "FIELDS", "1", "a") == Events{"hexpired h"});
  CHECK(Of("HSETEX", "h", "FIELDS", "1", "a", "1") == Events{"hset h"});
  CHECK(Of("HSETEX", "h", "EX", "5", "FIELDS", "1", "a", "1") == Events{"hset h", "hexpire h"});
  CHECK(Of("HSETEX", "h", "KEEPTTL", "FIELDS", "1", "a", "2") == Events{"hset h"});
  CHECK(Of("HSETEX", "h", "PXAT", "1", "FIELDS", "1", "x", "1").empty());
  CHECK(Of("HSETEX", "h", "PXAT", "1", "FIELDS", "1", "b", "1") == Events{"hexpired h"});
  CHECK(Of("HGETDEL", "h", "FIELDS", "1", "x").empty());
  CHECK(Of("HGETDEL", "h", "FIELDS", "2", "a", "c") == Events{"hdel h", "del h"});
  Given({{"HSET", "h", "a", "1"}});
  CHECK(Of("HPEXPIRE", "h", "0", "FIELDS", "1", "a") == Events{"hexpired h", "del h"});
}

TEST_CASE_METHOD(EventFixture, "Events of expiry: when the time has come, found or not") {
  Given(
      {{"PSETEX", "a", "100", "1"}, {"SELECT", "4"}, {"PSETEX", "b", "200", "1"}, {"SELECT", "0"}});
  Advance(120);
  CHECK(Told() == Events{"expired a"});
  Advance(120);
  CHECK(Told() == Events{"expired b@4"});
  Given({{"PSETEX", "a", "100", "1"}});
  AdvanceWithoutTick(200);
  CHECK(Of("SET", "a", "1") == Events{"expired a", "set a"});
  Given({{"PSETEX", "a", "100", "1"}});
  AdvanceWithoutTick(200);
  CHECK(Of("SCAN", "0") == Events{"expired a"});

  Given({{"HSETEX", "h", "PX", "100", "FIELDS", "1", "f", "1"},
         {"HSETEX", "h", "PX", "200", "FIELDS", "1", "g", "1"}});
  Advance(120);
  CHECK(Told() == Events{"hexpired h"});
  Advance(120);
  CHECK(Told() == Events{"hexpired h", "del h"});
  Given({{"HSETEX", "h", "PX", "100", "FIELDS", "1", "f", "1"}});
  AdvanceWithoutTick(200);
  CHECK(Of("HSET", "h", "f", "2") == Events{"hexpired h", "hset h"});
}

TEST_CASE_METHOD(EventFixture, "Events name the database as its clients do, SWAPDB or not") {
  Given({{"SELECT", "1"}, {"PSETEX", "a", "100", "1"}, {"SWAPDB", "1", "2"}});
  Advance(120);
  CHECK(Told() == Events{"expired a@2"});
  CHECK(Of("SET", "b", "1") == Events{"set b@1"});
}

TEST_CASE_METHOD(EventFixture, "Events of a transaction come behind it, among its messages") {
  const auto listener = NewClient();
  Run("MULTI");
  Run("SET", "a", "1");
  Run("PUBLISH", "__key__:@", "x");
  Run("DEL", "a");
  listener->ExecuteAll({"PSUBSCRIBE", "*"});
  CHECK(listener->TakePushes().empty());
  Run("EXEC");
  std::vector<std::string> channels;
  for (const RespValue& message : listener->TakePushes()) {
    channels.push_back(message.elements.at(2).text);
  }
  CHECK(channels == Events{"__keyevent@0__:set", "__key__:@", "__keyevent@0__:del"});
}

TEST_CASE_METHOD(EventFixture,
                 "notify-keyspace-events: what is asked for is told, and nothing else") {
  Listen("K$");
  CHECK(Of("SET", "a", "1") == Events{"*set a"});
  CHECK(Of("DEL", "a").empty());
  Listen("KEg");
  CHECK(Of("SET", "a", "1").empty());
  CHECK(Of("DEL", "a") == Events{"*del a", "del a"});
  Listen("Ex");
  Given({{"PSETEX", "a", "10", "1"}});
  Advance(40);
  CHECK(Told() == Events{"expired a"});
  Listen("A");
  CHECK(Of("SET", "a", "1").empty());
  Listen("");
  CHECK(Of("SET", "a", "1").empty());
}

TEST_CASE_METHOD(EventFixture, "Events of keys that are missing, or new, are told when asked for") {
  Listen("Em");
  CHECK(Of("GET", "a") == Events{"keymiss a"});
  CHECK(Of("TTL", "a") == Events{"keymiss a"});
  CHECK(Of("EXISTS", "a") == Events{"keymiss a"});
  CHECK(Of("MGET", "a", "b") == Events{"keymiss a", "keymiss b"});
  CHECK(Of("OBJECT", "ENCODING", "a").empty());
  CHECK(Of("LPOP", "a").empty());
  CHECK(Of("SET", "a", "1").empty());
  CHECK(Of("GET", "a").empty());

  Listen("EnA");
  CHECK(Of("SET", "a", "1") == Events{"new a", "set a"});
  CHECK(Of("SET", "a", "1") == Events{"set a"});
  CHECK(Of("LPUSH", "l", "1") == Events{"new l", "lpush l"});
  CHECK(Of("HSET", "h", "f", "v") == Events{"new h", "hset h"});
  CHECK(Of("RENAME", "a", "b") == Events{"new b", "rename_from a", "rename_to b"});
  CHECK(Of("RENAME", "b", "l") == Events{"new l", "rename_from b", "rename_to l"});
  CHECK(Of("COPY", "l", "h", "REPLACE") == Events{"new h", "copy_to h"});
  CHECK(Of("MOVE", "h", "1") == Events{"new h@1", "move_from h", "move_to h@1"});
}

}  // namespace spinel
