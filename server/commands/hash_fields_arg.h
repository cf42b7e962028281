// "FIELDS numfields field [field ...]", as the commands that deal with expiries of fields end.
#pragma once

#include <span>
#include <string_view>

#include "protocol/arg_reader.h"
#include "server/command_context.h"

namespace spinel {

inline constexpr std::string_view kFieldCountError =
    "ERR numfields should be greater than 0 and match the provided number of fields";

// The index of the word FIELDS, from the argument `from` on, with something behind it; argc() if it
// is not there. Options are in front of it.
size_t FindFieldsWord(const CommandContext& ctx, size_t from);

// What follows the word, and the number behind it, which has to agree: `per_field` arguments belong
// to each field. Latches an error when it does not (`mismatch`), is no number, or the word is
// missing.
std::span<const std::string_view> ReadHashFields(const CommandContext& ctx, ArgReader& args,
                                                 size_t word, size_t per_field = 1,
                                                 std::string_view mismatch = kFieldCountError);

}  // namespace spinel
