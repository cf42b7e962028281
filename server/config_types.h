// The small types that configuration is made of: cells that hold one value each, the enums and
// structs that typed options have, and the status type of everything that can fail.
//
// Cells belong to a Config. Threads: any may read; only Config writes, under its mutex.
#pragma once

#include <absl/base/thread_annotations.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "storage/key_events.h"
#include "storage/mutex.h"

namespace spinel {

// Success, or a message for a person. For CONFIG commands the message is the whole error reply
// ("ERR CONFIG SET failed ..."); at start-up it is what goes to stderr, possibly several lines.
class [[nodiscard]] ConfigStatus {
 public:
  ConfigStatus() = default;
  static ConfigStatus Ok() { return {}; }
  static ConfigStatus Error(std::string text) { return ConfigStatus(std::move(text)); }

  bool ok() const { return ok_; }
  const std::string& error() const { return error_; }

 private:
  explicit ConfigStatus(std::string text) : ok_(false), error_(std::move(text)) {}
  bool ok_ = true;
  std::string error_;
};

// Something to tell the operator when the server starts.
struct ConfigNotice {
  bool warning = false;  // data, safety or reachability is not what the operator may believe
  std::string text;

  bool operator==(const ConfigNotice& other) const = default;
};

// A number that hot code reads: a relaxed load, nothing else.
class NumberCell {
 public:
  int64_t Load() const { return value_.load(std::memory_order_relaxed); }
  void Store(int64_t value) { value_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// A NumberCell that is read as a T: bool, an integer or an enum.
template <class T>
class Setting : public NumberCell {
 public:
  T Get() const { return static_cast<T>(Load()); }
  T operator()() const { return Get(); }
};

// A string; every read copies it, so keep it off hot paths.
class TextCell {
 public:
  std::string Get() const {
    MutexLock lock(&mutex_);
    return value_;
  }
  std::string operator()() const { return Get(); }
  bool empty() const {
    MutexLock lock(&mutex_);
    return value_.empty();
  }
  void Store(std::string value) {
    MutexLock lock(&mutex_);
    value_ = std::move(value);
  }

 private:
  mutable Mutex mutex_;
  std::string value_ ABSL_GUARDED_BY(mutex_);
};

enum class LogLevel : int64_t { kDebug, kVerbose, kNotice, kWarning, kNothing };

enum class LogFormat : int64_t { kLegacy, kLogfmt, kJson };

enum class LogTimestamp : int64_t { kLegacy, kIso8601, kMilliseconds };

enum class MaxmemoryPolicy : int64_t {
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
  kAllkeysLru,
  kAllkeysLfu,
  kAllkeysRandom,
  kVolatileS3,
  kAllkeysS3,
  kNoEviction,
};

// Who may use a dangerous facility: enable-debug-command and its siblings.
enum class ProtectedAction : int64_t { kNo, kYes, kLocal };

enum class Supervised : int64_t { kNo, kUpstart, kSystemd, kAuto };

enum class TlsAuthClients : int64_t { kNo, kYes, kOptional };

// Bits of shutdown-on-sigterm and shutdown-on-sigint; 0 is "default".
inline constexpr int64_t kShutdownSave = 1;
inline constexpr int64_t kShutdownNosave = 2;
inline constexpr int64_t kShutdownNow = 4;
inline constexpr int64_t kShutdownForce = 8;

// Save when at least `changes` changes happened and `seconds` have passed since the last save.
struct SavePoint {
  int64_t seconds = 0;
  int64_t changes = 0;

  bool operator==(const SavePoint& other) const = default;
};

// Classes of client-output-buffer-limit.
enum class OutputClass : uint8_t { kNormal, kReplica, kPubsub };
inline constexpr int kOutputClasses = 3;

// A connection is cut when its pending output passes `hard_bytes`, or stays above `soft_bytes` for
// `soft_seconds`. 0 bytes: no limit.
struct OutputLimit {
  Setting<int64_t> hard_bytes;
  Setting<int64_t> soft_bytes;
  Setting<int64_t> soft_seconds;
};

// A `rename-command` directive; an empty `to` removes the command.
struct RenamedCommand {
  std::string from;
  std::string to;

  bool operator==(const RenamedCommand& other) const = default;
};

}  // namespace spinel
