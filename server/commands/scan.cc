// Walking over the keyspace: SCAN, KEYS, RANDOMKEY.
//
// The store hands out keys under a stripe's lock, so names are copied there and matched afterwards:
// a costly pattern holds nobody up.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/glob.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "storage/value_info.h"

namespace spinel {
namespace {

// How many keys are copied before they are matched.
constexpr uint64_t kPage = 512;

// Names of keys, end to end in one block.
class NameList {
 public:
  NameList() {
    constexpr size_t kUsualBytes = 32;
    bytes_.reserve(kUsualBytes * 16);
    ends_.reserve(16);
  }
  void Add(std::string_view name) {
    bytes_ += name;
    ends_.push_back(bytes_.size());
  }
  void Clear() {
    bytes_.clear();
    ends_.clear();
  }
  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
};

// A pattern that may be anything: `*` matches even the empty name, which GlobMatch leaves out.
class NamePattern {
 public:
  NamePattern() = default;
  explicit NamePattern(std::string_view pattern) : pattern_(pattern), all_(pattern == "*") {}

  bool all() const { return all_; }
  bool Matches(std::string_view name) const {
    return all_ || GlobMatch(pattern_, name, /*nocase=*/false);
  }
  // Only the name itself can match.
  bool literal() const { return pattern_.find_first_of("*?[\\") == std::string_view::npos; }

 private:
  std::string_view pattern_;
  bool all_ = true;
};

struct ScanOptions {
  uint64_t count = 10;
  NamePattern pattern;
  std::optional<ValueType> type;
};

uint64_t ReadCursor(ArgReader& args) {
  const std::string_view text = args.String();
  uint64_t cursor = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, cursor);
  if (error != std::errc() || rest != end) args.Fail("ERR invalid cursor");
  return cursor;
}

ScanOptions ReadScanOptions(ArgReader& args) {
  ScanOptions options;
  while (args.HasNext()) {
    if (args.Tag("NOVALUES")) {
      args.Fail("ERR NOVALUES option can only be used in HSCAN");
    } else if (args.Tag("NOSCORES")) {
      args.Fail("ERR NOSCORES option can only be used in ZSCAN");
    } else if (args.Left() < 2) {
      args.SyntaxError();
    } else if (args.Tag("COUNT")) {
      const int64_t count = args.Int();
      if (args.ok() && count < 1) args.SyntaxError();
      options.count = static_cast<uint64_t>(count);
    } else if (args.Tag("MATCH")) {
      options.pattern = NamePattern(args.String());
    } else if (args.Tag("TYPE")) {
      const std::string_view name = args.String();
      options.type = TypeOfName(name);
      if (!options.type) args.Fail(fmt::format("ERR unknown type name '{}'", name));
    } else {
      args.SyntaxError();
    }
  }
  return options;
}

void Scan(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  uint64_t cursor = ReadCursor(args);
  const ScanOptions options = ReadScanOptions(args);
  if (!args.Done(reply)) return;

  NameList found;
  NameList page;
  for (uint64_t left = options.count; left > 0;) {
    const uint64_t step = std::min(left, kPage);
    NameList& copied = options.pattern.all() ? found : page;
    cursor = ctx.store().Scan(
        ctx.op(), ctx.session().db(), cursor, step,
        [&copied](const Entry& entry) { copied.Add(entry.key()); }, options.type);
    for (size_t i = 0; i < page.size(); ++i) {
      if (options.pattern.Matches(page[i])) found.Add(page[i]);
    }
    page.Clear();
    if (cursor == 0) break;
    left -= step;
  }

  reply.Array(2);
  reply.Bulk(fmt::format_int(cursor).c_str());
  reply.Array(static_cast<int64_t>(found.size()));
  for (size_t i = 0; i < found.size(); ++i) reply.Bulk(found[i]);
}

void KeysCommand(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const NamePattern pattern(ctx.arg(1));
  if (pattern.literal()) {
    const bool exists = ctx.Lookup(1, LookupMode::kPeek).exists();
    reply.Array(exists ? 1 : 0);
    if (exists) reply.Bulk(ctx.arg(1));
    return;
  }
  const auto begin = reply.Begin();
  int64_t count = 0;
  NameList page;
  uint64_t cursor = 0;
  do {
    cursor = ctx.store().Scan(ctx.op(), ctx.session().db(), cursor, kPage,
                              [&page](const Entry& entry) { page.Add(entry.key()); });
    for (size_t i = 0; i < page.size(); ++i) {
      if (!pattern.Matches(page[i])) continue;
      reply.Bulk(page[i]);
      ++count;
    }
    page.Clear();
  } while (cursor != 0);
  reply.EndArray(begin, count);
}

void RandomKey(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  std::string name;
  if (!ctx.store().RandomKey(ctx.op(), ctx.session().db(), &name)) return reply.Null();
  reply.Bulk(name);
}

constexpr CommandSpec kCommands[] = {
    {.name = "SCAN",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kAclKeyspace,
     .handler = Scan,
     .group = "generic",
     .since = "2.8.0",
     .complexity = "O(1) per call, O(N) for a whole walk over N keys",
     .summary =
         "Walks over the keys of the database, a few with each call. A key that stays is seen.",
     .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]"},
    {.name = "KEYS",
     .arity = 2,
     .flags = kReadOnly,
     .acl = kAclKeyspace | kAclDangerous,
     .handler = KeysCommand,
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(N) for N keys in the database; O(1) for a pattern without wildcards",
     .summary = "Answers all keys whose names match a pattern.",
     .syntax = "pattern"},
    {.name = "RANDOMKEY",
     .arity = 1,
     .flags = kReadOnly,
     .acl = kAclKeyspace,
     .handler = RandomKey,
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers some key of the database, or null if that is empty."},
};

}  // namespace

std::span<const CommandSpec> ScanCommands() { return kCommands; }

}  // namespace spinel
