// The command line, in the style of redis-server: an optional configuration file (or `-` for
// standard input) and then `--name value ...` for any option of the table. Under the name
// GarnetServer the flags of Garnet are understood as well (garnet_flags.h).
//
// Used once, by main, before other threads exist.
//
//   CommandLine line;
//   Config config(memory_limit);
//   ConfigStatus status = ParseCommandLine({argv, argc}, &line);
//   if (status.ok() && line.action == CommandLine::Action::kRun) status = LoadConfig(line,
//   &config); if (!status.ok()) { fputs(status.error().c_str(), stderr); return 1; }
#pragma once

#include <unistd.h>

#include <span>
#include <string>
#include <vector>

#include "server/config.h"

namespace spinel {

struct CommandLine {
  enum class Action {
    kRun,
    kVersion,          // -v, --version: print VersionText()
    kHelp,             // -h, --help: print HelpText()
    kConfigReference,  // --dump-config-reference: print ConfigReference() of config_docs.h
    kCheckHealth,      // --check-health [ready|live] [HOST:PORT]: see health_check.h
  };
  Action action = Action::kRun;
  std::string program;                // argv[0] without its folder
  std::string config_file;            // as given; empty: none
  std::vector<std::string> health;    // the words behind --check-health
  bool read_stdin = false;            // `-` was given
  std::vector<std::string> options;   // one per line, as a file would have them
  std::vector<std::string> folders;   // to be created before options are applied
  std::vector<ConfigNotice> notices;  // how foreign flags were understood
};

// Understands `argv`. The error is complete text for stderr.
ConfigStatus ParseCommandLine(std::span<const char* const> argv, CommandLine* line);

// Loads the file, then standard input, then the environment (config_environment.h), then the
// options: the last one that names an option wins. Fills the Config's config_file and notices.
ConfigStatus LoadConfig(const CommandLine& line, Config* config,
                        const char* const* environment = environ);

std::string VersionText();
std::string HelpText();

}  // namespace spinel
