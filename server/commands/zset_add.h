// Adding members to a sorted set: what ZADD and GEOADD share.
#pragma once

#include "absl/container/inlined_vector.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "storage/zset_value.h"

namespace spinel {

struct ZsetAddition {
  ZsetAddRules rules;
  bool count_changes = false;  // CH
  absl::InlinedVector<ScoredMember, 4> members;
  size_t longest = 0;  // of the members, bytes
};

// Adds to the set at the command's first key and replies how many members are new, or have changed.
void AddMembers(const CommandContext& ctx, const ZsetAddition& addition, ReplyWriter& reply);

}  // namespace spinel
