#include "server/log.h"

#include <fcntl.h>
#include <sys/time.h>
#include <syslog.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "server/config.h"
#include "storage/mutex.h"

namespace spinel {
namespace {

std::atomic<int64_t> g_level{static_cast<int64_t>(LogLevel::kNotice)};
std::atomic<int> g_fd{STDOUT_FILENO};
std::atomic<bool> g_syslog{false};
std::atomic<LogFormat> g_format{LogFormat::kLegacy};
std::atomic<LogTimestamp> g_timestamp{LogTimestamp::kLegacy};

std::string Timestamp(LogTimestamp style) {
  timeval now{};
  gettimeofday(&now, nullptr);
  const int milliseconds = static_cast<int>(now.tv_usec / 1000);
  if (style == LogTimestamp::kMilliseconds) {
    return fmt::format("{}", int64_t{now.tv_sec} * 1000 + milliseconds);
  }
  tm local{};
  localtime_r(&now.tv_sec, &local);
  char text[64];
  if (style == LogTimestamp::kIso8601) {
    char zone[8];
    std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &local);
    std::strftime(zone, sizeof(zone), "%z", &local);
    return fmt::format("{}.{:03}{:.3}:{}", text, milliseconds, zone, zone + 3);
  }
  std::strftime(text, sizeof(text), "%d %b %Y %H:%M:%S", &local);
  return fmt::format("{}.{:03}", text, milliseconds);
}

std::string FormatLine(LogLevel level, std::string_view message) {
  constexpr char kMarks[] = {'.', '-', '*', '#'};
  constexpr const char* kNames[] = {"debug", "info", "notice", "warning"};
  const auto index = static_cast<size_t>(level) & 3;
  const std::string time = Timestamp(g_timestamp.load());
  if (g_format.load() == LogFormat::kLogfmt) {
    std::string quoted;
    for (const char c : message) {
      if (c == '"' || c == '\\') quoted.push_back('\\');
      quoted.push_back(c == '\n' || c == '\r' ? ' ' : c);
    }
    return fmt::format("pid={} role=primary timestamp=\"{}\" level={} message=\"{}\"\n", getpid(),
                       time, kNames[index], quoted);
  }
  return fmt::format("{}:M {} {} {}\n", getpid(), time, kMarks[index], message);
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
