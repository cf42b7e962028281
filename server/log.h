// The server's log: to standard output, a file or syslog, as the configuration says.
//
// Threads: any; a line is written with one write call.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "server/config_types.h"

namespace spinel {

class Config;

// Opens the target that `config` names. An empty return: done; else why not. May be called again to
// follow a change. Before the first call the log goes to standard output at level notice.
std::string ConfigureLog(const Config& config);

// Where lines go; for those who must not wait or allocate: crash reports.
int LogDescriptor();

bool LogEnabled(LogLevel level);
void WriteLog(LogLevel level, std::string_view message);

template <typename... Args>
void Log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (LogEnabled(level)) WriteLog(level, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogNotice(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kNotice, format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogWarning(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kWarning, format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogVerbose(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kVerbose, format, std::forward<Args>(args)...);
}

}  // namespace spinel
