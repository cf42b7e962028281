#include "protocol/glob.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <string_view>

namespace spinel {
namespace {

struct Row {
  std::string_view pattern;
  std::string_view text;
  bool matches;
  bool nocase = false;
};

constexpr Row kRows[] = {
    {"", "", true},
    {"", "a", false},
    {"a", "", false},
    {"*", "", false},  // a quirk of Redis
    {"**", "", false},
    {"*", "a", true},
    {"***", "abc", true},
    {"abc", "abc", true},
    {"abc", "abcd", false},
    {"abcd", "abc", false},
    {"a*", "a", true},
    {"a**", "a", true},
    {"*a", "a", true},
    {"*a*", "bab", true},
    {"a*c", "abbc", true},
    {"a*c", "abcb", false},
    {"*ab*ba*", "xabyaba", true},
    {"*ab*ba*", "xaba", false},
    {"h?llo", "hello", true},
    {"h?llo", "hllo", false},
    {"???", "ab", false},
    {"*?", "a", true},
    {"h[ae]llo", "hallo", true},
    {"h[ae]llo", "hillo", false},
    {"h[^e]llo", "hello", false},
    {"h[^e]llo", "hallo", true},
    {"h[a-c]llo", "hbllo", true},
    {"h[c-a]llo", "hbllo", true},  // reversed
    {"h[a-c]llo", "hdllo", false},
    {"[a-]", "-", false},  // a range up to ']', in a class that is not closed
    {"[a-]", "]", true},
    {"[a-", "-", true},  // too short for a range
    {"[-a]", "-", true},
    {"[abc", "b", true},  // not closed
    {"[abc", "d", false},
    {"[^abc", "d", true},
    {"[", "[", false},
    {"[^", "x", true},
    {"[]", "x", false},
    {"[^]", "x", true},
    {"[\\]]", "]", true},
    {"[a\\-z]", "-", true},
    {"[a\\-z]", "m", false},
    {"[\\", "\\", true},
    {"[[]", "[", true},
    {"\\*", "*", true},
    {"\\*", "a", false},
    {"\\?a", "?a", true},
    {"\\", "\\", true},  // nothing to escape
    {"a\\", "a\\", true},
    {"*\\", "ab\\", true},
    {"ABC", "abc", false},
    {"ABC", "abc", true, true},
    {"a[B-D]e", "ACE", true, true},
    {"[abc]", "B", true, true},
    {"[\\a]", "A", false, true},  // escaped bytes in classes keep their case
    {"\\A", "a", true, true},
    {"*C", "abc", true, true},
    {"key:\xc3\xa9*", "key:\xc3\xa9t\xc3\xa9", true},
};

TEST_CASE("Glob: as Redis matches") {
  for (const Row& row : kRows) {
    INFO("pattern " << row.pattern << " text " << row.text);
    CHECK(GlobMatch(row.pattern, row.text, row.nocase) == row.matches);
  }
  CHECK(GlobMatch(std::string_view("a\0*", 3), std::string_view("a\0b", 3), false));
  CHECK(!GlobMatch("a*", std::string_view("\0a", 2), false));
}

TEST_CASE("Glob: more stars than Redis recurses into never match") {
  std::string thousand;
  for (int i = 0; i < 1000; ++i) thousand += "*a";
  CHECK(GlobMatch(thousand, std::string(1000, 'a'), false));
  CHECK(GlobMatch(thousand + "*", std::string(1000, 'a'), false));
  CHECK(!GlobMatch(thousand + "*a", std::string(1001, 'a'), false));
}

TEST_CASE("Glob: hostile patterns end quickly") {
  std::string stars;
  for (int i = 0; i < 500; ++i) stars += "a*";
  const std::string many(1'000'000, 'a');
  const std::string half(500'000, 'a');
  const auto start = std::chrono::steady_clock::now();
  CHECK(!GlobMatch(stars + "b", many, false));
  CHECK(!GlobMatch("*" + half + "b", many, false));
  CHECK(!GlobMatch("*[" + std::string(100'000, 'x') + "]", many, false));
  CHECK(!GlobMatch("*?" + std::string(1000, '?') + "b", many, true));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
}

TEST_CASE("Glob: the budget leaves room for sensible patterns on long texts") {
  std::string text(5'000'000, 'a');
  text.append("needle").append(100, 'z');
  CHECK(GlobMatch("*needle*", text, false));
  CHECK(GlobMatch("*NEEDLE*", text, true));
  CHECK(GlobMatch("a*needlez*", text, false));
  CHECK(!GlobMatch("*needles*", text, false));
}

}  // namespace
}  // namespace spinel
