#include "server/log.h"

#include <fcntl.h>
#include <sys/time.h>
#include <syslog.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "server/config.h"
#include "server/log_format.h"
#include "storage/mutex.h"

namespace spinel {
namespace {

std::atomic<int64_t> g_level{static_cast<int64_t>(LogLevel::kNotice)};
std::atomic<int> g_fd{STDOUT_FILENO};
std::atomic<bool> g_syslog{false};
std::atomic<LogFormat> g_format{LogFormat::kLegacy};
std::atomic<LogTimestamp> g_timestamp{LogTimestamp::kLegacy};

std::string FormatLine(LogLevel level, std::string_view message) {
  timeval now{};
  gettimeofday(&now, nullptr);
  const int64_t unix_us = int64_t{now.tv_sec} * 1'000'000 + now.tv_usec;
  return FormatLogLine({level, unix_us, getpid(), message}, g_format.load(), g_timestamp.load());
}

}  // namespace

std::string ConfigureLog(const Config& config) {
  g_level.store(static_cast<int64_t>(config.loglevel()));
  g_format.store(config.log_format());
  g_timestamp.store(config.log_timestamp_format());
  const std::string file = config.logfile();
  int fd = STDOUT_FILENO;
  if (!file.empty()) {
    fd = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) return fmt::format("Can't open the log file '{}': {}", file, std::strerror(errno));
  }
  const int old = g_fd.exchange(fd);
  if (old > STDERR_FILENO) close(old);
  if (config.syslog_enabled()) {
    static std::string ident;  // openlog keeps the pointer
    ident = config.syslog_ident();
    openlog(ident.c_str(), LOG_PID | LOG_NDELAY, static_cast<int>(config.syslog_facility()));
  }
  g_syslog.store(config.syslog_enabled());
  return {};
}

int LogDescriptor() { return g_fd.load(); }

bool LogEnabled(LogLevel level) {
  return static_cast<int64_t>(level) >= g_level.load(std::memory_order_relaxed);
}

void WriteLog(LogLevel level, std::string_view message) {
  const std::string line = FormatLine(level, message);
  // A log that cannot be written must not stop the server.
  if (write(g_fd.load(), line.data(), line.size()) < 0) return;
  if (g_syslog.load()) {
    constexpr int kPriorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};
    syslog(kPriorities[static_cast<size_t>(level) & 3], "%.*s", static_cast<int>(message.size()),
           message.data());
  }
}

}  // namespace spinel
