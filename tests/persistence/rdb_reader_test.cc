#include <catch2/catch.hpp>
#include <string>

#include "tests/persistence/rdb_support.h"

namespace spinel {
namespace {

using namespace rdb_test;  // NOLINT(google-build-using-namespace)

// The one key of such a file, or the error.
std::string One(std::string_view body, std::string_view version = "REDIS0010") {
  const Loaded loaded = Load(FileWith(body, version));
  if (!loaded.error.empty()) return loaded.error;
  return loaded.keys.size() == 1 ? loaded.keys[0] : std::to_string(loaded.keys.size()) + " keys";
}

bool Contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("RDB reader: strings") {
  CHECK(One(Hex("00 01 'k' 05 'hello'")) == "0: string k: hello");
  CHECK(One(Hex("00 01 'k' 40 05 'hello'")) == "0: string k: hello");  // lengths of other forms
  CHECK(One(Hex("00 01 'k' 80 00 00 00 05 'hello'")) == "0: string k: hello");
  CHECK(One(Hex("00 01 'k' 81 00 00 00 00 00 00 00 05 'hello'")) == "0: string k: hello");
  CHECK(One(Hex("00 01 'k' c0 80")) == "0: string k: -128");
  CHECK(One(Hex("00 01 'k' c1 ff 7f")) == "0: string k: 32767");
  CHECK(One(Hex("00 01 'k' c2 00 00 00 80")) == "0: string k: -2147483648");
  CHECK(One(Hex("00 c0 07 01 'v'")) == "0: string 7: v");
  // LZF: a literal of one byte, then nine more from one byte back.
  CHECK(One(Hex("00 01 'k' c3 05 0a 00 'a' e0 00 00")) == "0: string k: aaaaaaaaaa");
}

TEST_CASE("RDB reader: collections element by element") {
  CHECK(One(Hex("01 01 'k' 02 01 'a' c0 05")) == "0: list k: a 5");
  CHECK(One(Hex("02 01 'k' 02 01 'b' 01 'a'")) == "0: set k: a b");
  CHECK(One(Hex("03 01 'k' 04 01 'a' 03 '1.5' 01 'b' fe 01 'c' ff 01 'd' 02 '-3'")) ==
        "0: zset k: c=-inf d=-3 a=1.5 b=inf");
  CHECK(One(Hex("05 01 'k' 02 01 'a' 00 00 00 00 00 00 f8 3f 01 'b' 00 00 00 00 00 00 f0 bf")) ==
        "0: zset k: b=-1 a=1.5");
  CHECK(One(Hex("04 01 'k' 01 01 'f' 01 'v'")) == "0: hash k: f=v");
}

TEST_CASE("RDB reader: old packed forms") {
  CHECK(One(Hex("09 01 'k' 09 01 01 'f' 03 00 'bar' ff")) == "0: hash k: f=bar");
  const std::string ziplist = Hex("10 10 00 00 00 0d 00 00 00 02 00 00 01 'a' 03 f6 ff");
  CHECK(One(Hex("0a 01 'k'") + ziplist) == "0: list k: a 5");
  CHECK(One(Hex("0c 01 'k'") + ziplist) == "0: zset k: a=5");
  CHECK(One(Hex("0d 01 'k'") + ziplist) == "0: hash k: a=5");
  CHECK(One(Hex("0e 01 'k' 02") + ziplist + ziplist) == "0: list k: a 5 a 5");
  CHECK(One(Hex("0b 01 'k' 0c 02 00 00 00 02 00 00 00 06 00 07 00")) == "0: set k: 6 7");
}

TEST_CASE("RDB reader: listpacks") {
  const std::string listpack = Hex("0c 0c 00 00 00 02 00 81 'a' 02 05 01 ff");
  CHECK(One(Hex("10 01 'k'") + listpack) == "0: hash k: a=5");
  CHECK(One(Hex("11 01 'k'") + listpack) == "0: zset k: a=5");
  CHECK(One(Hex("12 01 'k' 02 02") + listpack + Hex("01 03 'abc'")) == "0: list k: a 5 abc");
  CHECK(One(Hex("14 01 'k'") + listpack) == "0: set k: 5 a");
  // Scores as text, members out of order.
  CHECK(One(Hex("11 01 'k' 17 17 00 00 00 04 00 81 'b' 02 84 '1e10' 05 81 'a' 02 82 '.5' 03 ff")) ==
        "0: zset k: a=0.5 b=10000000000");
}

TEST_CASE("RDB reader: hashes with expiring fields") {
  CHECK(One(Hex("16 01 'k' 02 01 'a' 01 '1' 02 03 00 00 00 00 00 00 "
                "01 'b' 01 '2' ff ff ff ff ff ff ff ff"),
            "VALKEY080") == "0: hash k: a=1@770 b=2");
  // Redis 7.4: counted from the earliest, beginning with 1; or as they are.
  CHECK(One(Hex("18 01 'k' 64 00 00 00 00 00 00 00 03 01 01 'a' 01 '1' 00 01 'b' 01 '2' "
                "0b 01 'c' 01 '3'"),
            "REDIS0012") == "0: hash k: a=1@100 b=2 c=3@110");
  CHECK(One(Hex("16 01 'k' 02 40 64 01 'a' 01 '1' 00 01 'b' 01 '2'"), "REDIS0012") ==
        "0: hash k: a=1@100 b=2");
  const std::string listpack =
      Hex("15 15 00 00 00 06 00 81 'a' 02 01 01 64 01 81 'b' 02 02 01 00 01 ff");
  CHECK(One(Hex("19 01 'k' 64 00 00 00 00 00 00 00") + listpack, "REDIS0012") ==
        "0: hash k: a=1@100 b=2");
  CHECK(One(Hex("17 01 'k'") + listpack, "REDIS0012") == "0: hash k: a=1@100 b=2");
  // The same numbers are nothing in other versions.
  CHECK(Contains(One(Hex("18 01 'k'")), "expected a type of RDB version 10, not 24"));
  CHECK(Contains(One(Hex("18 01 'k'"), "VALKEY080"), "expected a type of RDB version 80, not 24"));
}

TEST_CASE("RDB reader: fields that are over are left out") {
  const std::string value =
      Hex("16 02 01 'a' 01 '1' 02 03 00 00 00 00 00 00 "
          "01 'b' 01 '2' ff ff ff ff ff ff ff ff");
  CHECK(Restored(value, 80, 700) == "hash k: a=1@770 b=2");
  CHECK(Restored(value, 80, 771) == "hash k: b=2");
  CHECK(Restored(Hex("16 01 01 'a' 01 '1' 02 03 00 00 00 00 00 00"), 80, 771) == "nothing");
}

TEST_CASE("RDB reader: what stands around keys") {
  const Loaded loaded = Load(FileWith(
      Hex("fa 03 'ver' c0 07 fe 02 fb 04 01 f8 24 fc e8 03 00 00 00 00 00 00 00 01 'a' 01 '1' "
          "f9 ff fd 02 00 00 00 00 01 'b' 01 '2' f4 01 02 03 00 01 'c' 01 '3' fe 0f "
          "00 01 'd' 01 '4' f5 04 'code'")));
  CHECK(loaded.error.empty());
  CHECK(loaded.others == Strings{"ver=7", "2: 4 keys, 1 expiring", "function code"});
  CHECK(loaded.keys == Strings{"2: string a @1000: 1 idle 36", "2: string b @2000: 2 freq 255",
                               "2: string c: 3", "15: string d: 4"});
  CHECK(loaded.counts.keys == 4);
  CHECK(Contains(Load(FileWith(Hex("fe 10"))).error, "database 16, but there are 16"));
  CHECK(One(Hex("f3 03 'job' 01 01 02 00 01 'k' 01 'v'"), "VALKEY080") == "0: string k: v");
}

TEST_CASE("RDB reader: keys that are over, or empty, are left out and counted") {
  RdbReadOptions options;
  options.now_ms = 1001;
  const std::string file =
      FileWith(Hex("fc e8 03 00 00 00 00 00 00 00 01 'a' 01 '1' 02 01 'b' 00 00 01 'c' 01 '3'"));
  const Loaded loaded = Load(file, options);
  CHECK(loaded.error.empty());
  CHECK(loaded.keys == Strings{"0: string c: 3"});
  CHECK(loaded.counts.expired_keys == 1);
  CHECK(loaded.counts.empty_keys == 1);
  CHECK(Load(file).keys.size() == 2);
}

TEST_CASE("RDB reader: modules' data is skipped and reported, their values are refused by name") {
  // "ReJSON-RL" in 6 bits a character, and version 3.
  uint64_t id = 0;
  constexpr std::string_view kCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const char c : std::string_view("ReJSON-RL")) id = id << 6 | kCharacters.find(c);
  id = id << 10 | 3;
  std::string length = "\x81";
  for (int shift = 56; shift >= 0; shift -= 8) length += static_cast<char>(id >> shift);
  const Loaded loaded = Load(
      FileWith(Hex("f7") + length +
               Hex("02 02 01 05 02 40 ff 03 00 00 00 00 04 00 00 00 00 00 00 00 00 05 03 'str' 00 "
                   "00 01 'k' 01 'v'")));
  CHECK(loaded.error.empty());
  CHECK(loaded.others == Strings{"skipped offset 9: data of the module type ReJSON-RL"});
  CHECK(loaded.keys.size() == 1);
  const std::string refused = One(Hex("07 01 'k'") + length + Hex("00"));
  CHECK(refused ==
        "key 'k' (a module value) at offset 9: offset 12: a value of the module type ReJSON-RL, "
        "which this server has not");
}

TEST_CASE("RDB reader: what is refused, and how that is said") {
  CHECK(One(Hex("0f 01 'k' 00")) ==
        "key 'k' (a stream) at offset 9: offset 12: a stream, which this server cannot hold");
  CHECK(Contains(One(Hex("06 01 'k' 00")), "a module value"));
  CHECK(Contains(One(Hex("f6")), "release candidates"));
  CHECK(Contains(One(Hex("1a 01 'k'")), "expected a type of RDB version 10, not 26"));
  CHECK(Contains(One("", "REDIS0013"), "RDB version 13 of Redis"));
  CHECK(Contains(One("", "VALKEY081"), "RDB version 81 of Valkey"));
  CHECK(Contains(One("", "REDIS0080"), "RDB version 80 of Redis"));
  CHECK(Contains(One("", "VALKEY010"), "RDB version 10 of Valkey"));
  CHECK(Contains(One("", "REDIS0000"), "offset 0: expected an RDB file"));
  CHECK(Contains(One("", "REDISxxxx"), "offset 0: expected an RDB file"));
  CHECK(Contains(Load("").error, "offset 0: expected an RDB file"));
  CHECK(Contains(Load("*1\r\n$4\r\nPING\r\n").error, "offset 0: expected an RDB file"));
}

TEST_CASE("RDB reader: lengths that the file cannot hold") {
  CHECK(Contains(One(Hex("00 01 'k' 80 ff ff ff ff")), "a string that the 9 bytes left can hold"));
  CHECK(Contains(One(Hex("01 01 'k' 81 ff ff ff ff ff ff ff ff")), "a number of elements"));
  CHECK(Contains(One(Hex("05 01 'k' 80 00 00 00 10")), "a number of elements"));
  CHECK(Contains(One(Hex("00 01 'k' c3 04 80 ff ff ff ff 00 00 00 00")),
                 "a size that 4 compressed bytes can have"));
  CHECK(Contains(One(Hex("00 01 'k' c3 05 0b 00 'a' e0 00 00")), "a compressed string"));
  CHECK(Contains(One(Hex("00 01 'k' c4")), "expected a string"));
  CHECK(Contains(One(Hex("00 01 'k' 82 00 00 00 01")), "expected a length"));
}

TEST_CASE("RDB reader: collections that contradict themselves") {
  CHECK(Contains(One(Hex("02 01 'k' 02 01 'a' 01 'a'")), "all different"));
  CHECK(Contains(One(Hex("04 01 'k' 02 01 'a' 01 '1' 01 'a' 01 '2'")), "all different"));
  CHECK(Contains(One(Hex("05 01 'k' 02 01 'a' 00 00 00 00 00 00 f8 3f "
                         "01 'a' 00 00 00 00 00 00 f0 bf")),
                 "all different"));
  CHECK(Contains(One(Hex("05 01 'k' 01 01 'a' 00 00 00 00 00 00 f8 7f")),
                 "a score that is a number"));
  CHECK(Contains(One(Hex("03 01 'k' 01 01 'a' fd")), "a score that is a number"));
  CHECK(Contains(One(Hex("03 01 'k' 01 01 'a' 02 'xy'")), "expected a score"));
  const std::string odd = Hex("0a 0a 00 00 00 01 00 81 'a' 02 ff");
  CHECK(Contains(One(Hex("10 01 'k'") + odd), "a value for each field"));
  CHECK(Contains(One(Hex("11 01 'k'") + odd), "a score for each member"));
  CHECK(Contains(One(Hex("12 01 'k' 01 03") + odd), "plain (1) or packed (2)"));
  CHECK(Contains(One(Hex("10 01 'k' 0a 0a 00 00 00 02 00 81 'a' 02 ff")),
                 "offset 17: expected a listpack's number of elements"));
}

TEST_CASE("RDB reader: many members that repeat") {
  std::vector<std::string> bodies;
  for (const char* head : {"02 01 'k' 41 00", "04 01 'k' 40 80", "05 01 'k' 41 00"}) {
    std::string body = Hex(head);
    const bool hash = body[0] == 4;
    for (int i = 0; i < 256; ++i) {
      const int member = i == 255 ? 17 : i;
      if (hash && i >= 128) break;
      body += '\x03';
      body += static_cast<char>('m');
      body += static_cast<char>(member >> 4);
      body += static_cast<char>(hash && i == 127 ? 17 & 15 : member & 15);
      if (hash && i == 127) body[body.size() - 2] = 1;
      if (hash) body += Hex("01 'v'");
      if (body[0] == 5) body += Hex("00 00 00 00 00 00 f8 3f");
    }
    CHECK(Contains(One(body), "all different"));
  }
}

TEST_CASE("RDB reader: the checksum") {
  std::string file = FileOf(Samples(false));
  CHECK(Load(file).error.empty());
  file[file.size() - 1] = static_cast<char>(file[file.size() - 1] ^ 1);
  CHECK(Contains(Load(file).error, "the file is damaged"));
  CHECK(Load(Hex("'REDIS0004' 00 01 'k' 01 'v' ff")).keys.size() == 1);  // older than checksums
}

TEST_CASE("DUMP and RESTORE") {
  // What Redis' documentation shows.
  const std::string ten("\x00\xc0\n\t\x00\xbem\x06\x89Z(\x00\n", 13);
  const RestoreResult result = RestoreValue(ten, "k", 99, ValueLimits(), 0);
  REQUIRE(result.entry != nullptr);
  CHECK(Describe(*result.entry) == "string k @99: 10");
  CHECK(DumpValue(*MakeString("k", "10")) == PayloadOf(Hex("00 c0 0a")));

  const auto error = [](std::string_view payload) {
    return RestoreValue(payload, "k", Entry::kNoExpiry, ValueLimits(), 0).error;
  };
  std::string wrong = ten;
  wrong[1] = '\xc1';
  CHECK(error(wrong) == RestoreError::kVersionOrChecksum);
  CHECK(error("") == RestoreError::kVersionOrChecksum);
  CHECK(error(ten.substr(3)) == RestoreError::kVersionOrChecksum);
  CHECK(error(PayloadOf(Hex("00 c0 0a"), 13)) == RestoreError::kVersionOrChecksum);
  CHECK(error(PayloadOf(Hex("00 c0 0a 00"))) == RestoreError::kBadData);
  CHECK(error(PayloadOf(Hex("00 c1 0a"))) == RestoreError::kBadData);
  CHECK(error(PayloadOf(Hex("02 00"))) == RestoreError::kBadData);
  CHECK(error(PayloadOf(Hex("ff"))) == RestoreError::kBadData);
  CHECK(error(PayloadOf(Hex("0f 00"))) == RestoreError::kBadData);
}

}  // namespace spinel
