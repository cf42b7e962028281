#include "server/commands/scan_args.h"

#include <fmt/format.h>

#include <charconv>

#include "protocol/glob.h"
#include "storage/value_info.h"

namespace spinel {

bool NamePattern::Matches(std::string_view name) const {
  return all_ || GlobMatch(pattern_, name, /*nocase=*/false);
}

uint64_t ReadCursor(ArgReader& args) {
  const std::string_view text = args.String();
  uint64_t cursor = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, cursor);
  if (error != std::errc() || rest != end) args.Fail("ERR invalid cursor");
  return cursor;
}

ScanOptions ReadScanOptions(ArgReader& args, ScanCommand command) {
  ScanOptions options;
  while (args.HasNext()) {
    if (args.Tag("NOVALUES")) {
      options.names_only = true;
      if (command != ScanCommand::kHScan) {
        args.Fail("ERR NOVALUES option can only be used in HSCAN");
      }
    } else if (args.Tag("NOSCORES")) {
      options.names_only = true;
      if (command != ScanCommand::kZScan) {
        args.Fail("ERR NOSCORES option can only be used in ZSCAN");
      }
    } else if (args.Left() >= 2 && args.Tag("COUNT")) {
      const int64_t count = args.Int();
      if (args.ok() && count < 1) args.SyntaxError();
      options.count = static_cast<uint64_t>(count);
    } else if (args.Left() >= 2 && args.Tag("MATCH")) {
      options.pattern = NamePattern(args.String());
    } else if (args.Left() >= 2 && command == ScanCommand::kScan && args.Tag("TYPE")) {
      const std::string_view name = args.String();
      options.type = TypeOfName(name);
      if (!options.type) args.Fail(fmt::format("ERR unknown type name '{}'", name));
    } else {
      args.SyntaxError();
    }
  }
  return options;
}

void EndScan(const OutputBuffer::Mark& begin, uint64_t cursor, int64_t elements,
             ReplyWriter& reply) {
  reply.EndArray(begin, elements);
  reply.InsertBulk(begin, fmt::format_int(cursor).c_str());
  reply.EndArray(begin, 2);
}

void ReplyCursor(uint64_t cursor, ReplyWriter& reply) {
  reply.Array(2);
  reply.Bulk(fmt::format_int(cursor).c_str());
}

}  // namespace spinel
