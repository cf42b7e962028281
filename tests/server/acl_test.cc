#include "server/acl.h"

#include <catch2/catch.hpp>
#include <map>

#include "server/acl_file.h"
#include "server/command_table.h"
#include "server/config_rewrite.h"
#include "server/sha256.h"

namespace spinel {
namespace {

const CommandTable& Table() {
  static const CommandTable table;
  return table;
}

const AclContext kPlain{&Table(), false};

// What a new user is with these rules; the text of the first error, if there is one.
std::string Described(const std::vector<std::string_view>& rules) {
  AclUser user(kPlain, "u");
  for (const std::string_view rule : rules) {
    const AclRuleError error = user.Apply(kPlain, rule);
    if (error != AclRuleError::kNone) return std::string(AclRuleErrorText(error));
  }
  return user.Describe();
}

AclUser UserOf(const std::vector<std::string_view>& rules) {
  AclUser user(kPlain, "u");
  for (const std::string_view rule : rules) CHECK(user.Apply(kPlain, rule) == AclRuleError::kNone);
  return user;
}

AclDenial Try(const AclUser& user, const std::vector<std::string_view>& request) {
  const Command* command = Table().Find(request[0]);
  REQUIRE(command != nullptr);
  if (!command->subcommands.empty()) {
    command = CommandTable::FindSubcommand(*command, request[1]);
    REQUIRE(command != nullptr);
  }
  return CheckAcl(user, *command, request).denial;
}

constexpr std::string_view kHash =
    "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";  // of "password"

}  // namespace

TEST_CASE("ACL: SHA-256") {
  CHECK(Sha256Hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Sha256Hex("password") == kHash);
  CHECK(IsSha256Hex(kHash));
  CHECK_FALSE(IsSha256Hex(std::string(64, 'A')));
  CHECK_FALSE(IsSha256Hex(std::string(63, 'a')));
  CHECK(EqualInConstantTime("ab", "ab"));
  CHECK_FALSE(EqualInConstantTime("ab", "ac"));
  CHECK_FALSE(EqualInConstantTime("ab", "abc"));
}

TEST_CASE("ACL: a user is described by the rules that make it") {
  CHECK(Described({}) == "off sanitize-payload resetchannels -@all");
  CHECK(Described({"on", "nopass", "allkeys", "allchannels", "allcommands"}) ==
        "on nopass sanitize-payload ~* &* +@all");
  CHECK(Described({">password", ">password", "#" + std::string(kHash)}) ==
        "off sanitize-payload #" + std::string(kHash) + " resetchannels -@all");
  CHECK(Described({"nopass", ">password"}) ==
        "off sanitize-payload #" + std::string(kHash) + " resetchannels -@all");
  CHECK(Described({"skip-sanitize-payload", "~a*", "%R~b", "%wr~c", "%W~b", "&x", "&x"}) ==
        "off skip-sanitize-payload ~a* ~b ~c resetchannels &x -@all");
  CHECK(Described({"%R~*", "~a", "%W~*"}) == "off sanitize-payload %RW~* ~a resetchannels -@all");
  CHECK(Described({"%R~a", "%W~b"}) == "off sanitize-payload %R~a %W~b resetchannels -@all");
  CHECK(Described({"+GET", "(%R~a +get)", "(~b)"}) ==
        "off sanitize-payload resetchannels -@all +get (%R~a resetchannels -@all +get) (~b "
        "resetchannels -@all)");
  CHECK(Described({"(~b)", "clearselectors"}) == "off sanitize-payload resetchannels -@all");
  CHECK(Described({"on", ">x", "~*", "+@all", "(~b)", "reset"}) ==
        "off sanitize-payload resetchannels -@all");
}

TEST_CASE("ACL: command rules keep their order; a later one replaces what it covers") {
  const auto rules = [](const std::vector<std::string_view>& words) {
    return UserOf(words).root().CommandRules();
  };
  CHECK(rules({"+@all", "-@DANGEROUS", "+Config|Get"}) == "+@all -@dangerous +config|get");
  CHECK(rules({"+config|get", "+config|set", "-config"}) == "-@all -config");
  CHECK(rules({"+get", "-get", "+get"}) == "-@all +get");
  CHECK(rules({"+get", "+@all"}) == "+@all");
  CHECK(rules({"+@all", "-get", "nocommands"}) == "-@all");
  CHECK(rules({"+select|0", "+select|1"}) == "-@all +select|0 +select|1");
  CHECK(rules({"+select|0", "-select"}) == "-@all -select");
  // What a server has that is not this one may be named all the same.
  CHECK(rules({"+@all", "-xadd", "-REPLICAOF", "+xgroup|create"}) ==
        "+@all -xadd -replicaof +xgroup|create");
}

TEST_CASE("ACL: rules that make no sense") {
  const std::string unknown = "Unknown command or category name in ACL";
  for (const std::string_view rule :
       {"+nothing", "-nothing", "+@nothing", "-@nothing", "+config|nothing", "-select|0", "+", "-",
        "+@", "+|x", "+nothing|x"}) {
    CAPTURE(rule);
    CHECK(Described({rule}) == unknown);
  }
  for (const std::string_view rule : {"foo", "+select|", "%~a", "%RR~a", "%X~a", "~a b", "&a\tb",
                                      "(foo)", "(on)", "(~\"a b\")", "(\"~a)", "(nopass)"}) {
    CAPTURE(rule);
    CHECK(Described({rule}) == "Syntax error");
  }
  CHECK(Described({std::string_view("~a\0b", 4)}) == "Syntax error");
  CHECK(Described({"+config|get|x"}) == "Allowing first-arg of a subcommand is not supported");
  CHECK(Described({"~*", "~a"}).starts_with("Adding a pattern after the * pattern (or the 'allk"));
  CHECK(Described({"&*", "&a"}).starts_with("Adding a pattern after the * pattern (or the 'allc"));
  CHECK(Described({"<none"}) ==
        "The password you are trying to remove from the user does not exist");
  CHECK(Described({"!" + std::string(kHash)}).starts_with("The password you are trying"));
  CHECK(Described({"#ABC"}).starts_with("The password hash must be exactly 64 characters"));
  CHECK(Described({"!" + std::string(64, 'G')}).starts_with("The password hash must be exactly"));
  CHECK(Described({""}) == Described({}));
}

TEST_CASE("ACL: commands, subcommands, first arguments") {
  const AclUser user =
      UserOf({"~*", "+get", "+config|get", "+select|0", "+@transaction", "-watch"});
  CHECK(Try(user, {"GET", "k"}) == AclDenial::kNone);
  CHECK(Try(user, {"SET", "k", "v"}) == AclDenial::kCommand);
  CHECK(Try(user, {"CONFIG", "GET", "x"}) == AclDenial::kNone);
  CHECK(Try(user, {"CONFIG", "SET", "x", "y"}) == AclDenial::kCommand);
  CHECK(Try(user, {"SELECT", "0"}) == AclDenial::kNone);
  CHECK(Try(user, {"SELECT", "1"}) == AclDenial::kCommand);
  CHECK(Try(user, {"MULTI"}) == AclDenial::kNone);
  CHECK(Try(user, {"WATCH", "k"}) == AclDenial::kCommand);
  CHECK(Try(user, {"AUTH", "x"}) == AclDenial::kNone);  // whatever the rules are
}

TEST_CASE("ACL: keys by what is done with them") {
  const AclUser user = UserOf({"+@all", "~rw*", "%R~r:*", "%W~w:*"});
  CHECK(Try(user, {"GET", "r:1"}) == AclDenial::kNone);
  CHECK(Try(user, {"GET", "w:1"}) == AclDenial::kKey);
  CHECK(Try(user, {"SET", "w:1", "v"}) == AclDenial::kNone);
  CHECK(Try(user, {"SET", "r:1", "v"}) == AclDenial::kKey);
  CHECK(Try(user, {"SET", "w:1", "v", "GET"}) == AclDenial::kKey);
  CHECK(Try(user, {"SET", "w:1", "GET"}) == AclDenial::kNone);  // that is the value
  CHECK(Try(user, {"SET", "rw", "v", "GET"}) == AclDenial::kNone);
  CHECK(Try(user, {"COPY", "r:1", "w:1"}) == AclDenial::kNone);
  CHECK(Try(user, {"COPY", "w:1", "r:1"}) == AclDenial::kKey);
  CHECK(Try(user, {"RENAME", "r:1", "w:1"}) == AclDenial::kKey);
  CHECK(Try(user, {"RENAME", "rw1", "w:1"}) == AclDenial::kNone);
  CHECK(Try(user, {"LMOVE", "rw", "w:1", "LEFT", "LEFT"}) == AclDenial::kNone);
  CHECK(Try(user, {"LMOVE", "r:1", "w:1", "LEFT", "LEFT"}) == AclDenial::kKey);
  CHECK(Try(user, {"SUNIONSTORE", "w:1", "r:1", "rw"}) == AclDenial::kNone);
  CHECK(Try(user, {"SUNIONSTORE", "w:1", "w:2"}) == AclDenial::kKey);
  CHECK(Try(user, {"ZUNIONSTORE", "w:1", "2", "r:1", "r:2"}) == AclDenial::kNone);
  CHECK(Try(user, {"ZUNIONSTORE", "r:1", "1", "r:2"}) == AclDenial::kKey);
  CHECK(Try(user, {"SORT", "r:1", "STORE", "w:1"}) == AclDenial::kNone);
  CHECK(Try(user, {"SORT", "r:1", "STORE", "r:2"}) == AclDenial::kKey);
  CHECK(Try(user, {"EVAL", "x", "1", "rw"}) == AclDenial::kNone);
  CHECK(Try(user, {"EVAL", "x", "1", "r:1"}) == AclDenial::kKey);
  CHECK(Try(user, {"EVAL_RO", "x", "1", "r:1"}) == AclDenial::kNone);
  CHECK(Try(user, {"EXISTS", "w:1", "r:1"}) == AclDenial::kNone);  // neither reads nor writes
  CHECK(Try(user, {"EXISTS", "other"}) == AclDenial::kKey);
  CHECK(Try(user, {"MSET", "w:1", "a", "other", "b"}) == AclDenial::kKey);
  CHECK(Try(user, {"DBSIZE"}) == AclDenial::kNone);
}

TEST_CASE("ACL: channels; patterns have to be allowed letter for letter") {
  const AclUser user = UserOf({"+@all", "~*", "&news.*"});
  CHECK(Try(user, {"SUBSCRIBE", "news.1", "news.2"}) == AclDenial::kNone);
  CHECK(Try(user, {"SUBSCRIBE", "news.1", "other"}) == AclDenial::kChannel);
  CHECK(Try(user, {"SSUBSCRIBE", "other"}) == AclDenial::kChannel);
  CHECK(Try(user, {"PUBLISH", "news.1", "other"}) == AclDenial::kNone);
  CHECK(Try(user, {"PUBLISH", "other", "news.1"}) == AclDenial::kChannel);
  CHECK(Try(user, {"SPUBLISH", "other", "news.1"}) == AclDenial::kChannel);
  CHECK(Try(user, {"PSUBSCRIBE", "news.*"}) == AclDenial::kNone);
  CHECK(Try(user, {"PSUBSCRIBE", "news.1"}) == AclDenial::kChannel);
  CHECK(Try(user, {"UNSUBSCRIBE", "other"}) == AclDenial::kNone);
}

TEST_CASE("ACL: one selector has to admit the whole request") {
  const AclUser user = UserOf({"+get", "~a*", "(+set ~b*)", "(+mget ~a* %R~b*)"});
  CHECK(Try(user, {"GET", "a"}) == AclDenial::kNone);
  CHECK(Try(user, {"GET", "b"}) == AclDenial::kKey);
  CHECK(Try(user, {"SET", "b", "v"}) == AclDenial::kNone);
  CHECK(Try(user, {"SET", "a", "v"}) == AclDenial::kKey);
  CHECK(Try(user, {"MGET", "a", "b"}) == AclDenial::kNone);
  CHECK(Try(user, {"DEL", "a"}) == AclDenial::kCommand);
  CHECK_FALSE(user.unrestricted());
  CHECK(UserOf({"(+@all ~* &*)"}).unrestricted());
  CHECK(UserOf({"+@all", "-get", "+get", "~*", "&*"}).unrestricted());
  CHECK_FALSE(UserOf({"+@all", "-get", "~*", "&*"}).unrestricted());
}

TEST_CASE("ACL: every command is covered by its categories") {
  for (const auto& command : Table().all()) {
    CAPTURE(command->name);
    CHECK(command->acl != 0);
    AclUser user(kPlain, "u");
    CHECK(user.Apply(kPlain, "+" + std::string(command->name)) == AclRuleError::kNone);
    CHECK(user.root().MayRun(*command, {}));
  }
}

TEST_CASE("ACL: files") {
  const auto parse = [](std::string_view text) {
    std::map<std::string, AclUser, std::less<>> users;
    std::string errors = ParseAclFile(text, "f", kPlain, &users);
    if (!errors.empty()) return errors;
    for (const auto& [name, user] : users) errors += name + ": " + user.Describe() + "\n";
    return errors;
  };
  const std::string end =
      "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
  CHECK(parse("") == "");
  CHECK(parse("\n  \r\nuser b on  +get\r\nuser a (~x +set) off") ==
        "a: off sanitize-payload resetchannels -@all (~x resetchannels -@all +set)\n"
        "b: on sanitize-payload resetchannels -@all +get\n");
  CHECK(parse("user a\nuser a\n") == "WARNING: Duplicate user 'a' found on line 2. " + end);
  CHECK(parse("# remark") == "f:1 should start with user keyword followed by the username. " + end);
  CHECK(parse("user") == "f:1 should start with user keyword followed by the username. " + end);
  CHECK(parse("user a +none -none foo bar") ==
        "f:1: Error in applying operation '+none': Unknown command or category name in ACL. "
        "f:1: Error in applying operation '-none': Unknown command or category name in ACL. "
        "f:1: Syntax error. " +
            end);
  CHECK(parse("user a (~x") == "f:1: Unmatched parenthesis in selector definition." + end);
}

TEST_CASE("CONFIG REWRITE: user lines take the place of those that are there") {
  const std::string old = "port 1\nuser a on\n# remark\nuser b on\n";
  CHECK(RewriteConfigText(old, {{nullptr, {"user c off"}, true}}) ==
        "port 1\nuser c off\n# remark\n");
  CHECK(RewriteConfigText("port 1\n", {{nullptr, {"user c off"}, true}}) ==
        "port 1\n# Generated by CONFIG REWRITE\nuser c off\n");
  CHECK(RewriteConfigText(old, {}) == old);
}

}  // namespace spinel
