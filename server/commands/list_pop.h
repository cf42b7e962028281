// What the commands that take elements off lists share, blocking or not: pops and moves that work
// on slots and write the reply, whoever's it is.
//
// Threads: the slots' stripes are locked.
#pragma once

#include <cstddef>
#include <string_view>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "storage/key_slot.h"
#include "storage/list_value.h"

namespace spinel {

// By the configuration and DEBUG.
ListLimits ListLimitsOf(const CommandContext& ctx);

// The events of elements that come to an end of a list, or leave it.
constexpr std::string_view PushEvent(ListEnd end) {
  return end == ListEnd::kHead ? "lpush" : "rpush";
}
constexpr std::string_view PopEvent(ListEnd end) { return end == ListEnd::kHead ? "lpop" : "rpop"; }

// LEFT or RIGHT; anything else is a syntax error.
ListEnd ReadListEnd(ArgReader& args);

// What LMPOP and BLMPOP take: "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]".
struct PopManyArgs {
  ListEnd end = ListEnd::kHead;
  size_t count = 1;
};
PopManyArgs ReadPopManyArgs(ArgReader& args);

// Writes elements of a list as an array, `backward` from the last of the range to the first.
void ReplyRange(const ListView& list, const ListRange& range, bool backward, ReplyWriter& reply);

// All expect a slot that holds a list. Each is one change of the list, its event and its reply:
// the element, a bulk string;
void PopOne(KeySlot* slot, ListEnd end, const ListLimits& limits, ReplyWriter& reply);
// the key and the element (BLPOP);
void PopOneWithKey(KeySlot* slot, ListEnd end, const ListLimits& limits, ReplyWriter& reply);
// up to `count` elements, an array;
void PopMany(KeySlot* slot, ListEnd end, size_t count, const ListLimits& limits,
             ReplyWriter& reply);
// the key and such an array (LMPOP).
void PopManyWithKey(KeySlot* slot, ListEnd end, size_t count, const ListLimits& limits,
                    ReplyWriter& reply);

// Moves one element and writes it. `to` is a list or missing; nullptr when it is the same key.
void MoveElement(KeySlot* from, ListEnd from_end, KeySlot* to, ListEnd to_end,
                 const ListLimits& limits, ReplyWriter& reply);

}  // namespace spinel
