#include "server/json.h"

#include <catch2/catch.hpp>
#include <limits>

#include "server/base64.h"

namespace spinel {
namespace {

TEST_CASE("JSON: commas, nesting and numbers", "[json]") {
  JsonWriter json;
  json.BeginObject();
  json.Field("a", int64_t{-1});
  json.Field("b", "x");
  json.Key("c");
  json.BeginArray();
  json.Unsigned(std::numeric_limits<uint64_t>::max());
  json.BeginObject();
  json.EndObject();
  json.Bool(true);
  json.Null();
  json.Number(0.5);
  json.Number(std::numeric_limits<double>::infinity());
  json.EndArray();
  json.Field("d", false);
  json.EndObject();
  CHECK(json.Take() ==
        R"({"a":-1,"b":"x","c":[18446744073709551615,{},true,null,0.5,null],"d":false})");
}

TEST_CASE("UTF-8: what is none is told apart", "[json]") {
  CHECK(Utf8Length("a") == 1);
  CHECK(Utf8Length("\xc3\xa4") == 2);
  CHECK(Utf8Length("\xe2\x82\xac") == 3);
  CHECK(Utf8Length("\xf0\x9f\x98\x80") == 4);
  for (const std::string_view bad :
       {"", "\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff"}) {
    CHECK(Utf8Length(bad) == 0);
  }
}

TEST_CASE("base64: padded or not, and nothing else", "[json]") {
  CHECK(DecodeBase64("ZGVmYXVsdDpzZWNyZXQ=") == "default:secret");
  CHECK(DecodeBase64("ZGVmYXVsdDpzZWNyZXQ") == "default:secret");
  CHECK(DecodeBase64("") == "");
  CHECK(DecodeBase64("//8=") == "\xff\xff");
  CHECK_FALSE(DecodeBase64("a"));
  CHECK_FALSE(DecodeBase64("ab c"));
  CHECK_FALSE(DecodeBase64("===="));
}

}  // namespace
}  // namespace spinel
