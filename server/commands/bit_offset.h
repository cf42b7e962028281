// Positions of bits as SETBIT, GETBIT and BITFIELD take them.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/arg_reader.h"
#include "protocol/numbers.h"
#include "server/command_context.h"

namespace spinel {

// Reads the position of a bit in a string that is not too long (proto-max-bulk-len). With a
// `width`, "#N" stands for the position behind N integers of that many bits.
inline uint64_t ReadBitOffset(const CommandContext& ctx, ArgReader& args, unsigned width = 0) {
  std::string_view text = args.String();
  if (!args.ok()) return 0;
  const bool counts_integers = width > 0 && text.starts_with('#');
  if (counts_integers) text.remove_prefix(1);
  int64_t offset = 0;
  const bool fits =
      ParseInt64(text, &offset) && offset >= 0 &&
      (!counts_integers || !__builtin_mul_overflow(offset, int64_t{width}, &offset)) &&
      offset / 8 < ctx.config().proto_max_bulk_len();
  if (!fits) args.Fail("ERR bit offset is not an integer or out of range");
  return fits ? static_cast<uint64_t>(offset) : 0;
}

}  // namespace spinel
