// What the tests of sorted sets share: replies with scores in either protocol.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/command_fixture.h"

namespace spinel {

class ZsetFixture : public CommandFixture {
 protected:
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  RespValue Score(std::string_view text) {
    RespValue value = Bulk(text);
    if (resp3()) value.type = RespValue::Type::kDouble;
    return value;
  }
  // [[member, score], ...]
  RespValue Nested(const Pairs& pairs) {
    std::vector<RespValue> elements;
    for (const auto& [member, score] : pairs) {
      elements.push_back(Array({Bulk(member), Score(score)}));
    }
    return Array(std::move(elements));
  }
  // [member, score, ...]
  RespValue Flat(const Pairs& pairs) {
    std::vector<RespValue> elements;
    for (const auto& [member, score] : pairs) {
      elements.push_back(Bulk(member));
      elements.push_back(Score(score));
    }
    return Array(std::move(elements));
  }
  // As WITHSCORES answers.
  RespValue Scored(const Pairs& pairs) { return resp3() ? Nested(pairs) : Flat(pairs); }
  RespValue All(std::string_view key) { return Run("ZRANGE", key, "0", "-1", "WITHSCORES"); }
  std::string Encoding(std::string_view key) { return Run("OBJECT", "ENCODING", key).text; }
  // Calls `body` with packed sets and again with objects.
  template <typename Body>
  void BothEncodings(Body&& body) {
    for (const char* entries : {"128", "0"}) {
      BothProtocols([&] {
        Run("CONFIG", "SET", "zset-max-listpack-entries", entries);
        body();
        CHECK(Run("CONFIG", "SET", "zset-max-listpack-entries", "128") == Ok());
      });
    }
  }
};

}  // namespace spinel
