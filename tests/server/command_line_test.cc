#include "server/command_line.h"

#include <catch2/catch.hpp>

#include "tests/server/config_test_support.h"

namespace spinel {
namespace {

std::string Failure(std::string_view line, std::string_view reason) {
  return fmt::format(
      "\n*** FATAL CONFIG FILE ERROR (Spinel 0.1.0) ***\n"
      "Reading the options from the command line\n>>> '{}'\n{}\n",
      line, reason);
}

CommandLine Parse(std::initializer_list<const char*> argv) {
  CommandLine line;
  REQUIRE(ParseCommandLine(std::vector<const char*>(argv), &line).ok());
  return line;
}

bool HasNotice(const Config& config, std::string_view part, bool warning = false) {
  for (const ConfigNotice& notice : config.notices) {
    if (notice.text.find(part) != std::string::npos && notice.warning == warning) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("Command line: options and their values") {
  Config config(TestMemoryLimit);
  REQUIRE(Start(config, {"--port", "0", "--bind", "0.0.0.0", "::1", "--save", "60", "1",
                         "--requirepass", "secret word", "--maxmemory", "75%", "--SAVE", "30", "2",
                         "--loglevel", "verbose"}) == "OK");
  CHECK(config.port() == 0);
  CHECK(config.bind_addresses() == std::vector<std::string>{"0.0.0.0", "::1"});
  CHECK(config.save_points() == std::vector<SavePoint>{{60, 1}, {30, 2}});
  CHECK(config.requirepass() == "secret word");
  CHECK(config.maxmemory() == kTestMemoryLimit / 4 * 3);
  CHECK(config.loglevel() == LogLevel::kVerbose);
  CHECK(config.config_file.empty());
}

TEST_CASE("Command line: nothing at all") {
  Config config;
  CHECK(Start(config, {}) == "OK");
  CHECK(config.port() == 6379);
  CommandLine line;
  CHECK(ParseCommandLine({}, &line).ok());
}

TEST_CASE("Command line: later options win, also over the file and standard input") {
  TemporaryFolder folder;
  std::string path = folder.Write("f.conf", "timeout 1\nmaxclients 7\nsave 900 1\n");
  Config config;
  REQUIRE(Start(config, {path.c_str(), "--timeout", "2", "--timeout", "3", "--save", "100",
                         "100"}) == "OK");
  CHECK(config.timeout() == 3);
  CHECK(config.maxclients() == 7);
  CHECK(GetConfig(config, "save") == "900 1 100 100");
  Config cleared;
  REQUIRE(Start(cleared, {path.c_str(), "--save", ""}) == "OK");
  CHECK(GetConfig(cleared, "save").empty());
}

TEST_CASE("Command line: `--save` without a value") {
  for (auto args : {std::vector<const char*>{"--save", "--loglevel", "verbose"},
                    std::vector<const char*>{"--loglevel", "verbose", "--save"},
                    std::vector<const char*>{"--save", "", "--loglevel", "verbose"},
                    std::vector<const char*>{"--loglevel", "verbose", "--save", ""}}) {
    args.insert(args.begin(), "spinel");
    CommandLine line;
    Config config;
    REQUIRE(ParseCommandLine(args, &line).ok());
    REQUIRE(LoadConfig(line, &config).ok());
    CHECK(GetConfig(config, "save").empty());
    CHECK(config.loglevel() == LogLevel::kVerbose);
  }
  Config config;
  REQUIRE(Start(config, {"--proc-title-template", "--save", "--save", "", "--loglevel",
                         "verbose"}) == "OK");
  CHECK(config.proc_title_template() == "--save");
  CHECK(GetConfig(config, "save").empty());
}

TEST_CASE("Command line: name and value in one argument, values that begin with dashes") {
  Config config;
  REQUIRE(Start(config, {"--maxmemory 700mb", "--maxmemory-policy 'volatile-lru'",
                         "--proc-title-template", "--my--title", "--logfile", "--x"}) == "OK");
  CHECK(config.maxmemory() == 700 * kMb);
  CHECK(config.maxmemory_policy() == MaxmemoryPolicy::kVolatileLru);
  CHECK(config.proc_title_template() == "--my--title");
  CHECK(config.logfile() == "--x");

  TemporaryFolder folder;
  std::string path = folder.Write("f.conf", "");
  Config loose;  // an option without dashes right behind the file
  REQUIRE(Start(loose, {path.c_str(), "loglevel", "verbose", "--maxmemory '7mb'"}) == "OK");
  CHECK(loose.loglevel() == LogLevel::kVerbose);
  CHECK(loose.maxmemory() == 7 * kMb);

  Config flags;
  REQUIRE(Start(flags, {"--shutdown-on-sigint", "nosave", "force", "now", "--shutdown-on-sigterm",
                        "nosave force"}) == "OK");
  CHECK(GetConfig(flags, "shutdown-on-sigint") == "nosave now force");
  CHECK(GetConfig(flags, "shutdown-on-sigterm") == "nosave force");
}

TEST_CASE("Command line: errors show the option") {
  Config config;
  CHECK(Start(config, {"--prot", "1"}) ==
        Failure("prot \"1\"", "Bad directive or wrong number of arguments (did you mean 'port'?)"));
  CHECK(Start(config, {"--zzzzzzzzzzzz"}) ==
        Failure("zzzzzzzzzzzz", "Bad directive or wrong number of arguments"));
  CHECK(Start(config, {"--port"}) == Failure("port", "wrong number of arguments"));
  CHECK(Start(config, {"--port", "6379", "6380"}) ==
        Failure("port \"6379\" \"6380\"", "wrong number of arguments"));
  CHECK(Start(config, {"--port", "--loglevel", "verbose"}) ==
        Failure("port \"--loglevel\" \"verbose\"", "wrong number of arguments"));
  CHECK(Start(config, {"--port", "--bla", "--loglevel", "verbose"}) ==
        Failure("port \"--bla\"", "argument couldn't be parsed into an integer"));
  CHECK(Start(config, {"--loglevel", "--bla"}).find("argument(s) must be one of the following") !=
        std::string::npos);
  CHECK(Start(config, {"--shutdown-on-sigint"}).find("argument(s) must be one of the following") !=
        std::string::npos);
  CHECK(Start(config, {"--replicaof", "--127.0.0.1", "abc"}) ==
        Failure("replicaof \"--127.0.0.1\" \"abc\"", "Invalid primary port"));
  CHECK(Start(config, {"--replicaof", "--127.0.0.1", "--abc"}) ==
        Failure("replicaof \"--127.0.0.1\"", "wrong number of arguments"));
  CHECK(Start(config, {"--"}) == "OK");  // as in Redis: an option without a name says nothing
}

TEST_CASE("Command line: version, help and the reference page") {
  using Action = CommandLine::Action;
  CHECK(Parse({"/usr/bin/redis-server", "-v"}).action == Action::kVersion);
  CHECK(Parse({"spinel", "--version"}).action == Action::kVersion);
  CHECK(Parse({"spinel", "-h"}).action == Action::kHelp);
  CHECK(Parse({"GarnetServer", "--help"}).action == Action::kHelp);
  CHECK(Parse({"spinel", "--dump-config-reference"}).action == Action::kConfigReference);
  CHECK(Parse({"/usr/bin/redis-server"}).program == "redis-server");
  CHECK(VersionText().find("Spinel server v=") == 0);
  CHECK(HelpText().find("--OPTION") != std::string::npos);
}

TEST_CASE("Command line: standard input stands first or last") {
  CHECK(Parse({"spinel", "-"}).read_stdin);
  CHECK(Parse({"spinel", "--port", "1", "-"}).read_stdin);
  CHECK(Parse({"spinel", "a.conf", "-"}).read_stdin);
  CHECK(Parse({"spinel", "a.conf", "-"}).config_file == "a.conf");
  CHECK_FALSE(Parse({"spinel", "--bind", "-", "::1"}).read_stdin);
}

TEST_CASE("Command line: what .NET Aspire passes") {
  Config redis;
  REQUIRE(Start(redis, {"--requirepass", "p4ss", "--save", "60", "1"}, "redis-server") == "OK");
  CHECK(redis.requirepass() == "p4ss");
  Config tls;
  REQUIRE(Start(tls,
                {"--requirepass", "p", "--tls-port", "6379", "--port", "6380", "--tls-cert-file",
                 "/c", "--tls-key-file", "/k", "--tls-auth-clients", "no"},
                "redis-server") == "OK");
  CHECK(tls.tls_port() == 6379);
  CHECK(tls.notices.empty());
  Config authority;
  REQUIRE(Start(authority, {"--tls-ca-cert-file", "/ca"}, "valkey-server") == "OK");
}

TEST_CASE("GarnetServer: what .NET Aspire passes") {
  TemporaryFolder folder;
  KeepWorkingFolder keep;
  std::string checkpoints = folder.Path("data/checkpoints");
  Config config;
  REQUIRE(Start(config,
                {"--protected-mode", "no", "--auth", "Password", "--password", "p4ss --x",
                 "--checkpointdir", checkpoints.c_str(), "--recover", "--aof", "--aof-commit-freq",
                 "60000"},
                "/app/GarnetServer") == "OK");
  CHECK_FALSE(config.protected_mode());
  CHECK(config.requirepass() == "p4ss --x");
  CHECK(config.dir() == checkpoints);
  CHECK(HasNotice(config, "Garnet's --checkpointdir " + checkpoints + ": sets dir"));
  CHECK(HasNotice(config, "Garnet's --recover: no effect"));
  CHECK(HasNotice(config, "Garnet's --aof-commit-freq: no effect"));
  CHECK(HasNotice(config, "'appendonly' is accepted but has no effect", /*warning=*/true));
}

TEST_CASE("GarnetServer: other flags, ours too, and errors") {
  Config config;
  REQUIRE(Start(config,
                {"-m",
                 "16g",
                 "--port=7003",
                 "--bind",
                 "0.0.0.0",
                 "--logger-level",
                 "Warning",
                 "--minthreads",
                 "4",
                 "--lua",
                 "true",
                 "--storage-tier",
                 "-i",
                 "1g",
                 "--aof",
                 "false",
                 "--io-threads",
                 "2",
                 "--save",
                 "60",
                 "1",
                 "--max-databases",
                 "4",
                 "-q"},
                "GarnetServer") == "OK");
  CHECK(config.maxmemory() == 16 * kGb);
  CHECK(config.port() == 7003);
  CHECK(config.loglevel() == LogLevel::kNotice);
  CHECK(config.io_threads() == 2);
  CHECK(config.databases() == 4);
  CHECK(GetConfig(config, "save") == "60 1");
  CHECK(GetConfig(config, "appendonly") == "no");
  CHECK(HasNotice(config, "Garnet's --memory 16g: sets maxmemory"));
  CHECK(HasNotice(config, "Garnet's --minthreads: no effect, see io-threads"));
  CHECK_FALSE(HasNotice(config, "'appendonly'", true));

  auto error = [](std::initializer_list<const char*> args) {
    Config fresh;
    return Start(fresh, args, "GarnetServer");
  };
  CHECK(error({"--auth", "Aad"}).find("NoAuth, Password or ACL only") != std::string::npos);
  CHECK(error({"--port"}).find("The flag needs a value") != std::string::npos);
  CHECK(error({"--bogus"}).find("Neither a flag of Garnet nor an option of Spinel") !=
        std::string::npos);
  CHECK(error({"--port", "x"}).find("couldn't be parsed into an integer") != std::string::npos);
  CHECK(error({"--logger-level", "loud"}).find("Unknown logging level") != std::string::npos);
}

}  // namespace spinel
