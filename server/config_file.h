// Reads redis.conf files, standard input and command line options into a Config.
//
// Used once, by main, before other threads exist. Errors are the complete text for stderr in Redis'
// layout; the first one stops the start.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "server/config.h"

namespace spinel {

// Without the blanks around it.
std::string_view TrimLine(std::string_view text);

// Splits a line into words: blanks separate, "double quotes" know \n \r \t \b \a \" \\ and \xHH,
// 'single quotes' only \'. nullopt if a quote is not closed or not followed by a blank.
std::optional<std::vector<std::string>> SplitArgs(std::string_view line);

// The word in double quotes, such that SplitArgs gives it back.
std::string QuoteArg(std::string_view word);

// Appends everything up to the end of `fd`. Returns 0 or errno; EFBIG beyond
// ConfigLoader::kMaxFileBytes.
int ReadConfigText(int fd, std::string* text);

// The text that stops a start, in Redis' layout: where, the line (cut if it is long), the reason.
ConfigStatus StartError(std::string_view where, std::string_view line, std::string_view reason);

struct EnvironmentOption;

class ConfigLoader {
 public:
  // Bounds on what a file may ask of us.
  static constexpr size_t kMaxFileBytes = 16 * 1024 * 1024;
  static constexpr size_t kMaxLineBytes = 1024 * 1024;
  static constexpr size_t kMaxDepth = 16;    // includes within includes
  static constexpr size_t kMaxFiles = 1024;  // of a start, all includes counted

  explicit ConfigLoader(Config* config) : config_(config) {}

  ConfigStatus LoadFile(const std::string& path);
  // Reads `fd` to its end.
  ConfigStatus LoadStdin(int fd);
  // What an option has in the environment replaces what a file says, and is replaced by what the
  // command line says.
  ConfigStatus LoadEnvironment(std::span<const EnvironmentOption> options);
  // One option per line: "save 60 1".
  ConfigStatus LoadCommandLine(std::span<const std::string> lines);
  // Checks that concern several options, and the notices about options without effect. Call it
  // once, after everything is loaded.
  ConfigStatus Finish();

 private:
  struct Place {            // where a directive stands
    std::string source;     // a path; empty for the command line
    size_t line = 0;        // from 1
    std::string_view text;  // without surrounding blanks
  };

  ConfigStatus LoadText(const std::string& source, std::string_view text);
  ConfigStatus LoadLine(const Place& place);
  ConfigStatus Directive(const Place& place, std::vector<std::string> args);
  ConfigStatus Option(const Place& place, const ConfigRow& row, std::vector<std::string> args);
  ConfigStatus Include(const Place& place, const std::string& pattern);
  ConfigStatus OpenAndLoad(const std::string& path, const Place* included_from);
  static ConfigStatus Fail(const Place& place, std::string_view reason);
  // No line to show: the file itself cannot be read.
  static ConfigStatus FailFile(const Place* included_from, const std::string& path,
                               std::string_view reason);
  void Notice(bool warning, std::string text);

  Config* config_;
  std::unordered_set<const ConfigRow*> seen_;
  std::unordered_set<const ConfigRow*> from_environment_;  // and from nowhere else since
  std::vector<std::pair<uint64_t, uint64_t>> open_files_;  // device and inode, outermost first
  size_t files_ = 0;
};

}  // namespace spinel
