// Wiring only: reads the configuration, makes the server and its loops, runs them.

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "persistence/snapshot.h"
#include "server/acl.h"
#include "server/banner.h"
#include "server/command_line.h"
#include "server/config.h"
#include "server/config_docs.h"
#include "server/config_table.h"
#include "server/crash_report.h"
#include "server/cycle_clock.h"
#include "server/daemon.h"
#include "server/file_limit.h"
#include "server/health_check.h"
#include "server/host_resources.h"
#include "server/http_server.h"
#include "server/huge_pages.h"
#include "server/loading.h"
#include "server/log.h"
#include "server/loop_group.h"
#include "server/server.h"

namespace spinel {
namespace {

// Libraries allocate before main, so this comes before they are initialised.
__attribute__((section(".preinit_array"),
               used)) void (*const kHoldBackHugePages)() = HoldBackHugePages;

int Fail(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  if (!text.ends_with('\n')) std::fputc('\n', stderr);
  return 1;
}

void IgnoreSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  // The first process of a container inherits the orphans of others; ignored, they leave no
  // zombies.
  if (getpid() == 1) std::signal(SIGCHLD, SIG_IGN);
}

void LogStart(const Server& server, const StartupFacts& facts) {
  const Config& config = server.config();
  for (const std::string& line : StartupScreen(server, facts)) LogNotice("{}", line);
  for (const ConfigNotice& notice : config.notices) {
    Log(notice.warning ? LogLevel::kWarning : LogLevel::kNotice, "{}", notice.text);
  }
  for (const std::string& line : StartupWarnings(server)) LogWarning("{}", line);
}

// The users of the configuration. An image that demands a password takes a user's for one.
std::string LoadUsers(Server* server) {
  if (std::string error = server->acl().LoadAtStart(); !error.empty()) return error;
  const char* demand = std::getenv("SPINEL_REQUIRE_PASSWORD");
  if (demand == nullptr || std::string_view(demand) != "1" || server->needs_password()) return {};
  return "SPINEL_REQUIRE_PASSWORD=1 is set, but the user 'default' needs no password. Give it one, "
         "or switch it off.";
}

int FailStart(const std::string& error) {
  LogWarning("{}", error);
  return Fail(error);
}

int Serve(Config* config, const MemoryLimit& memory) {
  StartupFacts facts;
  facts.memory = memory;
  const UsableCpus cpus = FindUsableCpus();
  facts.loops = static_cast<int>(config->io_threads());
  facts.loops_reason = "io-threads";
  if (facts.loops == 0) {
    facts.loops = cpus.count;
    facts.loops_reason = fmt::format("a loop per usable CPU: {}", cpus.reason);
  }
  const std::string few_files = FitClientsToFileLimit(config);
  if (!few_files.empty()) config->notices.push_back({true, few_files});
  Server server(config, UnixMilliseconds(), facts.loops);
  LoopGroup loops(&server, facts.loops);
  if (const std::string error = LoadUsers(&server); !error.empty()) return FailStart(error);
  const CrashReportsOfThread crash_reports(nullptr);
  const auto report_crashes = [&server](const Config& changed) {
    SetCrashReports(changed.crash_log_enabled(), &server);
    return std::string();
  };
  report_crashes(*config);
  config->OnChange("crash-log-enabled", report_crashes);
  RemoveStaleSnapshots(config->dir());
  // Before anybody is let in: clients that come early are told to wait.
  if (const Status found = server.loading().Open(); !found.ok()) return FailStart(found.message());
  if (const std::string error = loops.Listen(); !error.empty()) return FailStart(error);
  HttpServer http(&server);
  if (const std::string error = http.Start(); !error.empty()) return FailStart(error);
  const PidFile pid_file(*config);
  LogStart(server, facts);
  std::string failure;
  loops.Run([&] {
    server.loading().Start([&](const Status& loaded) {
      if (loaded.ok()) {
        LogNotice("Ready to accept connections");
        NotifySupervisor(*config);
        return;
      }
      failure = loaded.message();
      loops.Shutdown();
    });
  });
  server.loading().Stop();
  if (!failure.empty()) return FailStart(failure);
  LogWarning("Spinel is now ready to exit, bye bye...");
  return 0;
}

int Main(std::span<const char* const> argv) {
  CommandLine line;
  if (const ConfigStatus status = ParseCommandLine(argv, &line); !status.ok()) {
    return Fail(status.error());
  }
  switch (line.action) {
    case CommandLine::Action::kVersion:
      std::puts(VersionText().c_str());
      return 0;
    case CommandLine::Action::kHelp:
      std::puts(HelpText().c_str());
      return 0;
    case CommandLine::Action::kConfigReference:
      std::fputs(ConfigReference().c_str(), stdout);
      return 0;
    case CommandLine::Action::kCheckHealth:
      return CheckHealth(line.health);
    case CommandLine::Action::kRun:
      break;
  }
  const MemoryLimit memory = FindMemoryLimit();
  Config config([memory] { return memory.bytes; });
  // A container that passes its limit is killed: unless somebody says otherwise, the server stays
  // below it. It refuses writes then, because losing keys is for the operator to choose.
  if (memory.cgroup) {
    const std::string share[] = {kCgroupShare};
    const ConfigStatus status =
        config.LoadRow(*FindConfigRow("maxmemory"), share, /*append=*/false);
    if (!status.ok()) return Fail(status.error());
  }
  if (const ConfigStatus status = LoadConfig(line, &config); !status.ok()) {
    return Fail(status.error());
  }
  if (const std::string error = ConfigureLog(config); !error.empty()) return Fail(error);
  config.OnChange({"loglevel", "logfile", "log-format", "log-timestamp-format", "syslog-enabled"},
                  [](const Config& changed) { return ConfigureLog(changed); });
  IgnoreSignals();
  if (const std::string error = Daemonize(config); !error.empty()) return Fail(error);
  CycleClock::Calibrate();
  return Serve(&config, memory);
}

}  // namespace
}  // namespace spinel

int main(int argc, char** argv) { return spinel::Main({argv, static_cast<size_t>(argc)}); }
