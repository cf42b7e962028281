// The one table of options. A row says everything about an option once: names, type, bounds,
// default, when it may change, where its value lives and what it is for. The file parser, the
// command line, CONFIG GET/SET/REWRITE, the start-up notices and docs/configuration.md all walk it.
//
// Rows are constants in config_rows_*.cc, one file per subject; to add an option, add a row there
// and, if code reads it, a field in Config. Threads: everything here is immutable.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "protocol/ascii.h"
#include "server/config.h"

namespace spinel {

enum class ConfigType : uint8_t {
  kBool,     // yes or no
  kInteger,  // decimal, with bounds
  kOctal,    // file permissions
  kMemory,   // bytes with an optional unit (1k = 1000, 1kb = 1024, m, mb, g, gb)
  kPercent,  // memory, or a percentage, which is stored negated
  kEnum,     // one of the choices
  kFlags,    // several of the choices
  kText,
  kSpecial,  // has functions of its own
};

struct ConfigChoice {
  std::string_view name;
  int64_t value;
};

// What Config stores for a row: a number for kBool to kFlags, a text for kText; for kSpecial the
// option's words in canonical form.
struct ConfigValue {
  int64_t number = 0;
  std::string text;

  bool operator==(const ConfigValue& other) const = default;
};

struct SpecialInput {
  std::span<const std::string> args;  // the words behind the option's name
  const std::string& current;         // canonical value now
  bool append;                        // add to it instead of replacing it
  const MemoryLimitFn& memory_limit;
};

// An option whose value is neither a number nor plain text.
struct SpecialOption {
  // Checks the words and sets `*canonical`. Returns an empty string or why they are refused.
  std::string (*parse)(const SpecialInput& input, std::string* canonical);
  // Publishes the value to Config's typed fields. Returns an empty string or why it failed.
  std::string (*publish)(Config& config, const std::string& canonical) = nullptr;
  // The answer of CONFIG GET, if it is not the canonical form.
  std::string (*show)(const Config& config, const std::string& canonical) = nullptr;
  // Lines for the configuration file, if it is not one line `name canonical`.
  std::vector<std::string> (*lines)(std::string_view name, const std::string& canonical) = nullptr;
};

using NumberAccessor = NumberCell& (*)(Config&);
using TextAccessor = TextCell& (*)(Config&);
// Returns an empty string or why the value is refused. May correct the value.
using NumberCheck = std::string_view (*)(int64_t* value);
using TextCheck = std::string_view (*)(const std::string& value);

struct ConfigRow {
  std::string_view name;
  ConfigType type = ConfigType::kText;
  std::string_view help;
  std::string_view alias = {};
  std::string_view default_text = {};  // kText, kSpecial (the words as a file has them)
  int64_t default_number = 0;
  int64_t low = 0;
  int64_t high = 0;
  std::span<const ConfigChoice> choices = {};
  const SpecialOption* special = nullptr;
  NumberAccessor number = nullptr;  // null: the value lives in Config's slot for this row
  TextAccessor text = nullptr;
  NumberCheck check_number = nullptr;
  TextCheck check_text = nullptr;
  // Set if the option is known and kept but does nothing: the reason, for the start-up notice.
  std::string_view no_effect = {};
  bool warn = false;          // that notice is a warning
  bool immutable = false;     // CONFIG SET is refused
  bool is_protected = false;  // CONFIG SET only as enable-protected-configs allows
  bool hidden = false;        // CONFIG GET by exact name only
  bool secret = false;        // its value must not be logged
  bool multi_arg = false;     // takes several words
  bool deny_loading = false;  // CONFIG SET is refused while the data set is being loaded
  bool reloads = false;       // hooks run even if the value is the same: a file may have changed

