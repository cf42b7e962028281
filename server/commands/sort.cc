// SORT and SORT_RO: lists, sets and sorted sets in another order, and what their elements name.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/numbers.h"
#include "server/acl_check.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/key_events.h"
#include "server/commands/list_pop.h"
#include "server/commands/sort_pattern.h"
#include "server/commands/value_reply.h"
#include "storage/list_value.h"
#include "storage/set_value.h"
#include "storage/zset_value.h"

namespace spinel {
namespace {

constexpr size_t kFirstOption = 2;

// -- Arguments
// -------------------------------------------------------------------------------------

struct SortOptions {
  bool descending = false;
  bool alpha = false;
  bool sorted = true;  // false: BY a constant
  bool stores = false;
  bool for_script = false;
  int64_t offset = 0;
  int64_t count = -1;  // negative: all
  std::optional<SortPattern> by;
  std::vector<SortPattern> get;

  bool HasPatterns() const {
    return (by && by->has_star()) ||
           std::any_of(get.begin(), get.end(), [](const SortPattern& p) { return p.has_star(); });
  }
};

// BY and GET read keys that the request does not name: only who may read all of them may use these.
bool MayUsePatterns(CommandContext& ctx) {
  return MayReadEveryKey(*ctx.session().acl_user, ctx.command(), ctx.args());
}

void RefusePattern(std::string_view option, ArgReader& args) {
  args.Fail(
      fmt::format("ERR {} option of SORT denied due to insufficient ACL permissions.", option));
}

SortOptions ReadSortOptions(CommandContext& ctx, ArgReader& args, bool read_only) {
  SortOptions options;
  while (args.HasNext()) {
    if (args.Tag("ASC")) {
      options.descending = false;
    } else if (args.Tag("DESC")) {
      options.descending = true;
    } else if (args.Tag("ALPHA")) {
      options.alpha = true;
    } else if (args.Left() > 2 && args.Tag("LIMIT")) {
      options.offset = args.Int();
      options.count = args.Int();
    } else if (!read_only && args.Left() > 1 && args.Tag("STORE")) {
      options.stores = true;
      args.Skip(1);  // ExtractSortKeys finds it
    } else if (args.Left() > 1 && args.Tag("BY")) {
      options.by.emplace(args.String());
      if (!options.by->has_star()) {
        options.sorted = false;
      } else if (!MayUsePatterns(ctx)) {
        RefusePattern("BY", args);
      }
    } else if (args.Left() > 1 && args.Tag("GET")) {
      if (!MayUsePatterns(ctx)) RefusePattern("GET", args);
      options.get.emplace_back(args.String());
    } else {
      args.SyntaxError();
    }
  }
  return options;
}

// The key, and that of the last STORE.
bool ExtractSortKeys(CommandArgs args, std::vector<int>* indexes) {
  indexes->push_back(1);
  ArgReader reader(args, kFirstOption);
  size_t stored = 0;
  while (reader.HasNext()) {
    if (reader.Tag("LIMIT")) {
      reader.Skip(2);
    } else if (reader.Tag("STORE") && reader.HasNext()) {
      stored = reader.position();
      reader.Skip(1);
    } else {
      // The argument of GET or BY, or a word that is no option.
      static_cast<void>(reader.Tag("GET") || reader.Tag("BY"));
      reader.Skip(1);
    }
  }
  if (stored != 0) indexes->push_back(static_cast<int>(stored));
  return true;
}

bool ExtractSortRoKeys(CommandArgs, std::vector<int>* indexes) {
  indexes->push_back(1);
  return true;
}

// -- Elements
// --------------------------------------------------------------------------------------

struct SortItem {
  std::string_view element;
  size_t number = 0;  // in the order in which it was found
  double score = 0;
  std::optional<std::string_view> text;  // to be sorted by, with BY and ALPHA
};

// True, and the error is written, for what cannot be sorted.
bool RefuseUnsortable(const Entry* entry, ReplyWriter& reply) {
  if (entry == nullptr || entry->type() == ValueType::kList || entry->type() == ValueType::kSet ||
      entry->type() == ValueType::kSortedSet) {
    return false;
  }
  reply.Error(kWrongTypeError);
  return true;
}

size_t SizeOf(const Entry& entry) {
  if (entry.type() == ValueType::kList) return ListView(entry).size();
  if (entry.type() == ValueType::kSet) return SetView(entry).size();
  return ZsetView(entry).size();
}

// The elements of a range, counted in the value's own order or against it; copied to the arena.
std::vector<SortItem> LoadItems(const Entry& entry, const ListRange& range, bool backward,
                                TextArena* arena) {
  std::vector<SortItem> items;
  items.reserve(range.count);
  const auto add = [&](std::string_view element) {
    items.push_back({arena->Copy(element), items.size(), 0, {}});
  };
  if (range.count == 0) return items;
  if (entry.type() == ValueType::kList) {
    const ListView list(entry);
    const size_t first = backward ? list.size() - 1 - range.first : range.first;
    list.ForEach(first, range.count, backward, [&add](std::string_view element) {
      add(element);
      return true;
    });
  } else if (entry.type() == ValueType::kSet) {
    size_t passed = 0;
    SetView(entry).ForEach([&](std::string_view member) {
      if (passed++ >= range.first) add(member);
      return items.size() < range.count;
    });
  } else {
    const ZsetView set(entry);
    const uint64_t begin = backward ? set.size() - range.first - range.count : range.first;
    set.ForEach({begin, range.count}, backward,
                [&add](const ScoredMember& scored) { add(scored.member); });
  }
  return items;
}

// LIMIT, cut down to what exists.
ListRange LimitedRange(const SortOptions& options, size_t size) {
  const auto first =
      static_cast<size_t>(std::clamp<int64_t>(options.offset, 0, static_cast<int64_t>(size)));
  const size_t left = size - first;
  if (options.count < 0) return {first, left};
  return {first, std::min<size_t>(left, static_cast<uint64_t>(options.count))};
}

// -- Sorting
// ---------------------------------------------------------------------------------------

// As strtod reads a C string: spaces in front are fine, and so is nothing at all.
bool ReadScore(std::string_view text, double* score) {
  text = text.substr(0, text.find('\0'));
  if (text.empty()) {
    *score = 0;
    return true;
  }
  const size_t begin = text.find_first_not_of(" \t\n\v\f\r");
  return begin != std::string_view::npos && ParseDouble(text.substr(begin), score);
}

// Finds out what each item is sorted by. False: a score is no number.
bool Weigh(SortOptions& options, const LockedKeys* keys, TextArena* arena,
           std::vector<SortItem>* items) {
  bool all_numbers = true;
  for (SortItem& item : *items) {
    std::optional<std::string_view> weight = item.element;
    if (options.by) weight = options.by->Lookup(keys, item.element, arena);
    if (options.alpha) {
      item.text = weight;
    } else if (weight) {
      all_numbers &= ReadScore(*weight, &item.score);
    }
  }
  return all_numbers;
}

// Brings the items of the range into their places.
void Arrange(const SortOptions& options, const ListRange& range, std::vector<SortItem>* items) {
  const bool alpha = options.alpha;
  const int sign = options.descending ? -1 : 1;
  const auto before = [alpha, sign](const SortItem& a, const SortItem& b) {
    int order;
    if (alpha) {
      order = a.text && b.text ? a.text->compare(*b.text)
                               : static_cast<int>(a.text.has_value()) - b.text.has_value();
    } else if (a.score != b.score) {
      order = a.score < b.score ? -1 : 1;
    } else {
      order = a.element.compare(b.element);
    }
    if (order == 0) return a.number < b.number;
    return sign * (order < 0 ? -1 : 1) < 0;
  };
  const size_t end = range.first + range.count;
  if (end < items->size()) {
    std::partial_sort(items->begin(), items->begin() + static_cast<std::ptrdiff_t>(end),
                      items->end(), before);
  } else {
    std::sort(items->begin(), items->end(), before);
  }
}

// -- The command
// -----------------------------------------------------------------------------------

struct SortResult {
  std::vector<SortItem> items;
  ListRange range;  // of the items that are asked for
  bool all_numbers = true;
};

// Everything but the lookups of GET.
class Sorter {
 public:
  // Expects something sortable, or nullptr.
  Sorter(SortOptions* options, const Entry* entry, TextArena* arena)
      : options_(*options), arena_(arena) {
    if (entry == nullptr) return;
    const bool is_set = entry->type() == ValueType::kSet;
    if (!options_.sorted && (options_.stores || options_.for_script) && is_set) {
      // What is stored, or given to a script, has to have some order.
      options_.sorted = true;
      options_.alpha = true;
      options_.by.reset();
    }
    const size_t size = SizeOf(*entry);
    const ListRange wanted = LimitedRange(options_, size);
    const bool direct = !options_.sorted;
    const bool backward = direct && options_.descending && !is_set;
    result_.items = LoadItems(*entry, direct ? wanted : ListRange{0, size}, backward, arena);
    result_.range = direct ? ListRange{0, wanted.count} : wanted;
  }

