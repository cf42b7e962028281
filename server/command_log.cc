#include "server/command_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "server/session.h"

namespace spinel {

CommandLogEntry CommandLog::MakeEntry(const Session& session, CommandArgs args, int64_t value) {
  constexpr size_t kMaxArgs = 32;
  constexpr size_t kMaxBytes = 128;
  CommandLogEntry entry;
  entry.unix_seconds = std::time(nullptr);
  entry.value = value;
  entry.client_address = session.origin.address;
  entry.client_name = session.names().name;
  // The last place says how many arguments there was no place for.
  const size_t whole = args.size() > kMaxArgs ? kMaxArgs - 1 : args.size();
  for (const std::string_view arg : args.subspan(0, whole)) {
    entry.args.emplace_back(arg.substr(0, kMaxBytes));
    if (arg.size() > kMaxBytes) {
      entry.args.back() += fmt::format("... ({} more bytes)", arg.size() - kMaxBytes);
    }
  }
  if (whole < args.size()) {
    entry.args.push_back(fmt::format("... ({} more arguments)", args.size() - whole));
  }
  return entry;
}

void CommandLog::Add(CommandLogEntry entry, size_t most) {
  if (most == 0) return;
  MutexLock lock(&mutex_);
  entry.id = next_id_++;
  entries_.push_front(std::make_shared<const CommandLogEntry>(std::move(entry)));
  while (entries_.size() > most) entries_.pop_back();
}

void CommandLog::Clear() {
  MutexLock lock(&mutex_);
  entries_.clear();
}

size_t CommandLog::size() const {
  MutexLock lock(&mutex_);
  return entries_.size();
}

std::vector<std::shared_ptr<const CommandLogEntry>> CommandLog::Latest(size_t most) const {
  MutexLock lock(&mutex_);
  const size_t count = std::min(most, entries_.size());
  return {entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(count)};
}

}  // namespace spinel
