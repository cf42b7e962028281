// The server's metrics for Prometheus. docs/observability.md tells what there is.
//
// Any thread: reads counters. What only a loop may look at (the keys, the memory) comes as the text
// of an INFO that a loop has made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spinel {

class Server;

// The sections of INFO that RenderMetrics reads.
inline constexpr std::string_view kMetricsInfoSections[] = {
    "server", "clients", "memory", "persistence", "stats", "cpu", "errorstats", "keyspace"};

// `info` may be empty: then what comes from it is left out. `info_age_ms`: how old it is.
std::string RenderMetrics(const Server& server, std::string_view info, int64_t info_age_ms,
                          int64_t now_ms);

}  // namespace spinel
