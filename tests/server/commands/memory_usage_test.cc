// MEMORY USAGE against what the allocator has really given out for keys of every form.

#include <catch2/catch.hpp>
#include <functional>

#include "server/host_resources.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

#if defined(SPINEL_JEMALLOC)

using Args = std::vector<std::string>;

// One way to make a key. The command's second argument is the key's name.
struct Form {
  std::string name;
  int keys;
  std::function<std::vector<Args>(const std::string& key)> commands;
};

// So many keys fill one segment of each stripe's table, whatever is there already: then the tables
// grow by what the keys need in the long run.
constexpr int kManyKeys = 1024 * 16 * 63 / 10;

// `command key` with what `element(i)` answers for 0 <= i < count, in commands of at most 1000.
std::vector<Args> Elements(const std::string& command, const std::string& key, int count,
                           const std::function<Args(int)>& element) {
  constexpr int kPerCommand = 1000;
  std::vector<Args> commands;
  for (int i = 0; i < count; ++i) {
    if (i % kPerCommand == 0) commands.push_back({command, key});
    const Args args = element(i);
    commands.back().insert(commands.back().end(), args.begin(), args.end());
  }
  return commands;
}

// Text of `size` bytes that is another one for each `i`.
std::string Text(int i, size_t size) {
  std::string text = fmt::format("{:08}", i * 7919 % 100'000'000);
  text.resize(size, 'x');
  return text;
}

std::vector<Args> With(std::vector<Args> commands, Args last) {
  commands.push_back(std::move(last));
  return commands;
}

Form StringOf(size_t size, int keys) {
  return {fmt::format("a string of {} bytes", size), keys, [size](const std::string& key) {
            return std::vector<Args>{{"SET", key, std::string(size, 'x')}};
          }};
}

Form HashOf(int fields, size_t size, int keys) {
  return {fmt::format("a hash of {} fields of {} bytes", fields, size), keys,
          [=](const std::string& key) {
            return Elements("HSET", key, fields, [=](int i) {
              return Args{Text(i, 10), Text(i, size)};
            });
          }};
}

Form SetOf(int members, size_t size, int keys) {
  return {fmt::format("a set of {} members of {} bytes", members, size), keys,
          [=](const std::string& key) {
            return Elements("SADD", key, members, [=](int i) { return Args{Text(i, size)}; });
          }};
}

Form IntegerSetOf(int members, int64_t step, int keys) {
  return {fmt::format("a set of {} integers in steps of {}", members, step), keys,
          [=](const std::string& key) {
            return Elements("SADD", key, members,
                            [=](int i) { return Args{std::to_string(i * step)}; });
          }};
}

Form ListOf(int elements, size_t size, int keys) {
  return {fmt::format("a list of {} elements of {} bytes", elements, size), keys,
          [=](const std::string& key) {
            return Elements("RPUSH", key, elements, [=](int i) { return Args{Text(i, size)}; });
          }};
}

