// Strings: what APPEND, SETRANGE, GETRANGE and their like do to a value, whatever its encoding.
//
// Encodings: an integer in 8 bytes, bytes in place (below 16 KB), or a Blob. Functions take a
// KeySlot, so the stripe is locked, and expect that the key is missing or holds a string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/entry.h"
#include "storage/key_slot.h"

namespace spinel {

class Blob;

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

// A big block of memory for a string that will grow, or whose bytes somebody else needs as they are
// (a snapshot, a reply under way), got before the lock is taken, so that nobody waits for the
// allocator, for fresh pages or for the bytes to be copied:
//
//   SpareBlob spare;
//   do {
//     WriteGuard slot = ...;
//     size = ... of the changed string;
//     if (spare.Suffices(slot, size)) { ... OverwriteString(&slot, offset, bytes, &spare); return;
//     }
//   } while (spare.Prepare());
//   ... no memory ...
class SpareBlob {
 public:
  SpareBlob() = default;
  ~SpareBlob();
  SpareBlob(const SpareBlob&) = delete;
  SpareBlob& operator=(const SpareBlob&) = delete;

  // Whether the string can be made `size` bytes long with what is here or with little memory.
  // Otherwise remembers what is missing, and takes a reference to the old bytes, which therefore
  // do not change. Expects that the key is missing or holds a string.
  bool Suffices(const KeySlot& slot, size_t size);
  // Gets what Suffices missed; expects no lock to be held. False: there is no memory.
  bool Prepare();
  // A blob of `size` bytes in use and room for `capacity`, the caller's; from here if it fits.
  // nullptr: no memory.
  Blob* Take(size_t size, size_t capacity);
  // Whether what Take(size) will return begins with that blob's bytes.
  bool HasCopyOf(const Blob* blob, size_t size) const;
  // Gives the reference to the old bytes back, if there is one.
  void DropSource();

 private:
  Blob* blob_ = nullptr;
  size_t missing_ = 0;
  Blob* source_ = nullptr;        // the old bytes
  const Blob* copied_ = nullptr;  // whose bytes are in blob_; source_ or null
};

// Makes the string at least `size` bytes long (zero bytes are added), creating the key if it is
// missing, and returns its bytes for writing; the change counts as one. nullptr: no memory, and
// nothing has changed. `spare` may be null.
char* MutableString(KeySlot* slot, size_t size, SpareBlob* spare = nullptr);
// As MutableString, for a caller that counts the change of a key that was there itself, if there is
// one. (A new key counts as one change here as well.)
char* MutableStringUncounted(KeySlot* slot, size_t size, SpareBlob* spare = nullptr);

// Appends; returns the new length, or 0 when there is no memory. Expects old + new to fit in
// size_t.
size_t AppendString(KeySlot* slot, std::string_view bytes, SpareBlob* spare = nullptr);

// Overwrites from `offset`; returns the new length, or 0 when there is no memory. Expects bytes.
size_t OverwriteString(KeySlot* slot, size_t offset, std::string_view bytes,
                       SpareBlob* spare = nullptr);

}  // namespace spinel
