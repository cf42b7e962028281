#include "storage/equal_bytes.h"

#include <catch2/catch.hpp>
#include <string>

namespace spinel {
namespace {

TEST_CASE("EqualBytes: every length, and a difference at every place") {
  for (size_t size = 0; size <= 70; ++size) {
    std::string a(size, 'x');
    for (size_t i = 0; i < size; ++i) a[i] = static_cast<char>('a' + i % 26);
    std::string b = a;
    REQUIRE(EqualBytes(a, b));
    REQUIRE_FALSE(EqualBytes(a, b + "x"));
    for (size_t i = 0; i < size; ++i) {
      b[i] = '!';
      REQUIRE_FALSE(EqualBytes(a, b));
      b[i] = a[i];
    }
  }
}

}  // namespace
}  // namespace spinel
