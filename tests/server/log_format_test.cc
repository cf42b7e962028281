#include "server/log_format.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <string>

namespace spinel {
namespace {

// Lines of a fixed moment in a fixed zone.
std::string Line(std::string_view message, LogFormat format, LogTimestamp timestamp) {
  setenv("TZ", "UTC", 1);
  tzset();
  return FormatLogLine({LogLevel::kWarning, 1'700'000'000'123'456, 42, message}, format, timestamp);
}

TEST_CASE("log: text is Redis's", "[log]") {
  CHECK(Line("hello", LogFormat::kLegacy, LogTimestamp::kLegacy) ==
        "42:M 14 Nov 2023 22:13:20.123 # hello\n");
  CHECK(Line("hello", LogFormat::kLegacy, LogTimestamp::kIso8601) ==
        "42:M 2023-11-14T22:13:20.123+00:00 # hello\n");
  CHECK(Line("hello", LogFormat::kLegacy, LogTimestamp::kMilliseconds) ==
        "42:M 1700000000123 # hello\n");
}

TEST_CASE("log: logfmt is one line whatever the message holds", "[log]") {
  CHECK(Line("a \"b\" \\ \n\x01 \xff", LogFormat::kLogfmt, LogTimestamp::kIso8601) ==
        "pid=42 role=primary timestamp=\"2023-11-14T22:13:20.123+00:00\" level=warning "
        "message=\"a \\\"b\\\" \\\\ \\n\\u0001 \\\\xff\"\n");
}

TEST_CASE("log: JSON is an object a line, with a time that programs read", "[log]") {
  CHECK(Line("a \"b\"\r\n\xc3\xa4\xff", LogFormat::kJson, LogTimestamp::kLegacy) ==
        "{\"timestamp\":\"2023-11-14T22:13:20.123+00:00\",\"level\":\"warning\",\"pid\":42,"
        "\"role\":\"primary\",\"message\":\"a \\\"b\\\"\\r\\n\xc3\xa4\\\\xff\"}\n");
  CHECK(Line("x", LogFormat::kJson, LogTimestamp::kMilliseconds).find("\"1700000000123\"") !=
        std::string::npos);
}

}  // namespace
}  // namespace spinel
