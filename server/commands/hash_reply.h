// What the hash commands share.
#pragma once

#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/value_reply.h"
#include "storage/hash_value.h"

namespace spinel {

inline HashLimits HashLimitsOf(const CommandContext& ctx) {
  return {static_cast<size_t>(ctx.config().hash_max_listpack_entries()),
          static_cast<size_t>(ctx.config().hash_max_listpack_value())};
}

// Small values are copied, blobs are pinned and sent from where they are.
inline void ReplyHashValue(const HashField::Value& value, ReplyWriter& reply) {
  if (value.blob == nullptr) [[likely]]
    return reply.Bulk(value.bytes);
  reply.BulkPinned(PinOf(value.blob, 0, value.blob->size()));
}

}  // namespace spinel
