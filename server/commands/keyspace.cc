// Keys whatever their type: DEL, EXISTS, TYPE, RENAME, COPY, MOVE and their relatives. (What walks
// over the keyspace is in scan.cc, times to live in expiry.cc.)

#include <limits>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"
#include "server/commands/key_events.h"
#include "server/commands/string_args.h"
#include "storage/value_info.h"

namespace spinel {
namespace {

constexpr std::string_view kNoSuchKeyError = "ERR no such key";
constexpr std::string_view kSameObjectError = "ERR source and destination objects are the same";

// Calls `op(KeySlot&)` for each key of the command, all of them locked, and answers how often it
// was true. A key that is named twice is visited twice.
template <typename Op>
void ReplyCount(CommandContext& ctx, ReplyWriter& reply, Op&& op) {
  if (ctx.argc() == 2) {
    WriteGuard slot = ctx.Write();
    return reply.Integer(op(slot) ? 1 : 0);
  }
  const LockedKeys keys = ctx.LockKeys();
  int64_t count = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    KeySlot slot = keys.Slot(i);
    if (op(slot)) ++count;
  }
  reply.Integer(count);
}

void Unlink(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  ReplyCount(ctx, reply, [](KeySlot& slot) {
    if (!slot.Unlink()) return false;
    slot.Notify(kNotifyGeneric, "del");
    return true;
  });
}

void Del(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  if (ctx.config().lazyfree_lazy_user_del()) return Unlink(ctx, args, reply);
  ReplyCount(ctx, reply, [](KeySlot& slot) {
    if (!slot.Delete()) return false;
    slot.Notify(kNotifyGeneric, "del");
    return true;
  });
}

// Removes nothing while expired keys are to stay, unlike a slot that may write.
void CountExisting(CommandContext& ctx, LookupMode mode, ReplyWriter& reply) {
  if (ctx.argc() == 2) return reply.Integer(ctx.Lookup(1, mode) ? 1 : 0);
  ReplyCount(ctx, reply, [mode](KeySlot& slot) {
    slot.CountLookup(/*touch=*/mode == LookupMode::kCount);
    return slot.exists();
  });
}

void Exists(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  CountExisting(ctx, LookupMode::kCountNoTouch, reply);
}

void Touch(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  // It touches even for clients whose reads do not.
  OpContext& op = ctx.loop().op;
  const bool touch_before = std::exchange(op.touch, true);
  CountExisting(ctx, LookupMode::kCount, reply);
  op.touch = touch_before;
}

void Type(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const ReadGuard value = ctx.Lookup(1, LookupMode::kCountNoTouch);
  reply.Simple(value ? TypeName(value->type()) : "none");
}

enum class Overwrite : uint8_t { kAllow, kRefuse };

// Answers an error, or true if the key has its new name.
bool RenameKey(CommandContext& ctx, Overwrite overwrite, ReplyWriter& reply) {
  // A slot may remove an expired key and so move its neighbours: each is used before the next is
  // made.
  const LockedKeys keys = ctx.LockKeys();
  const bool same = keys.key(0).name == keys.key(1).name;
  if (!keys.Slot(0)) {
    reply.Error(kNoSuchKeyError);
    return false;
  }
  if (same) return overwrite == Overwrite::kAllow;
  if (overwrite == Overwrite::kRefuse && keys.Slot(1)) return false;
  KeySlot source = keys.Slot(0);
  source.Touch();
  Entry* const taken = source.Take();
  KeySlot target = keys.Slot(1);
  const bool existed = target.exists();
  target.PutUncounted(Entry::WithKey(taken, keys.key(1).name));  // one change in all
  NotifyReplaced(target, existed);
  source.Notify(kNotifyGeneric, "rename_from");
  target.Notify(kNotifyGeneric, "rename_to");
  return true;
}

void Rename(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  if (RenameKey(ctx, Overwrite::kAllow, reply)) reply.Ok();
}

void RenameNx(CommandContext& ctx, ArgReader&, ReplyWriter& reply) {
  const bool renamed = RenameKey(ctx, Overwrite::kRefuse, reply);
  if (reply.error_count() == 0) reply.Integer(renamed ? 1 : 0);
}

// Reads the number of a database; latches an error if there is none of that number.
int ReadDatabase(const CommandContext& ctx, ArgReader& args) {
  const int64_t number =
      args.IntInRange(std::numeric_limits<int>::min(), std::numeric_limits<int>::max());
  if (!args.ok()) return 0;
  if (number < 0 || number >= ctx.store().databases()) {
    args.Fail("ERR DB index is out of range");
    return 0;
  }
  return static_cast<int>(number);
}

void Copy(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  args.Skip(2);
  bool replace = false;
  int database = ctx.session().db();
  while (args.HasNext()) {
    if (args.Tag("REPLACE")) {
      replace = true;
    } else if (args.Left() > 1 && args.Tag("DB")) {
      database = ReadDatabase(ctx, args);
    } else {
      args.SyntaxError();
    }
  }
  if (!args.Done(reply)) return;
  if (database == ctx.session().db() && ctx.arg(1) == ctx.arg(2)) {
    return reply.Error(kSameObjectError);
  }

  const LockedKeys keys = ctx.LockKeys();
  KeySlot source = keys.Slot(0);
  source.CountLookup();
  if (!source) return reply.Integer(0);
  // Making this slot may move the source's place in the table, not its entry.
  KeySlot target = keys.SlotIn(database, 1);
  if (target && !replace) return reply.Integer(0);
  Entry* const copy = Entry::Clone(*source, keys.key(1).name);
  if (copy == nullptr) return reply.Error(kNoMemoryError);
  const bool existed = target.exists();
  target.Put(copy);
  NotifyReplaced(target, existed);
  target.Notify(kNotifyGeneric, "copy_to");
  reply.Integer(1);
}

void Move(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int database = ReadDatabase(ctx, args.Skip(1));
  if (!args.Done(reply)) return;
  if (database == ctx.session().db()) return reply.Error(kSameObjectError);

  const LockedKeys keys = ctx.LockKeys();
  KeySlot source = keys.Slot(0);
  KeySlot target = keys.SlotIn(database, 0);  // another database is another table
  if (!source || target) return reply.Integer(0);
  source.Touch();
  // Renamed to itself: what the timing wheel knows of the entry names the old database.
  target.PutUncounted(Entry::WithKey(source.Take(), keys.key(0).name));  // one change in all
  source.Notify(kNotifyGeneric, "move_from");
  target.Notify(kNotifyGeneric, "move_to");
  reply.Integer(1);
}

constexpr KeySpec kEveryKey = Keys(1, -1, 1, kKeyRO);
constexpr KeySpec kRemovedKeys = Keys(1, -1, 1, kKeyRM | kKeyDelete);

constexpr CommandSpec kKeyspaceCommands[] = {
    {.name = "DEL",
     .arity = -2,
     .flags = kWrite,
     .acl = kAclKeyspace,
     .keys = kRemovedKeys,
     .handler = Del,
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(N) for N keys, and the elements of those that are small collections; big "
                   "values are freed in the background",
     .summary = "Removes keys; answers how many there were.",
     .syntax = "key [key ...]"},
    {.name = "UNLINK",
     .arity = -2,
     .flags = kWrite | kFast,
     .acl = kAclKeyspace,
     .keys = kRemovedKeys,
     .handler = Unlink,
     .group = "generic",
     .since = "4.0.0",
     .complexity = "O(N) for N keys; memory is freed in the background",
     .summary = "Removes keys as DEL does, and frees their values in the background.",
     .syntax = "key [key ...]"},
    {.name = "EXISTS",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .acl = kAclKeyspace,
     .keys = kEveryKey,
     .handler = Exists,
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(N) for N keys",
     .summary = "Answers how many of the keys exist; one that is named twice counts twice.",
     .syntax = "key [key ...]"},
    {.name = "TOUCH",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .acl = kAclKeyspace,
     .keys = kEveryKey,
     .handler = Touch,
     .group = "generic",
     .since = "3.2.1",
     .complexity = "O(N) for N keys",
     .summary = "Marks keys as just used; answers how many of them exist.",
     .syntax = "key [key ...]"},
    {.name = "TYPE",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .acl = kAclKeyspace,
     .keys = OneKey(kKeyRO),
     .handler = Type,
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers the type of the value at a key, or none.",
     .syntax = "key"},
    {.name = "RENAME",
     .arity = 3,
     .flags = kWrite,
     .acl = kAclKeyspace,
     .keys = Keys(1, 2, 1, kKeyRW | kKeyAccess | kKeyDelete),
     .handler = Rename,
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Gives a key another name, replacing what has that name.",
     .syntax = "key newkey"},
    {.name = "RENAMENX",
     .arity = 3,
     .flags = kWrite | kFast,
     .acl = kAclKeyspace,
     .keys = Keys(1, 2, 1, kKeyRW | kKeyAccess | kKeyDelete),
     .handler = RenameNx,
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Gives a key another name unless a key of that name exists.",
     .syntax = "key newkey"},
    {.name = "COPY",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .acl = kAclKeyspace,
     .keys = Keys(1, 2, 1, kKeyRO | kKeyAccess),
     .handler = Copy,
     .group = "generic",
     .since = "6.2.0",
     .complexity = "O(1) for strings, O(N) for collections of N elements",
     .summary = "Copies a value with its time to live to another key.",
     .syntax = "source destination [DB destination-db] [REPLACE]"},
    {.name = "MOVE",
     .arity = 3,
     .flags = kWrite | kFast,
     .acl = kAclKeyspace,
     .keys = OneKey(kKeyRW | kKeyAccess | kKeyUpdate),
     .handler = Move,
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Moves a key to another database unless that has it already.",
     .syntax = "key db"},
};

}  // namespace

std::span<const CommandSpec> KeyspaceCommands() { return kKeyspaceCommands; }

}  // namespace spinel
