// What happens to keys, told to clients that subscribe to it: "keyspace events".
//
// Whoever does something to a key says so where he does it (KeySlot::Notify), under the lock of the
// key's stripe, so that the events of a key have the order of its changes. Nobody formats or copies
// anything unless notify-keyspace-events asks for that class of events.
//
// Owner: see OpContext. Threads: KeyEventSink that of the operation.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace spinel {

// Bits of notify-keyspace-events.
inline constexpr int64_t kNotifyKeyspace = 1 << 0;  // K
inline constexpr int64_t kNotifyKeyevent = 1 << 1;  // E
inline constexpr int64_t kNotifyGeneric = 1 << 2;   // g
inline constexpr int64_t kNotifyString = 1 << 3;    // $
inline constexpr int64_t kNotifyList = 1 << 4;      // l
inline constexpr int64_t kNotifySet = 1 << 5;       // s
inline constexpr int64_t kNotifyHash = 1 << 6;      // h
inline constexpr int64_t kNotifyZset = 1 << 7;      // z
inline constexpr int64_t kNotifyExpired = 1 << 8;   // x
inline constexpr int64_t kNotifyEvicted = 1 << 9;   // e
inline constexpr int64_t kNotifyStream = 1 << 10;   // t
inline constexpr int64_t kNotifyKeyMiss = 1 << 11;  // m, not part of A
inline constexpr int64_t kNotifyModule = 1 << 12;   // d
inline constexpr int64_t kNotifyNew = 1 << 13;      // n, not part of A
inline constexpr int64_t kNotifyAll =               // A
    kNotifyGeneric | kNotifyString | kNotifyList | kNotifySet | kNotifyHash | kNotifyZset |
    kNotifyExpired | kNotifyEvicted | kNotifyStream | kNotifyModule;

// The classes that are asked for, for everybody to look at before he tells anything.
using KeyEventClasses = std::atomic<int64_t>;
inline constinit KeyEventClasses kNoKeyEvents{0};

class KeyEventSink {
 public:
  virtual ~KeyEventSink() = default;
  // `event` as clients see it ("del"); `database` is the logical one. Called with the key's stripe
  // locked: takes no lock of the store.
  virtual void OnKeyEvent(std::string_view event, int database, std::string_view key) = 0;
};

}  // namespace spinel
