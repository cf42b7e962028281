// The numbers of the RDB format; docs/rdb.md describes how they are put together.
//
// Versions, and what each one added:
//    1  strings, lists, sets, sorted sets with scores as text, hashes; expiry in seconds
//    2  small collections as one string: zipmap, ziplist, intset
//    3  expiry in milliseconds                      (Redis 2.6, with 4)
//    4  hashes as ziplists in place of zipmaps
//    5  a checksum behind the end
//    6  (Redis 2.8; no new form)
//    7  auxiliary fields, sizes of databases, lists as quicklists of ziplists (3.2)
//    8  scores as binary doubles, module values, 64-bit lengths (4.0)
//    9  streams, idle times and frequencies, module auxiliary fields (5.0)
//   10  listpacks in place of ziplists, quicklists of them, functions (7.0)
//   11  sets as listpacks, streams with consumers' active times (7.2, Valkey 7.2 and 8)
//   12  hashes with expiring fields, sizes of slots (Redis 7.4)
//   80  Valkey's own line begins: the magic word VALKEY, hashes with expiring fields (Valkey 9.0)
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spinel {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie");

inline constexpr std::string_view kRedisMagic = "REDIS";    // and four digits of version
inline constexpr std::string_view kValkeyMagic = "VALKEY";  // and three
inline constexpr size_t kRdbMagicBytes = 9;                 // either with its version

inline constexpr int kRdbVersion = 10;  // what Redis 7.0 and every Valkey load
inline constexpr int kRdbVersionChecksum = 5;
inline constexpr int kRdbVersionSetListpack = 11;
inline constexpr int kRdbVersionLastRedis = 12;  // that we read
inline constexpr int kRdbVersionValkey = 80;     // the only one of Valkey's line that we read

// A byte that begins a record, if it is no type of a value.
enum class RdbOpcode : uint8_t {
  kSlotImport = 243,     // a slot on its way between nodes: a name, ranges of slots
  kSlotInfo = 244,       // three lengths: slot, keys, keys with an expiry
  kFunction = 245,       // a string: the code of a library
  kFunctionPreGa = 246,  // the same of Redis 7.0's release candidates
  kModuleAux = 247,      // a module's own data
  kIdle = 248,           // a length: seconds since the key's last use
  kFrequency = 249,      // a byte: how often the key is used
  kAux = 250,            // two strings: a field about the file
  kResizeDb = 251,       // two lengths: keys, keys with an expiry
  kExpireTimeMs = 252,   // 8 bytes: the key's expiry, Unix milliseconds
  kExpireTime = 253,     // 4 bytes: in seconds
  kSelectDb = 254,       // a length: the database of the keys that follow
  kEnd = 255,            // behind it, 8 bytes of checksum
};

enum class RdbType : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kZsetText = 3,
  kHash = 4,
  kZset = 5,
  kModulePreGa = 6,
  kModule = 7,
  kHashZipmap = 9,
  kListZiplist = 10,
  kSetIntset = 11,
  kZsetZiplist = 12,
  kHashZiplist = 13,
  kListQuicklist = 14,
  kStream1 = 15,
  kHashListpack = 16,
  kZsetListpack = 17,
  kListQuicklist2 = 18,
  kStream2 = 19,
  kSetListpack = 20,
  kStream3 = 21,
  kHashExpiring = 22,         // in Valkey's line; a form of Redis 7.4's candidates elsewhere
  kHashListpackExPreGa = 23,  // Redis 7.4's candidates
  kHashMetadata = 24,         // Redis 7.4
  kHashListpackEx = 25,
};

// -- Lengths: the first two bits tell the form ---------------------------------------------------
inline constexpr uint8_t kRdbLength6 = 0x00;        // 6 bits
inline constexpr uint8_t kRdbLength14 = 0x40;       // 6 bits and the next byte, high bits first
inline constexpr uint8_t kRdbLength32 = 0x80;       // the next 4 bytes, highest first
inline constexpr uint8_t kRdbLength64 = 0x81;       // the next 8
inline constexpr uint8_t kRdbLengthEncoded = 0xc0;  // no length: the string is one of these
inline constexpr uint8_t kRdbLengthMask = 0xc0;
enum class RdbStringEncoding : uint8_t { kInt8 = 0, kInt16 = 1, kInt32 = 2, kLzf = 3 };

