// Writes replies as RESP2 or RESP3. Handlers say what a reply means (a map, a double, a null) and
// this class alone knows how each protocol spells it.
//
// Owner: the dispatcher, one per executed command or longer. Threads: as its OutputBuffer.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "protocol/numbers.h"
#include "protocol/output_buffer.h"

namespace spinel {

enum class RespVersion : uint8_t { kResp2 = 2, kResp3 = 3 };

class ReplyWriter {
 public:
  ReplyWriter(OutputBuffer* out, RespVersion version) : out_(out), version_(version) {}

  // +text. The text holds no CR or LF.
  void Simple(std::string_view text) { Line('+', text); }
  void Ok() { out_->Append("+OK\r\n"); }
  // -text. `text` begins with its code ("ERR ...", "WRONGTYPE ..."). CR and LF become spaces.
  void Error(std::string_view text);
  // An error that was counted where it arose: one that a script passes on from a command.
  void KnownError(std::string_view text) {
    ++known_error_count_;
    Error(text);
  }
  void Integer(int64_t value) { Header(':', value); }
  void Bulk(std::string_view bytes) {
    char* const begin = out_->Reserve(bytes.size() + kMaxHeader + 2);
    char* end = WriteHeader(begin, '$', static_cast<int64_t>(bytes.size()));
    if (!bytes.empty()) std::memcpy(end, bytes.data(), bytes.size());
    end = WriteCrlf(end + bytes.size());
    out_->Commit(static_cast<size_t>(end - begin));
  }
  // A bulk string whose bytes are sent from where they are.
  void BulkPinned(Pin pin);
  // The decimal form of `value` as a bulk string.
  void BulkInteger(int64_t value);
  // RESP3 `,`; RESP2 a bulk string. The text is FormatDouble's.
  void Double(double value);
  // The same for a number that is text already.
  void DoubleText(std::string_view digits) { resp3() ? Line(',', digits) : Bulk(digits); }
  // RESP3 `#`; RESP2 an integer.
  void Bool(bool value) {
    if (resp3()) return out_->Append(value ? "#t\r\n" : "#f\r\n");
    Integer(value ? 1 : 0);
  }
  // RESP3 `(`; RESP2 a bulk string.
  void BigNumber(std::string_view digits);
  // RESP3 `=fmt:`; RESP2 a bulk string. `format` has three characters: "txt" or "mkd".
  void Verbatim(std::string_view format, std::string_view text);
  // RESP3 `_`; RESP2 `$-1`.
  void Null() { out_->Append(resp3() ? "_\r\n" : "$-1\r\n"); }
  // RESP3 `_`; RESP2 `*-1`.
  void NullArray() { out_->Append(resp3() ? "_\r\n" : "*-1\r\n"); }

  void Array(int64_t size) { Header('*', size); }
  // `size` pairs follow: RESP3 `%`; RESP2 an array of twice the size.
  void Map(int64_t size) { resp3() ? Header('%', size) : Header('*', size * 2); }
  // RESP3 `~`; RESP2 an array.
  void Set(int64_t size) { Header(resp3() ? '~' : '*', size); }
  // RESP3 `>`; RESP2 an array.
  void Push(int64_t size) { Header(resp3() ? '>' : '*', size); }
  // RESP3 `|`: only where version() is kResp3. `size` pairs follow, then the reply they describe.
  void Attribute(int64_t size) { Header('|', size); }

  // An aggregate whose size is known only after its elements are written:
  //   auto mark = reply.Begin();  ... elements ...  reply.EndArray(mark, count);
  OutputBuffer::Mark Begin() { return out_->mark(); }
  void EndArray(const OutputBuffer::Mark& begin, int64_t size);
  void EndMap(const OutputBuffer::Mark& begin, int64_t size);
  void EndSet(const OutputBuffer::Mark& begin, int64_t size);
  // A bulk string in front of what was written behind a mark, for a cursor that is known at the
  // end.
  void InsertBulk(const OutputBuffer::Mark& at, std::string_view bytes);

  // Bytes that are RESP already.
  void Raw(std::string_view resp) { out_->Append(resp); }

  RespVersion version() const { return version_; }
  bool resp3() const { return version_ == RespVersion::kResp3; }
  // HELLO switches in the middle of a command.
  void set_version(RespVersion version) { version_ = version; }

  // Errors written through this writer, and the last one's code (its text up to the first space, or
  // "ERR" where there is none), for statistics. The view is valid until the next call of Error.
  uint64_t error_count() const { return error_count_; }
  // How many of them KnownError wrote.
  uint64_t known_error_count() const { return known_error_count_; }
  std::string_view last_error_code() const { return {last_error_code_, last_error_code_size_}; }

  OutputBuffer* out() { return out_; }

 private:
  static constexpr size_t kMaxHeader = 1 + kMaxInt64Chars + 2;  // "$123\r\n"

  static char* WriteCrlf(char* to) {
    std::memcpy(to, "\r\n", 2);
    return to + 2;
  }
  static char* WriteHeader(char* to, char type, int64_t value) {
    *to = type;
    return WriteCrlf(WriteInt64(to + 1, value));
  }
  void Header(char type, int64_t value) {
    char* const begin = out_->Reserve(kMaxHeader);
    out_->Commit(static_cast<size_t>(WriteHeader(begin, type, value) - begin));
  }
  // The type, the text, CRLF.
  void Line(char type, std::string_view text) {
    char* const begin = out_->Reserve(text.size() + 3);
    *begin = type;
    if (!text.empty()) std::memcpy(begin + 1, text.data(), text.size());
    WriteCrlf(begin + 1 + text.size());
    out_->Commit(text.size() + 3);
  }
  void InsertHeader(const OutputBuffer::Mark& at, char type, int64_t value);

  static constexpr size_t kMaxErrorCode = 31;

  OutputBuffer* out_;
  RespVersion version_;
  uint8_t last_error_code_size_ = 0;
  char last_error_code_[kMaxErrorCode];
  uint64_t error_count_ = 0;
  uint64_t known_error_count_ = 0;
};

}  // namespace spinel
