// Walking over the keyspace: SCAN, KEYS, RANDOMKEY.
//
// The store hands out keys under a stripe's lock, so names are copied there and matched afterwards:
// a costly pattern holds nobody up.

#include <algorithm>
#include <string>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/scan_args.h"

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

void Scan(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  uint64_t cursor = ReadCursor(args);
  const ScanOptions options = ReadScanOptions(args, ScanCommand::kScan);
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

  ReplyCursor(cursor, reply);
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

constexpr CommandSpec kScanCommands[] = {
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

std::span<const CommandSpec> ScanCommands() { return kScanCommands; }

}  // namespace spinel
