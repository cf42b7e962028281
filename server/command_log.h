// The logs of SLOWLOG and COMMANDLOG: the latest commands that took long, came with a large request
// or had a large reply.
//
// Owner: the Observation. Threads: any. Lock order: stripes, then the mutex here.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/command.h"
#include "storage/mutex.h"

namespace spinel {

class Session;

struct CommandLogEntry {
  uint64_t id = 0;
  int64_t unix_seconds = 0;
  int64_t value = 0;              // microseconds or bytes, as the log has it
  std::vector<std::string> args;  // cut short
  std::string client_address;
  std::string client_name;
};

class CommandLog {
 public:
  // With the time of day as its time; `args` are copied as far as the log shows them.
  static CommandLogEntry MakeEntry(const Session& session, CommandArgs args, int64_t value);

  // Gives the entry its id. No more than `most` are kept.
  void Add(CommandLogEntry entry, size_t most);
  void Clear();
  size_t size() const;
  // The latest `most`, the last one first.
  std::vector<std::shared_ptr<const CommandLogEntry>> Latest(size_t most) const;

 private:
  mutable Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::shared_ptr<const CommandLogEntry>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spinel