Form SortedSetOf(int members, size_t size, int keys) {
  return {fmt::format("a sorted set of {} members of {} bytes", members, size), keys,
          [=](const std::string& key) {
            return Elements("ZADD", key, members, [=](int i) {
              return Args{std::to_string(i * 7919 % 100'003), Text(i, size)};
            });
          }};
}

class UsageFixture : public CommandFixture {
 protected:
  UsageFixture() { FillTables(); }

  // Makes the keys and compares.
  void Compare(const Form& form) {
    // The first keys also pay for what the allocator and the server set up once.
    constexpr int kFirst = 3;
    for (int i = form.keys; i < form.keys + kFirst; ++i) Make(form, Key(i));
    const uint64_t before = ReadProcessMemory().allocated;
    for (int i = 0; i < form.keys; ++i) Make(form, Key(i));
    const uint64_t after = ReadProcessMemory().allocated;
    const double truth = static_cast<double>(static_cast<int64_t>(after - before)) / form.keys;
    double sum = 0;
    const int step = std::max(1, form.keys / 1000);
    int samples = 0;
    for (int i = 0; i < form.keys; i += step, ++samples) {
      sum += static_cast<double>(Run("MEMORY", "USAGE", Key(i)).integer);
    }
    const double told = sum / samples;
    INFO(form.name << ", " << Run("OBJECT", "ENCODING", Key(0)).text << ": told " << told
                   << ", in truth " << truth << " bytes");
    CHECK(told > 0.9 * truth);
    CHECK(told < 1.1 * truth);
    if (form.keys == kManyKeys) {
      // Tables that have been big would have room for the keys of the next form.
      Restart();
      return FillTables();
    }
    for (int i = 0; i < form.keys + kFirst; ++i) Run("DEL", Key(i));
    server().store().reclaimer().Drain();
  }

 private:
  // All stripes have a table, and one that is half full on the average.
  void FillTables() {
    for (int i = 0; i < kManyKeys / 2; ++i) Run("SET", fmt::format("other:{}", i), "v");
  }
  static std::string Key(int i) { return fmt::format("key:{:08}", i); }
  void Make(const Form& form, const std::string& key) {
    for (const Args& command : form.commands(key)) {
      const RespValue reply = RunArgs(command);
      if (reply.type == RespValue::Type::kError) FAIL(form.name << ": " << reply.text);
    }
  }
};

TEST_CASE_METHOD(UsageFixture, "MEMORY USAGE is what keys take: strings") {
  for (const Form& form : {
           StringOf(10, kManyKeys),
           StringOf(1000, 10'000),
           StringOf(5000, 4000),
           StringOf(16'000, 1000),
           StringOf(16'384, 1000),
           StringOf(40'000, 500),
           StringOf(300'000, 100),
           StringOf(2'100'000, 20),
       }) {
    Compare(form);
  }
  Compare({"an integer", kManyKeys, [](const std::string& key) {
             return std::vector<Args>{{"SET", key, "1234567890123"}};
           }});
  Compare({"a long key", 10'000, [](const std::string& key) {
             return std::vector<Args>{{"SET", key + std::string(600, 'k'), "v"},
                                      {"RENAME", key + std::string(600, 'k'), key},
                                      {"SET", key, std::string(300, 'v')}};
           }});
  Compare({"a string with an expiry", kManyKeys, [](const std::string& key) {
             const std::string seconds = std::to_string(3000 + std::hash<std::string>()(key) % 500);
             return std::vector<Args>{{"SET", key, "0123456789", "EX", seconds}};
           }});
  Compare({"a string that was appended to", 2000, [](const std::string& key) {
             return std::vector<Args>(30, {"APPEND", key, std::string(1000, 'x')});
           }});
  Compare({"a string of counted bits", 100, [](const std::string& key) {
             return std::vector<Args>{{"SETBIT", key, "1000000", "1"}};
           }});
  Compare({"a sparse HyperLogLog", kManyKeys, [](const std::string& key) {
             return std::vector<Args>{{"PFADD", key, "a", "b", "c"}};
           }});
  Compare({"a dense HyperLogLog", 1000, [](const std::string& key) {
             return Elements("PFADD", key, 3000, [](int i) { return Args{std::to_string(i)}; });
           }});
}

TEST_CASE_METHOD(UsageFixture, "MEMORY USAGE is what keys take: hashes") {
  for (const Form& form : {
           HashOf(10, 20, 20'000),
           HashOf(100, 20, 2000),
           HashOf(129, 20, 1000),
           HashOf(200, 20, 500),
           HashOf(5, 500, 2000),
           HashOf(5000, 30, 30),
           HashOf(100'000, 10, 2),
           HashOf(20, 20'000, 20),
       }) {
    Compare(form);
  }
  const auto expiring = [](int fields, int expire, int keys) {
    return Form{fmt::format("a hash of {} fields of which {} expire", fields, expire), keys,
                [=](const std::string& key) {
                  std::vector<Args> commands = HashOf(fields, 20, 1).commands(key);
                  for (int i = 0; i < expire; ++i) {
                    commands.push_back({"HEXPIRE", key, std::to_string(1000 + i * 7919 % 50'000),
                                        "FIELDS", "1", Text(i, 10)});
                  }
                  return commands;
                }};
  };
  Compare(expiring(5, 1, 2000));
  Compare(expiring(20, 20, 2000));
  Compare(expiring(2000, 1000, 20));
  Compare(expiring(2000, 2000, 20));
  Compare({"a hash that lost most of its fields", 20, [](const std::string& key) {
             std::vector<Args> commands = HashOf(5000, 30, 1).commands(key);
             for (const Args& part :
                  Elements("HDEL", key, 4500, [](int i) { return Args{Text(i, 10)}; })) {
               commands.push_back(part);
             }
             return commands;
           }});
}

TEST_CASE_METHOD(UsageFixture, "MEMORY USAGE is what keys take: sets") {
  for (const Form& form : {
           SetOf(20, 20, 10'000),
           SetOf(129, 20, 1000),
           SetOf(1000, 12, 100),
           SetOf(5000, 100, 20),
           SetOf(100'000, 10, 2),
           IntegerSetOf(10, 1, kManyKeys),
           IntegerSetOf(100, 1'000'000'000'000, 5000),
           IntegerSetOf(500, 1000, 2000),
           IntegerSetOf(2000, 1000, 100),
       }) {
    Compare(form);
  }
}

TEST_CASE_METHOD(UsageFixture, "MEMORY USAGE is what keys take: lists") {
  for (const Form& form : {
           ListOf(20, 20, 10'000),
           ListOf(300, 20, 1000),
           ListOf(1000, 20, 500),
           ListOf(100'000, 10, 4),
           ListOf(50, 9000, 20),
           ListOf(10, 100'000, 10),
       }) {
    Compare(form);
  }
  Compare({"a list pushed to at both ends", 200, [](const std::string& key) {
             std::vector<Args> commands;
             for (int i = 0; i < 1000; ++i) {
               commands.push_back({i % 2 == 0 ? "LPUSH" : "RPUSH", key, Text(i, 40)});
             }
             return With(commands, {"LTRIM", key, "10", "-200"});
           }});
}

TEST_CASE_METHOD(UsageFixture, "MEMORY USAGE is what keys take: sorted sets") {
  for (const Form& form : {
           SortedSetOf(20, 20, 10'000),
           SortedSetOf(129, 20, 1000),
           SortedSetOf(1000, 12, 100),
           SortedSetOf(5000, 100, 20),
           SortedSetOf(100'000, 10, 2),
       }) {
    Compare(form);
  }
  Compare({"positions", 100, [](const std::string& key) {
             return Elements("GEOADD", key, 1000, [](int i) {
               return Args{fmt::format("{}.5", i % 180), fmt::format("{}.5", i % 80), Text(i, 12)};
             });
           }});
  Compare({"a sorted set with an expiry", 10'000, [](const std::string& key) {
             return With(SortedSetOf(10, 20, 1).commands(key), {"EXPIRE", key, "1000"});
           }});
}

#endif

}  // namespace
}  // namespace spinel
