// Popping from sorted sets, for the commands that do and for those that wait until they can.
#pragma once

#include <cstdint>

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "storage/key_slot.h"

namespace spinel {

enum class ZsetEnd : uint8_t { kLowest, kHighest };

// What surrounds the members in the reply.
enum class PopShape : uint8_t {
  kFlat,      // [member, score, ...]: ZPOPMIN
  kPairs,     // [[member, score], ...]: ZPOPMIN with a count, RESP3
  kKeyFlat,   // [key, member, score]: BZPOPMIN
  kKeyPairs,  // [key, [[member, score], ...]]: ZMPOP, BZMPOP
};

// What ZMPOP and BZMPOP take: "numkeys key [key ...] <MIN | MAX> [COUNT count]".
struct ZsetPopArgs {
  ZsetEnd end = ZsetEnd::kLowest;
  uint64_t count = 1;
};
ZsetPopArgs ReadZsetPopArgs(ArgReader& args);

// Removes up to `count` > 0 members from one end and replies them; the last one takes the key with
// it. Expects a slot that holds a sorted set.
void PopAndReply(KeySlot* slot, ZsetEnd end, uint64_t count, PopShape shape, ReplyWriter& reply);

}  // namespace spinel
