// LCS: the longest common subsequence of two strings.
//
// The strings are taken out of the store first (big ones by reference), so that no lock is held
// while the table is computed. Of the classic table of lengths (R. Wagner, M. Fischer, "The
// String-to-String Correction Problem", 1974) only two rows are kept, and one bit per cell for the
// way back.

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/value_reply.h"

namespace spinel {
namespace {

// A string as it was, independent of the store.
class StringPicture {
 public:
  explicit StringPicture(const KeySlot& slot) {
    if (!slot) return;
    if (slot->string_encoding() == StringEncoding::kBlob) {
      blob_ = slot->blob();
      blob_->AddRef();
      return;
    }
    IntegerText text;
    bytes_ = StringBytes(*slot, &text);
  }
  ~StringPicture() {
    if (blob_ != nullptr) blob_->Release();
  }
  StringPicture(const StringPicture&) = delete;
  StringPicture& operator=(const StringPicture&) = delete;

  std::string_view view() const { return blob_ != nullptr ? blob_->view() : bytes_; }

 private:
  std::string bytes_;
  Blob* blob_ = nullptr;
};

struct FreeDeleter {
  void operator()(void* block) const { std::free(block); }
};

class LcsTable {
 public:
  LcsTable(std::string_view a, std::string_view b) : a_(a), b_(b) {}

  // The table's size is the product of the lengths, as four bytes a cell: what is compared with
  // proto-max-bulk-len, as an upper bound of the work.
  static bool FitsIn(size_t a, size_t b, uint64_t limit) {
    return (uint64_t{a} + 1) <= limit / sizeof(uint32_t) / (uint64_t{b} + 1);
  }

  // Fills the table; `way_back` also keeps what Walk needs. False: no memory.
  bool Fill(bool way_back) {
    const size_t columns = b_.size();
    if (way_back) {
      const size_t words = (a_.size() * columns + 63) / 64;
      up_.reset(static_cast<uint64_t*>(std::calloc(words + 1, sizeof(uint64_t))));
      if (up_ == nullptr) return false;
    }
    row_.reset(static_cast<uint32_t*>(std::calloc(columns + 1, sizeof(uint32_t))));
    if (row_ == nullptr) return false;
    for (size_t i = 0; i < a_.size(); ++i) {
      uint32_t diagonal = 0;  // the row above, one column to the left
      for (size_t j = 0; j < columns; ++j) {
        const uint32_t above = row_[j + 1];
        const uint32_t left = row_[j];
        if (a_[i] == b_[j]) {
          row_[j + 1] = diagonal + 1;
        } else if (above > left) {
          if (way_back) SetUp(i, j);
        } else {
          row_[j + 1] = left;
        }
        diagonal = above;
      }
    }
    return true;
  }

  uint32_t length() const { return row_[b_.size()]; }

  // Calls `match(i, j, n)` for each stretch of n bytes that both strings share in the subsequence,
  // from the last to the first; it begins at a[i] and b[j].
  template <typename Match>
  void Walk(Match&& match) const {
    size_t i = a_.size();
    size_t j = b_.size();
    while (i > 0 && j > 0) {
      size_t run = 0;
      while (i > 0 && j > 0 && a_[i - 1] == b_[j - 1]) {
        --i;
        --j;
        ++run;
      }
      if (run > 0) {
        match(i, j, run);
      } else if (IsUp(i - 1, j - 1)) {
        --i;
      } else {
        --j;
      }
    }
  }

 private:
  void SetUp(size_t i, size_t j) {
    const size_t bit = i * b_.size() + j;
    up_[bit / 64] |= uint64_t{1} << (bit % 64);
  }
  bool IsUp(size_t i, size_t j) const {
    const size_t bit = i * b_.size() + j;
    return (up_[bit / 64] >> (bit % 64) & 1) != 0;
  }

