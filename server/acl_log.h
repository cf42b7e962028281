// ACL LOG: what was refused lately, and whom. Refusals of the same kind within a minute are one
// entry with a count.
//
// Owner: Acl. Threads: any.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/acl_check.h"
#include "storage/mutex.h"

namespace spinel {

enum class AclLogContext : uint8_t { kTopLevel, kMulti, kLua };

class AclLog {
 public:
  struct Entry {
    uint64_t count = 1;
    AclDenial reason = AclDenial::kNone;
    AclLogContext context = AclLogContext::kTopLevel;
    std::string object;  // the key, channel or command
    std::string username;
    std::string client;  // its line of CLIENT LIST
    int64_t created_ms = 0;
    int64_t updated_ms = 0;
    int64_t id = 0;
  };

  // Keeps no more than `limit` entries from now on, nor more of any text than kMaxText bytes. A
  // lower limit takes effect with the next entry: nothing is lost by setting it.
  void Add(Entry entry, size_t limit);
  void Clear();
  // The latest first.
  std::vector<Entry> Latest(size_t count) const;

 private:
  static constexpr size_t kMaxText = 4096;

  mutable Mutex mutex_;
  std::deque<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // the latest first
  int64_t next_id_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace spinel
