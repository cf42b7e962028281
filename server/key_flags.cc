#include "server/key_flags.h"

#include "protocol/ascii.h"

namespace spinel {
namespace {

// Commands that use their keys behind the first for something else: as a destination, or as
// sources.
struct FurtherKeys {
  std::string_view command;
  uint16_t flags;
};
constexpr uint16_t kSource = kKeyRO | kKeyAccess;
constexpr FurtherKeys kFurtherKeys[] = {
    {"BITOP", kSource},
    {"BLMOVE", kKeyRW | kKeyInsert},
    {"BRPOPLPUSH", kKeyRW | kKeyInsert},
    {"COPY", kKeyOW | kKeyUpdate},
    {"GEORADIUS", kKeyOW | kKeyUpdate},
    {"GEORADIUSBYMEMBER", kKeyOW | kKeyUpdate},
    {"GEOSEARCHSTORE", kSource},
    {"LMOVE", kKeyRW | kKeyInsert},
    {"PFMERGE", kSource},
    {"RENAME", kKeyOW | kKeyUpdate},
    {"RENAMENX", kKeyOW | kKeyInsert},
    {"RPOPLPUSH", kKeyRW | kKeyInsert},
    {"SDIFFSTORE", kSource},
    {"SINTERSTORE", kSource},
    {"SMOVE", kKeyRW | kKeyInsert},
    {"SORT", kKeyOW | kKeyUpdate},
    {"SUNIONSTORE", kSource},
    {"ZDIFFSTORE", kSource},
    {"ZINTERSTORE", kSource},
    {"ZRANGESTORE", kSource},
    {"ZUNIONSTORE", kSource},
};

// What the first key of this very request is used for: the row's flags, unless its options decide.
uint16_t FirstKeyFlags(const CommandSpec& spec, CommandArgs args) {
  const uint16_t flags = spec.keys.flags;
  if ((flags & kKeyVariableFlags) == 0) return flags;
  // SET's value may look like an option, and stands in front of them.
  const size_t first_option = spec.name == "SET" ? 3 : 2;
  const auto has = [&](std::string_view option) {
    for (size_t i = first_option; i < args.size(); ++i) {
      const std::string_view arg = args[i];
      if (EqualsIgnoreCase(arg, option)) return true;
    }
    return false;
  };
  if (spec.name == "SET") {
    return has("GET") ? kKeyRW | kKeyAccess | kKeyUpdate : kKeyOW | kKeyUpdate;
  }
  if (spec.name == "BITFIELD" && !has("SET") && !has("INCRBY")) return kKeyRO | kKeyAccess;
  return static_cast<uint16_t>(flags & ~kKeyVariableFlags);
}

}  // namespace

uint16_t KeyFlagsOf(const CommandSpec& spec, CommandArgs args, size_t ordinal) {
  if (ordinal > 0) {
    for (const FurtherKeys& row : kFurtherKeys) {
      if (row.command == spec.name) return row.flags;
    }
  }
  return FirstKeyFlags(spec, args);
}

}  // namespace spinel
