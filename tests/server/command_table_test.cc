// Walks every row of every family: rows are data, and this is where data is checked.

#include "server/command_table.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ascii.h"
#include "server/command_syntax.h"
#include "tests/support/command_fixture.h"
#include "tests/support/source_dir.h"

namespace spinel {
namespace {

using Words = std::set<std::string>;

Words Split(const std::string& text) {
  std::istringstream stream(text);
  Words words;
  for (std::string word; stream >> word;) words.insert(word);
  return words;
}

// The lines of a tab-separated table by their first column; "CONFIG|GET" as "config|get". Empty: no
// such file.
std::map<std::string, std::vector<std::string>> ReadReference(const std::string& path) {
  std::map<std::string, std::vector<std::string>> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> columns;
    std::istringstream stream(line);
    for (std::string column; std::getline(stream, column, '\t');) columns.push_back(column);
    if (columns.size() < 9 || columns[0] == "name") continue;
    std::string name = columns[0];
    for (char& c : name) c = AsciiLower(c);
    rows[name] = columns;
  }
  return rows;
}

Words Texts(const RespValue& value) {
  Words words;
  for (const RespValue& element : value.elements) words.insert(element.text);
  return words;
}

// Flags that are not compared: one depends on how we find keys, one is the cluster's, and the table
// knows nothing of the third.
bool IsNotCompared(const std::string& flag) {
  return flag == "movablekeys" || flag == "asking" || flag == "may_replicate";
}

// Commands whose arity, in Redis or Valkey, is not what their arguments say: QUIT takes and ignores
// any, MIGRATESLOTS needs more, COMMANDLOG GET is said to take more than it does.
bool HasLooseArity(std::string_view name) {
  constexpr std::array<std::string_view, 3> kLoose = {"quit", "cluster|migrateslots",
                                                      "commandlog|get"};
  return std::find(kLoose.begin(), kLoose.end(), name) != kLoose.end();
}

std::string Where(std::string_view syntax, int arity, const Command& command) {
  return fmt::format("{}: \"{}\" against arity {}", command.name, syntax, arity);
}

}  // namespace

TEST_CASE("Command table: names are unique and found in any letter case") {
  const CommandTable table;
  std::set<std::string_view> names;
  for (const auto& command : table.all()) {
    CAPTURE(command->name);
    CHECK(names.insert(command->name).second);
    CHECK(table.FindFullName(command->name) == command.get());
    CHECK(table.all()[command->index] == command);
    CHECK(command->spec->name.find_first_of("abcdefghijklmnopqrstuvwxyz ") == std::string::npos);
  }
  CHECK(table.Find("none") == nullptr);
  CHECK(table.Find("") == nullptr);
  CHECK(table.Find(std::string(100, 'x')) == nullptr);
}

TEST_CASE("Command table: rename-command moves and removes") {
  const std::vector<std::pair<std::string, std::string>> renames = {{"get", "fetch"}, {"SET", ""}};
  const CommandTable table(renames);
  CHECK(table.Find("GET") == nullptr);
  REQUIRE(table.Find("FETCH") != nullptr);
  CHECK(table.Find("fetch")->name == "get");
  CHECK(table.Find("set") == nullptr);
}

TEST_CASE("Command table: every row is documented, and its syntax agrees with its arity") {
  const CommandTable table;
  for (const auto& command : table.all()) {
    const CommandSpec& spec = *command->spec;
    INFO(Where(spec.syntax, spec.arity, *command));
    CHECK_FALSE(spec.group.empty());
    CHECK_FALSE(spec.since.empty());
    CHECK_FALSE(spec.complexity.empty());
    CHECK_FALSE(spec.summary.empty());
    CHECK(spec.summary.find_first_of("\r\n") == std::string_view::npos);
    CHECK((spec.handler != nullptr || !spec.subcommands.empty()));
    if (spec.handler == nullptr || !spec.subcommands.empty()) continue;
    std::vector<SyntaxArg> args;
    std::string error;
    REQUIRE(ParseSyntax(spec.syntax, &args, &error));
    const int words = command->parent == nullptr ? 1 : 2;
    if (HasLooseArity(command->name)) {
      CHECK(std::abs(spec.arity) <= words + MinimalArguments(args));
      continue;
    }
    CHECK(std::abs(spec.arity) == words + MinimalArguments(args));
    CHECK((spec.arity < 0) == TakesMoreArguments(args));
  }
}

TEST_CASE("Command table: a row's keys lie within its arguments") {
  const CommandTable table;
  for (const auto& command : table.all()) {
    const KeySpec& keys = command->spec->keys;
    CAPTURE(command->name);
    if (keys.first != 0) {
      // SUNSUBSCRIBE may name no channel; nobody looks for keys there.
      if ((keys.flags & kKeyNotKey) == 0) CHECK(keys.first < std::abs(command->spec->arity));
      CHECK(keys.step > 0);
      CHECK((keys.last < 0 || keys.last >= keys.first));
      CHECK(keys.flags != 0);
    }
    CHECK((command->spec->extractor != nullptr) == command->Has(kMovableKeys));
    if (command->spec->element != 0) {
      CHECK(command->spec->element > keys.first);
      CHECK(command->spec->element < std::abs(command->spec->arity));
    }
  }
}

// The facts of Redis and Valkey: from a table beside the repository, where there is one.
TEST_CASE_METHOD(CommandFixture, "Command table: rows agree with the reference table") {
  const auto reference = ReadReference(SourceDir() + "/../shared/commands.tsv");
  if (reference.empty()) return;
  for (const auto& command : server().commands().all()) {
    const std::string name(command->name);
    CAPTURE(name);
    const auto found = reference.find(name);
    if (found == reference.end()) {
      WARN("not in the reference table: " << name);
      continue;
    }
    const std::vector<std::string>& row = found->second;
    const RespValue reply = Run("COMMAND", "INFO", name);
    REQUIRE(reply.elements.size() == 1);
    const std::vector<RespValue>& info = reply.elements[0].elements;
    REQUIRE(info.size() == 10);
    CHECK(command->spec->group == row[1]);
    CHECK(command->spec->since == row[2]);
    CHECK(std::to_string(info[1].integer) == row[3]);
    Words flags = Texts(info[2]);
    Words wanted = Split(row[4]);
    for (Words* words : {&flags, &wanted}) {
      for (auto it = words->begin(); it != words->end();) {
        it = IsNotCompared(*it) ? words->erase(it) : std::next(it);
      }
    }
    CHECK(flags == wanted);
    if (command->spec->extractor == nullptr) {
      CHECK(std::to_string(info[3].integer) == row[5]);
      CHECK(std::to_string(info[4].integer) == row[6]);
      CHECK(std::to_string(info[5].integer) == row[7]);
    }
    CHECK(Texts(info[6]) == Split(row[8]));
  }
}

// Every command begins the parser fuzzer's corpus: three bytes that choose limits and fragments,
// then the command as a multibulk and as an inline request.
TEST_CASE_METHOD(CommandFixture, "Command table: every row has a fuzz seed") {
  for (const auto& command : server().commands().all()) {
    std::string name(command->name);
    std::replace(name.begin(), name.end(), '|', '-');
    CAPTURE(name);
    CHECK(std::ifstream(SourceDir() + "/tests/fuzz/corpus/parser_fuzz/" + name).good());
  }
}

}  // namespace spinel
