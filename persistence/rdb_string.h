// Writing what every record of an RDB file is made of: lengths and strings.
#pragma once

#include <cstdint>
#include <string_view>

#include "persistence/byte_sink.h"

namespace spinel {

void WriteRdbLength(ByteSink* sink, uint64_t length);
// Bytes of a length, written to `to`, which has room for 9.
size_t SpellRdbLength(uint64_t length, char* to);

// A string: as an integer if it is one that is short enough, compressed if that is asked for and
// makes it smaller, else as it is.
void WriteRdbString(ByteSink* sink, std::string_view text, bool compress);
// The same without looking for an integer: what is known to be none.
void WriteRdbBytes(ByteSink* sink, std::string_view bytes, bool compress);
// False: nothing is written, compressing would save too little.
bool WriteRdbCompressed(ByteSink* sink, std::string_view bytes);
// The string that `value` is in decimal.
void WriteRdbInteger(ByteSink* sink, int64_t value);

}  // namespace spinel
