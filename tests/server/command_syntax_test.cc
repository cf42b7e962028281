#include "server/command_syntax.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace spinel {
namespace {

// The tree on one line: name:type, $token, ? optional, * multiple, + with its token.
std::string Show(const std::vector<SyntaxArg>& args) {
  std::string text;
  for (const SyntaxArg& arg : args) {
    if (!text.empty()) text += ' ';
    text += arg.name + ":" + std::string(SyntaxTypeName(arg.type));
    if (!arg.token.empty()) text += "$" + arg.token;
    if (arg.optional) text += '?';
    if (arg.multiple) text += '*';
    if (arg.multiple_token) text += '+';
    if (!arg.args.empty()) text += "(" + Show(arg.args) + ")";
  }
  return text;
}

std::string Parsed(std::string_view syntax) {
  std::vector<SyntaxArg> args;
  std::string error;
  if (!ParseSyntax(syntax, &args, &error)) return "error: " + error;
  return Show(args);
}

int Least(std::string_view syntax) {
  std::vector<SyntaxArg> args;
  std::string error;
  REQUIRE(ParseSyntax(syntax, &args, &error));
  return MinimalArguments(args);
}

bool TakesMore(std::string_view syntax) {
  std::vector<SyntaxArg> args;
  std::string error;
  REQUIRE(ParseSyntax(syntax, &args, &error));
  return TakesMoreArguments(args);
}

}  // namespace

TEST_CASE("Syntax: values and their types") {
  CHECK(Parsed("").empty());
  CHECK(Parsed("key value") == "key:key value:string");
  CHECK(Parsed("key seconds unix-time-seconds pattern score") ==
        "key:key seconds:integer unix-time-seconds:unix-time pattern:pattern score:double");
}

TEST_CASE("Syntax: options, and tokens with what belongs to them") {
  CHECK(Parsed("[KEEPTTL]") == "keepttl:pure-token$KEEPTTL?");
  CHECK(Parsed("[COUNT count]") == "count:integer$COUNT?");
  CHECK(Parsed("[LIMIT offset count]") == "limit:block$LIMIT?(offset:integer count:integer)");
  CHECK(Parsed("[COUNT count [ANY]]") == "count:block?(count:integer$COUNT any:pure-token$ANY?)");
  CHECK(Parsed("[NX | XX]") == "nx:oneof?(nx:pure-token$NX xx:pure-token$XX)");
  CHECK(Parsed("[EX seconds | KEEPTTL]") ==
        "seconds:oneof?(seconds:integer$EX keepttl:pure-token$KEEPTTL)");
  CHECK(Parsed("<MAXLEN | MINID> [= | ~] threshold") ==
        "maxlen:oneof(maxlen:pure-token$MAXLEN minid:pure-token$MINID) "
        "=:oneof?(=:pure-token$= ~:pure-token$~) threshold:string");
  CHECK(Parsed("[AGGREGATE <SUM | MIN>]") ==
        "sum:oneof$AGGREGATE?(sum:pure-token$SUM min:pure-token$MIN)");
  CHECK(Parsed("<HELP | AUTH username password>") ==
        "help:oneof(help:pure-token$HELP auth:block$AUTH(username:string password:string))");
}

TEST_CASE("Syntax: repetition") {
  CHECK(Parsed("key [key ...]") == "key:key*");
  CHECK(Parsed("[key ...]") == "key:key?*");
  CHECK(Parsed("[section [section ...]]") == "section:string?*");
  CHECK(Parsed("key value [key value ...]") == "key:block*(key:key value:string)");
  CHECK(Parsed("[GET pattern [GET pattern ...]]") == "pattern:pattern$GET?*+");
  CHECK(Parsed("[KEYS key [key ...]]") == "key:key$KEYS?*");
  CHECK(Parsed("STREAMS key [key ...] id [id ...]") ==
        "streams:block$STREAMS(key:key* id:string*)");
  CHECK(Parsed("[CONFIG name value [CONFIG name value ...]]") ==
        "config:block$CONFIG?*+(name:string value:string)");
  CHECK(
      Parsed("[OVERFLOW <WRAP | SAT>] <SET a | INCRBY b> [[OVERFLOW <WRAP | SAT>] <SET a | INCRBY "
             "b> ...]") ==
      "wrap:block*(wrap:oneof$OVERFLOW?(wrap:pure-token$WRAP sat:pure-token$SAT) "
      "a:oneof(a:string$SET b:string$INCRBY))");
}

TEST_CASE("Syntax: how many arguments it takes") {
  CHECK(Least("") == 0);
  CHECK(Least("key value [NX | XX] [EX seconds | KEEPTTL]") == 2);
  CHECK(Least("key value [key value ...]") == 2);
  CHECK(Least("[key ...]") == 0);
  CHECK(Least("COUNT count") == 2);
  CHECK(Least("<a b c | D>") == 1);
  CHECK(Least("<a b | [X x] [Y y]>") == 1);
  CHECK(Least("numkeys STREAMS key [key ...] id [id ...]") == 4);
  CHECK(Least("FILTERBY <MODULE name | PATTERN pattern>") == 3);
  CHECK_FALSE(TakesMore("key value"));
  CHECK(TakesMore("key [key ...]"));
  CHECK(TakesMore("key [NX]"));
  CHECK(TakesMore("<a b | c>"));
  CHECK_FALSE(TakesMore("<a b | C d>"));
  CHECK(TakesMore("LIMIT offset [count]"));
}

TEST_CASE("Syntax: what does not make sense is refused") {
  for (const std::string_view syntax : {"[key", "key]", "<key", "key>", "[key>", "a | b", "[]",
                                        "[|a]", "[a|]", "[...]", "...", "<a ...>"}) {
    CAPTURE(syntax);
    CHECK(Parsed(syntax).starts_with("error: "));
  }
}

}  // namespace spinel
