#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

class ScanFixture : public CommandFixture {
 protected:
  // One call: appends the keys to `keys`, returns the next cursor.
  std::string Step(const std::string& cursor, const std::vector<std::string>& options,
                   std::vector<std::string>* keys) {
    std::vector<std::string> command = {"SCAN", cursor};
    command.insert(command.end(), options.begin(), options.end());
    const RespValue reply = RunArgs(command);
    REQUIRE(reply.type == RespValue::Type::kArray);
    REQUIRE(reply.elements.size() == 2);
    REQUIRE(reply.elements[0].type == RespValue::Type::kBulk);
    for (const RespValue& key : reply.elements[1].elements) keys->push_back(key.text);
    return reply.elements[0].text;
  }

  // All keys of a whole walk, sorted.
  std::vector<std::string> Walk(const std::vector<std::string>& options = {}) {
    std::vector<std::string> keys;
    std::string cursor = "0";
    do {
      cursor = Step(cursor, options, &keys);
    } while (cursor != "0");
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  void Fill(int begin, int end) {
    for (int i = begin; i < end; ++i) Run("SET", "key:" + std::to_string(i), i);
  }

  std::vector<std::string> SortedKeys(std::string_view pattern) {
    std::vector<std::string> keys;
    for (const RespValue& key : Run("KEYS", pattern).elements) keys.push_back(key.text);
    std::sort(keys.begin(), keys.end());
    return keys;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(ScanFixture, "SCAN: every key exactly once, whatever COUNT") {
  BothProtocols([this] {
    CHECK(Run("SCAN", "0") == Array({Bulk("0"), Array({})}));
    Fill(0, 1000);
    for (const std::string count : {"1", "5", "10", "1000", "9223372036854775807"}) {
      const Names keys = Walk({"COUNT", count});
      CHECK(keys.size() == 1000);
      CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
    }
    CHECK(Walk().size() == 1000);
    client().session().set_db(5);
    CHECK(Walk().empty());
  });
}

TEST_CASE_METHOD(ScanFixture, "SCAN: a few keys take one call") {
  BothProtocols([this] {
    for (const int database : {0, 3}) {
      client().session().set_db(database);
      Fill(0, 5);
      std::vector<std::string> keys;
      CHECK(Step("0", {}, &keys) == "0");
      CHECK(keys.size() == 5);
    }
  });
}

TEST_CASE_METHOD(ScanFixture, "SCAN: MATCH and TYPE") {
  Fill(0, 100);
  Run("SET", "", "empty");
  CHECK(Walk({"MATCH", "key:1?"}).size() == 10);
  CHECK(Walk({"MATCH", "key:7"}) == Names{"key:7"});
  CHECK(Walk({"MATCH", "*"}).size() == 101);
  CHECK(Walk({"match", "*", "type", "STRING", "count", "20"}).size() == 101);
  CHECK(Walk({"TYPE", "list"}).empty());
  CHECK(Walk({"TYPE", "string", "MATCH", "*9"}).size() == 10);
}

TEST_CASE_METHOD(ScanFixture, "SCAN: refusals") {
  BothProtocols([this] {
    const RespValue cursor = Error("ERR invalid cursor");
    for (const std::string bad : {"", "x", "1x", " 1", "-1", "18446744073709551616", "1.0"}) {
      CHECK(Run("SCAN", bad) == cursor);
    }
    CHECK(Run("SCAN", "x", "COUNT", "0") == cursor);
    CHECK(Run("SCAN", "0", "COUNT", "0") == SyntaxError());
    CHECK(Run("SCAN", "0", "COUNT", "-5") == SyntaxError());
    CHECK(Run("SCAN", "0", "COUNT", "x") == Error("ERR value is not an integer or out of range"));
    CHECK(Run("SCAN", "0", "COUNT") == SyntaxError());
    CHECK(Run("SCAN", "0", "MATCH") == SyntaxError());
    CHECK(Run("SCAN", "0", "FOO", "1") == SyntaxError());
    CHECK(Run("SCAN", "0", "TYPE", "text") == Error("ERR unknown type name 'text'"));
    CHECK(Run("SCAN", "0", "NOVALUES") == Error("ERR NOVALUES option can only be used in HSCAN"));
    CHECK(Run("SCAN") == WrongArity("scan"));
    // A cursor that no call has answered is no error.
    CHECK(Run("SCAN", "18446744073709551615").type == RespValue::Type::kArray);
  });
}

TEST_CASE_METHOD(ScanFixture, "SCAN: expired keys are not shown, and removed") {
  Fill(0, 500);
  for (int i = 0; i < 200; ++i) Run("PEXPIRE", "key:" + std::to_string(i), "10");
  AdvanceWithoutTick(11);
  CHECK(Run("DBSIZE") == Int(500));
  CHECK(Walk({"TYPE", "list"}).empty());
  CHECK(Run("DBSIZE") == Int(500));
  CHECK(Walk().size() == 300);
  CHECK(Run("DBSIZE") == Int(300));
  CHECK(state().stats.store.expired_keys.Get() == 200);
}

TEST_CASE_METHOD(ScanFixture, "SCAN: keys that stay are seen while 1,000 become 100,000") {
  Fill(0, 1000);
  std::vector<std::string> seen;
  std::string cursor = "0";
  int next = 1000;
  do {
    cursor = Step(cursor, {"COUNT", "10"}, &seen);
    const int target = std::min(100'000, next + 1000);
    Fill(next, target);
    next = target;
  } while (cursor != "0");
  Fill(next, 100'000);
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  for (int i = 0; i < 1000; ++i) {
    CHECK(std::binary_search(seen.begin(), seen.end(), "key:" + std::to_string(i)));
  }
}

TEST_CASE_METHOD(ScanFixture,
                 "SCAN: keys that stay are seen once while the table grows and shrinks") {
  std::mt19937 random(20240607);
  // One stripe's table has to change its level under the scan, so there must be many keys.
  for (int round = 0; round < 4; ++round) {
    Restart();
    Fill(0, 30'000);
    const bool shrink_first = round % 2 == 0;
    std::vector<std::string> seen;
    std::string cursor = "0";
    int step = 0;
    do {
      cursor = Step(cursor, {"COUNT", "300"}, &seen);
      if (step++ == (shrink_first ? 20 : 40)) {
        // Nearly all go; every hundredth stays.
        for (int i = 0; i < 30'000; ++i) {
          if (i % 100 != 0) Run("DEL", "key:" + std::to_string(i));
        }
      } else if (step == (shrink_first ? 60 : 20)) {
        for (int i = 0; i < 20'000; ++i) {
          Run("SET", "late:" + std::to_string(random() % 100'000), "x");
        }
      }
    } while (cursor != "0");
    std::map<std::string, int> times;
    for (const std::string& key : seen) ++times[key];
    for (int i = 0; i < 30'000; i += 100) CHECK(times["key:" + std::to_string(i)] == 1);
  }
}

TEST_CASE_METHOD(ScanFixture, "KEYS: patterns, names without wildcards, the empty name") {
  BothProtocols([this] {
    CHECK(Run("KEYS", "*") == Array({}));
    for (const std::string key : {"one", "two", "three", "a*c", "", "a[c"}) Run("SET", key, "v");
    CHECK(SortedKeys("*") == Names{"", "a*c", "a[c", "one", "three", "two"});
    CHECK(SortedKeys("t*") == Names{"three", "two"});
    CHECK(SortedKeys("t[wx]o") == Names{"two"});
    CHECK(SortedKeys("???") == Names{"a*c", "a[c", "one", "two"});
    CHECK(SortedKeys("one") == Names{"one"});
    CHECK(SortedKeys("a\\*c") == Names{"a*c"});
    CHECK(SortedKeys("") == Names{""});
    CHECK(SortedKeys("none").empty());
    CHECK(Run("KEYS") == WrongArity("keys"));
  });
}

TEST_CASE_METHOD(ScanFixture, "KEYS: many keys, expired ones left out") {
  Fill(0, 5000);
  CHECK(SortedKeys("*").size() == 5000);
  CHECK(SortedKeys("key:*9").size() == 500);
  Run("PEXPIRE", "key:9", "10");
  AdvanceWithoutTick(11);
  CHECK(SortedKeys("key:*9").size() == 499);
  CHECK(SortedKeys("key:9").empty());
}

TEST_CASE_METHOD(ScanFixture, "RANDOMKEY: any key, never an expired one") {
  BothProtocols([this] {
    CHECK(Run("RANDOMKEY") == Nil());
    Run("SET", "a", "1");
    Run("SET", "b", "1");
    std::map<std::string, int> times;
    for (int i = 0; i < 200; ++i) ++times[Run("RANDOMKEY").text];
    CHECK(times.size() == 2);
    Run("PEXPIRE", "a", "10");
    AdvanceWithoutTick(11);
    for (int i = 0; i < 50; ++i) CHECK(Run("RANDOMKEY") == Bulk("b"));
    Run("PEXPIRE", "b", "10");
    AdvanceWithoutTick(11);
    CHECK(Run("RANDOMKEY") == Nil());
  });
}

}  // namespace spinel
