#include <catch2/catch.hpp>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

TEST_CASE_METHOD(CommandFixture, "BZPOPMIN, BZPOPMAX, BZMPOP: members at hand are taken at once") {
  BothProtocols([&] {
    Run("ZADD", "z", "1", "a", "2.5", "b", "3", "c");
    const RespValue score = Run("ZSCORE", "z", "b");
    CHECK(Run("BZPOPMIN", "none", "z", "0").elements[1] == Bulk("a"));
    CHECK(Run("BZPOPMAX", "z", "0").elements[1] == Bulk("c"));
    CHECK(Run("BZMPOP", "0.1", "2", "none", "z", "MIN", "COUNT", "5") ==
          Array({Bulk("z"), Array({Array({Bulk("b"), score})})}));
    CHECK(Run("EXISTS", "z") == Int(0));
  });
}

TEST_CASE_METHOD(CommandFixture, "Blocked for a sorted set: served in order, lists are not meant") {
  auto lowest = NewClient();
  auto highest = NewClient();
  auto many = NewClient();
  lowest->Execute({"BZPOPMIN", "z", "0"});
  highest->Execute({"BZPOPMAX", "z", "0"});
  many->Execute({"BZMPOP", "0", "1", "z", "MIN", "COUNT", "2"});
  Run("RPUSH", "z", "x");
  CHECK(lowest->blocked());
  Run("DEL", "z");
  Run("ZADD", "z", "1", "a", "2", "b", "3", "c", "4", "d", "5", "e");
  CHECK(lowest->TakePushes() == std::vector<RespValue>{Bulks({"z", "a", "1"})});
  CHECK(highest->TakePushes() == std::vector<RespValue>{Bulks({"z", "e", "5"})});
  CHECK(many->TakePushes() ==
        std::vector<RespValue>{Array({Bulk("z"), Array({Bulks({"b", "2"}), Bulks({"c", "3"})})})});
  CHECK(Run("ZRANGE", "z", "0", "-1") == Bulks({"d"}));
}

TEST_CASE_METHOD(CommandFixture,
                 "Blocked for a sorted set: stores serve, too; time-outs are null") {
  auto waiting = NewClient();
  waiting->Execute({"BZPOPMIN", "z", "0"});
  Run("ZADD", "from", "1", "a");
  Run("ZUNIONSTORE", "z", "1", "from");
  CHECK(waiting->TakePushes() == std::vector<RespValue>{Bulks({"z", "a", "1"})});
  waiting->Execute({"BZMPOP", "0.02", "1", "z", "MIN"});
  Advance(20);
  CHECK(waiting->TakePushes() == std::vector<RespValue>{NilArray()});
}

TEST_CASE_METHOD(CommandFixture, "BZPOPMIN, BZMPOP: bad arguments") {
  Run("SET", "s", "x");
  CHECK(Run("BZPOPMIN", "s", "0") == WrongType());
  CHECK(Run("BZPOPMAX", "z", "-0.1") == Error("ERR timeout is negative"));
  CHECK(Run("BZMPOP", "0", "-1", "z", "MIN") == Error("ERR numkeys should be greater than 0"));
  CHECK(Run("BZMPOP", "0", "1", "z", "MID") == SyntaxError());
  CHECK(Run("BZMPOP", "0", "1", "z", "MIN", "COUNT", "-1") ==
        Error("ERR count should be greater than 0"));
  CHECK(Run("BZMPOP", "0", "1", "z", "MIN", "COUNT", "1", "COUNT", "2") == SyntaxError());
}

}  // namespace
}  // namespace spinel
