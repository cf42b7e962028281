// What SCAN, HSCAN, SSCAN and ZSCAN share: their arguments and the shape of their reply.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "storage/entry.h"

namespace spinel {

// MATCH.
class NamePattern {
 public:
  NamePattern() = default;
  explicit NamePattern(std::string_view pattern) : pattern_(pattern), all_(pattern == "*") {}
  bool all() const { return all_; }
  bool Matches(std::string_view name) const;
  // Only the name itself can match.
  bool literal() const { return pattern_.find_first_of("*?[\\") == std::string_view::npos; }

 private:
  std::string_view pattern_;
  bool all_ = true;
};

struct ScanOptions {
  uint64_t count = 10;
  NamePattern pattern;
  std::optional<ValueType> type;  // SCAN
  bool names_only = false;        // NOVALUES, NOSCORES
};

enum class ScanCommand : uint8_t { kScan, kHScan, kSScan, kZScan };

uint64_t ReadCursor(ArgReader& args);
// Reads all that is left; options that `command` does not have are errors.
ScanOptions ReadScanOptions(ArgReader& args, ScanCommand command);

// The cursor, and the beginning of the reply: the caller writes an array behind it.
void ReplyCursor(uint64_t cursor, ReplyWriter& reply);
// The same when the elements have been written already, behind a mark: their array's header too.
void EndScan(const OutputBuffer::Mark& begin, uint64_t cursor, int64_t elements,
             ReplyWriter& reply);

}  // namespace spinel
