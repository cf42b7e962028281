// Strings: what APPEND, SETRANGE, GETRANGE and their like do to a value, whatever its encoding.
//
// Encodings: an integer in 8 bytes, bytes in place (below 16 KB), or a Blob. Functions take a KeySlot,
// so the stripe is locked, and expect that the key is missing or holds a string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/entry.h"
#include "storage/key_slot.h"

namespace spinel {

// Room for the decimal form of an int64.
struct IntegerText {
  char digits[24];
};

// The bytes of a string. An integer is rendered into `text`, anything else is where it is: valid as
// long as the guard and, for integers, `text`.
std::string_view StringBytes(const Entry& entry, IntegerText* text);

size_t StringLength(const Entry& entry);

// "int", "embstr" or "raw", as OBJECT ENCODING answers.
std::string_view StringEncodingName(const Entry& entry);

// Makes the string at least `size` bytes long (zero bytes are added), creating the key if it is
// missing, and returns its bytes for writing. nullptr: no memory, and nothing has changed.
// The caller marks the change (KeySlot::MarkChanged).
char* MutableString(KeySlot* slot, size_t size);

// Appends; returns the new length, or 0 when there is no memory. Expects old + new to fit in size_t.
size_t AppendString(KeySlot* slot, std::string_view bytes);

// Overwrites from `offset`; returns the new length, or 0 when there is no memory. Expects bytes.
size_t OverwriteString(KeySlot* slot, size_t offset, std::string_view bytes);

}  // namespace spinel
