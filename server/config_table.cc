#include "server/config_table.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <array>
#include <string>

#include "protocol/ascii.h"

namespace spinel {
namespace {

constexpr ObsoleteOption kObsoleteOptions[] = {
    {"list-max-ziplist-entries", "list-max-listpack-size replaced it in Redis 3.2"},
    {"list-max-ziplist-value", "list-max-listpack-size replaced it in Redis 3.2"},
    {"lua-replicate-commands", "scripts always replicate their effects"},
    {"lua-enable-deprecated-api", "scripts see the present Lua interface only"},
    {"vm-enabled", "virtual memory was removed in Redis 2.6"},
    {"hash-max-zipmap-entries", "hash-max-listpack-entries replaced it in Redis 2.6"},
    {"hash-max-zipmap-value", "hash-max-listpack-value replaced it in Redis 2.6"},
};

// Optimal string alignment distance (Damerau-Levenshtein without repeated edits), the usual dynamic
// program over three rows.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

using NameMap = absl::flat_hash_map<std::string, const ConfigRow*>;

const NameMap& Names() {
  static const NameMap* const kNames = [] {
    auto* names = new NameMap;
    for (const ConfigRow* row : ConfigRows()) {
      names->emplace(std::string(row->name), row);
      if (!row->alias.empty()) names->emplace(std::string(row->alias), row);
    }
    return names;
  }();
  return *kNames;
}

}  // namespace

std::span<const ConfigSection> ConfigSections() {
  static const std::array kSections{
      ConfigSection{"Network", "Where the server listens.", NetworkRows()},
      ConfigSection{"TLS", "Encrypted connections.", TlsRows()},
      ConfigSection{"Clients", "What one client, and all of them together, may use.", ClientRows()},
      ConfigSection{"General", "The process, its threads and its end.", GeneralRows()},
      ConfigSection{"Logging", "What is logged, where and how.", LoggingRows()},
      ConfigSection{"Security", "Passwords, users and dangerous commands.", SecurityRows()},
      ConfigSection{"Memory", "Limits, eviction, expiry and freeing.", MemoryRows()},
      ConfigSection{"Defragmentation", "Names that allocator tuning of Redis uses.", DefragRows()},
      ConfigSection{"Encodings", "When small values leave their compact form.", EncodingRows()},
      ConfigSection{"Scripting", "Lua scripts and functions.", ScriptingRows()},
      ConfigSection{"Observation", "Slow log, latency and keyspace events.", ObservationRows()},
      ConfigSection{"Snapshots", "RDB files.", SnapshotRows()},
      ConfigSection{"Append-only file", "The write-ahead log of Redis.", AppendOnlyRows()},
      ConfigSection{"Replication", "Primaries and replicas.", ReplicationRows()},
      ConfigSection{"Cluster", "Hash slots over several nodes.", ClusterRows()},
  };
  return kSections;
}

const std::vector<const ConfigRow*>& ConfigRows() {
  static const auto* const kRows = [] {
    auto* rows = new std::vector<const ConfigRow*>;
    for (const ConfigSection& section : ConfigSections()) {
      for (const ConfigRow& row : section.rows) rows->push_back(&row);
    }
    return rows;
  }();
  return *kRows;
}

const ConfigRow* FindConfigRow(std::string_view name) {
  if (name.size() > 64) return nullptr;  // longer than any name; do not hash what a client sends
  auto found = Names().find(AsciiLower(name));
  return found == Names().end() ? nullptr : found->second;
}

std::string_view NearestConfigName(std::string_view name) {
  if (name.empty() || name.size() > 64) return {};
  const std::string lower = AsciiLower(name);
  std::string_view nearest;
  size_t best = std::max<size_t>(2, name.size() / 4) + 1;
  auto consider = [&](std::string_view candidate) {
    if (candidate.empty()) return;
    size_t distance = EditDistance(lower, candidate);
    if (distance < best && distance < candidate.size()) {
      best = distance;
      nearest = candidate;
    }
  };
  for (const ConfigRow* row : ConfigRows()) {
    if (row->hidden) continue;
    consider(row->name);
    consider(row->alias);
  }
  for (std::string_view directive : kFileDirectives) consider(directive);
  return nearest;
}

const ObsoleteOption* FindObsoleteOption(std::string_view name) {
  for (const ObsoleteOption& option : kObsoleteOptions) {
    if (EqualsIgnoreCase(option.name, name)) return &option;
  }
  return nullptr;
}

}  // namespace spinel
