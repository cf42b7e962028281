// A file that is cut anywhere, or has any byte changed, is an error with a reason or a valid set of
// values, never a crash. Run with AddressSanitizer this also means: no byte is read that is not
// there.
#include <catch2/catch.hpp>
#include <string>

#include "tests/persistence/rdb_support.h"

namespace spinel {
namespace {

using namespace rdb_test;  // NOLINT(google-build-using-namespace)

// Small, but with every form.
std::vector<EntryPtr> SmallSamples() {
  std::vector<EntryPtr> samples;
  samples.push_back(MakeString("i", "-123456"));
  samples.push_back(MakeString("t", "text", 1893456000123));
  samples.push_back(MakeString("r", std::string(60, 'a')));
  samples.push_back(MakeList("l", {"a", "", "12", "-5000", "8388608", std::string(70, 'x')}));
  samples.push_back(MakeSet("i", {"1", "-2", "300"}));
  samples.push_back(MakeSet("p", {"1", "two"}));
  samples.push_back(MakeSet("b", {std::string(70, 'm'), "n"}));
  samples.push_back(MakeHash("h", {{"f", "v"}, {"n", "77"}}));
  samples.push_back(MakeHash("B", {{"f", std::string(70, 'v')}, {"n", "77"}}));
  samples.push_back(MakeHash("e", {{"stays", "1"}, {"goes", "2", 1893456000000}}));
  samples.push_back(MakeZset("z", {{-1.5, "a"}, {0, "b"}, {3, "c"}}));
  samples.push_back(MakeZset("Z", {{-1.5, std::string(70, 'm')}, {0, "b"}}));
  return samples;
}

// Old forms, which we do not write.
std::string OldForms() {
  const std::string ziplist = Hex("10 10 00 00 00 0d 00 00 00 02 00 00 01 'a' 03 f6 ff");
  return FileWith(Hex("09 01 'a' 09 01 01 'f' 03 00 'bar' ff") + Hex("0a 01 'b'") + ziplist +
                  Hex("0c 01 'c'") + ziplist + Hex("0d 01 'd'") + ziplist + Hex("0e 01 'e' 01") +
                  ziplist + Hex("03 01 'f' 01 01 'a' 03 '1.5'") +
                  Hex("00 01 'g' c3 05 0a 00 'a' e0 00 00") +
                  Hex("f7 01 02 02 05 03 'str' 00 f4 01 02 03 fa 01 'n' 01 'v'"));
}

void CutAndFlip(const std::string& file) {
  REQUIRE(Load(file).error.empty());
  for (size_t size = 0; size < file.size(); ++size) {
    const Loaded loaded = Load(std::string_view(file).substr(0, size));
    if (loaded.error.empty()) FAIL("cut at " << size);
    if (loaded.error.find("offset ") == std::string::npos) FAIL(loaded.error);
  }
  for (size_t i = 0; i < file.size(); ++i) {
    for (int flip = 1; flip < 256; flip = flip < 16 ? flip + 1 : flip + 23) {
      std::string damaged = file;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      const Loaded loaded = Load(damaged);
      if (!loaded.error.empty() && loaded.error.find("offset ") == std::string::npos) {
        FAIL("byte " << i << ": " << loaded.error);
      }
    }
  }
}

}  // namespace

TEST_CASE("RDB: damage without a checksum that would tell") {
  RdbWriteOptions options;
  options.version = kRdbVersionValkey;
  options.compress = GENERATE(false, true);
  std::string file = FileOf(SmallSamples(), options);
  file.replace(file.size() - 8, 8, 8, '\0');
  CutAndFlip(file);
}

TEST_CASE("RDB: damage in old forms") { CutAndFlip(OldForms()); }

TEST_CASE("RDB: with a checksum no damage is missed") {
  RdbWriteOptions options;
  options.version = kRdbVersionValkey;
  const std::string file = FileOf(SmallSamples(), options);
  for (size_t i = 0; i < file.size(); ++i) {
    for (const int flip : {1, 0x40, 0xff}) {
      std::string damaged = file;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      if (Load(damaged).error.empty()) FAIL("byte " << i << " ^ " << flip);
    }
  }
}

}  // namespace spinel
