#include "server/commands/function_dump.h"

#include "persistence/byte_source.h"
#include "persistence/crc64.h"
#include "persistence/rdb_format.h"
#include "persistence/rdb_input.h"
#include "persistence/rdb_string.h"

namespace spinel {
namespace {

constexpr uint8_t kFunction = 245;       // a string follows: the code of a library
constexpr uint8_t kFunctionPreGa = 246;  // the same of Redis 7.0's release candidates

}  // namespace

std::string DumpLibraries(const std::vector<std::string>& codes) {
  std::string out;
  for (const std::string& code : codes) {
    char length[9];
    out += static_cast<char>(kFunction);
    out.append(length, SpellRdbLength(code.size(), length));
    out += code;
  }
  out += static_cast<char>(kRdbVersion & 0xff);
  out += static_cast<char>(kRdbVersion >> 8);
  const uint64_t crc = Crc64(0, out);
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(crc >> shift);
  return out;
}

std::string ReadLibraryDump(std::string_view payload, std::vector<std::string>* codes) {
  constexpr std::string_view kWrong = "ERR DUMP payload version or checksum are wrong";
  if (payload.size() < kDumpFooterBytes) return std::string(kWrong);
  const auto byte = [&](size_t from_end) {
    return static_cast<uint8_t>(payload[payload.size() - from_end]);
  };
  const int version = byte(10) | byte(9) << 8;
  uint64_t crc = 0;
  for (size_t i = 1; i <= 8; ++i) crc = crc << 8 | byte(i);
  const bool known = version <= kRdbVersionLastRedis || version == kRdbVersionValkey;
  if (!known || crc != Crc64(0, payload.substr(0, payload.size() - 8))) return std::string(kWrong);
  MemorySource source(payload.substr(0, payload.size() - kDumpFooterBytes), /*checksum=*/false);
  RdbInput input(&source);
  while (source.remaining() > 0) {
    uint8_t type = 0;
    RdbString code;
    if (!input.Byte(&type)) return "ERR can not read data type";
    if (type == kFunctionPreGa) return "ERR Pre-GA function format not supported";
    if (type != kFunction) return "ERR given type is not a function";
    if (!input.String(&code)) return "ERR failed loading the given functions payload";
    codes->emplace_back(code.bytes());
  }
  return {};
}

}  // namespace spinel