  // `keys`: all, if there is a pattern.
  SortResult& Run(const LockedKeys* keys) {
    if (!options_.sorted) return result_;
    result_.all_numbers = Weigh(options_, keys, arena_, &result_.items);
    if (result_.all_numbers) Arrange(options_, result_.range, &result_.items);
    return result_;
  }

 private:
  SortOptions& options_;
  TextArena* const arena_;
  SortResult result_;
};

// Calls `put` with every element that is asked for or, with GET, what its patterns name.
template <typename Put>
void ForEachResult(SortOptions& options, const SortResult& result, const LockedKeys* keys,
                   TextArena* arena, Put put) {
  for (size_t i = 0; i < result.range.count; ++i) {
    const std::string_view element = result.items[result.range.first + i].element;
    if (options.get.empty()) put(std::optional(element));
    for (SortPattern& pattern : options.get) put(pattern.Lookup(keys, element, arena));
  }
}

void ReplySorted(SortOptions& options, const SortResult& result, const LockedKeys* keys,
                 TextArena* arena, ReplyWriter& reply) {
  if (!result.all_numbers) {
    return reply.Error("ERR One or more scores can't be converted into double");
  }
  const size_t per_element = std::max<size_t>(options.get.size(), 1);
  reply.Array(static_cast<int64_t>(result.range.count * per_element));
  ForEachResult(options, result, keys, arena, [&reply](std::optional<std::string_view> value) {
    value ? reply.Bulk(*value) : reply.Null();
  });
}

void StoreSorted(CommandContext& ctx, SortOptions& options, const SortResult& result,
                 const LockedKeys& keys, TextArena* arena, ReplyWriter& reply) {
  if (!result.all_numbers) {
    return reply.Error("ERR One or more scores can't be converted into double");
  }
  std::vector<std::string_view> elements;
  elements.reserve(result.range.count * std::max<size_t>(options.get.size(), 1));
  ForEachResult(options, result, &keys, arena, [&elements](std::optional<std::string_view> value) {
    elements.push_back(value.value_or(std::string_view()));
  });
  KeySlot destination = keys.Slot(1);
  const bool existed = destination.exists();
  ListValue(&destination, ListLimitsOf(ctx)).Store(elements);
  NotifyStored(destination, kNotifyList, "sortstore", existed);
  reply.Integer(static_cast<int64_t>(elements.size()));
}

// With keys locked for as long as it takes: they are stored to, or patterns name them.
void SortLocked(CommandContext& ctx, SortOptions& options, ReplyWriter& reply) {
  TextArena arena;
  const LockedKeys keys = options.HasPatterns() ? ctx.LockEverything() : ctx.LockKeys();
  KeySlot slot = keys.Slot(0);
  slot.CountLookup();
  if (RefuseUnsortable(slot.entry(), reply)) return;
  Sorter sorter(&options, slot.entry(), &arena);
  const SortResult& result = sorter.Run(&keys);
  if (options.stores) {
    StoreSorted(ctx, options, result, keys, &arena, reply);
  } else {
    ReplySorted(options, result, &keys, &arena, reply);
  }
}

// The elements are copied, and sorted when nobody waits for the key any more.
void SortCopy(CommandContext& ctx, SortOptions& options, ReplyWriter& reply) {
  TextArena arena;
  std::optional<Sorter> sorter;
  {
    const ReadGuard value = ctx.Lookup();
    const Entry* const entry = value ? &*value : nullptr;
    if (RefuseUnsortable(entry, reply)) return;
    sorter.emplace(&options, entry, &arena);
  }
  ReplySorted(options, sorter->Run(nullptr), nullptr, &arena, reply);
}

void SortInto(CommandContext& ctx, ArgReader& args, ReplyWriter& reply, bool read_only) {
  args.Skip(1);
  SortOptions options = ReadSortOptions(ctx, args, read_only);
  if (!args.Done(reply)) return;
  options.for_script = ctx.loop().runs_script;
  if (options.stores || options.HasPatterns()) {
    SortLocked(ctx, options, reply);
  } else {
    SortCopy(ctx, options, reply);
  }
}

void Sort(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  SortInto(ctx, args, reply, /*read_only=*/false);
}

void SortRo(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  SortInto(ctx, args, reply, /*read_only=*/true);
}

constexpr CommandSpec kSortCommands[] = {
    {.name = "SORT",
     .arity = -2,
     .flags = kWrite | kDenyOom | kMovableKeys | kAnyData,
     .acl = kAclSet | kAclSortedSet | kAclList | kAclDangerous,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = Sort,
     .extractor = ExtractSortKeys,
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(N+M*log(N)): N elements, M answered",
     .summary = "Sorts the elements of a list, a set or a sorted set, and answers or stores them, "
                "or what they name.",
     .syntax = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] "
               "[ASC | DESC] [ALPHA] [STORE destination]"},
    {.name = "SORT_RO",
     .arity = -2,
     .flags = kReadOnly | kMovableKeys | kAnyData,
     .acl = kAclSet | kAclSortedSet | kAclList | kAclDangerous,
     .keys = OneKey(kKeyRO | kKeyAccess),
     .handler = SortRo,
     .extractor = ExtractSortRoKeys,
     .group = "generic",
     .since = "7.0.0",
     .complexity = "O(N+M*log(N)): N elements, M answered",
     .summary = "Sorts the elements of a list, a set or a sorted set, and answers them, or what "
                "they name.",
     .syntax = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] "
               "[ASC | DESC] [ALPHA]"},
};

}  // namespace

std::span<const CommandSpec> SortCommands() { return kSortCommands; }

}  // namespace spinel