  // Refinements, to be chained behind the functions below.
  constexpr ConfigRow Alias(std::string_view other) const {
    ConfigRow row = *this;
    row.alias = other;
    return row;
  }
  constexpr ConfigRow Immutable() const {
    ConfigRow row = *this;
    row.immutable = true;
    return row;
  }
  constexpr ConfigRow Protected() const {
    ConfigRow row = *this;
    row.is_protected = true;
    return row;
  }
  constexpr ConfigRow Hidden() const {
    ConfigRow row = *this;
    row.hidden = true;
    return row;
  }
  constexpr ConfigRow Secret() const {
    ConfigRow row = *this;
    row.secret = true;
    return row;
  }
  constexpr ConfigRow MultiArg() const {
    ConfigRow row = *this;
    row.multi_arg = true;
    return row;
  }
  constexpr ConfigRow DenyLoading() const {
    ConfigRow row = *this;
    row.deny_loading = true;
    return row;
  }
  constexpr ConfigRow Reloads() const {
    ConfigRow row = *this;
    row.reloads = true;
    return row;
  }
  constexpr ConfigRow NoEffect(std::string_view reason) const {
    ConfigRow row = *this;
    row.no_effect = reason;
    return row;
  }
  // As NoEffect, where silence would let the operator believe in safety that is not there.
  constexpr ConfigRow Warns(std::string_view reason) const {
    ConfigRow row = *this;
    row.no_effect = reason;
    row.warn = true;
    return row;
  }
  constexpr ConfigRow Check(NumberCheck check) const {
    ConfigRow row = *this;
    row.check_number = check;
    return row;
  }
  constexpr ConfigRow Check(TextCheck check) const {
    ConfigRow row = *this;
    row.check_text = check;
    return row;
  }
};

struct ConfigSection {
  std::string_view title;
  std::string_view intro;
  std::span<const ConfigRow> rows;
};

// The table, section by section and row by row.
std::span<const ConfigSection> ConfigSections();
const std::vector<const ConfigRow*>& ConfigRows();
// By name or alias, in any case; null if there is none.
const ConfigRow* FindConfigRow(std::string_view name);
// The known option, directive or alias that is spelled most like `name`; empty if none is near.
std::string_view NearestConfigName(std::string_view name);

// Words that only files and the command line know.
inline constexpr std::string_view kFileDirectives[] = {"include", "rename-command", "user",
                                                       "loadmodule"};
// Options of older versions that no longer say anything; accepted and dropped.
struct ObsoleteOption {
  std::string_view name;
  std::string_view reason;
};
const ObsoleteOption* FindObsoleteOption(std::string_view name);

// -- How rows are written ------------------------------------------------------------------------
// The template argument is the field of Config that holds the value, none where no code reads it:
//   Integer<&Config::port>("port", 6379, 0, 65535, "TCP port ...").Immutable()

inline constexpr int64_t kIntMax = INT32_MAX;
inline constexpr int64_t kIntMin = INT32_MIN;
inline constexpr int64_t kUintMax = UINT32_MAX;
inline constexpr int64_t kLongMax = INT64_MAX;
inline constexpr int64_t kKb = 1024;
inline constexpr int64_t kMb = 1024 * kKb;
inline constexpr int64_t kGb = 1024 * kMb;

template <auto Field>
constexpr NumberAccessor NumberField() {
  if constexpr (std::is_same_v<decltype(Field), std::nullptr_t>) {
    return nullptr;
  } else {
    return [](Config& config) -> NumberCell& { return config.*Field; };
  }
}

template <auto Field>
constexpr TextAccessor TextField() {
  if constexpr (std::is_same_v<decltype(Field), std::nullptr_t>) {
    return nullptr;
  } else {
    return [](Config& config) -> TextCell& { return config.*Field; };
  }
}

template <auto Field = nullptr>
constexpr ConfigRow Bool(std::string_view name, bool value, std::string_view help) {
  return {.name = name,
          .type = ConfigType::kBool,
          .help = help,
          .default_number = value,
          .high = 1,
          .number = NumberField<Field>()};
}

template <auto Field = nullptr>
constexpr ConfigRow Number(ConfigType type, std::string_view name, int64_t value, int64_t low,
                           int64_t high, std::string_view help) {
  return {.name = name,
          .type = type,
          .help = help,
          .default_number = value,
          .low = low,
          .high = high,
          .number = NumberField<Field>()};
}

template <auto Field = nullptr>
constexpr ConfigRow Integer(std::string_view name, int64_t value, int64_t low, int64_t high,
                            std::string_view help) {
  return Number<Field>(ConfigType::kInteger, name, value, low, high, help);
}

template <auto Field = nullptr>
constexpr ConfigRow Memory(std::string_view name, int64_t value, int64_t low, int64_t high,
                           std::string_view help) {
  return Number<Field>(ConfigType::kMemory, name, value, low, high, help);
}

template <auto Field = nullptr, class Value>
constexpr ConfigRow Enum(std::string_view name, Value value, std::span<const ConfigChoice> choices,
                         std::string_view help) {
  return {.name = name,
          .type = ConfigType::kEnum,
          .help = help,
          .default_number = static_cast<int64_t>(value),
          .choices = choices,
          .number = NumberField<Field>()};
}

template <auto Field = nullptr>
constexpr ConfigRow Flags(std::string_view name, int64_t value,
                          std::span<const ConfigChoice> choices, std::string_view help) {
  ConfigRow row = Enum<Field>(name, value, choices, help).MultiArg();
  row.type = ConfigType::kFlags;
  return row;
}

template <auto Field = nullptr>
constexpr ConfigRow Text(std::string_view name, std::string_view value, std::string_view help) {
  return {.name = name,
          .type = ConfigType::kText,
          .help = help,
          .default_text = value,
          .text = TextField<Field>()};
}

template <auto Field = nullptr>
constexpr ConfigRow Special(std::string_view name, std::string_view value,
                            const SpecialOption* special, std::string_view help) {
  return {.name = name,
          .type = ConfigType::kSpecial,
          .help = help,
          .default_text = value,
          .special = special,
          .text = TextField<Field>()};
}

// The sections, each in its config_rows_*.cc.
std::span<const ConfigRow> NetworkRows();
std::span<const ConfigRow> TlsRows();
std::span<const ConfigRow> ClientRows();
std::span<const ConfigRow> GeneralRows();
std::span<const ConfigRow> LoggingRows();
std::span<const ConfigRow> SecurityRows();
std::span<const ConfigRow> MemoryRows();
std::span<const ConfigRow> DefragRows();
std::span<const ConfigRow> EncodingRows();
std::span<const ConfigRow> ScriptingRows();
std::span<const ConfigRow> ObservationRows();
std::span<const ConfigRow> SnapshotRows();
std::span<const ConfigRow> AppendOnlyRows();
std::span<const ConfigRow> ReplicationRows();
std::span<const ConfigRow> ClusterRows();

}  // namespace spinel
