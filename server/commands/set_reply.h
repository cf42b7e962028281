// What the commands on sets share: limits from the configuration, replies made from members.
#pragma once

#include "protocol/reply_writer.h"
#include "server/config.h"
#include "storage/set_value.h"

namespace spinel {

inline SetLimits SetLimitsOf(const Config& config) {
  return {.max_integers = static_cast<uint64_t>(config.set_max_intset_entries()),
          .max_packed = static_cast<uint64_t>(config.set_max_listpack_entries()),
          .max_packed_bytes = static_cast<uint64_t>(config.set_max_listpack_value())};
}

inline void ReplyMember(const SetElement& element, ReplyWriter& reply) {
  if (element.is_integer()) {
    reply.BulkInteger(element.integer());
  } else {
    reply.Bulk(element.text());
  }
}

// For SetView's visitors.
inline auto MemberReplier(ReplyWriter& reply) {
  return [&reply](const SetElement& element) { ReplyMember(element, reply); };
}

}  // namespace spinel
