// From words to values and back, by the type of a row. Pure functions: no state, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/config_table.h"

namespace spinel {

// Decimal without blanks, sign only '-', no leading zeros; nullopt if it is anything else.
std::optional<int64_t> ParseInteger(std::string_view text);
// Bytes with an optional unit: b, k, kb, m, mb, g, gb in any case. nullopt also on overflow.
std::optional<int64_t> ParseMemory(std::string_view text);
// The shortest form that ParseMemory reads back: "64mb", "100".
std::string FormatMemory(int64_t bytes);

// Reads the value of a row that is not kSpecial. Returns an empty string, or why the words are
// refused in the words of Valkey.
std::string ParseConfigValue(const ConfigRow& row, std::span<const std::string> args,
                             ConfigValue* value);

// As CONFIG GET shows it.
std::string ShowConfigValue(const ConfigRow& row, const ConfigValue& value);
// As a line of a configuration file has it behind the name; strings quoted.
std::string FileConfigValue(const ConfigRow& row, const ConfigValue& value);

}  // namespace spinel
