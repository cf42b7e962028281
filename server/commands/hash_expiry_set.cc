// Fields of a hash that are set, or read, together with something else: HSETEX, HGETEX, HGETDEL.

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/hash_fields_arg.h"
#include "server/commands/hash_reply.h"
#include "server/commands/string_args.h"

namespace spinel {
namespace {

// Unlike for strings a time of 0 is allowed, and is over already.
constexpr int64_t kLeastTime = 0;

// -- HSETEX
// ----------------------------------------------------------------------------------------

enum class Exists : uint8_t { kAny, kMust, kMustNot };

struct HSetExOptions {
  Exists key = Exists::kAny;
  Exists fields = Exists::kAny;
  bool keep_ttl = false;
  int64_t expiry = Entry::kNoExpiry;
  ArgReader time;  // holds the error if the time is wrong, which is the last one to be noticed

  explicit HSetExOptions(CommandArgs args) : time(args) {}
};

HSetExOptions ReadSetOptions(const CommandContext& ctx, size_t word, ReplyWriter& reply, bool* ok) {
  HSetExOptions options(ctx.args());
  ArgReader args(ctx.args().first(word), 2);
  ExpiryOption expiry("KEEPTTL");
  const auto set = [&args](Exists* condition, Exists wanted) {
    if (*condition != Exists::kAny && *condition != wanted) args.SyntaxError();
    *condition = wanted;
  };
  while (args.HasNext()) {
    if (args.Tag("NX")) {
      set(&options.key, Exists::kMustNot);
    } else if (args.Tag("XX")) {
      set(&options.key, Exists::kMust);
    } else if (args.Tag("FNX")) {
      set(&options.fields, Exists::kMustNot);
    } else if (args.Tag("FXX")) {
      set(&options.fields, Exists::kMust);
    } else if (!expiry.Read(args)) {
      args.SyntaxError();
    }
  }
  *ok = args.Check(reply);
  options.keep_ttl = expiry.has_word();
  if (*ok) options.expiry = expiry.Finish(ctx, options.time, kLeastTime);
  return options;
}

bool FieldsAgree(const HashEditor& hash, const HashPairs& pairs, Exists wanted) {
  if (wanted == Exists::kAny) return true;
  for (size_t i = 0; i < pairs.size(); ++i) {
    HashItem item;
    if (hash.Find(pairs.name(i), &item) != (wanted == Exists::kMust)) return false;
  }
  return true;
}

// Whether the time that the client gave has come already.
bool IsOver(const KeySlot& slot, int64_t expiry) {
  return expiry != Entry::kNoExpiry && expiry <= slot.now_ms();
}

void SetWithTime(HashEditor* hash, const KeySlot& slot, const HashPairs& pairs,
                 const HSetExOptions& options) {
  hash->SetAll(pairs, options.keep_ttl ? HashEditor::kKeepExpiry : options.expiry);
  slot.Notify(kNotifyHash, "hset");
  if (options.expiry != Entry::kNoExpiry) slot.Notify(kNotifyHash, "hexpire");
}

// As if the fields had been set and had expired at once. True: there was one of them.
bool ExpireAtOnce(HashEditor* hash, KeySlot* slot, const HashPairs& pairs) {
  bool any = false;
  for (size_t i = 0; i < pairs.size(); ++i) any = hash->Discard(pairs.name(i)) || any;
  slot->CountExpiredElements(pairs.size());
  return any;
}

void HSetEx(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const size_t word = FindFieldsWord(ctx, 2);
  bool ok = true;
  const HSetExOptions options = ReadSetOptions(ctx, word < ctx.argc() ? word : 2, reply, &ok);
  if (!ok) return;
  const HashPairs pairs(ReadHashFields(ctx, args, word, 2), ctx.input());
  if (!args.Check(reply)) return;
  if (!pairs.ok()) return reply.Error(kNoMemoryError);

  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kHash, reply)) return;
  if (options.key != Exists::kAny && slot.exists() != (options.key == Exists::kMust)) {
    return reply.Integer(0);
  }
  if (!options.time.ok()) return reply.Error(options.time.error());
  bool removed = false;
  {
    HashEditor hash(&slot, HashLimitsOf(ctx));
    if (!FieldsAgree(hash, pairs, options.fields)) return reply.Integer(0);
    if (IsOver(slot, options.expiry)) {
      removed = ExpireAtOnce(&hash, &slot, pairs);
    } else {
      SetWithTime(&hash, slot, pairs, options);
    }
  }
  if (removed) slot.NotifyRemoval(kNotifyHash, "hexpired");
  reply.Integer(1);
}

// -- HGETEX
// ----------------------------------------------------------------------------------------

enum class TimeChange : uint8_t { kNone, kPersist, kSet };

