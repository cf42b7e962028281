#include "server/file_limit.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <span>

#include "server/config.h"
#include "server/config_table.h"

namespace spinel {

int64_t RaiseFileLimit(int64_t clients) {
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

std::string FitClientsToFileLimit(Config* config) {
  config->OnChange("maxclients", [](const Config& changed) -> std::string {
    const int64_t fit = RaiseFileLimit(changed.maxclients());
    if (fit >= changed.maxclients()) return {};
    return fmt::format(
        "The operating system is not able to handle the specified number of clients, try with {}",
        fit);
  });
  const int64_t wanted = config->maxclients();
  const int64_t fit = RaiseFileLimit(wanted);
  if (fit >= wanted) return {};
  const std::string words[] = {fmt::format("{}", fit)};
  const ConfigStatus lowered = config->LoadRow(*FindConfigRow("maxclients"), words, false);
  if (!lowered.ok()) return lowered.error();
  return fmt::format(
      "maxclients {} needs {} open files, the system allows {}: maxclients has been reduced to {}. "
      "Remedy: raise 'ulimit -n'.",
      wanted, wanted + kOwnFiles, fit + kOwnFiles, fit);
}

}  // namespace spinel
