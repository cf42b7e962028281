#include "server/config_environment.h"

#include <catch2/catch.hpp>

#include "server/health_check.h"
#include "tests/server/config_test_support.h"

namespace spinel {
namespace {

// Starts with that environment alone; the error text, or "OK".
std::string StartWith(Config& config, std::vector<const char*> environment,
                      std::initializer_list<const char*> args = {}) {
  std::vector<const char*> argv{"spinel"};
  argv.insert(argv.end(), args.begin(), args.end());
  environment.push_back(nullptr);
  CommandLine line;
  ConfigStatus status = ParseCommandLine(argv, &line);
  if (status.ok()) status = LoadConfig(line, &config, environment.data());
  return status.ok() ? "OK" : status.error();
}

std::string Failure(std::string_view shown, std::string_view reason) {
  return fmt::format(
      "\n*** FATAL CONFIG FILE ERROR (Spinel 0.1.0) ***\nReading the environment\n>>> '{}'\n{}\n",
      shown, reason);
}

}  // namespace

TEST_CASE("Environment: options of every kind") {
  Config config(TestMemoryLimit);
  REQUIRE(StartWith(config, {"HOME=/root", "SPINEL_MAXMEMORY=1gb", "SPINEL_SAVE=60 1 300 10",
                             "SPINEL_BIND=127.0.0.1 ::1", "SPINEL_MAXMEMORY_POLICY=allkeys-lfu",
                             "SPINEL_REQUIREPASS=two words \"quoted\"", "SPINEL_PROTECTED_MODE=no",
                             "SPINEL_CLIENT_OUTPUT_BUFFER_LIMIT=pubsub 1mb 1mb 5"}) == "OK");
  CHECK(config.maxmemory() == kGb);
  CHECK(config.save_points() == std::vector<SavePoint>{{60, 1}, {300, 10}});
  CHECK(config.bind_addresses() == std::vector<std::string>{"127.0.0.1", "::1"});
  CHECK(config.maxmemory_policy() == MaxmemoryPolicy::kAllkeysLfu);
  CHECK(config.requirepass() == "two words \"quoted\"");
  CHECK_FALSE(config.protected_mode());
  CHECK(config.output_limit(OutputClass::kPubsub).soft_seconds() == 5);
  CHECK(config.environment_variables().size() == 7);
}

TEST_CASE("Environment: every option of the table has a name of its own there") {
  for (const ConfigRow* row : ConfigRows()) {
    const std::string name = EnvironmentName(row->name);
    INFO(name);
    const std::string entry = name + "=?";
    const char* const environment[] = {entry.c_str(), nullptr};
    Environment found;
    REQUIRE(ReadEnvironment(environment, &found).ok());
    REQUIRE(found.options.size() == 1);
    CHECK(found.options[0].row == row);
    CHECK(found.options[0].value == "?");
  }
}

TEST_CASE("Environment: it wins over the file, and the command line over it") {
  TemporaryFolder folder;
  const std::string path = folder.Write("f.conf", "timeout 1\nmaxclients 7\nsave 900 1\n");
  Config config;
  REQUIRE(StartWith(config, {"SPINEL_TIMEOUT=2", "SPINEL_MAXCLIENTS=8", "SPINEL_SAVE=60 1"},
                    {path.c_str(), "--maxclients", "9"}) == "OK");
  CHECK(config.timeout() == 2);
  CHECK(config.maxclients() == 9);
  // A list is replaced, not added to.
  CHECK(config.save_points() == std::vector<SavePoint>{{60, 1}});
  CHECK(config.environment_variables() ==
        std::vector<std::string>{"SPINEL_TIMEOUT", "SPINEL_SAVE"});
  Config other;
  REQUIRE(StartWith(other, {"SPINEL_SAVE=60 1"}, {"--save", "30", "2", "--save", "10", "9"}) ==
          "OK");
  CHECK(other.save_points() == std::vector<SavePoint>{{30, 2}, {10, 9}});
  Config none;
  REQUIRE(StartWith(none, {"SPINEL_SAVE="}) == "OK");
  CHECK(none.save_points().empty());
}

TEST_CASE("Environment: unknown names stop the start and name the nearest") {
  Config config;
  CHECK(
      StartWith(config, {"SPINEL_MAXMEMRY=1gb"}) ==
      Failure("SPINEL_MAXMEMRY=...", "No option has this name (did you mean 'SPINEL_MAXMEMORY'?)"));
  CHECK(StartWith(config, {"SPINEL_REQIREPASS_FILE=/x"}) ==
        Failure("SPINEL_REQIREPASS_FILE=/x",
                "No option has this name (did you mean 'SPINEL_REQUIREPASS'?)"));
  CHECK(StartWith(config, {"SPINEL_=1"}) == Failure("SPINEL_=...", "No option has this name"));
}

TEST_CASE("Environment: wrong values stop the start, and secrets are not shown") {
  Config config;
  CHECK(StartWith(config, {"SPINEL_MAXMEMORY=1zb"}) ==
        Failure("SPINEL_MAXMEMORY=1zb", "argument must be a memory value"));
  CHECK(StartWith(config, {"SPINEL_SAVE=\"60 1"}) ==
        Failure("SPINEL_SAVE=\"60 1", "Unbalanced quotes"));
  CHECK(StartWith(config, {"SPINEL_PORT="}) ==
        Failure("SPINEL_PORT=", "argument couldn't be parsed into an integer"));
  CHECK(StartWith(config, {"SPINEL_REQUIREPASS=secret", "SPINEL_REQUIREPASS=secret"}) ==
        Failure("SPINEL_REQUIREPASS=...", "'requirepass' is set by SPINEL_REQUIREPASS already"));
}

TEST_CASE("Environment: values from files") {
  TemporaryFolder folder;
  const auto start_with_file = [&](Config& config, std::string_view text) {
    const std::string entry = "SPINEL_REQUIREPASS_FILE=" + folder.Write("secret", text);
    return StartWith(config, {entry.c_str()});
  };
  for (const char* text : {"s3cret", "s3cret\n", "s3cret\r\n"}) {
    Config config;
    REQUIRE(start_with_file(config, text) == "OK");
    CHECK(config.requirepass() == "s3cret");
  }
  Config config;
  REQUIRE(start_with_file(config, " two\nlines\n\n") == "OK");
  CHECK(config.requirepass() == " two\nlines\n");
  const std::string shown = "SPINEL_REQUIREPASS_FILE=" + folder.Path("secret");
  CHECK(start_with_file(config, std::string(kMaxSecretBytes + 1, 'x')) ==
        Failure(shown, "The file '" + folder.Path("secret") + "' is longer than 64 KB"));
  CHECK(
      start_with_file(config, std::string("a\0b", 3)) ==
      Failure(shown, "The file '" + folder.Path("secret") + "' has a NUL byte; this is not text"));
  CHECK(StartWith(config, {"SPINEL_REQUIREPASS_FILE=/none"}) ==
        Failure("SPINEL_REQUIREPASS_FILE=/none",
                "Can't read the file '/none': No such file or directory"));
  CHECK(StartWith(config, {"SPINEL_REQUIREPASS_FILE=/"}) ==
        Failure("SPINEL_REQUIREPASS_FILE=/", "Can't read the file '/': Is a directory"));
  CHECK(StartWith(config, {"SPINEL_REQUIREPASS=x", "SPINEL_REQUIREPASS_FILE=/dev/null"}) ==
        Failure("SPINEL_REQUIREPASS_FILE=/dev/null",
                "'requirepass' is set by SPINEL_REQUIREPASS already"));
}

TEST_CASE("Environment: any option may come from a file, also one whose name ends with it") {
  TemporaryFolder folder;
  const std::string memory = "SPINEL_MAXMEMORY_FILE=" + folder.Write("memory", "2gb\n");
  const std::string passphrase = "SPINEL_TLS_KEY_FILE_PASS_FILE=" + folder.Write("pass", "word\n");
  Config config;
  REQUIRE(StartWith(config, {memory.c_str(), passphrase.c_str(), "SPINEL_TLS_KEY_FILE=/k.pem"}) ==
          "OK");
  CHECK(config.maxmemory() == 2 * kGb);
  CHECK(config.tls_key_file_pass() == "word");
  CHECK(config.tls_key_file() == "/k.pem");
}

TEST_CASE("Environment: the container's own switches") {
  Config container;
  REQUIRE(StartWith(container, {"SPINEL_CONTAINER=1"}) == "OK");
  CHECK_FALSE(container.protected_mode());
  CHECK(container.bind_addresses() == std::vector<std::string>{"*", "-::*"});
  for (const char* demand : {"SPINEL_REQUIRE_PASSWORD=1", "SPINEL_REQUIRE_PASSWORD=yes",
                             "SPINEL_REQUIRE_PASSWORD=True"}) {
    Config open, closed;
    CHECK(StartWith(open, {demand}).find("no password is") != std::string::npos);
    CHECK(StartWith(closed, {demand, "SPINEL_REQUIREPASS=x"}) == "OK");
  }
  Config config;
  CHECK(StartWith(config, {"SPINEL_REQUIRE_PASSWORD=no"}) == "OK");
  CHECK(StartWith(config, {"SPINEL_REQUIRE_PASSWORD=maybe"}) ==
        Failure("SPINEL_REQUIRE_PASSWORD=maybe", "The value must be 'yes' or 'no'"));
}

TEST_CASE("Environment: what orchestrators tell of a service called spinel is none of it") {
  Config config;
  REQUIRE(
      StartWith(config, {"SPINEL_SERVICE_HOST=10.0.0.1", "SPINEL_SERVICE_PORT=6379",
                         "SPINEL_SERVICE_PORT_REDIS=6379", "SPINEL_PORT=tcp://10.0.0.1:6379",
                         "SPINEL_PORT_6379_TCP=tcp://10.0.0.1:6379",
                         "SPINEL_PORT_6379_TCP_ADDR=10.0.0.1", "SPINEL_CACHE_SERVICE_HOST=10.0.0.2",
                         "SPINEL_CACHE_PORT=tcp://10.0.0.2:6379"}) == "OK");
  CHECK(config.port() == 6379);
  CHECK(config.environment_variables().empty());
}

TEST_CASE("Environment: CONFIG REWRITE leaves to it what it gives") {
  TemporaryFolder folder;
  const std::string path = folder.Write("f.conf", "timeout 1\nrequirepass old\n");
  Config config;
  REQUIRE(StartWith(config, {"SPINEL_REQUIREPASS=secret", "SPINEL_MAXCLIENTS=8"}, {path.c_str()}) ==
          "OK");
  REQUIRE(config.Rewrite().ok());
  CHECK(folder.Read("f.conf") == "timeout 1\nrequirepass old\n");
  REQUIRE(SetConfig(config, {"maxclients", "9"}) == "OK");
  REQUIRE(config.Rewrite().ok());
  CHECK(folder.Read("f.conf").find("maxclients 9\n") != std::string::npos);
  CHECK(folder.Read("f.conf").find("secret") == std::string::npos);
}

TEST_CASE("Health check: where a server's configuration says that it listens") {
  const auto address = [](std::initializer_list<const char*> args) {
    Config config;
    REQUIRE(Start(config, args) == "OK");
    return AddressToAsk(config);
  };
  CHECK(address({}) == "127.0.0.1:6379");
  CHECK(address({"--port", "7000", "--bind", "*", "-::*"}) == "127.0.0.1:7000");
  CHECK(address({"--bind", "::*"}) == "[::1]:6379");
  CHECK(address({"--bind", "-10.0.0.1"}) == "10.0.0.1:6379");
  CHECK(address({"--tls-port", "6379", "--port", "6380"}) == "127.0.0.1:6380");
  CHECK(address({"--port", "0", "--unixsocket", "/run/s"}) == "/run/s");
  CHECK(address({"--port", "0", "--tls-port", "6379"}).empty());
}

TEST_CASE("Health check: loading is alive, not ready") {
  CHECK(IsReady("+PONG"));
  CHECK(IsReady("-NOAUTH Authentication required."));
  CHECK(IsReady("-MISCONF Redis is configured to save RDB snapshots"));
  CHECK_FALSE(IsReady("-LOADING Redis is loading the dataset in memory"));
  CHECK_FALSE(IsReady("-ERR max number of clients reached"));
  CHECK_FALSE(IsReady(""));
  CHECK(IsAlive("-LOADING Redis is loading the dataset in memory"));
  CHECK(IsAlive("-BUSY Redis is busy running a script"));
  CHECK_FALSE(IsAlive("HTTP/1.1 400 Bad Request"));
  CHECK_FALSE(IsAlive(""));
}

}  // namespace spinel
