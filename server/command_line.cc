#include "server/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include "server/config_environment.h"
#include "server/config_file.h"
#include "server/config_table.h"
#include "server/garnet_flags.h"
#include "server/version.h"

namespace spinel {
namespace {

// Collects `--name value ...` into one line per option, by the rules of redis-server: a word that
// begins with `--` starts an option unless the one before has no value yet, so that values may
// begin with `--` too; `--save` without any value means `--save ""`.
class OptionLines {
 public:
  void Add(std::string_view word, const char* next) {
    if (has_value_ && word.starts_with("--")) {
      Begin(word, next);
      return;
    }
    if (lines_.empty()) lines_.emplace_back();
    lines_.back() += QuoteArg(word);
    lines_.back() += ' ';
    has_value_ = true;
  }
  std::vector<std::string> Take() { return std::move(lines_); }

 private:
  void Begin(std::string_view word, const char* next) {
    lines_.emplace_back(word.substr(2));
    lines_.back() += ' ';
    // "--port 6380" in one argument has its value already.
    auto words = SplitArgs(word);
    has_value_ = words && words->size() > 1;
    if (has_value_ || !EqualsIgnoreCase(word, "--save")) return;
    if (next == nullptr || std::string_view(next).starts_with("--")) {
      lines_.back() += "\"\"";
      has_value_ = true;
    }
  }

  std::vector<std::string> lines_;
  bool has_value_ = true;  // of the last option; without one, the next word is taken as a value
};

CommandLine::Action SpecialAction(std::string_view word) {
  if (word == "-v" || word == "--version") return CommandLine::Action::kVersion;
  if (word == "-h" || word == "--help") return CommandLine::Action::kHelp;
  if (word == "--dump-config-reference") return CommandLine::Action::kConfigReference;
  if (word == "--check-health") return CommandLine::Action::kCheckHealth;
  return CommandLine::Action::kRun;
}

std::string AbsolutePath(const std::string& path) {
  if (path.empty() || path[0] == '/') return path;
  std::unique_ptr<char, decltype(&std::free)> folder(::getcwd(nullptr, 0), &std::free);
  return folder == nullptr ? path : fmt::format("{}/{}", folder.get(), path);
}

}  // namespace

ConfigStatus ParseCommandLine(std::span<const char* const> argv, CommandLine* line) {
  if (argv.empty()) return ConfigStatus::Ok();
  std::string_view path = argv[0];
  line->program = path.substr(path.rfind('/') + 1);
  std::span<const char* const> args = argv.subspan(1);
  if (args.empty()) return ConfigStatus::Ok();

  line->action = SpecialAction(args[0]);
  if (line->action == CommandLine::Action::kCheckHealth) {
    line->health.assign(args.begin() + 1, args.end());
  }
  if (line->action != CommandLine::Action::kRun) return ConfigStatus::Ok();
  if (IsGarnetName(line->program)) return TranslateGarnetFlags(args, line);

  if (args[0][0] != '-' && args[0][0] != '\0') {
    line->config_file = args[0];
    args = args.subspan(1);
  }
  const bool first_is_option = line->config_file.empty();
  OptionLines options;
  for (size_t i = 0; i < args.size(); ++i) {
    std::string_view word = args[i];
    const bool at_an_end = (i == 0 && first_is_option) || i + 1 == args.size();
    if (word == "-" && at_an_end) {
      line->read_stdin = true;
    } else {
      options.Add(word, i + 1 < args.size() ? args[i + 1] : nullptr);
    }
  }
  line->options = options.Take();
  return ConfigStatus::Ok();
}

namespace {

// The container image sets SPINEL_CONTAINER: there the port is reachable only as far as it is
// published, so what protects bare metal is left to whoever publishes it. Options still win.
std::vector<std::string> ContainerDefaults(const Environment& environment) {
  if (!environment.container) return {};
  return {"bind * -::*", "protected-mode no"};
}

}  // namespace

ConfigStatus LoadConfig(const CommandLine& line, Config* config, const char* const* variables) {
  config->notices.insert(config->notices.end(), line.notices.begin(), line.notices.end());
  Environment environment;
  ConfigStatus status = ReadEnvironment(variables, &environment);
  if (!status.ok()) return status;
  ConfigLoader loader(config);
  status = loader.LoadCommandLine(ContainerDefaults(environment));
  if (!status.ok()) return status;
  if (!line.config_file.empty()) {
    // Resolved before any `dir` directive changes the working folder.
    config->config_file = AbsolutePath(line.config_file);
    status = loader.LoadFile(config->config_file);
    if (!status.ok()) return status;
  }
  if (line.read_stdin) {
    status = loader.LoadStdin(STDIN_FILENO);
    if (!status.ok()) return status;
  }
  status = loader.LoadEnvironment(environment.options);
  if (!status.ok()) return status;
  for (const std::string& folder : line.folders) {
    std::error_code ignored;  // if it is still missing, the option that needs it says so
    std::filesystem::create_directories(folder, ignored);
  }
  status = loader.LoadCommandLine(line.options);
  if (!status.ok()) return status;
  if (environment.require_password && config->requirepass.empty() && config->aclfile.empty() &&
      config->user_directives.empty()) {
    return ConfigStatus::Error(
        "SPINEL_REQUIRE_PASSWORD is set, but no password is. Give one with --requirepass, "
        "SPINEL_REQUIREPASS or SPINEL_REQUIREPASS_FILE.\n");
  }
  return loader.Finish();
}

std::string VersionText() {
  return fmt::format("Spinel server v={} redis_version={} bits={}\n", kSpinelVersion, kRedisVersion,
                     sizeof(void*) * 8);
}

std::string HelpText() {
  return fmt::format(
      "Spinel {}, an in-memory cache server for clients of Redis and Valkey\n"
      "\n"
      "Usage: spinel [FILE] [--OPTION VALUE ...] [-]\n"
      "       spinel -v | --version\n"
      "       spinel -h | --help\n"
      "       spinel --check-health [live | ready] [HOST:PORT]   exit 0 if a server does\n"
      "\n"
      "FILE is a configuration file in the format of redis.conf; - reads one from standard\n"
      "input. Every option of such a file can be given in the environment too, as\n"
      "SPINEL_OPTION or, for the name of a file with the value, SPINEL_OPTION_FILE; and as\n"
      "--OPTION. The command line wins over the environment, the environment over the file.\n"
      "\n"
      "Examples:\n"
      "  spinel                                     port 6379, this machine only\n"
      "  spinel --port 7000 --io-threads 4\n"
      "  spinel /etc/spinel.conf --loglevel debug\n"
      "  spinel --bind 0.0.0.0 --requirepass secret --maxmemory 75%\n"
      "  echo 'port 7000' | spinel -\n"
      "\n"
      "Under the name GarnetServer the flags of Garnet are understood as well.\n"
      "The options are described in docs/configuration.md.\n",
      kSpinelVersion);
}

}  // namespace spinel