  const std::string_view a_;
  const std::string_view b_;
  std::unique_ptr<uint64_t[], FreeDeleter> up_;  // bit set: the way back leads to a's byte before
  std::unique_ptr<uint32_t[], FreeDeleter> row_;
};

struct LcsOptions {
  bool length = false;
  bool indexes = false;
  bool with_match_length = false;
  int64_t min_match_length = 0;
};

LcsOptions ReadOptions(ArgReader& args) {
  LcsOptions options;
  while (args.HasNext()) {
    if (args.Tag("IDX")) {
      options.indexes = true;
    } else if (args.Tag("LEN")) {
      options.length = true;
    } else if (args.Tag("WITHMATCHLEN")) {
      options.with_match_length = true;
    } else if (args.Tag("MINMATCHLEN")) {
      options.min_match_length = args.Int();
    } else {
      args.SyntaxError();
    }
  }
  if (options.length && options.indexes) {
    args.Fail("ERR If you want both the length and indexes, please just use IDX.");
  }
  return options;
}

void ReplyRange(size_t begin, size_t count, ReplyWriter& reply) {
  reply.Array(2);
  reply.Integer(static_cast<int64_t>(begin));
  reply.Integer(static_cast<int64_t>(begin + count - 1));
}

void ReplyIndexes(const LcsTable& table, const LcsOptions& options, ReplyWriter& reply) {
  reply.Map(2);
  reply.Bulk("matches");
  const OutputBuffer::Mark begin = reply.Begin();
  int64_t matches = 0;
  table.Walk([&](size_t i, size_t j, size_t run) {
    if (static_cast<int64_t>(run) < options.min_match_length) return;
    ++matches;
    reply.Array(options.with_match_length ? 3 : 2);
    ReplyRange(i, run, reply);
    ReplyRange(j, run, reply);
    if (options.with_match_length) reply.Integer(static_cast<int64_t>(run));
  });
  reply.EndArray(begin, matches);
  reply.Bulk("len");
  reply.Integer(table.length());
}

void ReplySubsequence(const LcsTable& table, std::string_view a, ReplyWriter& reply) {
  std::string subsequence(table.length(), '\0');
  size_t at = subsequence.size();
  table.Walk([&](size_t i, size_t, size_t run) {
    at -= run;
    a.copy(subsequence.data() + at, run, i);
  });
  reply.Bulk(subsequence);
}

void Lcs(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const LcsOptions options = ReadOptions(args.Skip(2));
  if (!args.Done(reply)) return;

  std::vector<std::unique_ptr<StringPicture>> strings;
  {
    const LockedKeys keys = ctx.LockKeys();
    for (size_t i = 0; i < 2; ++i) {
      KeySlot slot = keys.Slot(i);
      slot.CountLookup();
      if (slot && !slot.Is(ValueType::kString)) {
        return reply.Error("ERR The specified keys must contain string values");
      }
      strings.push_back(std::make_unique<StringPicture>(slot));
    }
  }
  const std::string_view a = strings[0]->view();
  const std::string_view b = strings[1]->view();
  if (std::max(a.size(), b.size()) >= std::numeric_limits<uint32_t>::max() - 1) {
    return reply.Error("ERR String too long for LCS");
  }
  const auto limit = static_cast<uint64_t>(ctx.config().proto_max_bulk_len());
  if (!LcsTable::FitsIn(a.size(), b.size(), limit)) {
    return reply.Error(
        "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }
  LcsTable table(a, b);
  if (!table.Fill(!options.length)) {
    return reply.Error("ERR Insufficient memory, failed allocating transient memory for LCS");
  }
  if (options.indexes) {
    ReplyIndexes(table, options, reply);
  } else if (options.length) {
    reply.Integer(table.length());
  } else {
    ReplySubsequence(table, a, reply);
  }
}

constexpr CommandSpec kStringLcsCommands[] = {
    {.name = "LCS",
     .arity = -3,
     .flags = kReadOnly,
     .acl = kAclString,
     .keys = Keys(1, 2, 1, kKeyRO | kKeyAccess),
     .handler = Lcs,
     .group = "string",
     .since = "7.0.0",
     .complexity = "O(N*M) for strings of N and M bytes",
     .summary = "Finds the longest common subsequence of two strings.",
     .syntax = "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]"},
};

}  // namespace

std::span<const CommandSpec> StringLcsCommands() { return kStringLcsCommands; }

}  // namespace spinel
