// Wiring only: reads the configuration, makes the server and its loops, runs them.

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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
#include "server/crash_report.h"
#include "server/cycle_clock.h"
#include "server/daemon.h"
#include "server/health_check.h"
#include "server/host_resources.h"
#include "server/http_server.h"
#include "server/loading.h"
#include "server/log.h"
#include "server/loop_group.h"
#include "server/server.h"

namespace spinel {
namespace {

int Fail(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  if (!text.ends_with('\n')) std::fputc('\n', stderr);
  return 1;
}

// As many open files as maxclients needs; returns how many clients fit.
int64_t RaiseFileLimit(int64_t clients) {
  constexpr int64_t kOwnFiles = 64;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return clients;
  const auto wanted = static_cast<rlim_t>(clients + kOwnFiles);
  if (limit.rlim_cur >= wanted) return clients;
  rlimit raised = limit;
  raised.rlim_cur = wanted;
  raised.rlim_max = std::max(limit.rlim_max, wanted);
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return clients;
  raised = {std::min(limit.rlim_max, wanted), limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) != 0) raised = limit;
  return std::max<int64_t>(static_cast<int64_t>(raised.rlim_cur) - kOwnFiles, 1);
}

void IgnoreSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
}

void LogStart(const Server& server, const StartupFacts& facts, int64_t clients) {
  const Config& config = server.config();
  for (const std::string& line : StartupScreen(server, facts)) LogNotice("{}", line);
  for (const ConfigNotice& notice : config.notices) {
    Log(notice.warning ? LogLevel::kWarning : LogLevel::kNotice, "{}", notice.text);
  }
  for (const std::string& line : StartupWarnings(server)) LogWarning("{}", line);
  if (clients < config.maxclients()) {
    LogWarning("Open files are limited to {} clients instead of {}. Remedy: raise 'ulimit -n'.",
               clients, config.maxclients());
  }
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
  LogStart(server, facts, RaiseFileLimit(config->maxclients()));
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
      return CheckHealth(line.health_target);
    case CommandLine::Action::kRun:
      break;
  }
  const MemoryLimit memory = FindMemoryLimit();
  Config config([memory] { return memory.bytes; });
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
