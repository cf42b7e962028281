// What the tests of transactions share.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/command_fixture.h"

namespace spinel {

inline const RespValue kQueued = Simple("QUEUED");
inline const RespValue kAborted =
    Error("EXECABORT Transaction discarded because of previous errors.");

inline std::vector<RespValue> One(RespValue value) { return {std::move(value)}; }

class TransactionFixture : public CommandFixture {
 protected:
  // What EXEC answers when a watched key has changed.
  RespValue Refused() { return resp3() ? Nil() : NilArray(); }

  // The reply of EXEC to a transaction of these commands.
  RespValue Transact(const std::vector<std::vector<std::string>>& commands) {
    CHECK(Run("MULTI") == Ok());
    for (const auto& command : commands) CHECK(RunArgs(command) == kQueued);
    return Run("EXEC");
  }
  // Whether a change made by `change` after WATCH is noticed.
  template <typename Change>
  bool Notices(std::string_view key, Change&& change) {
    CHECK(Run("WATCH", key) == Ok());
    change();
    const RespValue reply = Transact({{"PING"}});
    if (reply == Refused()) return true;
    CHECK(reply == Array({Simple("PONG")}));
    return false;
  }
  bool Notices(std::string_view key, const std::vector<std::string>& command) {
    auto other = NewClient();
    return Notices(key, [&] {
      const RespValue reply = other->Execute(command);
      CAPTURE(command);
      CHECK(reply.type != RespValue::Type::kError);
    });
  }
};

}  // namespace spinel
