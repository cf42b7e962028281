#include "server/info.h"

#include <algorithm>

#include "protocol/ascii.h"

namespace spinel {
namespace {

struct SectionRow {
  std::string_view name;
  bool by_default;
  void (*write)(const InfoSource& source, InfoText* text);
};

constexpr SectionRow kSections[] = {
    {"server", true, WriteServerInfo},
    {"clients", true, WriteClientsInfo},
    {"memory", true, WriteMemoryInfo},
    {"persistence", true, WritePersistenceInfo},
    {"stats", true, WriteStatsInfo},
    {"replication", true, WriteReplicationInfo},
    {"cpu", true, WriteCpuInfo},
    {"modules", true, WriteModulesInfo},
    {"commandstats", false, WriteCommandStatsInfo},
    {"errorstats", true, WriteErrorStatsInfo},
    {"latencystats", false, WriteLatencyStatsInfo},
    {"cluster", true, WriteClusterInfo},
    {"keyspace", true, WriteKeyspaceInfo},
    {"debug", false, WriteDebugInfo},
};

// Does one of INFO's arguments ask for the section?
bool Names(std::string_view word, const SectionRow& section) {
  if (EqualsIgnoreCase(word, section.name)) return true;
  if (EqualsIgnoreCase(word, "default")) return section.by_default;
  if (EqualsIgnoreCase(word, "module_list")) return section.name == "modules";
  if (section.name == "debug") return false;  // only under its own name
  return EqualsIgnoreCase(word, "all") || EqualsIgnoreCase(word, "everything");
}

}  // namespace

void InfoText::Section(std::string_view title) {
  if (!text_.empty()) text_ += "\r\n";
  text_ += fmt::format("# {}\r\n", title);
}

void InfoText::Bytes(std::string_view name, uint64_t bytes) {
  Field(name, bytes);
  text_ += fmt::format("{}_human:{}\r\n", name, HumanBytes(bytes));
}

uint64_t InfoSource::Sum(Counter LoopStats::*counter) const {
  uint64_t sum = 0;
  const Runtime& runtime = server.runtime();
  for (int i = 0; i < runtime.loops(); ++i) sum += (runtime.loop(i).stats.*counter).Get();
  return sum;
}

uint64_t InfoSource::Sum(Counter StoreStats::*counter) const {
  uint64_t sum = 0;
  const Runtime& runtime = server.runtime();
  for (int i = 0; i < runtime.loops(); ++i) sum += (runtime.loop(i).stats.store.*counter).Get();
  return sum;
}

uint64_t InfoSource::Sum(Counter TurnStats::*counter) const {
  uint64_t sum = 0;
  const Runtime& runtime = server.runtime();
  for (int i = 0; i < runtime.loops(); ++i) sum += (runtime.loop(i).stats.turn.*counter).Get();
  return sum;
}

std::string HumanBytes(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{}B", bytes);
  constexpr std::string_view kUnits = "KMGTPE";
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.2f}{}", value, kUnits[unit]);
}

std::string MakeInfo(Server& server, int64_t now_ms, std::span<const std::string_view> words) {
  const InfoSource source{server, now_ms};
  InfoText text;
  for (const SectionRow& section : kSections) {
    const bool wanted =
        words.empty() ? section.by_default
                      : std::any_of(words.begin(), words.end(),
                                    [&](std::string_view word) { return Names(word, section); });
    if (wanted) section.write(source, &text);
  }
  return text.Take();
}

}  // namespace spinel