// Texts of up to so many bytes are tried as integers, longer ones than that are compressed.
inline constexpr size_t kRdbMaxIntegerText = 11;
inline constexpr size_t kRdbMinCompressed = 21;

// Old scores: one byte of length, or one of these.
inline constexpr uint8_t kRdbScoreNan = 253;
inline constexpr uint8_t kRdbScoreInfinity = 254;
inline constexpr uint8_t kRdbScoreMinusInfinity = 255;

// What a node of a quicklist of the second kind holds.
inline constexpr uint64_t kQuicklistPlain = 1;
inline constexpr uint64_t kQuicklistPacked = 2;

// Parts of what a module has written; each but the end is followed by its value.
enum class RdbModulePart : uint8_t {
  kEnd = 0,
  kSigned = 1,
  kUnsigned = 2,
  kFloat = 3,
  kDouble = 4,
  kString = 5
};

// A field of a hash that has no expiry, in kHashExpiring.
inline constexpr int64_t kRdbNoFieldExpiry = -1;

// A DUMP payload ends with a version (2 bytes) and a checksum (8).
inline constexpr size_t kDumpFooterBytes = 10;

// -- Listpack: total bytes (4), count (2), elements, 0xff. An element: form, bytes, its length
// backwards. -------------------------------------------------------------------------------------
inline constexpr size_t kListpackHeaderBytes = 6;
inline constexpr uint16_t kListpackManyElements = 0xffff;  // the count is not known
inline constexpr uint8_t kListpackEnd = 0xff;
inline constexpr uint8_t kListpackText6 = 0x80;   // 10: 6 bits of length
inline constexpr uint8_t kListpackInt13 = 0xc0;   // 110: 5 bits and a byte
inline constexpr uint8_t kListpackText12 = 0xe0;  // 1110: 4 bits and a byte
inline constexpr uint8_t kListpackText32 = 0xf0;  // 4 bytes of length
inline constexpr uint8_t kListpackInt16 = 0xf1;
inline constexpr uint8_t kListpackInt24 = 0xf2;
inline constexpr uint8_t kListpackInt32 = 0xf3;
inline constexpr uint8_t kListpackInt64 = 0xf4;

// -- Ziplist: total bytes (4), offset of the last element (4), count (2), elements, 0xff. An
// element: length of the one in front (1 or 5), form, bytes. --------------------------------------
inline constexpr size_t kZiplistHeaderBytes = 10;
inline constexpr uint16_t kZiplistManyElements = 0xffff;
inline constexpr uint8_t kZiplistEnd = 0xff;
inline constexpr uint8_t kZiplistLongPrevious = 0xfe;
inline constexpr uint8_t kZiplistInt16 = 0xc0;
inline constexpr uint8_t kZiplistInt32 = 0xd0;
inline constexpr uint8_t kZiplistInt64 = 0xe0;
inline constexpr uint8_t kZiplistInt24 = 0xf0;
inline constexpr uint8_t kZiplistInt8 = 0xfe;
inline constexpr uint8_t kZiplistIntFirst = 0xf1;  // the value itself: 0 ...
inline constexpr uint8_t kZiplistIntLast = 0xfd;   // ... to 12

// -- Zipmap: count (1), pairs of name and value, 0xff. Each has a length of 1 or 5 bytes; that of a
// value is followed by a byte that counts the unused ones behind it.
// -------------------------------
inline constexpr uint8_t kZipmapLongLength = 254;
inline constexpr uint8_t kZipmapEnd = 255;

// -- Intset: bytes of an integer (4), count (4), integers in order --------------------------------
inline constexpr size_t kIntsetHeaderBytes = 8;

}  // namespace spinel
