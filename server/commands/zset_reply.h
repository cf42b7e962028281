// What the commands on sorted sets share: limits from the configuration, replies made from members.
#pragma once

#include "protocol/reply_writer.h"
#include "server/config.h"
#include "storage/zset_value.h"

namespace spinel {

inline ZsetLimits ZsetLimitsOf(const Config& config) {
  return {.max_packed = static_cast<uint64_t>(config.zset_max_listpack_entries()),
          .max_packed_bytes = static_cast<uint64_t>(config.zset_max_listpack_value())};
}

// The beginning of a reply of `count` members: with scores, RESP3 nests pairs, RESP2 has both in
// one row.
inline void ReplyMemberCount(uint64_t count, bool with_scores, ReplyWriter& reply) {
  const auto size = static_cast<int64_t>(count);
  reply.Array(with_scores && !reply.resp3() ? 2 * size : size);
}

// One of its members.
inline void ReplyMember(const ScoredMember& scored, bool with_scores, ReplyWriter& reply) {
  if (!with_scores) return reply.Bulk(scored.member);
  if (reply.resp3()) reply.Array(2);
  reply.Bulk(scored.member);
  reply.Double(scored.score);
}

}  // namespace spinel
