// What TYPE, OBJECT and SCAN say about a value, whatever its type.
//
// Pure functions; the entry's stripe is locked by the caller.
#pragma once

#include <optional>
#include <string_view>

#include "storage/entry.h"

namespace spinel {

// "string", "list", "set", "zset", "hash" or "stream".
std::string_view TypeName(ValueType type);
// The type of that name, in any letter case.
std::optional<ValueType> TypeOfName(std::string_view name);

// As OBJECT ENCODING answers.
std::string_view EncodingName(const Entry& entry);

}  // namespace spinel
