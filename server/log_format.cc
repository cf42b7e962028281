#include "server/log_format.h"

#include <fmt/format.h>

#include <ctime>

#include "server/json.h"

namespace spinel {
namespace {

constexpr char kMarks[] = {'.', '-', '*', '#'};
constexpr std::string_view kLevelNames[] = {"debug", "info", "notice", "warning"};

std::string Timestamp(int64_t unix_us, LogTimestamp style) {
  const int64_t milliseconds = unix_us / 1000;
  if (style == LogTimestamp::kMilliseconds) return fmt::format("{}", milliseconds);
  const auto seconds = static_cast<time_t>(milliseconds / 1000);
  const int64_t rest = milliseconds % 1000;
  tm local{};
  localtime_r(&seconds, &local);
  char text[64];
  if (style == LogTimestamp::kIso8601) {
    char zone[8];
    std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &local);
    std::strftime(zone, sizeof(zone), "%z", &local);
    return fmt::format("{}.{:03}{:.3}:{}", text, rest, zone, zone + 3);
  }
  std::strftime(text, sizeof(text), "%d %b %Y %H:%M:%S", &local);
  return fmt::format("{}.{:03}", text, rest);
}

}  // namespace

std::string FormatLogLine(const LogRecord& record, LogFormat format, LogTimestamp timestamp) {
  const auto level = static_cast<size_t>(record.level) & 3;
  if (format == LogFormat::kJson) {
    const LogTimestamp style =
        timestamp == LogTimestamp::kMilliseconds ? timestamp : LogTimestamp::kIso8601;
    JsonWriter json;
    json.BeginObject();
    json.Field("timestamp", Timestamp(record.unix_us, style));
    json.Field("level", kLevelNames[level]);
    json.Field("pid", int64_t{record.pid});
    json.Field("role", "primary");
    json.Field("message", record.message);
    json.EndObject();
    return json.Take() + "\n";
  }
  const std::string time = Timestamp(record.unix_us, timestamp);
  if (format == LogFormat::kLogfmt) {
    // A string of logfmt is quoted as one of JSON is.
    std::string quoted;
    AppendJsonEscaped(record.message, &quoted);
    return fmt::format("pid={} role=primary timestamp=\"{}\" level={} message=\"{}\"\n", record.pid,
                       time, kLevelNames[level], quoted);
  }
  return fmt::format("{}:M {} {} {}\n", record.pid, time, kMarks[level], record.message);
}

}  // namespace spinel
