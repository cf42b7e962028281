// What modules of Redis leave in RDB files, as far as it can be passed over without them.
#pragma once

#include <cstdint>
#include <string>

#include "persistence/rdb_input.h"

namespace spinel {

// The name in a module type's number: nine characters, 6 bits each, above 10 bits of version.
std::string ModuleTypeName(uint64_t id);

// Passes over the auxiliary field of a module, opcode not included, and says whose it is.
bool SkipModuleAux(RdbInput* input, std::string* module);

}  // namespace spinel
