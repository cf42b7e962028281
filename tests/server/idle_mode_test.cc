#include "server/idle_mode.h"

#include <catch2/catch.hpp>

namespace spinel {

TEST_CASE("IdleMode: begins after a second without commands, ends with the next", "[server]") {
  IdleMode mode;
  mode.Note(5000, 10);
  CHECK_FALSE(mode.on());
  mode.Note(5999, 10);
  CHECK_FALSE(mode.on());
  CHECK_FALSE(mode.End());
  mode.Note(6000, 10);
  CHECK(mode.on());
  CHECK(mode.End());  // who came first wakes the loops
  CHECK_FALSE(mode.End());
  mode.Note(6100, 11);
  mode.Note(7099, 11);
  CHECK_FALSE(mode.on());
  mode.Note(7100, 11);
  CHECK(mode.on());
  mode.Note(7200, 12);  // executed while it was being switched on
  CHECK_FALSE(mode.on());
  mode.Note(100, 12);  // a clock that was set back
  CHECK(mode.on());
}

}  // namespace spinel
