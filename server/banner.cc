#include "server/banner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "server/saver.h"
#include "server/version.h"

namespace spinel {
namespace {

std::string ReadableBytes(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : 2, kUnits[unit]);
}

std::string MemoryLine(const Config& config, const MemoryLimit& limit) {
  const int64_t maxmemory = config.maxmemory();
  const std::string host =
      fmt::format("{} available ({})", ReadableBytes(limit.bytes), limit.source);
  if (maxmemory == 0) return "no limit set; " + host;
  std::string_view advice;
  if (config.maxmemory_policy() == MaxmemoryPolicy::kNoEviction) {
    advice = " (writes are refused at the limit; a cache wants --maxmemory-policy allkeys-lru)";
  }
  return fmt::format("maxmemory {}, policy {}{}; {}", ReadableBytes(maxmemory),
                     config.GetOne("maxmemory-policy").value_or(""), advice, host);
}

std::string PersistenceLine(const Config& config) {
  const std::string path = SnapshotPath(config);
  std::string points;
  for (const SavePoint& point : config.save_points()) {
    points += fmt::format("{}{} changes in {} s", points.empty() ? "" : ", ", point.changes,
                          point.seconds);
  }
  if (points.empty()) {
    return fmt::format("no save points: snapshots go to {} only on SAVE and BGSAVE", path);
  }
  return fmt::format("snapshots go to {} after {}, and at the end", path, points);
}

std::string ConfigurationLine(const Config& config) {
  std::string line = config.config_file.empty() ? "defaults and command line" : config.config_file;
  const std::vector<std::string> variables = config.environment_variables();
  for (size_t i = 0; i < variables.size(); ++i) {
    line += fmt::format("{}{}", i == 0 ? "; environment: " : ", ", variables[i]);
  }
  return line;
}

bool BoundBeyondLoopback(const Config& config) {
  for (const std::string& entry : config.bind_addresses()) {
    const std::string address = entry.starts_with('-') ? entry.substr(1) : entry;
    if (!address.starts_with("127.") && address != "::1" && address != "localhost") return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> StartupScreen(const Server& server, const StartupFacts& facts) {
  const Config& config = server.config();
  std::vector<std::string> lines;
  lines.push_back(fmt::format("Spinel {} (speaks as Redis {}), pid {}", kSpinelVersion,
                              kRedisVersion, getpid()));
  std::string listening;
  for (const ListeningAddress& address : server.listeners()) {
    listening += (listening.empty() ? "" : ", ") + address.name;
    if (address.kind == ListeningAddress::Kind::kTls) listening += " (TLS)";
  }
  lines.push_back("  Listening on    " + (listening.empty() ? "nothing" : listening));
  lines.push_back(fmt::format("  Event loops     {} ({})", facts.loops, facts.loops_reason));
  lines.push_back("  Memory          " + MemoryLine(config, facts.memory));
  lines.push_back("  Persistence     " + PersistenceLine(config));
  lines.push_back(std::string("  Authentication  ") +
                  (server.needs_password()   ? "password required"
                   : config.protected_mode() ? "no password; protected mode lets loopback in only"
                                             : "no password"));
  lines.push_back("  Configuration   " + ConfigurationLine(config));
  return lines;
}

std::vector<std::string> StartupWarnings(const Server& server) {
  const Config& config = server.config();
  std::vector<std::string> lines;
  if (!server.needs_password() && !config.protected_mode() && BoundBeyondLoopback(config)) {
    lines.emplace_back(
        "WARNING, OPEN TO EVERYBODY: no password is set, protected mode is off and the server "
        "listens beyond "
        "loopback. Remedy: --requirepass PASSWORD.");
  }
  if (!server.command_error().empty()) {
    lines.push_back(
        fmt::format("rename-command names '{}', which is no command. Remedy: remove the line.",
                    server.command_error()));
  }
  int64_t somaxconn = 0;
  std::ifstream("/proc/sys/net/core/somaxconn") >> somaxconn;
  if (somaxconn > 0 && somaxconn < config.tcp_backlog()) {
    lines.push_back(fmt::format(
        "tcp-backlog is {} but the kernel allows {}. Remedy: sysctl net.core.somaxconn={}.",
        config.tcp_backlog(), somaxconn, config.tcp_backlog()));
  }
  return lines;
}

}  // namespace spinel
