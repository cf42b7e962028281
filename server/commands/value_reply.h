// What handlers of many families share: type checks and replies made from values.
#pragma once

#include <string_view>

#include "protocol/reply_writer.h"
#include "storage/blob.h"
#include "storage/entry.h"
#include "storage/string_value.h"

namespace spinel {

inline constexpr std::string_view kWrongTypeError =
    "WRONGTYPE Operation against a key holding the wrong kind of value";

// True, and the error is written, if the key of `guard` holds something else than `type`.
template <typename Guard>
bool RefuseWrongType(const Guard& guard, ValueType type, ReplyWriter& reply) {
  if (!guard.exists() || guard.Is(type)) return false;
  reply.Error(kWrongTypeError);
  return true;
}

// `size` bytes of a blob from `offset`, to be sent from where they are.
inline Pin PinOf(Blob* blob, size_t offset, size_t size) {
  blob->AddRef();
  Pin pin;
  pin.data = blob->data() + offset;
  pin.size = size;
  pin.owner = blob;
  pin.release = [](void* owner) { static_cast<Blob*>(owner)->Release(); };
  return pin;
}

// The string as a bulk reply: small ones are copied, blobs are pinned and sent from where they are.
inline void ReplyString(const Entry& entry, ReplyWriter& reply) {
  switch (entry.string_encoding()) {
    case StringEncoding::kInline:
      return reply.Bulk(entry.inline_value());
    case StringEncoding::kInteger:
      return reply.BulkInteger(entry.integer());
    case StringEncoding::kBlob:
      return reply.BulkPinned(PinOf(entry.blob(), 0, entry.blob()->size()));
  }
}

}  // namespace spinel
