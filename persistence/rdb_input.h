// Reading what every record of an RDB file is made of: lengths, strings, numbers. The file is
// hostile: nothing is believed that the bytes left cannot hold.
//
// Every call answers false when something is wrong; the first such thing is latched as a message
// that names the offset and what was expected there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "persistence/byte_source.h"
#include "persistence/packed_cursor.h"
#include "storage/blob.h"

namespace spinel {

// A string that has been read; made once and read into again and again.
class RdbString {
 public:
  RdbString() = default;
  ~RdbString() { Drop(); }
  RdbString(const RdbString&) = delete;
  RdbString& operator=(const RdbString&) = delete;

  // Valid until the next thing is read from the source.
  std::string_view bytes() const { return bytes_; }
  // Where in the source it begins, and whether its bytes lie there as they are.
  uint64_t offset() const { return offset_; }
  bool is_raw() const { return is_raw_; }
  // A string of Blob::kMinBytes or more that was read by Value(); else nullptr.
  Blob* blob() const { return blob_; }
  // Gives the reference to the caller.
  Blob* TakeBlob() {
    Blob* const blob = blob_;
    blob_ = nullptr;
    return blob;
  }

 private:
  friend class RdbInput;

  void Drop() {
    if (blob_ != nullptr) blob_->Release();
    blob_ = nullptr;
  }

  std::string_view bytes_;
  uint64_t offset_ = 0;
  bool is_raw_ = false;
  Blob* blob_ = nullptr;
  std::string scratch_;
  char digits_[kIntegerChars];
};

class RdbInput {
 public:
  // The source outlives the input.
  explicit RdbInput(ByteSource* source) : source_(source) {}

  bool Byte(uint8_t* byte) { return Number("a byte", byte); }
  // A number as it lies in memory.
  template <typename Value>
  bool Number(const char* expected, Value* number) {
    item_ = source_->offset();
    return source_->Read(reinterpret_cast<char*>(number), sizeof(*number)) || Fail(expected);
  }
  bool Length(uint64_t* length);
  // A number of elements, which take `min_bytes` each at the least.
  bool Count(size_t min_bytes, uint64_t* count);
  // An element, a name or a packed collection: less than 4 GB.
  bool String(RdbString* string) { return ReadString(string, /*may_be_blob=*/false); }
  // A value of any size; from Blob::kMinBytes on it is a blob.
  bool Value(RdbString* string) { return ReadString(string, /*may_be_blob=*/true); }
  // Passes over so many bytes.
  bool Skip(size_t bytes);

  // Latches what should have been at the beginning of what was read last, or at another offset.
  bool Fail(std::string_view expected) { return FailAt(item_, expected); }
  bool FailAt(uint64_t offset, std::string_view expected);
  // Latches a message that is one already.
  bool FailWith(std::string message);
  // For a packed collection in which a cursor has found something wrong.
  bool FailIn(const RdbString& string, const PackedCursor& cursor);

  // Puts in front of the latched message what it is about.
  void AddContext(std::string_view context);

  bool failed() const { return !message_.empty(); }
  const std::string& message() const { return message_; }
  // Where what was read last begins.
  uint64_t item_offset() const { return item_; }
  ByteSource* source() const { return source_; }

 private:
  bool ReadLength(uint64_t* length, bool* is_encoded);
  bool ReadString(RdbString* string, bool may_be_blob);
  bool ReadInteger(size_t bytes, RdbString* string);
  bool ReadCompressed(RdbString* string, bool may_be_blob);
  bool ReadRaw(uint64_t size, RdbString* string, bool may_be_blob);
  // Room for a string that is not used where it lies.
  char* RoomFor(uint64_t size, RdbString* string, bool may_be_blob);

  ByteSource* const source_;
  uint64_t item_ = 0;
  std::string message_;
};

}  // namespace spinel
