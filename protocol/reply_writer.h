// Writes replies as RESP2 or RESP3. Handlers say what a reply means (a map, a double, a null) and this
// class alone knows how each protocol spells it.
//
// Owner: the dispatcher, one per executed command or longer. Threads: as its OutputBuffer.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/output_buffer.h"

namespace spinel {

enum class RespVersion : uint8_t { kResp2 = 2, kResp3 = 3 };

class ReplyWriter {
 public:
  ReplyWriter(OutputBuffer* out, RespVersion version) : out_(out), version_(version) {}

  // +text. The text holds no CR or LF.
  void Simple(std::string_view text);
  void Ok() { out_->Append("+OK\r\n"); }
  // -text. `text` begins with its code ("ERR ...", "WRONGTYPE ..."). CR and LF become spaces.
  void Error(std::string_view text);
  void Integer(int64_t value);
  void Bulk(std::string_view bytes);
  // A bulk string whose bytes are sent from where they are.
  void BulkPinned(Pin pin);
  // The decimal form of `value` as a bulk string.
  void BulkInteger(int64_t value);
  // RESP3 `,`; RESP2 a bulk string. 17 significant digits, shortest form that reads back the same;
  // "inf", "-inf", "nan".
  void Double(double value);
  // RESP3 `#`; RESP2 an integer.
  void Bool(bool value);
  // RESP3 `(`; RESP2 a bulk string.
  void BigNumber(std::string_view digits);
  // RESP3 `=fmt:`; RESP2 a bulk string. `format` has three characters: "txt" or "mkd".
  void Verbatim(std::string_view format, std::string_view text);
  // RESP3 `_`; RESP2 `$-1`.
  void Null();
  // RESP3 `_`; RESP2 `*-1`.
  void NullArray();

  void Array(int64_t size);
  // `size` pairs follow: RESP3 `%`; RESP2 an array of twice the size.
  void Map(int64_t size);
  // RESP3 `~`; RESP2 an array.
  void Set(int64_t size);
  // RESP3 `>`; RESP2 an array.
  void Push(int64_t size);
  // RESP3 `|`: only where version() is kResp3.
  void Attribute(int64_t size);

  // An aggregate whose size is known only after its elements are written:
  //   auto mark = reply.Begin();  ... elements ...  reply.EndArray(mark, count);
  OutputBuffer::Mark Begin() { return out_->mark(); }
  void EndArray(const OutputBuffer::Mark& begin, int64_t size);
  void EndMap(const OutputBuffer::Mark& begin, int64_t size);
  void EndSet(const OutputBuffer::Mark& begin, int64_t size);

  // Bytes that are RESP already.
  void Raw(std::string_view resp) { out_->Append(resp); }

  RespVersion version() const { return version_; }
  bool resp3() const { return version_ == RespVersion::kResp3; }
  // HELLO switches in the middle of a command.
  void set_version(RespVersion version) { version_ = version; }

  // Errors written through this writer, and the last one's text up to the first space ("ERR"), for
  // statistics. The view is valid until the next call of Error.
  uint64_t error_count() const { return error_count_; }
  std::string_view last_error_code() const { return {last_error_code_, last_error_code_size_}; }

  OutputBuffer* out() { return out_; }

 private:
  void Header(char type, int64_t value);

  OutputBuffer* out_;
  RespVersion version_;
  uint8_t last_error_code_size_ = 0;
  uint64_t error_count_ = 0;
  char last_error_code_[64];
};

// `value` as Redis prints it: 17 significant digits at most, the shortest text that reads back as the
// same double, "inf", "-inf", "nan", "-0". Writes at most 32 bytes to `to`; returns how many.
size_t FormatDouble(double value, char* to);

}  // namespace spinel
