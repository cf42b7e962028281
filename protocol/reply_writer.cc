#include "protocol/reply_writer.h"

#include <algorithm>
#include <string>

namespace spinel {

void ReplyWriter::Error(std::string_view text) {
  char* const begin = out_->Reserve(text.size() + 3);
  *begin = '-';
  char* const end = std::replace_copy_if(
      text.begin(), text.end(), begin + 1, [](char c) { return c == '\r' || c == '\n'; }, ' ');
  WriteCrlf(end);
  out_->Commit(text.size() + 3);

  ++error_count_;
  const size_t space = text.substr(0, kMaxErrorCode + 1).find(' ');
  const std::string_view code = space == std::string_view::npos ? "ERR" : text.substr(0, space);
  std::copy(code.begin(), code.end(), last_error_code_);
  last_error_code_size_ = static_cast<uint8_t>(code.size());
}

void ReplyWriter::BulkPinned(Pin pin) {
  Header('$', static_cast<int64_t>(pin.size));
  out_->AppendPinned(pin);
  out_->Append("\r\n");
}

void ReplyWriter::BulkInteger(int64_t value) {
  char digits[kMaxInt64Chars];
  Bulk({digits, static_cast<size_t>(WriteInt64(digits, value) - digits)});
}

void ReplyWriter::Double(double value) {
  char digits[kMaxDoubleChars];
  const std::string_view text(digits, FormatDouble(value, digits));
  resp3() ? Line(',', text) : Bulk(text);
}

void ReplyWriter::BigNumber(std::string_view digits) { resp3() ? Line('(', digits) : Bulk(digits); }

void ReplyWriter::Verbatim(std::string_view format, std::string_view text) {
  if (!resp3()) return Bulk(text);
  const size_t size = format.size() + 1 + text.size();
  char* const begin = out_->Reserve(size + kMaxHeader + 2);
  char* end = WriteHeader(begin, '=', static_cast<int64_t>(size));
  end = std::copy(format.begin(), format.end(), end);
  *end++ = ':';
  end = WriteCrlf(std::copy(text.begin(), text.end(), end));
  out_->Commit(static_cast<size_t>(end - begin));
}

void ReplyWriter::InsertHeader(const OutputBuffer::Mark& at, char type, int64_t value) {
  char header[kMaxHeader];
  out_->InsertAt(at, {header, static_cast<size_t>(WriteHeader(header, type, value) - header)});
}

void ReplyWriter::InsertBulk(const OutputBuffer::Mark& at, std::string_view bytes) {
  std::string bulk(kMaxHeader, '\0');
  bulk.resize(static_cast<size_t>(
      WriteHeader(bulk.data(), '$', static_cast<int64_t>(bytes.size())) - bulk.data()));
  bulk += bytes;
  bulk += "\r\n";
  out_->InsertAt(at, bulk);
}

void ReplyWriter::EndArray(const OutputBuffer::Mark& begin, int64_t size) {
  InsertHeader(begin, '*', size);
}

void ReplyWriter::EndMap(const OutputBuffer::Mark& begin, int64_t size) {
  resp3() ? InsertHeader(begin, '%', size) : InsertHeader(begin, '*', size * 2);
}

void ReplyWriter::EndSet(const OutputBuffer::Mark& begin, int64_t size) {
  InsertHeader(begin, resp3() ? '~' : '*', size);
}

}  // namespace spinel
