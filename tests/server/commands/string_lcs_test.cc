#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

RespValue Range(int64_t first, int64_t last) { return Array({Int(first), Int(last)}); }

size_t LengthByDefinition(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> table(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      table[i][j] = a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1
                                         : std::max(table[i - 1][j], table[i][j - 1]);
    }
  }
  return table[a.size()][b.size()];
}

bool IsSubsequence(const std::string& part, const std::string& whole) {
  size_t at = 0;
  for (const char c : whole) at += at < part.size() && part[at] == c;
  return at == part.size();
}

}  // namespace

TEST_CASE_METHOD(CommandFixture, "LCS: the subsequence, its length, its places") {
  BothProtocols([this] {
    Run("MSET", "a", "ohmytext", "b", "mynewtext");
    CHECK(Run("LCS", "a", "b") == Bulk("mytext"));
    CHECK(Run("LCS", "a", "b", "LEN") == Int(6));
    const auto places = [this](std::vector<RespValue> matches) {
      RespValue reply = Array({Bulk("matches"), Array(std::move(matches)), Bulk("len"), Int(6)});
      if (resp3()) reply.type = RespValue::Type::kMap;
      return reply;
    };
    CHECK(Run("LCS", "a", "b", "IDX") ==
          places({Array({Range(4, 7), Range(5, 8)}), Array({Range(2, 3), Range(0, 1)})}));
    CHECK(Run("LCS", "a", "b", "IDX", "MINMATCHLEN", "4", "WITHMATCHLEN") ==
          places({Array({Range(4, 7), Range(5, 8), Int(4)})}));
    CHECK(Run("LCS", "a", "b", "IDX", "MINMATCHLEN", "-4") ==
          places({Array({Range(4, 7), Range(5, 8)}), Array({Range(2, 3), Range(0, 1)})}));
    CHECK(Run("LCS", "a", "none") == Bulk(""));
    CHECK(Run("LCS", "none", "b", "LEN") == Int(0));
    Run("MSET", "n", "1234", "m", "9294");
    CHECK(Run("LCS", "n", "m") == Bulk("24"));
    CHECK(Run("LCS", "n", "n") == Bulk("1234"));
  });
}

TEST_CASE_METHOD(CommandFixture, "LCS: options") {
  CHECK(Run("LCS", "a") == WrongArity("lcs"));
  CHECK(Run("LCS", "a", "b", "FOO") == SyntaxError());
  CHECK(Run("LCS", "a", "b", "MINMATCHLEN") == SyntaxError());
  CHECK(Run("LCS", "a", "b", "MINMATCHLEN", "x") ==
        Error("ERR value is not an integer or out of range"));
  CHECK(Run("LCS", "a", "b", "IDX", "LEN") ==
        Error("ERR If you want both the length and indexes, please just use IDX."));
}

TEST_CASE_METHOD(CommandFixture, "LCS: agrees with the definition") {
  std::mt19937 random(4);
  for (int round = 0; round < 100; ++round) {
    std::string a(random() % 120, ' ');
    std::string b(random() % 120, ' ');
    const uint32_t letters = 1 + random() % 6;
    for (std::string* text : {&a, &b}) {
      for (char& c : *text) c = static_cast<char>('a' + random() % letters);
    }
    Run("MSET", "a", a, "b", b);
    const std::string found = Run("LCS", "a", "b").text;
    CHECK(found.size() == LengthByDefinition(a, b));
    CHECK(IsSubsequence(found, a));
    CHECK(IsSubsequence(found, b));
    CHECK(Run("LCS", "a", "b", "LEN") == Int(static_cast<int64_t>(found.size())));
  }
}

TEST_CASE_METHOD(CommandFixture, "LCS: big strings are compared up to the limit of memory") {
  Run("SET", "a", std::string(20'000, 'a'));
  Run("SET", "b", "bab");
  CHECK(Run("LCS", "a", "b") == Bulk("a"));
  Run("SET", "b", std::string(20'000, 'b'));
  CHECK(Run("LCS", "a", "b") ==
        Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"));
}

}  // namespace spinel
