// The start-up screen: what was started, why it is as it is, and what should be put right.
#pragma once

#include <string>
#include <vector>

#include "server/host_resources.h"
#include "server/server.h"

namespace spinel {

// Of a memory cgroup's limit, what maxmemory is if nobody sets it.
inline constexpr const char* kCgroupShare = "75%";

struct StartupFacts {
  int loops = 1;
  std::string loops_reason;
  MemoryLimit memory;
};

// Lines for the log, most important first.
std::vector<std::string> StartupScreen(const Server& server, const StartupFacts& facts);

// One line for each thing that the operator should know, with its remedy.
std::vector<std::string> StartupWarnings(const Server& server);

}  // namespace spinel
