#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "catch2/catch.hpp"
#include "server/lua/memory.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

struct Block {
  char* data = nullptr;
  size_t size = 0;
  char fill = 0;
};

TEST_CASE("Blocks keep their bytes whatever size they become") {
  LuaMemory memory(1 << 30, nullptr);
  std::mt19937 dice(7);
  std::vector<Block> blocks(200);
  size_t expected = 0;
  for (int i = 0; i < 50'000; ++i) {
    Block& block = blocks[dice() % blocks.size()];
    const size_t size = dice() % 4 == 0 ? 0 : 1 + dice() % (dice() % 8 == 0 ? 5000 : 300);
    auto* moved = static_cast<char*>(LuaMemory::Allocate(&memory, block.data, block.size, size));
    REQUIRE((moved == nullptr) == (size == 0));
    const size_t kept = std::min(size, block.size);
    REQUIRE(std::all_of(moved, moved + kept, [&](char c) { return c == block.fill; }));
    expected += size - block.size;
    block = {moved, size, static_cast<char>(i)};
    if (size != 0) std::memset(moved, block.fill, size);
    REQUIRE(memory.used() == expected);
    REQUIRE(memory.held() >= memory.used());
  }
  for (const Block& block : blocks) LuaMemory::Allocate(&memory, block.data, block.size, 0);
  CHECK(memory.used() == 0);
  CHECK(memory.held() < 600 * 1024);
}

TEST_CASE("A state can't hold more than its limit, and can always hold less") {
  LuaMemory memory(1000, nullptr);
  void* const block = LuaMemory::Allocate(&memory, nullptr, 0, 900);
  CHECK(LuaMemory::Allocate(&memory, nullptr, 0, 101) == nullptr);
  CHECK(LuaMemory::Allocate(&memory, block, 900, 1001) == nullptr);
  void* const smaller = LuaMemory::Allocate(&memory, block, 900, 100);
  REQUIRE(smaller != nullptr);
  CHECK(memory.used() == 100);
  CHECK(LuaMemory::Allocate(&memory, smaller, 100, 0) == nullptr);
}

TEST_CASE_METHOD(CommandFixture, "The garbage of short scripts stays small") {
  const int64_t before = Run("EVAL", "return collectgarbage('count')", "0").integer;
  int64_t most = 0;
  for (int i = 0; i < 5'000; ++i) {
    const int64_t held =
        Run("EVAL", "local t = {KEYS[1], ARGV[1]} return collectgarbage('count')", "1", "k", "v")
            .integer;
    most = std::max(most, held);
  }
  CHECK(most < before + 2048);
}

TEST_CASE_METHOD(CommandFixture, "A script that holds much may leave more garbage than the limit") {
  // 20 MB stay, 300 MB come and go.
  CHECK(Run("EVAL",
            "local kept = {} for i = 1, 2000 do kept[i] = string.rep('x', 10000) .. i end "
            "local bytes = 0 "
            "for i = 1, 30000 do bytes = bytes + #(string.rep('y', 10000) .. i) end "
            "return #kept",
            "0") == Int(2000));
}

}  // namespace
}  // namespace spinel
