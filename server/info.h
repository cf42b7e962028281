// INFO: the server's state as text, in sections of "name:value" lines.
//
// Counters are read from the loops while they count: a report is not one moment's picture. Locks
// are held for one stripe, or for a walk over the clients. Threads: a loop's, several may ask at
// once.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "server/loop_state.h"
#include "server/server.h"

namespace spinel {

// The text of an INFO reply, while it is being written.
class InfoText {
 public:
  // Begins a section; sections are set apart by an empty line.
  void Section(std::string_view title);
  template <typename Value>
  void Field(std::string_view name, const Value& value) {
    text_ += fmt::format("{}:{}\r\n", name, value);
  }
  template <typename... Args>
  void Formatted(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
    text_.append(name).push_back(':');
    text_ += fmt::format(format, std::forward<Args>(args)...);
    text_ += "\r\n";
  }
  // The number of bytes, and again under "<name>_human" for people.
  void Bytes(std::string_view name, uint64_t bytes);

  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

// What the sections are made from.
struct InfoSource {
  Server& server;
  int64_t now_ms;  // Unix time

  const Config& config() const { return server.config(); }
  // A counter, added up over the loops.
  uint64_t Sum(Counter LoopStats::*counter) const;
  uint64_t Sum(Counter StoreStats::*counter) const;
  uint64_t Sum(Counter TurnStats::*counter) const;
};

// "894.84K": bytes as INFO's *_human fields show them.
std::string HumanBytes(uint64_t bytes);

// The sections that `words` (INFO's arguments) name, in INFO's order: names of sections in any
// letter case, "default", "all", "everything"; none: the default ones. Unknown names add nothing.
std::string MakeInfo(Server& server, int64_t now_ms, std::span<const std::string_view> words);

// The sections, each writes its own.
void WriteServerInfo(const InfoSource& source, InfoText* text);
void WriteClientsInfo(const InfoSource& source, InfoText* text);
void WriteMemoryInfo(const InfoSource& source, InfoText* text);
void WritePersistenceInfo(const InfoSource& source, InfoText* text);
void WriteStatsInfo(const InfoSource& source, InfoText* text);
void WriteReplicationInfo(const InfoSource& source, InfoText* text);
void WriteCpuInfo(const InfoSource& source, InfoText* text);
void WriteModulesInfo(const InfoSource& source, InfoText* text);
void WriteCommandStatsInfo(const InfoSource& source, InfoText* text);
void WriteErrorStatsInfo(const InfoSource& source, InfoText* text);
void WriteLatencyStatsInfo(const InfoSource& source, InfoText* text);
void WriteClusterInfo(const InfoSource& source, InfoText* text);
void WriteKeyspaceInfo(const InfoSource& source, InfoText* text);
void WriteDebugInfo(const InfoSource& source, InfoText* text);

}  // namespace spinel
