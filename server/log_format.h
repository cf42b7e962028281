// A line of the log as text, logfmt or JSON.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/config_types.h"

namespace spinel {

struct LogRecord {
  LogLevel level = LogLevel::kNotice;
  int64_t unix_us = 0;
  int pid = 0;
  std::string_view message;
};

// With its line break. Messages may hold anything: in logfmt and JSON a record is always one line
// of valid UTF-8. JSON's time is ISO 8601 unless `timestamp` asks for milliseconds.
std::string FormatLogLine(const LogRecord& record, LogFormat format, LogTimestamp timestamp);

}  // namespace spinel
