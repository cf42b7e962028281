// The arguments of a command as a tree, read from the notation in its row: what COMMAND DOCS
// answers and redis-cli's hints are made of.
//
// The notation:
//   key                  a value, in lower case
//   COUNT count          a token, in upper case, and the values that belong to it
//   [a], [A | B]         optional; one of several
//   <a | b>              exactly one of several
//   key [key ...]        once or more; "field value [field value ...]" repeats the pair
//   [key ...]            any number of times
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spinel {

struct SyntaxArg {
  enum class Type : uint8_t {
    kString,
    kInteger,
    kDouble,
    kKey,
    kPattern,
    kUnixTime,
    kPureToken,  // the token alone
    kOneOf,      // one of `args`
    kBlock,      // all of `args`
  };

  Type type = Type::kString;
  std::string name;   // lower case
  std::string token;  // precedes the value; of kPureToken it is the argument
  bool optional = false;
  bool multiple = false;        // may be repeated
  bool multiple_token = false;  // together with its token
  std::vector<SyntaxArg> args;  // of kOneOf and kBlock
};

// Reads the notation. False, and `*error` says why: brackets that do not match, a repetition of
// nothing, an empty alternative.
bool ParseSyntax(std::string_view syntax, std::vector<SyntaxArg>* args, std::string* error);

// The least number of arguments that satisfies the tree.
int MinimalArguments(const std::vector<SyntaxArg>& args);
// Whether more than the least number is possible.
bool TakesMoreArguments(const std::vector<SyntaxArg>& args);

// "pure-token", "integer" ...: as COMMAND DOCS names types.
std::string_view SyntaxTypeName(SyntaxArg::Type type);

}  // namespace spinel
