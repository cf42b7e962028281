// What a client can subscribe to, and what it has subscribed to.
//
// Threads: the loop's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/text_map.h"

namespace spinel {

enum class SubscriptionKind : uint8_t { kChannel, kPattern, kShard };
inline constexpr size_t kSubscriptionKinds = 3;

// The names of one client's subscriptions.
struct Subscriptions {
  std::array<TextSet, kSubscriptionKinds> names;

  TextSet& of(SubscriptionKind kind) { return names[static_cast<size_t>(kind)]; }
};

}  // namespace spinel