// Returns what has happened, as it is told; empty: nothing.
std::string_view ChangeTime(KeySlot* slot, HashEditor* hash, const HashItem& item,
                            std::string_view name, TimeChange change, int64_t expiry) {
  if (change == TimeChange::kNone) return {};
  if (change == TimeChange::kPersist) {
    if (item.expiry == Entry::kNoExpiry) return {};
    hash->SetExpiry(name, Entry::kNoExpiry);
    return "hpersist";
  }
  if (expiry > slot->now_ms()) {
    hash->SetExpiry(name, expiry);
    return "hexpire";
  }
  hash->Delete(name);
  slot->CountExpiredElements(1);
  return "hexpired";
}

// Answers the fields' values and calls `then(name, item)` for each that there is, once it is
// written.
template <typename Fields, typename Then>
void ReplyEach(HashEditor* hash, const Fields& fields, ReplyWriter& reply, Then then) {
  reply.Array(static_cast<int64_t>(fields.size()));
  for (const std::string_view name : fields) {
    HashItem item;
    if (!hash->Find(name, &item)) {
      reply.Null();
      continue;
    }
    ReplyHashValue(item.value, reply);
    then(name, item);
  }
}

void HGetEx(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const size_t word = FindFieldsWord(ctx, 2);
  ExpiryOption option("PERSIST");
  ArgReader options(ctx.args().first(word < ctx.argc() ? word : 2), 2);
  while (options.HasNext()) {
    if (!option.Read(options)) options.SyntaxError();
  }
  if (!options.Check(reply)) return;
  const auto fields = ReadHashFields(ctx, args, word);
  if (!args.Check(reply)) return;
  const int64_t expiry = option.Finish(ctx, args, kLeastTime);

  WriteGuard slot = ctx.Write();
  slot.CountLookup(/*touch=*/false);  // the editor does that
  if (RefuseWrongType(slot, ValueType::kHash, reply)) return;
  if (!args.Check(reply)) return;
  const TimeChange change = option.has_word()            ? TimeChange::kPersist
                            : expiry != Entry::kNoExpiry ? TimeChange::kSet
                                                         : TimeChange::kNone;
  std::string_view event;  // one for all fields: they have one change in common
  {
    HashEditor hash(&slot, HashLimitsOf(ctx));
    ReplyEach(&hash, fields, reply, [&](std::string_view name, const HashItem& item) {
      const std::string_view changed = ChangeTime(&slot, &hash, item, name, change, expiry);
      if (!changed.empty()) event = changed;
    });
  }
  if (!event.empty()) slot.NotifyRemoval(kNotifyHash, event);
}

// -- HGETDEL
// ---------------------------------------------------------------------------------------

void HGetDel(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const auto fields = ReadHashFields(ctx, args, 2);
  if (!args.Check(reply)) return;
  WriteGuard slot = ctx.Write();
  if (RefuseWrongType(slot, ValueType::kHash, reply)) return;
  bool deleted = false;
  {
    HashEditor hash(&slot, HashLimitsOf(ctx));
    ReplyEach(&hash, fields, reply, [&](std::string_view name, const HashItem&) {
      deleted = hash.Delete(name) || deleted;
    });
  }
  if (deleted) slot.NotifyRemoval(kNotifyHash, "hdel");
}

constexpr CommandSpec kHashExpirySetCommands[] = {
    {.name = "HSETEX",
     .arity = -6,
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclHash,
     .keys = OneKey(kKeyRW | kKeyInsert),
     .handler = HSetEx,
     .group = "hash",
     .since = "9.0.0",
     .complexity = "O(N) for N fields that are set",
     .summary =
         "Sets fields of a hash with a time to live, if the key and all the fields exist, or "
         "do not, as wanted; answers whether it did.",
     .syntax = "key [NX | XX] [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
               "PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields field value "
               "[field value ...]"},
    {.name = "HGETEX",
     .arity = -5,
     .flags = kWrite | kFast,
     .acl = kAclHash,
     .keys = OneKey(kKeyRW | kKeyAccess),
     .handler = HGetEx,
     .group = "hash",
     .since = "9.0.0",
     .complexity = "O(N) for N fields that are named",
     .summary = "Answers the values of fields and gives them a time to live, or takes it away.",
     .syntax = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
               "PXAT unix-time-milliseconds | PERSIST] FIELDS numfields field [field ...]"},
    {.name = "HGETDEL",
     .arity = -5,
     .flags = kWrite | kFast,
     .acl = kAclHash,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyDelete),
     .handler = HGetDel,
     .group = "hash",
     .since = "9.1.0",
     .complexity = "O(N) for N fields that are named",
     .summary = "Answers the values of fields and removes them.",
     .syntax = "key FIELDS numfields field [field ...]"},
};

}  // namespace

std::span<const CommandSpec> HashExpirySetCommands() { return kHashExpirySetCommands; }

}  // namespace spinel
